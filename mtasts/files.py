"""Files that appear whole or not at all, also after a power cut."""

import contextlib
import fcntl
import os
import tempfile
import time
from typing import Iterator, Optional, Tuple


def replace_file(
    path: str, data: bytes, mode: int = 0o644, owner: Optional[Tuple[int, int]] = None
) -> None:
    """Let `path` hold `data` with the permissions `mode` and the `owner` (user and group ids).

    Raises `OSError`; the file is then as it was.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if owner:
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))


def replace_link(path: str, target: str) -> None:
    """Let `path` be a symbolic link to `target`; raises `OSError`, and is then as it was."""
    temporary = tempfile.mktemp(prefix=".", dir=os.path.dirname(path))  # noqa: S306 - see below
    os.symlink(target, temporary)  # fails, and follows nothing, if the name is taken by now
    try:
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))


def heir(folder: str) -> Optional[Tuple[int, int]]:
    """Who is to have what is made in `folder`, so that a run by hand as root is in nobody's way.

    User and group ids, as `replace_file` takes them; None for whoever is not root.
    """
    owner = os.stat(folder)
    return (owner.st_uid, owner.st_gid) if os.geteuid() == 0 else None


def make_folder(folder: str) -> None:
    """Let there be `folder`, for nobody but its owner; raises `OSError`."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
        owner = heir(os.path.dirname(os.path.abspath(folder)))
        if owner:
            os.chown(folder, *owner, follow_symlinks=False)


def sync_folder(folder: str) -> None:
    """Let the names that were made or changed in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Hold `folder`, which nobody does for longer than a write takes; raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # the lock goes with it


def lock(folder: str, patience: float) -> int:
    """Take the lock of `folder`; it is free again when the descriptor returned is closed.

    Raises `OSError`, and `TimeoutError` if another process keeps it for `patience` seconds.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise TimeoutError(folder) from error
        except BaseException:
            os.close(descriptor)
            raise
        time.sleep(0.02)
