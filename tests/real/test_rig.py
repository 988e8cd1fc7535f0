"""The laboratory itself: what the other tests take for granted."""

import datetime
import os
import ssl
import subprocess

import pytest

from rig import debian, http, stacks
from rig.acme import Pebble
from rig.apache import write
from rig.certbot import Certbot
from rig.process import run

HELLO = """
import sys

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["{}.{}".format(*sys.version_info).encode("ascii")]
"""


def now():
    return datetime.datetime.now(datetime.timezone.utc)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
@pytest.mark.parametrize("wsgi", stacks.WSGI_STACKS)
def test_apache_runs_python_of_each_stack(make_apache, wsgi, mpm):
    apache = make_apache(wsgi, mpm)
    write("/var/www/hello.wsgi", HELLO)
    apache.add_configuration("hello", "WSGIScriptAlias /hello /var/www/hello.wsgi\n")
    apache.start()
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    version = subprocess.check_output([stacks.python(wsgi), "-c", code], universal_newlines=True)
    assert http.fetch_plain("localhost", "/hello").text == version.strip()


def test_each_test_starts_on_a_fresh_machine(make_apache):
    assert not os.path.exists("/etc/apache2/conf-enabled/hello.conf")
    assert not os.path.exists("/etc/letsencrypt")
    assert make_apache().pid() is None


@pytest.mark.parametrize("version", list(stacks.CERTBOTS))
def test_pebble_issues_to_each_certbot(version, pebble, resolver):
    resolver.set("host.example.test A 127.0.0.1", "host.example.test AAAA ::1")
    certbot = Certbot(version, pebble)
    certbot("certonly", "--standalone", "-d", "host.example.test")
    assert os.path.exists("/etc/letsencrypt/live/host.example.test/fullchain.pem")
    certbot("renew", "--dry-run")


def test_certificate_verifies_against_pebbles_root(make_apache, pebble, resolver):
    resolver.set("host.example.test A 127.0.0.1")
    Certbot("newest", pebble)("certonly", "--standalone", "-d", "host.example.test")
    apache = make_apache()
    apache.enable("mod", "ssl")
    live = "/etc/letsencrypt/live/host.example.test/"
    site = "<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile {0}fullchain.pem\n"
    apache.add_site(
        "tls", (site + "SSLCertificateKeyFile {0}privkey.pem\n</VirtualHost>\n").format(live)
    )
    apache.start(443)
    answer = http.fetch("host.example.test", "/", root=pebble.root)
    assert answer.status == 200
    with open(live + "cert.pem") as source:
        assert answer.certificate == ssl.PEM_cert_to_DER_cert(source.read())
    with pytest.raises(ssl.SSLError):
        http.fetch("other.example.test", "/", root=pebble.root)


def test_second_pebble_issues_short_lived_certificates(tmp_path, resolver):
    resolver.set("host.example.test A 127.0.0.1")
    ca = Pebble(str(tmp_path), lifetime=600, port=14100)
    ca.start()
    try:
        Certbot("newest", ca)("certonly", "--standalone", "-d", "host.example.test")
    finally:
        ca.stop()
    certificate = "/etc/letsencrypt/live/host.example.test/cert.pem"
    expires = run("openssl", "x509", "-in", certificate, "-checkend", "601", check=False)
    assert "Certificate will expire" in expires.output


@pytest.mark.parametrize("suite", debian.SUITES)
def test_newly_installed_system_can_install_and_is_thrown_away(make_debian, suite):
    machine = make_debian(suite)
    assert "VERSION_CODENAME=" + suite in machine.run("cat", "/etc/os-release").output
    assert machine.run("sh", "-c", "command -v openssl", check=False).code != 0
    machine.run("apt-get", "update")
    machine.run("apt-get", "install", "-y", "--no-install-recommends", "openssl")
    machine.run("sh", "-c", "exec sleep 1000 >/dev/null 2>&1 & openssl version")
    machine.run("test", "-x", "apache/setup")
