"""Adding to the ledger: many arrivals in one transaction, each once however often it comes.

Bytes that are known stay the arrival that they were, and a report whose content is known stays the
report that it was; the grade of either is the strongest with which it came. On PostgreSQL two
processes may enter the same rows at the same time: the second passes over what the first has
entered. Rows go in sorted, table after table, so no two ever wait for each other.
"""

import datetime
import hashlib
import zlib
from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from sqlalchemy import Column, Table, bindparam, delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from mtasts.ledger import rows
from mtasts.ledger.database import Database
from mtasts.ledger.entry import Added, Entry
from mtasts.ledger.schema import arrival, delivery, failure, policy_result, report
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import Report

# As the tables have them, in their order, with room for others between them.
RANKS = {Grade.FILE: 10, Grade.HTTPS: 20, Grade.AUTHENTICATION_RESULTS: 30, Grade.DKIM: 40}
GRADES = {rank: grade for grade, rank in RANKS.items()}
_AT_ONCE = 500  # values in one look-up: SQLite once took no more than 999


class _Found(NamedTuple):
    """A report, where it was found, how well it is proven, and when it came."""

    arrival_id: int
    position: int
    report: Report
    content: str
    rank: int
    received: datetime.datetime


def add(database: Database, entries: Sequence[Entry]) -> List[Added]:
    """Enter all `entries`, or none, and say of each what became of it; raises `LedgerError`."""
    hashes = [hashlib.sha256(entry.arrival.data).hexdigest() for entry in entries]
    strongest: Dict[str, Entry] = {}  # of the same bytes
    for name, entry in zip(hashes, entries):
        if name not in strongest or strongest[name].grade < entry.grade:
            strongest[name] = entry
    with database.writing() as connection:
        known = _numbers(connection, arrival.c.sha256, strongest)
        _see_again(connection, {number: strongest[name] for name, number in known.items()})
        new = sorted(name for name in strongest if name not in known)
        _insert(connection, arrival, [_arrival_row(name, strongest[name]) for name in new])
        numbers = _numbers(connection, arrival.c.sha256, new)
        found = [one for name in new for one in _found(numbers[name], strongest[name])]
        fresh = _enter_reports(connection, found)
    numbers.update(known)
    return _outcomes([numbers[name] for name in hashes], set(known.values()), found, fresh)


def read_again(database: Database, number: int, entry: Entry) -> None:
    """Let the arrival `number` hold what `entry` has found in its bytes; raises `LedgerError`."""
    with database.writing(alone=True) as connection:
        of_arrival = delivery.c.arrival_id == number
        reports = connection.execute(select(delivery.c.report_id).where(of_arrival)).scalars().all()
        connection.execute(delete(delivery).where(of_arrival))
        drop_orphans(connection, reports)
        grade = RANKS[entry.grade]
        facts = {"error": entry.error, "dated": _dated(entry), "grade": grade}
        connection.execute(update(arrival).where(arrival.c.id == number).values(facts))
        _enter_reports(connection, list(_found(number, entry)))


def drop_orphans(connection: Connection, reports: Iterable[int]) -> None:
    """Take away those of the `reports` that no arrival holds any more."""
    arrives = exists().where(delivery.c.report_id == report.c.id)
    for some in _chunks(reports):
        connection.execute(delete(report).where(report.c.id.in_(some), ~arrives))


def _see_again(connection: Connection, entries: Dict[int, Entry]) -> None:
    """What is in the ledger by these numbers has come again: all that can change is the grade."""
    _strengthen(connection, arrival, {n: RANKS[entry.grade] for n, entry in entries.items()})
    ranks = _ranks(one for number, entry in entries.items() for one in _found(number, entry))
    known = _numbers(connection, report.c.content, ranks)
    _strengthen(connection, report, {known[name]: ranks[name] for name in known})


def _enter_reports(connection: Connection, found: Sequence[_Found]) -> Dict[str, int]:
    """Enter what was found in new arrivals.

    Returns the reports that are new, by their content, each with the arrival that has brought it.
    """
    ranks = _ranks(found)
    numbers = _numbers(connection, report.c.content, ranks)
    _strengthen(connection, report, {n: ranks[content] for content, n in numbers.items()})
    first = {one.content: one for one in reversed(found) if one.content not in numbers}
    fresh = [first[content] for content in sorted(first)]
    _insert(connection, report, [_report_row(one, ranks[one.content]) for one in fresh])
    numbers.update(_numbers(connection, report.c.content, first))
    _insert(connection, delivery, [_delivery_row(one, numbers[one.content]) for one in found])
    _insert_below(connection, [(numbers[one.content], one) for one in fresh])
    return {one.content: one.arrival_id for one in fresh}


def _insert_below(connection: Connection, fresh: Iterable[Tuple[int, _Found]]) -> None:
    """Insert all that is below the reports of these numbers."""
    results: List[Dict[str, Any]] = []
    failures: List[Dict[str, Any]] = []
    for number, one in fresh:
        results += rows.of_policies(one.report, number, one.received)
        failures += rows.of_failures(one.report, number)
    _insert(connection, policy_result, results)
    _insert(connection, failure, failures)


def _found(number: int, entry: Entry) -> Iterator[_Found]:
    rank, received = RANKS[entry.grade], entry.arrival.received
    for position, one in enumerate(entry.reports):
        yield _Found(number, position, one, rows.content(one), rank, received)


def _ranks(found: Iterable[_Found]) -> Dict[str, int]:
    """The strongest rank of each content."""
    ranks: Dict[str, int] = {}
    for one in found:
        ranks[one.content] = max(one.rank, ranks.get(one.content, 0))
    return ranks


def _outcomes(
    numbers: Sequence[int], known: Iterable[int], found: Iterable[_Found], fresh: Dict[str, int]
) -> List[Added]:
    seen = set(known)
    reports, new_reports = Counter(one.arrival_id for one in found), Counter(fresh.values())
    outcomes = []
    for number in numbers:
        if number in seen:
            outcomes.append(Added(number, False, 0, 0))
            continue
        seen.add(number)
        new = new_reports[number]
        outcomes.append(Added(number, True, new, reports[number] - new))
    return outcomes


def _arrival_row(name: str, entry: Entry) -> Dict[str, Any]:
    came = entry.arrival
    return {
        "sha256": name,
        "received": rows.second(came.received),
        "source": came.source,
        "domain": came.domain,
        "grade": RANKS[entry.grade],
        "error": entry.error,
        "dated": _dated(entry),
        "name": rows.storable(entry.name),
        "size": len(came.data),
        "raw": zlib.compress(came.data),
    }


def _dated(entry: Entry) -> int:
    """From when on the age of an arrival is counted: the newest time that its reports are about."""
    received = entry.arrival.received
    starts = [rows.started(one, received) for one in entry.reports]
    return max(starts, default=rows.second(received))


def _report_row(found: _Found, rank: int) -> Dict[str, Any]:
    return rows.of_report(found.report, found.content, rank, found.received)


def _delivery_row(found: _Found, number: int) -> Dict[str, Any]:
    return {
        "arrival_id": found.arrival_id,
        "position": found.position,
        "report_id": number,
    }


def _numbers(connection: Connection, column: Column, values: Iterable[str]) -> Dict[str, int]:
    """The numbers of the rows that have one of `values` in `column`, by that value."""
    numbers = {}
    for some in _chunks(values):
        query = select(column, column.table.c.id).where(column.in_(some))
        numbers.update(tuple(row) for row in connection.execute(query))
    return numbers


def _strengthen(connection: Connection, table: Table, ranks: Dict[int, int]) -> None:
    """Let rows have at least these ranks as their grades, by their numbers."""
    if ranks:
        weaker = table.c.grade < bindparam("rank")
        statement = update(table).where(table.c.id == bindparam("number"), weaker)
        parameters = [{"number": number, "rank": ranks[number]} for number in sorted(ranks)]
        connection.execute(statement.values(grade=bindparam("rank")), parameters)


def _insert(connection: Connection, table: Table, new_rows: Sequence[Dict[str, Any]]) -> None:
    """Insert rows; on PostgreSQL another process may have inserted the same ones meanwhile."""
    if new_rows:
        statement = insert(table)
        if connection.dialect.name == "postgresql":
            statement = postgresql.insert(table).on_conflict_do_nothing()
        connection.execute(statement, new_rows)


def _chunks(values: Iterable[Any]) -> Iterator[Tuple[Any, ...]]:
    listed = list(values)
    for start in range(0, len(listed), _AT_ONCE):
        yield tuple(listed[start : start + _AT_ONCE])
