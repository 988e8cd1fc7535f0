"""What a machine without IPv6 cannot see, which says nothing about it.

As long as the same was seen over IPv4, it is only worth knowing: senders over IPv6 may see another
thing. Where nothing else was seen, it is not known, as with all that cannot be reached.
"""

from typing import Iterable

_CODES = ("connect-no-ipv6", "dns-server-no-ipv6")


def is_unseen(fact: object, facts: Iterable[object]) -> bool:
    """Whether this machine has no IPv6 for `fact`, while others of `facts` were to be seen."""
    return _is_without_ipv6(fact) and not all(map(_is_without_ipv6, facts))


def _is_without_ipv6(fact: object) -> bool:
    return getattr(fact, "code", "") in _CODES
