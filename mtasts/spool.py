"""What has arrived and is not in the ledger yet: a folder with a file for each arrival.

A file begins with a line of JSON that says how it came; behind it are the bytes as they came. Its
name, the time and a random number, is ours, and nothing of what arrived is ever in a name. Once
`put` has returned, the file survives a power cut; `done` takes it away when the ledger has it.

The account that puts and the one that takes away are different ones, and neither trusts the other:
whoever takes away follows no link and opens no pipe. Only the standard library is needed here.
"""

import contextlib
import datetime
import errno
import fcntl
import json
import os
import re
import stat
import uuid
from typing import List, NamedTuple, Optional, Tuple

from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.files import locked, replace_file, sync_folder

DEFAULT_SPOOL = "/var/lib/mtasts/spool"
MAX_FILES = 10000
MAX_BYTES = 1 << 30
MAX_HEADER = 1024
_MODE = 0o640  # the folder's group takes away
_TIME = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)-[0-9a-f]{32}\Z")
_UTC = datetime.timezone.utc
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class SpoolError(MtastsError):
    """The spool cannot do what was asked."""


class SpoolFull(SpoolError):
    """What arrived has no room in the spool until something is taken away."""


class Arrival(NamedTuple):
    """Something that came: its bytes, when (aware), and how (`https`, `mail`, ...).

    `domain` is the one whose address it was sent to, if that is known.
    """

    data: bytes
    received: datetime.datetime
    source: str
    domain: Optional[Domain] = None


class Spool:
    """The spool in `folder`, for at most so many files and bytes."""

    def __init__(self, folder: str, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self._max_files = max_files
        self._max_bytes = max_bytes

    def put(self, arrival: Arrival) -> str:
        """Keep `arrival`, durably, and return its name here.

        Raises `SpoolFull`, and `SpoolError` if the folder cannot be written.
        """
        header = json.dumps({"source": arrival.source, "domain": arrival.domain})
        data = header.encode("ascii") + b"\n" + arrival.data
        name = f"{arrival.received.astimezone(_UTC).strftime(_TIME)}-{uuid.uuid4().hex}"
        try:
            with locked(self.folder):  # else two could fill the same room
                self._require_room(len(data))
                replace_file(os.path.join(self.folder, name), data, _MODE)
        except OSError as error:
            raise self._refusal(error) from error
        return name

    def waiting(self) -> List[str]:
        """The names of all that wait, first come first; raises `SpoolError`."""
        try:
            return sorted(name for name in os.listdir(self.folder) if _NAME.match(name))
        except OSError as error:
            raise self._refusal(error) from error

    def read(self, name: str) -> Arrival:
        """What waits under `name`.

        Raises `SpoolError` if it has gone meanwhile, or is nothing that `put` has written.
        """
        path = os.path.join(self.folder, name)
        try:
            header, data = _read(path, self._max_bytes)
            said = json.loads(header.decode("ascii"))
            domain = None if said["domain"] is None else Domain(said["domain"])
            return Arrival(data, _received(name), _word(said["source"]), domain)
        except (OSError, MtastsError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise _unreadable(path, error) from error

    def claim(self, name: str) -> Optional[int]:
        """Take on what waits under `name`, so that no other process does until it is `done`.

        The claim ends when the descriptor returned is closed; None if another process has it, or
        has taken the file away. Raises `SpoolError` for what `read` would not read either.
        """
        path = os.path.join(self.folder, name)
        try:
            with contextlib.ExitStack() as unclaimed:
                descriptor = os.open(path, _READ)
                unclaimed.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not os.fstat(descriptor).st_nlink:
                    return None
                unclaimed.pop_all()
                return descriptor
        except (FileNotFoundError, BlockingIOError):
            return None
        except OSError as error:
            raise _unreadable(path, error) from error

    def done(self, *names: str) -> None:
        """Take away what waits under `names`, as far as it is still there; raises `SpoolError`."""
        try:
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self.folder, name))
            sync_folder(self.folder)
        except OSError as error:
            raise self._refusal(error) from error

    def _require_room(self, size: int) -> None:
        """Raise `SpoolFull` if there is none for `size` bytes; the caller holds the lock."""
        files, used = 0, 0
        for entry in os.scandir(self.folder):
            with contextlib.suppress(FileNotFoundError):  # taken away just now
                if entry.name.startswith("."):  # half written, by a process that was killed
                    os.unlink(entry.path)
                    continue
                files += 1
                used += entry.stat(follow_symlinks=False).st_size
        if files + 1 > self._max_files or used + size > self._max_bytes:
            raise SpoolFull(
                "spool-full",
                f"{self.folder} has {files} files of {used} bytes, and no room for {size} more",
                "Take them into the ledger: mtasts report ingest",
            )

    def _refusal(self, error: OSError) -> SpoolError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return SpoolFull(
                "spool-full",
                f"the disk has no room for {self.folder}",
                "Make room on that disk, then take in what waits: mtasts report ingest",
            )
        return SpoolError(
            "spool-unusable",
            f"{self.folder} cannot be used: {error.strerror}",
            "Check that the folder is there, and who may write to it.",
        )


def _unreadable(path: str, error: Exception) -> SpoolError:
    return SpoolError(
        "spool-file-unreadable",
        f"{path} cannot be read as what arrived: {printable(error, 200)}",
        "If it was not put there by hand, see who writes to that folder.",
    )


def _read(path: str, limit: int) -> Tuple[bytes, bytes]:
    """The first line of the file and all behind it; raises `OSError` or `ValueError`."""
    descriptor = os.open(path, _READ)
    with os.fdopen(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > limit:
            raise ValueError("it is no file, or larger than the whole spool may be")
        header = file.readline(MAX_HEADER)
        return header, file.read(limit)


def _received(name: str) -> datetime.datetime:
    found = _NAME.match(name)
    if not found:
        raise ValueError("its name is not one of ours")
    return datetime.datetime.strptime(found.group(1), _TIME).replace(tzinfo=_UTC)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("the source is no text")
    return value
