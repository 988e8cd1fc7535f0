"""A run of `mtasts watch`: look at the domains, tell what changed, remember what was told.

Each way of telling is remembered by itself: what could not be told in one is told there by the next
run, and nothing is told twice in the others. A run keeps others from the state from its first look
on, so none goes by an older look than was told before.
"""

import datetime
from typing import Callable, Collection, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from mtasts import check_run, watch_state
from mtasts.changes import Change, Known, compare, notices
from mtasts.checks import judge
from mtasts.domain import Domain
from mtasts.edges import Edges
from mtasts.notice import Report
from mtasts.notify import NotTold
from mtasts.policy_file import PolicyUnreadable
from mtasts.store import Store
from mtasts.troubles import Trouble, troubles
from mtasts.watch_state import Told

Look = Tuple[Domain, Tuple[Trouble, ...]]


class Way(NamedTuple):
    """How to tell somebody, by the `name` under which it is remembered; `tell` raises `NotTold`."""

    name: str
    tell: Callable[[Report], None]


class Run(NamedTuple):
    """Which domains are looked at, on the machine `by`, at `time` (aware).

    `is_all`: other domains than these are none of ours any more, and are forgotten.
    """

    by: str
    time: datetime.datetime
    domains: Collection[Domain]
    is_all: bool


class Outcome(NamedTuple):
    """What there was to tell in a way, and why it was not told, if it was not."""

    report: Report
    error: Optional[NotTold] = None


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
    with watch_state.held(path):
        state = watch_state.read(path)
        watch_state.write(path, state)  # what cannot be remembered is not told
        seen = _gathered(looks)
        for way in ways:
            report, after = _compared(state.get(way.name, {}), seen, run)
            if report.notices:
                try:
                    way.tell(report)
                except NotTold as error:
                    yield Outcome(report, error)
                    continue
            state[way.name] = after
            watch_state.write(path, state)
            yield Outcome(report)


def _gathered(looks: Iterable[Look]) -> Dict[Domain, Tuple[Trouble, ...]]:
    """What was seen; domains that share an MX host share what is wrong with it."""
    once: Dict[Trouble, Trouble] = {}
    return {domain: tuple(once.setdefault(one, one) for one in found) for domain, found in looks}


def _compared(told: Told, seen: Dict[Domain, Tuple[Trouble, ...]], run: Run) -> Tuple[Report, Told]:
    """What is to be told, and what is known once it has been told."""
    changes: List[Tuple[Domain, Change]] = []
    after: Dict[Domain, List[Known]] = {}
    for domain, found in seen.items():
        new, after[domain] = compare(domain, told.get(domain, ()), found, run.time)
        changes += [(domain, change) for change in new]
    for domain, known in told.items():
        if domain not in seen and (domain in run.domains or not run.is_all):
            after[domain] = known
    return Report(run.by, run.time, notices(changes)), after
