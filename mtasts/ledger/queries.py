"""Asking the ledger: its reports by domain, organisation and days, its arrivals, the quarantine.

Answers come in pages, each found by an index from where the last one ended, so memory stays small
and the first row comes at once, however large the ledger is.

Of reports that claim to be the same one (organisation, report-id, range) and say different things
about a policy domain, one is counted for it: that with the strongest grade, and of these the one
that came first. So nobody who guesses the id of a report can replace what its organisation has
signed. Some give all reports of a day one id; about different domains these are in no conflict.
"""

import datetime
import zlib
from collections import defaultdict
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from sqlalchemy import and_, exists, func, literal, select, tuple_
from sqlalchemy.engine import Connection

from mtasts.errors import MtastsError
from mtasts.ledger import rows
from mtasts.ledger.database import Database
from mtasts.ledger.entry import ArrivalFacts, Held, Shown
from mtasts.ledger.schema import arrival, delivery, failure, policy_result, report
from mtasts.ledger.writing import GRADES, RANKS
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import Failure, PolicyResult
from mtasts.tlsrpt.summary import Entry

_PAGE = 200  # reports that are in memory at a time
_ENTRIES = 900  # the same, where only what is counted is asked for
_OTHER = report.alias("other")
_ANY = delivery.alias("any_delivery")
# Whether there is another report that claims to be this one.
_CONTESTED = (
    exists()
    .where(_OTHER.c.identity == report.c.identity, _OTHER.c.id != report.c.id)
    .label("is_contested")
)
_COUNTED = [
    *(report.c[name] for name in ("id", "identity", "grade", "started", *rows.COUNTED)),
    _CONTESTED,
]
_FACTS = [column for column in arrival.columns if column.name not in ("dated", "raw")]


class NotInLedger(MtastsError):
    """There is no arrival of this number."""


class Filter(NamedTuple):
    """Which reports are asked for: all that fit everything that is not None.

    From `since` on and before `until` (both aware) is where the report's range starts, or when it
    came, if it does not say. With a `domain`, the policies of other domains are left out.
    `organization` is compared without regard to case.
    """

    domain: Optional[str] = None
    organization: Optional[str] = None
    since: Optional[datetime.datetime] = None
    until: Optional[datetime.datetime] = None
    weakest: Optional[Grade] = None


def reports(database: Database, wanted: Filter) -> Iterator[Held]:
    """The reports of `wanted`, by where their ranges start; raises `LedgerError`."""
    with database.reading() as connection:
        after: Optional[Tuple[int, int]] = None
        while True:
            page = _page(connection, wanted, after, _columns(), _PAGE)
            if not page:
                return
            yield from _held(connection, page, wanted.domain)
            after = (page[-1].started, page[-1].id)


def entries(database: Database, wanted: Filter) -> Iterator[Entry]:
    """What `reports` gives, as far as it is counted; raises `LedgerError`.

    It is a quarter of the work. Notes, hints and the contact are left out.
    """
    with database.reading() as connection:
        after: Optional[Tuple[int, int]] = None
        while True:
            page = _page(connection, wanted, after, _COUNTED, _ENTRIES)
            if not page:
                return
            policies = _policies(connection, [row.id for row in page], wanted.domain)
            claims = _claims(connection, page, wanted.domain)
            for row in page:
                counted = [one for one in policies[row.id] if claims.has(row, one.policy_domain)]
                if counted or not policies[row.id]:
                    said = rows.to_counted(row, tuple(counted))
                    yield Entry(said, GRADES[row.grade].value)
            after = (page[-1].started, page[-1].id)


def number(database: Database, wanted: Filter) -> int:
    """How many `reports` there are; raises `LedgerError`."""
    chosen = _chosen(wanted)
    query = select(func.count(chosen.number.distinct())).select_from(chosen.table)
    with database.reading() as connection:
        return connection.execute(query.where(*chosen.conditions)).scalar()


def mark(database: Database) -> Tuple[Optional[int], ...]:
    """What is different when reports have come or gone; raises `LedgerError`."""
    numbers = func.max(report.c.id), func.min(arrival.c.id), func.max(arrival.c.id)
    with database.reading() as connection:
        return tuple(connection.execute(select(one)).scalar() for one in numbers)


def quarantine(database: Database) -> Iterator[ArrivalFacts]:
    """What could not be read, in the order in which it was entered; raises `LedgerError`."""
    with database.reading() as connection:
        last = 0
        while True:
            condition = and_(arrival.c.error.isnot(None), arrival.c.id > last)
            query = select(*_FACTS).where(condition).order_by(arrival.c.id).limit(_PAGE)
            page = connection.execute(query).all()
            if not page:
                return
            yield from map(_facts, page)
            last = page[-1].id


def quarantined(database: Database) -> int:
    """How many arrivals are in quarantine; raises `LedgerError`."""
    with database.reading() as connection:
        query = select(func.count()).select_from(arrival).where(arrival.c.error.isnot(None))
        return connection.execute(query).scalar()


def shown(database: Database, number: int) -> Shown:
    """The arrival `number` and its reports; raises `NotInLedger` and `LedgerError`."""
    with database.reading() as connection:
        row = connection.execute(select(*_FACTS).where(arrival.c.id == number)).first()
        if row is None:
            raise _missing(number)
        joined = report.join(delivery, delivery.c.report_id == report.c.id)
        query = select(*_columns()).select_from(joined).where(delivery.c.arrival_id == number)
        page = connection.execute(query.order_by(delivery.c.position)).all()
        return Shown(_facts(row), tuple(_held(connection, page, None)))


def raw(database: Database, number: int) -> bytes:
    """The bytes of the arrival `number`, as they came; raises `NotInLedger` and `LedgerError`."""
    with database.reading() as connection:
        found = connection.execute(select(arrival.c.raw).where(arrival.c.id == number)).scalar()
    if found is None:
        raise _missing(number)
    return zlib.decompress(found)


def _columns() -> List[Any]:
    of_report = _ANY.c.report_id == report.c.id
    first = select(func.min(_ANY.c.arrival_id)).where(of_report).scalar_subquery()
    arrivals = select(func.count()).select_from(_ANY).where(of_report).scalar_subquery()
    return [*report.columns, _CONTESTED, first.label("arrival_id"), arrivals.label("arrivals")]


class _Claims:
    """Which reports claim to be the same one, by what they claim and each domain they are about.

    Those that no other one claims to be are not in here.
    """

    def __init__(self) -> None:
        self._numbers: Dict[Tuple[str, str], List[int]] = {}  # the one that counts first

    def add(self, identity: str, domain: str, number: int) -> None:
        """The report of this number claims it for the domain, and goes before all added later."""
        numbers = self._numbers.setdefault((identity, domain), [])
        if number not in numbers[-1:]:
            numbers.append(number)

    def has(self, row: Any, domain: str) -> bool:
        """Whether it is the report of `row` that is counted for the domain."""
        return self._numbers.get((row.identity, domain), [row.id])[0] == row.id

    def conflicts(self, row: Any, domains: Iterable[str]) -> int:
        """How many others claim to be the report of `row`, and are about one of the domains."""
        claimants = (self._numbers.get((row.identity, domain), ()) for domain in domains)
        return len(set().union(*claimants) - {row.id})


def _claims(connection: Connection, page: Sequence[Any], domain: Optional[str]) -> _Claims:
    """All claims to be one of the reports of `page`, about the `domain` if there is one."""
    claims = _Claims()
    contested = {row.identity for row in page if row.is_contested}
    if contested:
        columns = report.c.identity, policy_result.c.policy_domain, report.c.id
        query = select(*columns).join(policy_result, policy_result.c.report_id == report.c.id)
        query = query.where(report.c.identity.in_(contested))
        if domain is not None:
            query = query.where(policy_result.c.policy_domain == domain)
        best_first = report.c.grade.desc(), report.c.received, report.c.id
        for row in connection.execute(query.order_by(*best_first, policy_result.c.policy_domain)):
            claims.add(*row)
    return claims


class _Chosen(NamedTuple):
    """How the reports of a filter are found, and the columns by which they are in order."""

    table: Any
    started: Any
    number: Any
    conditions: List[Any]


def _chosen(wanted: Filter, after: Optional[Tuple[int, int]] = None) -> _Chosen:
    """The reports of `wanted` after the one with this start and number."""
    table, number, started = report, report.c.id, report.c.started
    conditions = []
    if wanted.domain is not None:
        number, started = policy_result.c.report_id, policy_result.c.started
        table = policy_result.join(report, report.c.id == number)
        conditions.append(policy_result.c.policy_domain == wanted.domain)
    if after:  # with `since` beside it, SQLite would begin there and pass over all that was seen
        conditions.append(tuple_(started, number) > tuple_(*after))
    elif wanted.since:
        conditions.append(started >= rows.second(wanted.since))
    if wanted.until:
        conditions.append(started < rows.second(wanted.until))
    if wanted.organization is not None:
        # Not by Python's lower(): SQLite knows of ASCII only.
        named = func.lower(literal(wanted.organization))
        conditions.append(func.lower(report.c.organization_name) == named)
    if wanted.weakest:
        conditions.append(report.c.grade >= RANKS[wanted.weakest])
    return _Chosen(table, started, number, conditions)


def _page(
    connection: Connection,
    wanted: Filter,
    after: Optional[Tuple[int, int]],
    columns: Sequence[Any],
    most: int,
) -> List[Any]:
    """The next reports of `wanted`, each once, after the one with this start and number."""
    chosen = _chosen(wanted, after)
    query = select(*columns).select_from(chosen.table).where(*chosen.conditions)
    in_order = query.order_by(chosen.started, chosen.number).limit(most)
    return list({row.id: row for row in connection.execute(in_order).all()}.values())


def _held(connection: Connection, page: Sequence[Any], domain: Optional[str]) -> Iterator[Held]:
    policies = _policies(connection, [row.id for row in page], domain)
    claims = _claims(connection, page, domain)
    for row in page:
        domains = {one.policy_domain for one in policies[row.id]}
        yield Held(
            rows.to_report(row, tuple(policies[row.id])),
            GRADES[row.grade],
            rows.moment(row.received),
            row.arrival_id,
            row.arrivals,
            claims.conflicts(row, domains),
            tuple(sorted(name for name in domains if not claims.has(row, name))),
        )


def _policies(
    connection: Connection, reports: Sequence[int], domain: Optional[str]
) -> Dict[int, List[PolicyResult]]:
    """The policies of each of the `reports`, in their order."""
    failures: Dict[Tuple[int, int], List[Failure]] = defaultdict(list)
    for row in _of(connection, failure, reports, failure.c.policy_position):
        failures[row.report_id, row.policy_position].append(rows.to_failure(row))
    policies: Dict[int, List[PolicyResult]] = defaultdict(list)
    for row in _of(connection, policy_result, reports):
        number, position, name = row[:3]  # `report_id`, `position`, `policy_domain`
        if domain in (None, name):
            policies[number].append(rows.to_policy(row, failures.get((number, position), ())))
    return policies


def _of(connection: Connection, table: Any, reports: Sequence[int], *order: Any) -> Sequence[Any]:
    query = select(table).where(table.c.report_id.in_(reports))
    return connection.execute(query.order_by(table.c.report_id, *order, table.c.position)).all()


def _facts(row: Any) -> ArrivalFacts:
    values = dict(row._mapping)
    values.update(received=rows.moment(row.received), grade=GRADES[row.grade])
    return ArrivalFacts(**values)


def _missing(number: int) -> NotInLedger:
    return NotInLedger(
        "ledger-id-unknown",
        f"there is no {number} in the ledger",
        "See: mtasts report list, or mtasts report list --quarantine",
    )
