"""Adding up the lines of the log for one domain, in bounded memory however many there are.

A fetch is joined with the history by the bytes that were sent: the ETag is the beginning of their
SHA-256. So a policy that is served again counts as the one that it is.

Strangers choose User-Agents, so what is kept of them is limited, in all and for each network: one
network cannot push the senders of others out. What is beyond the limits is counted.
"""

import datetime
import functools
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError
from mtasts.history import HistoryEntry
from mtasts.pickup import fetcher, refusal
from mtasts.pickup.line import ETAG_DIGITS, MAX_LINE, Line, parse, text

MAX_SENDERS = 10000
MAX_AGENTS = 20  # of one network
MAX_NETWORKS = 1000  # of one sender
_UTC = datetime.timezone.utc


class Fetches(NamedTuple):
    """How many there were, the first and the last time (aware)."""

    count: int
    first: datetime.datetime
    last: datetime.datetime


class Earlier(NamedTuple):
    """What a sender fetched of an earlier policy; `entry` is None for one the history lacks."""

    entry: Optional[HistoryEntry]
    fetches: Fetches


class Sender(NamedTuple):
    """Somebody who fetched the policy, or with `is_check` somebody who only had a look at it.

    `name` is "" for who is not known, `agent` the newest User-Agent. `current` are the fetches of
    the policy that is served now, `earlier` those of others, the last one at the end. `address` is
    one of the first of its `networks`, the newest; `more` fetches came from others.
    """

    name: str
    agent: str
    is_check: bool
    networks: Tuple[str, ...]
    more: int
    address: str
    current: Optional[Fetches]
    earlier: Tuple[Earlier, ...]


class Refused(NamedTuple):
    """Requests that were no fetch, by the code of the rule that says why, and the last of them."""

    code: str
    status: int
    fetches: Fetches
    agent: str
    network: str


class Lines(NamedTuple):
    """How many lines were read, and how many of them tell nothing of the domain."""

    read: int
    other_hosts: int
    other_formats: int
    too_long: int
    before: int  # the period
    other_requests: int  # for the page, or with HEAD


class Pickup(NamedTuple):
    """What the log tells of a domain since `since`; `beyond` are fetches past the limits."""

    domain: Domain
    served: HistoryEntry
    since: datetime.datetime
    senders: Tuple[Sender, ...]
    refused: Tuple[Refused, ...]
    beyond: int
    tls: Tuple[Tuple[str, int], ...]
    lines: Lines


class Tally:
    """The lines about `domain` from `since` (aware) on, joined with `history`, oldest first.

    Not more than `limit` senders are kept.
    """

    def __init__(
        self,
        domain: Domain,
        history: Sequence[HistoryEntry],
        since: datetime.datetime,
        limit: int = MAX_SENDERS,
    ) -> None:
        self._limit = limit
        self._domain = domain
        self._served = history[-1]
        self._since = since
        self._start = since.timestamp()
        self._entries = {entry.sha256[:ETAG_DIGITS]: entry for entry in history}
        self._names_us = functools.lru_cache(maxsize=65536)(self._compare)
        self._senders: Dict[Tuple[str, str], _Sender] = {}
        self._agents: Dict[str, int] = {}  # how many of each network are kept
        self._checkers: Set[str] = set()
        self._refused: Dict[Tuple[str, int], _Refused] = {}
        self._tls: Dict[bytes, int] = {}
        self._counts = dict.fromkeys(Lines._fields, 0)
        self._beyond = 0

    def add(self, line: bytes) -> None:
        """Count a line, which has no ending any more."""
        self._counts["read"] += 1
        if len(line) > MAX_LINE:
            self._counts["too_long"] += 1
            return
        found = parse(line)
        if found is None:
            self._counts["other_formats"] += 1
            return
        is_policy_host = self._names_us(found.host)
        if is_policy_host is None:
            self._counts["other_hosts"] += 1
        elif found.when < self._start:
            self._counts["before"] += 1
        else:
            self._sort(found, is_policy_host)

    def _compare(self, host: bytes) -> Optional[bool]:
        """Whether a Host header is our policy host; False if it is only near, None if neither."""
        name = text(host)
        try:
            return Domain.from_policy_host(name) == self._domain or None
        except InvalidDomain:
            near = name.lower().partition(":")[0].rstrip(".")
            is_near = near == self._domain or near.endswith("." + self._domain)
            return False if is_near else None

    def _sort(self, line: Line, is_policy_host: bool) -> None:
        if is_policy_host and line.etag and line.status in (b"200", b"304"):
            if line.request.startswith(b"HEAD "):
                self._counts["other_requests"] += 1
            else:
                self._fetched(line)
            return
        status = int(line.status)
        why = refusal.code(text(line.request), status, line.tls != b"-", is_policy_host)
        if why is None:
            self._counts["other_requests"] += 1
        else:
            self._refused.setdefault((why, status), _Refused()).add(line)

    def _fetched(self, line: Line) -> None:
        agent, address = text(line.agent), text(line.address)
        network = fetcher.network(address)
        self._tls[line.tls] = self._tls.get(line.tls, 0) + 1
        key = fetcher.identity(agent, network)
        sender = self._senders.get(key)
        if sender is None:
            sender = self._new(key, network)
        if sender is None:
            self._beyond += 1
            return
        sender.add(line, agent, address, network)
        if key[0] == fetcher.OURS:
            self._checkers.add(network)

    def _new(self, key: Tuple[str, str], network: str) -> Optional["_Sender"]:
        """Room for a sender that has not been seen; None if there is none."""
        kept = self._agents.get(network, 0)
        is_full = len(self._senders) >= self._limit or kept >= MAX_AGENTS
        if is_full and key[1]:  # those of the table that are one whatever the network are few
            return None
        self._agents[network] = kept + 1
        self._senders[key] = _Sender()
        return self._senders[key]

    def result(self) -> Pickup:
        """All of it, the busiest sender first; raises `MtastsError` if no line could be read."""
        if 0 < self._counts["read"] == self._counts["other_formats"]:
            raise MtastsError(
                "log-format",
                "no line of the log has the format mtasts, which names host and policy",
                "Let Apache write it: CustomLog ${MTASTS_ACCESS_LOG} mtasts",
            )
        senders = [self._sender(key, one) for key, one in self._senders.items()]
        refused = [one.refused(*key) for key, one in self._refused.items()]
        return Pickup(
            self._domain,
            self._served,
            self._since,
            tuple(sorted(senders, key=_busiest_first)),
            tuple(sorted(refused, key=lambda one: (-one.fetches.count, one.code, one.status))),
            self._beyond,
            tuple((text(tls), count) for tls, count in sorted(self._tls.items())),
            Lines(**self._counts),
        )

    def _sender(self, key: Tuple[str, str], kept: "_Sender") -> Sender:
        word, network = key
        found = fetcher.known(kept.agent)
        # `mtasts check` also fetches as others do, from where `mtasts fetch` has been run.
        pretends = network in self._checkers and word in fetcher.PRETENDED
        networks = list(kept.networks)[::-1]
        current = kept.fetches.get(self._served.sha256[:ETAG_DIGITS])
        earlier = [
            Earlier(self._entries.get(etag), one.fetches)
            for etag, one in kept.fetches.items()
            if one is not current
        ]
        return Sender(
            found.name if found else "",
            kept.agent,
            pretends or fetcher.is_loopback(kept.address) or bool(found and found.is_check),
            tuple(networks),
            kept.more,
            kept.address,
            current and current.fetches,
            tuple(sorted(earlier, key=lambda one: one.fetches.last)),
        )


def _busiest_first(sender: Sender) -> Tuple[int, str, Tuple[str, ...]]:
    count = sum(one.fetches.count for one in sender.earlier)
    count += sender.current.count if sender.current else 0
    return -count, sender.agent, sender.networks


class _Span:
    """How many, from when to when; lines may come in any order."""

    __slots__ = ("_count", "_first", "_last")

    def __init__(self) -> None:
        self._count, self._first, self._last = 0, 0, 0

    def add(self, when: int) -> bool:
        """Count one; return whether it is the newest."""
        if not self._count or when < self._first:
            self._first = when
        self._count += 1
        if when < self._last:
            return False
        self._last = when
        return True

    @property
    def fetches(self) -> Fetches:
        ends = (datetime.datetime.fromtimestamp(end, _UTC) for end in (self._first, self._last))
        return Fetches(self._count, *ends)


class _Sender:
    """What is kept of a sender."""

    __slots__ = ("_all", "address", "agent", "fetches", "more", "networks")

    def __init__(self) -> None:
        self.agent = self.address = ""
        self.networks: Dict[str, None] = {}  # the newest at the end
        self.more = 0
        self.fetches: Dict[str, _Span] = {}
        self._all = _Span()

    def add(self, line: Line, agent: str, address: str, network: str) -> None:
        self.fetches.setdefault(line.etag, _Span()).add(line.when)
        is_newest = self._all.add(line.when)
        if is_newest:
            self.agent = agent
        if network not in self.networks and len(self.networks) >= MAX_NETWORKS:
            self.more += 1
        elif is_newest:
            self.address = address
            self.networks.pop(network, None)
            self.networks[network] = None
        else:
            self.networks.setdefault(network)


class _Refused:
    """What is kept of requests that were refused alike."""

    def __init__(self) -> None:
        self._span = _Span()
        self._last: List[str] = ["", ""]

    def add(self, line: Line) -> None:
        if self._span.add(line.when):
            self._last = [text(line.agent), fetcher.network(text(line.address))]

    def refused(self, code: str, status: int) -> Refused:
        return Refused(code, status, self._span.fetches, *self._last)
