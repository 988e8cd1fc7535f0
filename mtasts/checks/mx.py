"""The live MX hosts: does the policy cover them, and would a sender deliver to them under it?

What breaks a rule is as grave as the mode makes it. Without a policy it counts as in testing,
because the first policy has that mode. What could not be reached from here is not known, and never
an error.
"""

import datetime
from typing import Iterator, List, Optional, Union

from mtasts import lint
from mtasts.checks import handshake
from mtasts.checks.check_finding import CheckFinding, Group, Place
from mtasts.checks.tlsa import tlsa
from mtasts.checks.txt import takes_mail
from mtasts.checks.unseen import is_unseen
from mtasts.errors import MtastsError
from mtasts.facts import TOO_LATE, Seen, SMTPServer
from mtasts.gravity import weighed
from mtasts.policy import Mode, Policy

SLOW = 10  # seconds
_NAMED = 3  # of the policy's mx that are shown
# A network that blocks port 25 shows itself by these; who refuses a connection was there.
_BLOCKED = ("connect-timeout", "connect-no-route", "connect-no-ipv6")
_UNREACHABLE = (
    *_BLOCKED,
    "connect-refused",
    "connect-failed",
    "connection-timeout",
    "connection-closed",
    TOO_LATE,
)

Server = Union[SMTPServer, MtastsError]


def mx(seen: Seen, policy: Optional[Policy], now: datetime.datetime) -> Iterator[CheckFinding]:
    """What is to be said of the domain's MX hosts under `policy`, the one that senders take."""
    mode = policy.mode if policy else Mode.TESTING
    found = _mx(seen, policy, now)
    return (one._replace(finding=weighed(one.finding, mode)) for one in found)


def _mx(seen: Seen, policy: Optional[Policy], now: datetime.datetime) -> Iterator[CheckFinding]:
    place = Place(Group.MX, seen.domain)
    if isinstance(seen.mx, MtastsError):
        yield place.finding("mx-records-unknown", hint=seen.mx)
        return
    if not takes_mail(seen):
        yield place.finding("mx-records-null" if seen.mx else "mx-records-nowhere", seen.domain)
        return
    if not seen.mx:
        yield place.finding("mx-records-none", seen.domain)
    hosts = list(dict.fromkeys(one.host for one in seen.mx if one.host)) or [seen.domain]
    if policy and policy.mx:
        yield from _covered(place, hosts, policy)
    yield from _hosts(place, seen, now)


def _hosts(place: Place, seen: Seen, now: datetime.datetime) -> Iterator[CheckFinding]:
    """What each host shows at each of its addresses."""
    if seen.mx_hosts and all(_is_nowhere(host.servers) for host in seen.mx_hosts):
        yield place.finding("mx-hosts-without-address", seen.domain)
    blocked = _blocked(seen)
    if blocked:
        yield place.finding("mx-hosts-unreachable", hint=blocked.message)
    for host in seen.mx_hosts:
        at_host = place._replace(host=host.host)
        if isinstance(host.servers, MtastsError):
            yield _addressless(at_host, host.servers)
        elif not blocked:
            for address, server in host.servers:
                at_address = at_host._replace(address=address)
                if is_unseen(server, [one for _, one in host.servers]):
                    yield at_address.finding("mx-host-unseen")
                else:
                    yield from _server(at_address, server, now)
        yield from tlsa(at_host, seen, host, now)


def _covered(place: Place, hosts: List[str], policy: Policy) -> Iterator[CheckFinding]:
    """Both ways: hosts that no mx line covers, and mx lines that cover no host."""
    for host in hosts:
        at_host = place._replace(host=host)
        pattern = next((pattern for pattern in policy.mx if pattern.covers(host)), None)
        if pattern:
            yield at_host.finding("mx-host-covered", pattern)
        else:
            yield at_host.finding("mx-host-uncovered", host, _why_not(host, policy))
    for pattern in dict.fromkeys(policy.mx):
        if not any(pattern.covers(host) for host in hosts):
            yield place.finding("mx-line-idle", pattern)


def _why_not(host: str, policy: Policy) -> str:
    """A wildcard that nearly covers it, or else what the policy names."""
    for pattern in policy.mx:
        found = lint.match(host, pattern)
        if found.code in ("match-wildcard-depth", "match-wildcard-parent"):
            return found.message
    more = len(policy.mx) - _NAMED
    named = ", ".join(policy.mx[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"it names {named}"


def _servers(seen: Seen) -> Iterator[Server]:
    for host in seen.mx_hosts:
        if not isinstance(host.servers, MtastsError):
            yield from (server for address, server in host.servers if address)


def _is_nowhere(servers: object) -> bool:
    return getattr(servers, "code", "") == "mx-host-without-address"


def _blocked(seen: Seen) -> Optional[MtastsError]:
    """Why no MX host was reached, if it looks as if this machine might not use port 25 at all."""
    servers = list(_servers(seen))
    for server in servers:
        if not isinstance(server, MtastsError) or server.code not in _BLOCKED:
            return None
    return servers[0] if servers else None


def _addressless(place: Place, error: MtastsError) -> CheckFinding:
    code = "mx-host-without-address" if _is_nowhere(error) else "mx-host-addresses-unknown"
    return place.finding(code, hint=error)


def _unseen(place: Place, error: MtastsError) -> str:
    if not place.address:
        return "mx-host-addresses-unknown"
    return "mx-host-unreachable" if error.code in _UNREACHABLE else "mx-host-refuses"


def _server(place: Place, server: Server, now: datetime.datetime) -> Iterator[CheckFinding]:
    if isinstance(server, MtastsError):
        yield place.finding(_unseen(place, server), hint=server)
        return
    if server.tls is None:
        yield place.finding("mx-host-no-starttls")
    elif isinstance(server.tls, MtastsError):
        yield handshake.failed(place, "mx-host", server.tls)
    else:
        yield from handshake.shown(place, "mx-host", server.tls, now)
    if server.seconds > SLOW:
        yield place.finding("mx-host-slow", f"{server.seconds:.0f}")
