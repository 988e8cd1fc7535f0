"""Forgetting: arrivals that are older than somebody wants to keep them, with their reports.

An arrival is as old as the newest range of its reports, so an old mailbox that was taken in
yesterday is old; one without a report is as old as its arrival. A report goes with its last one.
"""

import datetime

from sqlalchemy import delete, func, select, text

from mtasts.ledger import rows
from mtasts.ledger.database import Database
from mtasts.ledger.schema import arrival, delivery
from mtasts.ledger.writing import drop_orphans

# In one transaction: others that wait for it do not wait long.
_AT_ONCE = 500  # arrivals
_PAGES = 10000


def count_older(database: Database, before: datetime.datetime) -> int:
    """How many arrivals are older than `before` (aware); raises `LedgerError`."""
    query = select(func.count()).select_from(arrival).where(arrival.c.dated < rows.second(before))
    with database.reading() as connection:
        return connection.execute(query).scalar()


def forget_older(database: Database, before: datetime.datetime) -> int:
    """Forget all arrivals that are older than `before` (aware), and return how many these were.

    Raises `LedgerError`; what was forgotten until then stays forgotten.
    """
    forgotten = 0
    while True:
        some = _forget_some(database, rows.second(before))
        if not some:
            break
        forgotten += some
    if database.is_sqlite:
        _give_room_back(database)
    return forgotten


def _give_room_back(database: Database) -> None:
    """Let the file become as small as what is in it, some pages in each transaction."""
    left = None
    while True:
        with database.writing() as connection:
            cursor = connection.connection.cursor()
            # It gives a page back for each row that is fetched.
            cursor.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
            before, left = left, connection.execute(text("PRAGMA freelist_count")).scalar()
        if left in (0, before):  # a copy that was made of a dump gives nothing back
            return


def _forget_some(database: Database, before: int) -> int:
    old = select(arrival.c.id).where(arrival.c.dated < before).limit(_AT_ONCE)
    with database.reading() as connection:
        numbers = connection.execute(old).scalars().all()
    if not numbers:
        return 0
    with database.writing(alone=True) as connection:
        held = select(delivery.c.report_id).where(delivery.c.arrival_id.in_(numbers))
        reports = connection.execute(held.distinct()).scalars().all()
        connection.execute(delete(arrival).where(arrival.c.id.in_(numbers)))
        drop_orphans(connection, reports)
    return len(numbers)
