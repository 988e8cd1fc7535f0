"""A run of `mtasts report watch`: what reports say of all own domains that is to be told now."""

import datetime
import functools
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from mtasts import alert_state
from mtasts.alert_notice import Found, news
from mtasts.alert_state import Told
from mtasts.alerts import LOOKBACK, WINDOW, Alert, Change, Known, Numbers, alerts, compare
from mtasts.digest import Digest, digest
from mtasts.domain import Domain
from mtasts.history import HistoryEntry
from mtasts.ledger import queries
from mtasts.ledger.database import Database
from mtasts.ledger.queries import Filter
from mtasts.news import News
from mtasts.policy_file import StoreError
from mtasts.report_numbers import first_day, numbers
from mtasts.store import Store
from mtasts.telling import Compare, Outcome, Way, tell
from mtasts.tlsrpt.authenticity import Grade

_WEEK = datetime.timedelta(days=7)


class Run(NamedTuple):
    """What is told on the machine `by` at `time` (aware).

    At once only what reports say whose origin is proven by `weakest` at least, and no `share` of
    failed sessions (in percent) that is smaller. A digest is told weekly if `has_digest`.
    """

    by: str
    time: datetime.datetime
    weakest: Grade
    share: float
    has_digest: bool


def watch(
    path: str, ways: Iterable[Way], database: Database, store: Store, run: Run
) -> Iterator[Outcome]:
    """Tell in each of `ways` what is new there; an outcome for each.

    `path` is where it is remembered. Raises `StateUnusable`, `LedgerError` and `StoreError`.
    """
    return tell(alert_state.memory(path), ways, lambda: _look(database, store, run))


def _look(database: Database, store: Store, run: Run) -> Compare:
    served = {domain: _served(store, domain) for domain in store.domains()}
    proven = _numbers(database, served, run.time, run.weakest)
    # Who is silent says nothing: what is known of a domain without any report stays as it is.
    now = {one.week.domain: alerts(one, run.share) for one in proven if one.week.reports}

    @functools.lru_cache(maxsize=None)
    def week() -> Digest:
        months = {one.week.domain: one.month for one in proven}
        quarantined = sum(1 for _ in queries.quarantine(database))
        return digest(_numbers(database, served, run.time, None), months, quarantined)

    return lambda told: _compared(told or Told(None, {}), served, now, run, week)


def _compared(
    told: Told,
    domains: Iterable[Domain],
    now: Dict[Domain, List[Alert]],
    run: Run,
    week: Callable[[], Digest],
) -> Tuple[News, Told]:
    """What is to be told, and what is known once it has been told."""
    changes: List[Change] = []
    after: Dict[Domain, Sequence[Known]] = {}
    for domain in domains:  # the others are none of ours any more
        after[domain] = told.domains.get(domain, [])
        if domain in now:
            new, after[domain] = compare(domain, after[domain], now[domain])
            changes += new
    is_due = run.has_digest and (told.digest is None or abs(run.time - told.digest) >= _WEEK)
    found = Found(run.by, run.time, run.weakest, changes, week() if is_due and after else None)
    return news(found), Told(run.time if found.digest else told.digest, after)


def _numbers(
    database: Database,
    served: Dict[Domain, Sequence[HistoryEntry]],
    time: datetime.datetime,
    weakest: Optional[Grade],
) -> List[Numbers]:
    # In this order the longer time has all that the shorter one has, whatever comes meanwhile.
    week = numbers(database, served, Filter(since=first_day(time, WINDOW), weakest=weakest))
    month = numbers(database, served, Filter(since=first_day(time, LOOKBACK), weakest=weakest))
    today = first_day(time, 0).date()
    return [Numbers(week[one], month[one], served[one], today) for one in served]


def _served(store: Store, domain: Domain) -> Sequence[HistoryEntry]:
    """The history of a domain; none where it cannot be read, of which `mtasts status` tells."""
    try:
        return store.history(domain)
    except StoreError:
        return []
