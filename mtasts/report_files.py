"""Files with reports on disk, as a person names them: files, directories, Maildirs, standard input.

Nothing is changed: a mail of a Maildir stays where it is and as it is.
"""

import os
import stat
import sys
from typing import Iterable, Iterator, List

from mtasts.errors import MtastsError, printable

_MAILDIR = ("cur", "new")


def files(paths: Iterable[str]) -> Iterator[str]:
    """The files in `paths`, of which `-` is standard input.

    Of a directory it is every file in it, also further down, without those that begin with a dot;
    of a Maildir the mails. What cannot be looked into is given like a file: `read` says why.
    """
    for path in paths:
        if os.path.isdir(path):
            yield from _within(path)
        else:
            yield path


def _within(directory: str) -> Iterator[str]:
    """The files below a directory, in the order of their names; of a directory's own first."""
    unreadable: List[OSError] = []
    for folder, folders, names in os.walk(directory, onerror=unreadable.append):
        is_maildir = all(name in folders for name in _MAILDIR)
        if is_maildir:  # its other files are the mail server's own; .name is a folder of mails
            folders[:] = [name for name in folders if name in _MAILDIR or name.startswith(".")]
        else:
            folders[:] = [name for name in folders if not name.startswith(".")]
        folders.sort()
        for name in [] if is_maildir else sorted(names):
            path = os.path.join(folder, name)
            if not name.startswith(".") and _is_file(path):
                yield path
    for error in unreadable:
        yield str(error.filename)


def _is_file(path: str) -> bool:
    """Whether it is a file, or nobody can say."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:  # it has gone, or is a link to what has gone
        return False
    except OSError:
        return True


def read(path: str) -> bytes:
    """What the file holds; raises `MtastsError`."""
    if path == "-":
        if sys.stdin is None:
            raise MtastsError("file-unreadable", "standard input is closed")
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        name = printable(path, 300)
        raise MtastsError("file-unreadable", f"{name} cannot be read: {error.strerror}") from error
