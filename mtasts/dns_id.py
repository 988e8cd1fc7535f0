"""Whether the DNS-IDs of a certificate cover a host (RFC 9525 section 6.3, RFC 6125 section 6.4).

DNS-IDs are the dNSNames of its subjectAltName. Its common name and its addresses are no DNS-IDs:
they never cover an MX host or a policy host (RFC 8461 sections 3.3 and 4.2).
"""

from typing import Iterable

_WILDCARD = "*."


def covers(names: Iterable[str], host: str) -> bool:
    """Whether one of the DNS-IDs `names` is `host`, or a wildcard for it; case does not matter."""
    return any(_covers(name, host) for name in names)


def _covers(name: str, host: str) -> bool:
    # Only now that both are ASCII: str.lower() makes a 'k' of the Kelvin sign.
    if not (_is_ascii(name) and _is_ascii(host)):
        return False
    name, host = name.lower(), host.lower()
    if not name.startswith(_WILDCARD):
        return name == host
    # The wildcard is the whole left-most label, and stands for exactly one.
    label, _, parent = host.partition(".")
    return bool(label and parent) and name[len(_WILDCARD) :] == parent


def _is_ascii(text: str) -> bool:
    return all(character < "\x80" for character in text)
