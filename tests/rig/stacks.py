"""The virtual environments of tests/stacks, and what they are for."""

import functools
import os
import subprocess

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLONE = os.path.dirname(TESTS)

#: certbot version -> stack that has it
CERTBOTS = {
    "0.27.0": "certbot-0.27.0",
    "0.31.0": "bionic",
    "0.40.0": "certbot-0.40.0",
    "1.21.0": "certbot-1.21.0",
    "2.1.0": "certbot-2.1.0",
    "newest": "newest",
    "debian": "system",
}

#: mod_wsgi stacks: Ubuntu 18.04's, this machine's packages, today's releases
WSGI_STACKS = ("bionic", "system", "newest")


@functools.lru_cache(maxsize=None)
def directory(name: str) -> str:
    """Directory of the virtual environment made from tests/stacks/<name>.txt; /usr for "system"."""
    if name == "system":
        return "/usr"
    found = subprocess.check_output([os.path.join(TESTS, "stack"), name], universal_newlines=True)
    return found.strip()


def python(name: str) -> str:
    """Path of the interpreter of a stack; "system" is the machine's own."""
    return os.path.join(directory(name), "bin/python3")
