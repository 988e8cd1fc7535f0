"""One file per certificate: which names it serves and where it stands; all else is shared.

A file is made from the template vhost.conf and read back from its own text, so it is the only
record of what is installed. A file is ours if it begins as the template does: whatever else lies in
the directory is somebody else's and is never touched.
"""

import os
import pkgutil
import re
import string
from typing import Collection, Dict, List, NamedTuple, Optional, Tuple

from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file

SUFFIX = ".conf"
_TEMPLATE = (pkgutil.get_data(__package__, "vhost.conf") or b"").decode("ascii")
_MARK = _TEMPLATE[: _TEMPLATE.index("$")]
_NAMES = re.compile(r"^\s*Server(?:Name|Alias)\s+(\S+)\s*$", re.MULTILINE)
_PATH = r'^\s*{}\s+"?([^"\n]+?)"?\s*$'
_CERTIFICATE = re.compile(_PATH.format("SSLCertificateFile"), re.MULTILINE)
_KEY = re.compile(_PATH.format("SSLCertificateKeyFile"), re.MULTILINE)
# What could end a quoted argument of Apache's configuration, or be replaced inside one.
_UNQUOTABLE = re.compile(r'["\\$\x00-\x1f\x7f]')


class VHostError(MtastsError):
    """A virtual host's file cannot be made, read or written."""


_Fields = NamedTuple(
    "_Fields",
    [("lineage", str), ("names", Tuple[str, ...]), ("certificate", str), ("key", str)],
)


class VHost(_Fields):
    """A certificate (certbot's lineage), the policy hosts it serves, and its two files' paths.

    The names are sorted, so that the same names always give the same text. Raises `VHostError` for
    a lineage or path that cannot stand in Apache's configuration.
    """

    __slots__ = ()

    def __new__(cls, lineage: str, names: Tuple[str, ...], certificate: str, key: str) -> "VHost":
        """Check the values once and for all."""
        for text in (lineage, certificate, key):
            if _UNQUOTABLE.search(text):
                raise VHostError(
                    "certificate-path-unusable",
                    f"'{printable(text)}' cannot stand in Apache's configuration",
                    "Choose a certificate name of letters, digits, dots and hyphens: --cert-name.",
                )
        # Apache's wildcard, by which the files are included, passes over hidden files.
        if not lineage or lineage.startswith(".") or "/" in lineage:
            raise VHostError(
                "certificate-name-unusable",
                f"the certificate name '{printable(lineage)}' cannot be the name of a file",
                "Choose a certificate name of letters, digits, dots and hyphens: --cert-name.",
            )
        return super().__new__(cls, lineage, tuple(sorted(set(names))), certificate, key)

    def __str__(self) -> str:
        """The text of the file."""
        directives = [f"ServerName {self.names[0]}"]
        directives += [f"ServerAlias {name}" for name in self.names[1:]]
        return string.Template(_TEMPLATE).substitute(
            lineage=self.lineage,
            names="\n    ".join(directives),
            certificate=self.certificate,
            key=self.key,
        )

    def with_names(self, names: Tuple[str, ...]) -> "VHost":
        """The same certificate for other names."""
        return VHost(self.lineage, names, self.certificate, self.key)


class Change(NamedTuple):
    """What a file held and is to hold; None stands for no file."""

    path: str
    before: Optional[bytes]
    after: Optional[bytes]

    def apply(self) -> None:
        """Let the file hold `after`; raises `VHostError`."""
        self._let(self.after)

    def undo(self) -> None:
        """Let the file hold `before` again; raises `VHostError`."""
        self._let(self.before)

    def _let(self, data: Optional[bytes]) -> None:
        try:
            if data is None:
                os.unlink(self.path)
            else:
                replace_file(self.path, data)
        except OSError as error:
            raise VHostError(
                "vhost-write-failed",
                f"{self.path} cannot be written: {error.strerror}",
                "Run the command as root, and check the disk's free space.",
            ) from error


def parse(lineage: str, text: str) -> Optional[VHost]:
    """Read a file of ours back; None if it is not ours."""
    certificate, key = _CERTIFICATE.search(text), _KEY.search(text)
    names = tuple(_NAMES.findall(text))
    if not (text.startswith(_MARK) and names and certificate and key):
        return None
    return VHost(lineage, names, certificate.group(1), key.group(1))


def installed(directory: str, lineages: Optional[Collection[str]] = None) -> Dict[str, VHost]:
    """Our virtual hosts in `directory`, by lineage: all, or those of `lineages` that are there.

    Raises `VHostError`.
    """
    found = {}
    for lineage in _lineages(directory):
        if lineages is None or lineage in lineages:
            data = _read(os.path.join(directory, lineage + SUFFIX))
            vhost = parse(lineage, data.decode("utf-8", "surrogateescape"))
            if vhost:
                found[lineage] = vhost
    return found


def plan(directory: str, new: VHost) -> List[Change]:
    """What has to change so that `new` serves its names, and nothing else of ours does.

    A name that comes from another certificate leaves that one's file, and the last one takes the
    file along. The same text again is no change. Raises `VHostError`.
    """
    changes = []
    for lineage, old in installed(directory).items():
        if lineage == new.lineage:
            continue
        left = tuple(name for name in old.names if name not in new.names)
        if left != old.names:
            changes.append(change(directory, old.with_names(left) if left else None, lineage))
    changes.append(change(directory, new, new.lineage))
    return [one for one in changes if one.before != one.after]


def change(directory: str, vhost: Optional[VHost], lineage: str) -> Change:
    """Make the file of `lineage` say `vhost`, or go; raises `VHostError` if it is not ours."""
    path = os.path.join(directory, lineage + SUFFIX)
    before = _read(path) if os.path.lexists(path) else None
    if before is not None and not before.startswith(_MARK.encode("ascii")):
        raise VHostError(
            "vhost-not-ours",
            f"{path} was not made by this plugin, so it is left alone",
            "Move that file away, or give the certificate another name with --cert-name.",
        )
    after = None if vhost is None else str(vhost).encode("utf-8", "surrogateescape")
    return Change(path, before, after)


def _lineages(directory: str) -> List[str]:
    """The names of all files in the directory, without their ending."""
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise _unreadable(directory, error) from error
    ours = [name for name in names if name.endswith(SUFFIX) and not name.startswith(".")]
    return sorted(name[: -len(SUFFIX)] for name in ours)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> VHostError:
    return VHostError(
        "vhost-unreadable",
        f"{path} cannot be read: {error.strerror}",
        "Set Apache up with apache/setup, and run the command as root.",
    )
