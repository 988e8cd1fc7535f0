"""The numbers that reports add up to, from the ledger: the one way for all who show them.

Command, page, dashboard, metrics, alerts and `mtasts advance` ask here: all say the same.
"""

import datetime
from typing import Dict, Iterable, Optional

from mtasts.domain import Domain
from mtasts.ledger import queries
from mtasts.ledger.database import Database
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.summary import Summary
from mtasts.tlsrpt.summing import summaries


def first_day(now: datetime.datetime, days: int) -> datetime.datetime:
    """The midnight (UTC) with which a period of so many days before today begins."""
    day = now.astimezone(datetime.timezone.utc) - datetime.timedelta(days=days)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def numbers(
    database: Database,
    domains: Iterable[Domain],
    since: datetime.datetime,
    weakest: Optional[Grade] = None,
    organization: Optional[str] = None,
) -> Dict[Domain, Summary]:
    """What the reports from `since` (aware) on say about each of `domains`, without any other.

    Reports whose origin is proven by less than `weakest` do not count, nor do those of others than
    `organization`, if one is named. Raises `LedgerError`.
    """
    asked = tuple(domains)
    one = asked[0] if len(asked) == 1 else None
    wanted = queries.Filter(one, organization, since=since, weakest=weakest)
    return summaries(asked, queries.entries(database, wanted))
