"""The name of an address, if both ways agree: its PTR record, and the name's own addresses.

Whoever holds an address can let its PTR record say anything. Only a name that leads back to the
address is its operator's word.
"""

import functools
import ipaddress
from typing import Dict, Iterable, Tuple

from mtasts import at_once
from mtasts.dns_view import Resolver
from mtasts.errors import MtastsError
from mtasts.pickup.fetcher import Name

MAX_NAMES = 4  # of one address that are looked up


def names_of(resolver: Resolver, addresses: Iterable[str]) -> Dict[str, Name]:
    """The names of `addresses`, looked up side by side."""
    look_up = functools.partial(_named, resolver)
    return dict(at_once.results(look_up, addresses))


def _named(resolver: Resolver, address: str) -> Tuple[str, Name]:
    return address, name_of(resolver, address)


def name_of(resolver: Resolver, address: str) -> Name:
    """The name of `address`, a confirmed one if there is any; none where DNS does not answer."""
    try:
        ip = ipaddress.ip_address(address)
        ip = getattr(ip, "ipv4_mapped", None) or ip
        names = resolver.pointers(ip.reverse_pointer).records
    except (ValueError, MtastsError):  # Apache logs names, or nobody answers
        return Name("", False)
    for name in names[:MAX_NAMES]:
        if _leads_to(resolver, name, ip):
            return Name(name, True)
    return Name(names[0], False) if names else Name("", False)


def _leads_to(resolver: Resolver, name: str, ip) -> bool:  # an address of either kind
    try:
        found = resolver.addresses(name, "A" if ip.version == 4 else "AAAA").records
    except MtastsError:
        return False
    return ip in [ipaddress.ip_address(one) for one in found]
