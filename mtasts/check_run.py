"""Looks at many domains: what they share is asked once, and nobody is asked too much at once.

    domain -> a thread -> look -> Shared -> Pace -> the edge

Domains by the hundred thousand share few MX hosts, name servers and places for reports. Each of
those is asked once in a run, and what it showed goes to all that name it. What waits, waits in a
thread that holds nothing which others wait for: for its turn, or for an exchange that has begun.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, FrozenSet, Iterable, Iterator, Sequence

from mtasts import at_once, public_suffix
from mtasts.domain import Domain, InvalidDomain
from mtasts.edges import Edges
from mtasts.facts import Seen
from mtasts.look import AT_ONCE, look, look_alone
from mtasts.pace import Pace
from mtasts.shared import Shared

FEW = 10  # domains whose looks may each be as fast as can be, and still burden nobody
LOOKS = 64  # domains under way together, each with one exchange at a time
# Answers of each kind that are kept, so that memory does not grow with the number of domains. That
# of an MX host has some KiB. In a run with more MX hosts than that, one may be asked again.
REMEMBERED = 20000
PER_OPERATOR = 8  # connections to MX hosts that have one organizational domain
PER_RESOLVER = 32  # queries
PER_ADDRESS = 16  # connections to policy hosts at one address, or queries to a name server
_PAUSE = 0.1  # seconds, at most, before a connection to an MX host
_SUFFIXES = frozenset("*")  # the default rule of the Public Suffix List: top-level domains

SubDomains = Callable[[Domain], Sequence[Domain]]


def few(domains: Iterable[Domain], edges: Edges, sub_domains: SubDomains) -> Iterator[Seen]:
    """What is seen of each of `FEW` `domains`, each looked at as fast as can be; as it comes.

    `sub_domains` gives those to be looked at with a domain.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def seen(domain: Domain) -> Seen:
            return look(domain, edges, sub_domains(domain), pool)

        yield from at_once.results(seen, domains)


def run(
    domains: Iterable[Domain],
    edges: Edges,
    sub_domains: SubDomains = lambda _domain: (),
    suffixes: FrozenSet[str] = frozenset(),
) -> Iterator[Seen]:
    """The same of very many; nothing is asked far ahead of what is taken.

    `suffixes` are the rules of the Public Suffix List, by which operators of MX hosts are told
    apart; without them, by the last two labels.
    """
    shared = sharing(edges, suffixes)

    def seen(domain: Domain) -> Seen:
        return look_alone(domain, shared, sub_domains(domain))

    return at_once.results(seen, domains, LOOKS)


def sharing(edges: Edges, suffixes: FrozenSet[str] = frozenset()) -> Edges:
    """`edges` for all looks of a run: what was asked is remembered, what is new waits its turn."""
    resolver, addresses = Pace(PER_RESOLVER), Pace(PER_ADDRESS)
    operators = Pace(PER_OPERATOR, _PAUSE)

    def query(look_up: Callable[..., Any]) -> Callable[..., Any]:
        return _in_turn(look_up, resolver, lambda *_: None)

    return edges._replace(
        txt=query(edges.txt),
        zone_of=query(edges.zone_of),
        addresses=Shared(query(edges.addresses), REMEMBERED),
        mx=Shared(query(edges.mx), REMEMBERED),
        tlsa=Shared(query(edges.tlsa), REMEMBERED),
        name_servers=Shared(query(edges.name_servers), REMEMBERED),
        ask=_in_turn(edges.ask, addresses, lambda server, _name: ("dns", server.address)),
        fetch=_in_turn(edges.fetch, addresses, lambda _domain, address, _agent: address),
        smtp=Shared(
            _in_turn(edges.smtp, operators, lambda host, _address: _operator(host, suffixes)),
            REMEMBERED,
        ),
        options=Shared(edges.options, REMEMBERED),
    )


def _in_turn(call: Callable[..., Any], pace: Pace, key: Callable[..., Any]) -> Callable[..., Any]:
    """`call` in turns of `pace`; `key` says for its arguments whose."""

    def wait_and_call(*arguments: Any) -> Any:
        with pace.turn(key(*arguments)):
            return call(*arguments)

    return wait_and_call


def _operator(host: str, suffixes: FrozenSet[str]) -> str:
    """Who has the MX host, as far as its name tells."""
    try:
        return public_suffix.organizational_domain(Domain(host), suffixes or _SUFFIXES)
    except InvalidDomain:  # DNS may give any name
        return host
