"""A run of `mtasts watch`: look at the domains, tell what changed, remember what was told."""

import datetime
from typing import Collection, Dict, Iterable, Iterator, List, NamedTuple, Tuple

from mtasts import check_run, watch_state
from mtasts.changes import Change, Known, compare, notices
from mtasts.checks import judge
from mtasts.domain import Domain
from mtasts.edges import Edges
from mtasts.news import News
from mtasts.notice import Report, news
from mtasts.policy_file import PolicyUnreadable
from mtasts.store import Store
from mtasts.telling import Compare, Outcome, Way, tell
from mtasts.troubles import Trouble, troubles
from mtasts.watch_state import Told

Look = Tuple[Domain, Tuple[Trouble, ...]]


class Run(NamedTuple):
    """Which domains are looked at, on the machine `by`, at `time` (aware).

    `is_all`: other domains than these are none of ours any more, and are forgotten.
    """

    by: str
    time: datetime.datetime
    domains: Collection[Domain]
    is_all: bool


def looks(
    store: Store, domains: Iterable[Domain], edges: Edges, now: datetime.datetime
) -> Iterator[Look]:
    """What is wrong with each of `domains`, as it comes."""

    for seen in check_run.run(domains, edges):
        findings = judge(seen, now).findings
        yield seen.domain, troubles(seen.domain, findings, _is_tenant(store, seen.domain))


def _is_tenant(store: Store, domain: Domain) -> bool:
    """Whether somebody else holds the policy of `domain`: it is an alias, or member of a class."""
    try:
        return store.target(domain) != domain
    except PolicyUnreadable:
        return False


def watch(path: str, ways: Iterable[Way], looks: Iterable[Look], run: Run) -> Iterator[Outcome]:
    """Tell in each of `ways` what is new there by the `looks` at the domains; an outcome for each.

    `path` is where it is remembered. Raises `StateUnusable`.
    """

    def look() -> Compare:
        seen = _gathered(looks)
        return lambda told: _compared(told or {}, seen, run)

    return tell(watch_state.memory(path), ways, look)


def _gathered(looks: Iterable[Look]) -> Dict[Domain, Tuple[Trouble, ...]]:
    """What was seen; domains that share an MX host share what is wrong with it."""
    once: Dict[Trouble, Trouble] = {}
    return {domain: tuple(once.setdefault(one, one) for one in found) for domain, found in looks}


def _compared(told: Told, seen: Dict[Domain, Tuple[Trouble, ...]], run: Run) -> Tuple[News, Told]:
    """What is to be told, and what is known once it has been told."""
    changes: List[Tuple[Domain, Change]] = []
    after: Dict[Domain, List[Known]] = {}
    for domain, found in seen.items():
        new, after[domain] = compare(domain, told.get(domain, ()), found, run.time)
        changes += [(domain, change) for change in new]
    for domain, known in told.items():
        if domain not in seen and (domain in run.domains or not run.is_all):
            after[domain] = known
    return news(Report(run.by, run.time, notices(changes))), after
