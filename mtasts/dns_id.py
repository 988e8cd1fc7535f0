"""Whether the DNS-IDs of a certificate cover a host (RFC 9525 section 6.3, RFC 6125 section 6.4).

DNS-IDs are the dNSNames of its subjectAltName. Its common name and its addresses are no DNS-IDs:
they never cover an MX host or a policy host (RFC 8461 sections 3.3 and 4.2).
"""

import re
from typing import Iterable

_ASCII = re.compile(r"[\0-\x7f]*\Z")


def covers(names: Iterable[str], host: str) -> bool:
    """Whether one of the DNS-IDs `names` is `host`, or a wildcard for it; case does not matter."""
    if not _ASCII.match(host):
        return False
    covering = [host.lower()]
    # The wildcard is the whole left-most label, and stands for exactly one.
    label, _, parent = covering[0].partition(".")
    if label and parent:
        covering.append(f"*.{parent}")
    # Only of what is ASCII: str.lower() makes a 'k' of the Kelvin sign.
    return any(name.lower() in covering for name in names if _ASCII.match(name))
