"""Policies as other set-ups keep them on disk, to be taken over.

* a file, as the tutorials have it;
* an Apache configuration with the virtual host of `mta-sts.<domain>`: what its DocumentRoot or an
  Alias leads to;
* a directory: `<domain>/mta-sts.txt` or `<domain>.txt` in it, a document root, or mailcow's
  directory (until August 2025; since then mailcow has its policies in its database).

Nothing is changed here, and nothing is read but regular files.
"""

import fnmatch
import os
import re
import shlex
import stat
from typing import Iterator, List, NamedTuple, Optional, Tuple

from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError, printable
from mtasts.policy import MAX_POLICY_BYTES

_FILE = "mta-sts.txt"
_WELL_KNOWN = ".well-known/" + _FILE
_MAILCOW = "data/web/"
_MAX_CONFIGURATION = 1024 * 1024
_CURL = "Save what it serves, with curl -O https://{}/{}, and import that file."


class SourceUnusable(MtastsError):
    """No policy of the domain can be had there."""


def policy_in(source: str, domain: Domain) -> Tuple[str, bytes]:
    """The path and the bytes of the policy of `domain` in `source`, a file or a directory.

    At most one byte more than a policy may have is read. Raises `SourceUnusable`.
    """
    if os.path.isdir(source):
        path = _in_directory(source, domain)
        return path, read_file(path, MAX_POLICY_BYTES)
    data = read_file(source, _MAX_CONFIGURATION)
    if re.search(rb"(?im)^[ \t]*<VirtualHost\b", data):
        path = _in_configuration(source, data.decode("utf-8", "replace"), domain)
        return path, read_file(path, MAX_POLICY_BYTES)
    return source, data[: MAX_POLICY_BYTES + 1]


def all_in(directory: str) -> Iterator[Tuple[Domain, str]]:
    """Every domain with a policy in a plain directory, and its path. Raises `SourceUnusable`."""
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        raise _unreadable(directory, error) from error
    for name in names:
        path = os.path.join(directory, name)
        inner = os.path.join(path, _FILE)
        try:
            if os.path.isfile(inner):
                yield Domain(name), inner
            elif re.search(r"\..+\.txt\Z", name) and os.path.isfile(path):  # not README.txt
                yield Domain(name[: -len(".txt")]), path
        except InvalidDomain:
            continue


def read_file(path: str, limit: int) -> bytes:
    """At most `limit` bytes of a regular file, and one more; raises `SourceUnusable`."""
    try:
        # Not blocking, because a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SourceUnusable("file-irregular", f"{printable(path, 300)} is no regular file")
            return file.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> SourceUnusable:
    return SourceUnusable(
        "file-unreadable", f"{printable(path, 300)} cannot be read: {error.strerror}"
    )


def _in_directory(directory: str, domain: Domain) -> str:
    names = (f"{domain}/{_FILE}", f"{domain}.txt", _WELL_KNOWN, _MAILCOW + _WELL_KNOWN)
    paths = [os.path.join(directory, name) for name in names]
    for path in paths:
        if os.path.isfile(path):
            return path
    if os.path.exists(os.path.join(directory, _MAILCOW, "mta-sts.php")):
        raise SourceUnusable(
            "source-mailcow-database",
            "this mailcow makes its policies from its database",
            _CURL.format(domain.policy_host, _WELL_KNOWN),
        )
    raise SourceUnusable(
        "source-without-policy",
        f"there is no policy of {domain} in {printable(directory, 300)}",
        "Looked for: " + ", ".join(names) + ".",
    )


class _VirtualHost(NamedTuple):
    """What a virtual host's directives say, each one's arguments by its name in lower case."""

    directives: List[Tuple[str, List[str]]]

    def values(self, name: str) -> Iterator[List[str]]:
        return (arguments for said, arguments in self.directives if said == name and arguments)

    def answers_for(self, host: str) -> bool:
        names = [arguments[0] for arguments in self.values("servername")]
        names += [name for arguments in self.values("serveralias") for name in arguments]
        names = [re.sub(r"\A[a-z]+://|:[0-9]+\Z", "", name.lower()) for name in names]
        return any(fnmatch.fnmatchcase(host, name) for name in names)

    def policy_path(self) -> Optional[str]:
        """Where the policy's URL path leads to: an Alias counts before the DocumentRoot."""
        for arguments in self.values("alias"):
            place, target = arguments[0].rstrip("/"), arguments[-1].rstrip("/")
            if f"/{_WELL_KNOWN}" == place or f"/{_WELL_KNOWN}".startswith(place + "/"):
                return target + f"/{_WELL_KNOWN}"[len(place) :]
        roots = [arguments[0] for arguments in self.values("documentroot")]
        return os.path.join(roots[-1], _WELL_KNOWN) if roots else None


def _in_configuration(source: str, text: str, domain: Domain) -> str:
    host = domain.policy_host
    found = [one.policy_path() for one in _virtual_hosts(text) if one.answers_for(host)]
    paths = [path for path in found if path]
    for path in paths:
        if os.path.isfile(path):
            return path
    looked = f"Looked for: {', '.join(printable(path, 300) for path in paths)}. " if paths else ""
    raise SourceUnusable(
        "source-without-policy",
        f"{printable(source, 300)} has no virtual host that serves a file for {host}",
        looked + "Files that it includes are not looked at. " + _CURL.format(host, _WELL_KNOWN),
    )


def _virtual_hosts(text: str) -> Iterator[_VirtualHost]:
    directives: Optional[List[Tuple[str, List[str]]]] = None
    for line in text.replace("\\\n", " ").split("\n"):
        try:
            name, *arguments = shlex.split(line, comments=False) or [""]
        except ValueError:
            continue
        name = name.lower()
        if name == "<virtualhost":
            directives = []
        elif name == "</virtualhost>" and directives is not None:
            yield _VirtualHost(directives)
            directives = None
        elif directives is not None and name and not name.startswith("#"):
            directives.append((name, arguments))
