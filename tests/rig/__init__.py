"""The laboratory of tests/real: real Apache, certbot, Pebble and dnsmasq, driven from pytest.

Everything here expects to run inside tests/sandbox, where the ports and the system directories are
ours. Each module handles one program; nothing here knows what a test wants to prove.
"""
