"""The facts for the page about domains: what reports say, what was served, how each one stands."""

from typing import Iterable, Iterator, List, Optional, Sequence

from mtasts import survey
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.history import HistoryEntry
from mtasts.ledger.database import Database
from mtasts.ledger.queries import Filter
from mtasts.page.facts import About, Asked
from mtasts.report_numbers import Progress, numbers
from mtasts.status import Row
from mtasts.store import Store
from mtasts.survey import Network
from mtasts.tlsrpt.authenticity import Grade


def abouts(
    database: Database,
    store: Store,
    asked: Asked,
    rows: Iterable[Row],
    progress: Optional[Progress] = None,
) -> List[About]:
    """What is known of each domain of which `rows` has what `stands` says.

    `progress` as in `report_numbers.numbers`. Raises `MtastsError`.
    """
    stand = {row.domain: row for row in rows}
    weakest = Grade(asked.grade) if asked.grade else None
    wanted = Filter(None, asked.reporter or None, since=asked.since, weakest=weakest)
    found = numbers(database, stand, wanted, progress)
    return [About(found[one], _served(store, one), stand[one]) for one in found]


def stands(
    store: Store, domains: Sequence[Domain], asked: Asked, network: Optional[Network] = None
) -> Iterator[Row]:
    """How each of `domains` stands; without `network` nobody is asked."""
    return survey.rows(store, domains, asked.now, network)


def _served(store: Store, domain: Domain) -> Sequence[HistoryEntry]:
    """What was served; nothing where that cannot be read, of which the row tells."""
    try:
        return tuple(store.history(domain))
    except MtastsError:
        return ()
