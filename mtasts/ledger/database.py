"""A ledger that is open: transactions on SQLite or PostgreSQL, and errors that people can act on.

On SQLite (WAL, each commit synced) a transaction that writes takes the lock at its beginning, so
it never fails half-way because of another one; on PostgreSQL those that only add run side by side,
and one that takes away has the ledger to itself. The schema is made or migrated at the first
transaction, by one process while the others wait.
"""

import contextlib
import sqlite3
from typing import Any, Iterator

from sqlalchemy import create_engine, func, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from mtasts.errors import MtastsError, printable
from mtasts.ledger import sqlite_file, upgrade
from mtasts.ledger.place import Place
from mtasts.ledger.schema import REVISION

PATIENCE = 30  # seconds, for a lock that another process has
_WRITER = 0x6D746C31  # the advisory locks of our own: of whoever writes, and of who migrates
_MIGRATION = 0x6D746C32


class LedgerError(MtastsError):
    """The ledger cannot do what was asked now; nothing was changed."""


class Database:
    """The ledger at `place`; nothing is opened before the first transaction."""

    def __init__(self, place: Place, patience: int = PATIENCE) -> None:
        self.place = place
        self._patience = patience
        self._engine = self._make_engine()
        self._is_ready = False

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return not self.place.is_url

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the ledger; raises `LedgerError`."""
        if self.place.is_missing:
            raise LedgerError(
                "ledger-missing",
                f"there is no ledger at {self.place} yet",
                "The first report makes it: mtasts report add FILE",
            )
        with self._failing_as_ledger_error():
            self._be_ready()
            with self._unchanged(), self._engine.begin() as connection:
                yield connection

    @contextlib.contextmanager
    def writing(self, alone: bool = False) -> Iterator[Connection]:
        """A transaction that changes all or nothing, `alone` if it takes away.

        Raises `LedgerError`.
        """
        with self._failing_as_ledger_error():
            self._be_ready()
            with self._begun_to_write() as connection:
                if not self.is_sqlite:
                    lock = func.pg_advisory_xact_lock
                    if not alone:
                        lock = func.pg_advisory_xact_lock_shared
                    connection.execute(select(lock(_WRITER)))
                yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _make_engine(self) -> Engine:
        try:
            if self.is_sqlite:
                return sqlite_file.engine(self.place.text, self._patience)
            return _postgresql_engine(make_url(self.place.text), self._patience)
        except (ArgumentError, ValueError, TypeError) as error:
            raise LedgerError(
                "ledger-url-invalid",
                f"{self.place} is no URL of a database",
                "Write postgresql://USER@HOST/DATABASE",
            ) from error
        except ImportError as error:
            raise LedgerError(
                "ledger-driver-missing",
                f"the driver for {self.place} is missing: {printable(error, 200)}",
                "Install psycopg2: apt install python3-psycopg2, or pip install mtasts[postgresql]",
            ) from error

    def _be_ready(self) -> None:
        """Make or migrate the schema if that is needed."""
        if self._is_ready:
            return
        if self.is_sqlite:
            sqlite_file.make(self.place.text)
        with self._engine.begin() as connection:
            found = upgrade.revision(connection)
        if found != REVISION:
            self._migrate()
        self._is_ready = True

    def _migrate(self) -> None:
        if self.is_sqlite:
            # Not in a transaction, and only one process at a time: SQLite would not wait for it.
            with upgrade.one_at_a_time(self.place.text, self._patience):
                with contextlib.closing(sqlite3.connect(self.place.text)) as plain:
                    plain.execute("PRAGMA auto_vacuum = INCREMENTAL")
                    plain.execute("PRAGMA journal_mode = WAL")
                with self._begun_to_write() as connection:
                    upgrade.to_newest(connection)
            return
        with self._begun_to_write() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION)))
            upgrade.to_newest(connection)

    @contextlib.contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Raise `LedgerError` at the end if a file that was taken for unchanging has changed."""
        before = sqlite_file.frozen(self.place.text) if self.is_sqlite else None
        yield
        if before and before != sqlite_file.frozen(self.place.text):
            raise LedgerError(
                "ledger-busy",
                f"{self.place} was changed while it was read, although it cannot be written here",
                "What was said may be wrong: try again.",
            )

    @contextlib.contextmanager
    def _begun_to_write(self) -> Iterator[Connection]:
        connected = self._engine.connect().execution_options(**{sqlite_file.WRITES: True})
        with connected as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def _failing_as_ledger_error(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._refusal(error.orig) from error
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Any) -> LedgerError:
        code, remedy = _judged(str(error).lower(), getattr(error, "pgcode", None))
        lines = str(error).strip().splitlines() or [type(error).__name__]
        said = printable(lines[0], 200)
        return LedgerError(code, f"the ledger {self.place} refuses: {said}", remedy)


def _judged(said: str, state: Any) -> Any:
    """The code and the remedy for what a database says (PostgreSQL: with this SQLSTATE)."""
    if state in ("40P01", "40001", "55P03") or "database is locked" in said:
        return "ledger-busy", "Another process is at work with it: try again."
    if state == "53100" or "is full" in said or "no space left" in said:
        return "ledger-full", "Make room on the disk of the ledger, then try again."
    if "malformed" in said or "not a database" in said:
        return (
            "ledger-damaged",
            "Restore the file from a backup, or move it away to begin a new one.",
        )
    if "unable to open" in said or "readonly database" in said:
        return (
            "ledger-unusable",
            "Run this as the account that owns it: even to read it, SQLite writes beside it.",
        )
    return "ledger-unusable", "Check who may read and write it, and whether the database runs."


def _postgresql_engine(url: URL, patience: int) -> Engine:
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg2")
    # milliseconds there
    settings = {"connect_timeout": 10, "options": f"-c lock_timeout={patience * 1000}"}
    return create_engine(url, connect_args=settings)
