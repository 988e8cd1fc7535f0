"""The schema of a ledger, made and migrated by alembic (`migrations/versions`)."""

import contextlib
import os
from typing import Iterator, Optional

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from mtasts.errors import MtastsError, printable
from mtasts.files import lock
from mtasts.ledger.schema import REVISION

MIGRATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "migrations")


class LedgerTooNew(MtastsError):
    """A newer mtasts has migrated the ledger."""


def revision(connection: Connection) -> Optional[str]:
    """Which migration the ledger has last seen; None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def to_newest(connection: Connection) -> None:
    """Make or migrate the schema, within the transaction of `connection`, which nobody shares.

    Raises `LedgerTooNew`.
    """
    # Only here, because they take long to import.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", MIGRATIONS.replace("%", "%%"))
    config.attributes["connection"] = connection
    found = revision(connection)
    known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    if found and found not in known:
        raise LedgerTooNew(
            "ledger-too-new",
            f"the ledger has the schema {printable(found)}; this mtasts knows {REVISION} at most",
            "Upgrade mtasts on this machine, too.",
        )
    command.upgrade(config, REVISION)


@contextlib.contextmanager
def one_at_a_time(path: str, patience: float) -> Iterator[None]:
    """Let no other process migrate the SQLite file meanwhile; raises `OSError`."""
    descriptor = lock(os.path.dirname(path), patience)
    try:
        yield
    finally:
        os.close(descriptor)
