"""The SQLite file of a ledger: how it is made, and how it is opened.

In WAL mode, SQLite writes a file beside it even to read it. Where a file system takes no writes, it
is opened as one that nobody changes, unless there is a WAL, whose commits would be left out then.
"""

import os
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.url import URL
from sqlalchemy.pool import NullPool

WRITES = "mtasts_writes"  # the option of a connection that is to write
_MODE = 0o640  # reports hold addresses of people's mail servers


def make(path: str) -> None:
    """Let there be a file that other accounts of the machine cannot read; raises `OSError`."""
    folder = os.path.dirname(path)
    os.makedirs(folder, 0o750, exist_ok=True)
    if not os.path.exists(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
        try:
            if os.geteuid() == 0:  # who owns the folder is to go on
                owner = os.stat(folder)
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        finally:
            os.close(descriptor)


def engine(path: str, patience: int) -> Engine:
    """What opens the file."""

    def connect(_dialect: Any, _record: Any, arguments: List[str], options: Dict[str, Any]) -> None:
        if frozen(path):
            arguments[0] = f"file:{quote(path)}?immutable=1"
            options["uri"] = True

    # Of a file that it takes for unchanging, a connection sees no change: each transaction has one.
    pool = NullPool if frozen(path) else None
    url = URL.create("sqlite", database=path)
    made = create_engine(url, connect_args={"timeout": patience}, poolclass=pool)
    event.listen(made, "do_connect", connect)
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def frozen(path: str) -> Optional[Tuple[int, int]]:
    """What is different if the file was changed; None where SQLite is to see to that.

    The file system may take writes elsewhere: mounted once more, or on another machine.
    """
    try:
        if not os.statvfs(path).f_flag & os.ST_RDONLY or os.path.exists(f"{path}-wal"):
            return None
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # no transaction begins but by _begin
    connection.execute("PRAGMA synchronous = FULL")  # what is committed survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
