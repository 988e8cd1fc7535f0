"""What a look at a domain calls of the edges, and how: in threads, while asyncio does the waiting.

Each exchange is a blocking function, and a pool of threads runs it. None waits for another, so one
bounded pool does for as many domains as are looked at together. Or there is no pool, and one thread
does one after the other.
"""

import asyncio
import functools
import time
from concurrent.futures import Executor
from typing import Any, Callable, NamedTuple, Optional, Tuple, Union

from mtasts import authority, https, smtp, testing_until, tls
from mtasts.authority import Server, TXTSet
from mtasts.dns_view import Resolver, View
from mtasts.domain import Domain
from mtasts.errors import LookupFailed, MtastsError
from mtasts.facts import TOO_LATE, Answer, Handshake, Own, SMTPServer
from mtasts.policy_file import NoPolicy, read_bytes


class Edges(NamedTuple):
    """The functions that a look calls; who looks at many domains wraps them, to share what is told.

    Each may be called from several threads at once, and must not wait for what another thread of
    the same pool has yet to begin. They raise `MtastsError`. `own` gives None for a domain that is
    not ours. `require_dns` raises if DNS answers nothing, whoever is asked about: then what was not
    seen says nothing about a domain.
    """

    txt: Callable[[str], View]
    addresses: Callable[[str, str], View]
    mx: Callable[[str], View]
    tlsa: Callable[[str], View]
    zone_of: Callable[[str], str]
    name_servers: Callable[[str], Tuple[str, ...]]
    ask: Callable[[Server, str], TXTSet]
    fetch: Callable[
        [Domain, str, str], Tuple[Union[Handshake, MtastsError], Union[Answer, MtastsError]]
    ]
    smtp: Callable[[str, str], SMTPServer]
    options: Callable[[str], int]
    own: Callable[[Domain], Optional[Own]]
    require_dns: Callable[[], None]


def real(
    resolver: Optional[str] = None, ca_file: Optional[str] = None, root: Optional[str] = None
) -> Edges:
    """The network and the policy directory `root`; without it, no domain is ours.

    `resolver` is asked instead of the machine's own, `ca_file` replaces the trusted roots. Raises
    `MtastsError` for what would be wrong with every domain.
    """
    dns = Resolver(resolver)
    tls.trust(ca_file)
    return Edges(
        txt=dns.txt,
        addresses=dns.addresses,
        mx=dns.mx,
        tlsa=dns.tlsa,
        zone_of=dns.zone_of,
        name_servers=dns.name_servers,
        ask=authority.ask,
        fetch=functools.partial(https.fetch, ca_file=ca_file),
        smtp=functools.partial(smtp.look, ca_file=ca_file),
        options=functools.partial(https.options, ca_file=ca_file, server=resolver),
        own=functools.partial(_own, root),
        require_dns=dns.require,
    )


def _own(root: Optional[str], domain: Domain) -> Optional[Own]:
    if root is None:
        return None
    try:
        return Own(read_bytes(root, domain), testing_until.of(root, domain))
    except NoPolicy:
        return None


class Calls:
    """Calls of the `edges` by threads of `pool`; without one, by who asks, one after the other.

    After `seconds` nothing is called any more: a stranger can name very many hosts, and let each
    of them be slow.
    """

    def __init__(self, edges: Edges, pool: Optional[Executor], seconds: float) -> None:
        self.edges = edges
        self._pool = pool
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What one of the functions returns or raises; `LookupFailed` if it is too late."""
        if self._pool is None:
            return self._in_time(function, *arguments)
        loop = asyncio.get_event_loop()
        call = functools.partial(self._in_time, function, *arguments)
        return await loop.run_in_executor(self._pool, call)

    def _in_time(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if time.monotonic() < self._end:
            return function(*arguments)
        raise LookupFailed(
            TOO_LATE,
            f"the look at the domain was ended after {self._seconds / 60:.0f} minutes",
            "See whether the domain needs so many hosts, and what makes them so slow.",
        )

    async def attempt(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What one of the functions returns, or the `MtastsError` that it raises."""
        try:
            return await self.call(function, *arguments)
        except MtastsError as error:
            return error

    async def addresses(self, host: str) -> Union[View, MtastsError]:
        """All addresses of `host`, IPv4 first, or why none is known; what is known of one kind
        counts although the other is not (`View.failure`)."""
        kinds = (self.attempt(self.edges.addresses, host, kind) for kind in ("A", "AAAA"))
        ipv4, ipv6 = await asyncio.gather(*kinds)
        failed = [one for one in (ipv4, ipv6) if isinstance(one, MtastsError)]
        known = [one for one in (ipv4, ipv6) if not isinstance(one, MtastsError)]
        records = tuple(record for one in known for record in one.records)
        if failed and not records:
            return failed[0]
        aliases = next((one.aliases for one in known if one.aliases), ())
        secure = all_secure(*(one.secure for one in known))
        return View(records, aliases, secure, failed[0] if failed else None)


def all_secure(*states: Optional[bool]) -> Optional[bool]:
    """Whether DNSSEC proves all of it; None if nobody can tell."""
    if all(states):
        return True
    return False if False in states else None
