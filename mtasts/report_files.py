"""Files with reports on disk, as a person names them: files, directories, Maildirs, standard input.

Nothing is changed: a mail of a Maildir stays where it is and as it is.
"""

import os
import sys
from typing import Iterable, Iterator

from mtasts.errors import MtastsError, printable

_MAILDIR = ("cur", "new")


def files(paths: Iterable[str]) -> Iterator[str]:
    """The files in `paths`, of which `-` is standard input.

    Of a directory it is every file in it, also further down, without those that begin with a dot;
    of a Maildir the mails.
    """
    for path in paths:
        if os.path.isdir(path):
            yield from _within(path)
        else:
            yield path


def _within(directory: str) -> Iterator[str]:
    """The files below a directory, in the order of their names; of a directory's own first."""
    for folder, folders, names in os.walk(directory):
        is_maildir = all(name in folders for name in _MAILDIR)
        if is_maildir:  # its other files are the mail server's own; .name is a folder of mails
            folders[:] = [name for name in folders if name in _MAILDIR or name.startswith(".")]
        else:
            folders[:] = [name for name in folders if not name.startswith(".")]
        folders.sort()
        for name in [] if is_maildir else sorted(names):
            path = os.path.join(folder, name)
            if not name.startswith(".") and os.path.isfile(path):
                yield path


def read(path: str) -> bytes:
    """What the file holds; raises `MtastsError`."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        name = printable(path, 300)
        raise MtastsError("file-unreadable", f"{name} cannot be read: {error.strerror}") from error
