"""The access log on disk, with what logrotate has made of it: read once, in pieces of a MiB.

    mtasts_access.log  mtasts_access.log.1  mtasts_access.log.2.gz  mtasts_access.log-20261128.gz

Whatever a line holds, memory stays bounded: what is longer than any line comes cut, but still too
long to be taken for one. A last line without an ending is being written, and left out.
"""

import contextlib
import datetime
import grp
import gzip
import os
import re
import stat
import zlib
from typing import Any, Callable, Iterable, Iterator, List, NamedTuple

from mtasts.errors import MtastsError, printable
from mtasts.pickup.line import MAX_LINE

DEFAULT = "/var/log/apache2/mtasts_access.log"
PIECE = 1024 * 1024  # bytes
_ROTATED = re.compile(r"(?:\.[0-9]{1,4}|-[0-9]{8}(?:-?[0-9]{2,10})?)(?:\.gz)?\Z")


class LogUnreadable(MtastsError):
    """A log is not there, or may not be read, or is damaged."""


class LogFile(NamedTuple):
    """An open file of the log; `size` is that on disk."""

    path: str
    file: Any
    size: int


@contextlib.contextmanager
def opened(paths: Iterable[str], since: datetime.datetime) -> Iterator[List[LogFile]]:
    """Open the logs at `paths` and their rotated ones, each once, as far as they reach `since`.

    All are opened before any is read, so that a rotation meanwhile takes none away. A file that
    was changed last before `since` (aware) has no line of the period. Raises `LogUnreadable`.
    """
    with contextlib.ExitStack() as files:
        found, seen = [], set()
        for path in paths:
            for name in [path, *_rotated(path)]:
                with _failing_as_unreadable(name):
                    file = files.enter_context(open(name, "rb", opener=_open))
                    facts = os.fstat(file.fileno())
                place = facts.st_dev, facts.st_ino
                if not stat.S_ISREG(facts.st_mode):
                    raise _no_file(name)
                if place not in seen and facts.st_mtime >= since.timestamp():
                    found.append(LogFile(name, file, facts.st_size))
                seen.add(place)
        yield found


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # whoever names a pipe is told, and does not wait


def _rotated(path: str) -> List[str]:
    """What logrotate has made of the log at `path`."""
    folder, name = os.path.split(path)
    with _failing_as_unreadable(path):
        names = os.listdir(folder or ".")
    return [
        os.path.join(folder, one)
        for one in sorted(names)
        if one.startswith(name) and _ROTATED.match(one, len(name))
    ]


def feed(files: Iterable[LogFile], take: Callable[[bytes], None]) -> Iterator[int]:
    """Give each line to `take`, and yield for each `PIECE` of the files that has been read.

    Raises `LogUnreadable`.
    """
    for log in files:
        with _failing_as_unreadable(log.path):
            is_gzip = log.file.read(2) == b"\x1f\x8b"
            log.file.seek(0)
            source = gzip.GzipFile(fileobj=log.file) if is_gzip else log.file
            told = 0
            for lines in _lines(source):
                for line in lines:
                    take(line)
                pieces = log.file.tell() // PIECE
                yield from range(told, pieces)
                told = pieces


def _lines(source: Any) -> Iterator[List[bytes]]:
    """The lines that are complete, without their ends."""
    rest = b""
    while True:
        piece = source.read(PIECE)
        if not piece:
            return
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()[: MAX_LINE + 1]
        yield lines


def pieces(files: Iterable[LogFile]) -> int:
    """How often `feed` will yield at least."""
    return sum(log.size // PIECE for log in files)


@contextlib.contextmanager
def _failing_as_unreadable(path: str) -> Iterator[None]:
    name = printable(path, 300)
    try:
        yield
    except FileNotFoundError as error:
        raise LogUnreadable(
            "log-missing",
            f"there is no log at {name}",
            "Name it by --log; docs/pickup.md says how Apache has to write it.",
        ) from error
    except IsADirectoryError as error:
        raise _no_file(path) from error
    except PermissionError as error:
        raise LogUnreadable("log-unreadable", f"you may not read {name}", _remedy(path)) from error
    except (EOFError, zlib.error, OSError) as error:
        raise LogUnreadable(
            "log-damaged",
            f"{name} cannot be read: {printable(getattr(error, 'strerror', None) or error, 200)}",
            "Look at the file; name others by --log.",
        ) from error


def _no_file(path: str) -> LogUnreadable:
    return LogUnreadable(
        "log-no-file", f"{printable(path, 300)} is no file", "Name the log itself by --log."
    )


def _remedy(path: str) -> str:
    """Who may read the log, as far as that can be seen from outside."""
    for place in (path, os.path.dirname(os.path.abspath(path))):
        with contextlib.suppress(OSError, KeyError):
            group = grp.getgrgid(os.stat(place).st_gid).gr_name
            if group != "root":
                return f"Run it as root or as a member of the group {group}."
    return "Run it as root."
