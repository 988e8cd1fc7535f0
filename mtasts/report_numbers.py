"""The numbers that reports add up to, from the ledger: the one way for all who show them.

Command, page, dashboard, metrics, alerts and `mtasts advance` ask here: all say the same.
"""

import datetime
from typing import Callable, Dict, Iterable, Optional

from mtasts.domain import Domain
from mtasts.ledger import queries
from mtasts.ledger.database import Database
from mtasts.ledger.queries import Filter
from mtasts.tlsrpt.summary import Entry, Summary
from mtasts.tlsrpt.summing import summaries

# Lets the reports through, of which there are so many, and can say how far it is.
Progress = Callable[[Iterable[Entry], int], Iterable[Entry]]


def first_day(now: datetime.datetime, days: int) -> datetime.datetime:
    """The midnight (UTC) with which a period of so many days before today begins."""
    day = now.astimezone(datetime.timezone.utc) - datetime.timedelta(days=days)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def numbers(
    database: Database,
    domains: Iterable[Domain],
    wanted: Filter,
    progress: Optional[Progress] = None,
) -> Dict[Domain, Summary]:
    """What the reports of `wanted` say about each of `domains`, without any other.

    Raises `LedgerError`.
    """
    asked = tuple(domains)
    one = asked[0] if len(asked) == 1 else None
    wanted = wanted._replace(domain=one)
    entries: Iterable[Entry] = queries.entries(database, wanted)
    if progress:
        entries = progress(entries, queries.number(database, wanted))
    return summaries(asked, entries)
