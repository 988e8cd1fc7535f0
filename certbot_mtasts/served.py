"""What the machine presents over TLS now, compared with what the files say.

After a reload nothing but a look tells whether a certificate arrived: another virtual host may take
the name, or Apache may still run with the old file. So this connects to wherever port 443 listens,
sends the name, and compares the certificate that comes back, byte for byte.
"""

import enum
import ipaddress
import re
import socket
import ssl
import struct
from typing import List, Optional

from certbot_mtasts.apachectl import TLS_PORT

_SECONDS = 5
_LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp
_LEAF = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Seen(enum.Enum):
    """What a look found: the file's certificate, another one, or no TLS at all."""

    CURRENT = "current"
    OTHER = "other"
    NOTHING = "nothing"


def look(name: str, certificate: str) -> Seen:
    """Compare what this machine presents for `name` with the first one in file `certificate`."""
    expected = _leaf(certificate)
    seen = Seen.NOTHING
    for address in _listening(TLS_PORT):
        presented = _presented(address, name)
        if presented is not None and presented == expected:
            return Seen.CURRENT
        if presented is not None:
            seen = Seen.OTHER
    return seen


def _leaf(path: str) -> Optional[bytes]:
    """The server's own certificate in a chain file, in DER; None if there is none."""
    try:
        with open(path, encoding="ascii") as file:
            first = _LEAF.search(file.read())
        return ssl.PEM_cert_to_DER_cert(first.group()) if first else None
    except (OSError, ValueError):
        return None


def _presented(address: str, name: str) -> Optional[bytes]:
    """The certificate that `address` presents for `name`, in DER; None if it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # whether it is trusted is the senders' question, not ours
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((address, TLS_PORT), _SECONDS) as plain, context.wrap_socket(
            plain, server_hostname=name
        ) as tls:
            return tls.getpeercert(True)
    except (OSError, ValueError):
        return None


def _listening(port: int) -> List[str]:
    """The addresses of this machine that accept connections to `port`, as Linux lists them."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                sockets = [line.split() for line in file.readlines()[1:]]
        except OSError:  # a kernel without IPv6
            continue
        for fields in sockets:
            digits, _, port_digits = fields[1].partition(":")
            if fields[3] == _LISTEN and int(port_digits, 16) == port:
                found += _connectable(digits)
    return found


def _connectable(digits: str) -> List[str]:
    """Where a listener can be reached; `digits` are 32-bit words in the machine's byte order."""
    words = [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    if address.is_unspecified:
        return ["127.0.0.1"] if address.version == 4 else ["::1", "127.0.0.1"]
    return [str(address)]
