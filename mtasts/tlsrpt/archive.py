"""Compressed bytes, expanded piece by piece within a budget.

What a stranger compressed may expand to anything, and an archive may lie about the size of what is
in it. So nothing declared is believed: no more is ever expanded than what is left of the budget,
and one byte more, which says that there is too much.
"""

import io
import zlib
from typing import Iterator, Tuple

from mtasts.tlsrpt.report import InvalidReport

GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # a local file header, or the end of an archive with nothing
_MEMBER = b"PK\x01\x02"  # an entry of the central directory
_MOST_MEMBERS = 100
_PIECE = 256 * 1024
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1  # flag bit


class Budget:
    """How many bytes may still be expanded, of whatever is within one file."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def take(self, size: int) -> None:
        """Raise `InvalidReport` if `size` bytes are more than what is left."""
        if size > self.left:
            raise InvalidReport(
                "report-too-large",
                f"it expands to more than {self.limit} bytes",
                "Nothing of it was kept in memory. A real report is far smaller.",
            )
        self.left -= size


def gunzip(data: bytes, budget: Budget) -> bytes:
    """What all gzip members of `data` hold; zeros or anything else behind them is ignored.

    Raises `InvalidReport`.
    """
    expanded = []
    while data.startswith(GZIP):
        _check_members(len(expanded) + 1)
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            expanded.append(stream.decompress(data, budget.left + 1))
        except zlib.error as error:
            raise _broken(str(error)) from error
        budget.take(len(expanded[-1]))
        if not stream.eof:
            raise _broken("it ends too early")
        data = stream.unused_data
    return expanded[0] if len(expanded) == 1 else b"".join(expanded)


def unzip(data: bytes, budget: Budget) -> Iterator[Tuple[str, bytes]]:
    """The name and the bytes of every file in a zip archive; raises `InvalidReport`."""
    import zipfile  # heavy, and few reports need it

    _check_members(data.count(_MEMBER))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if not member.filename.endswith("/"):
                    yield member.filename, _member(archive, member, budget)
    except InvalidReport:
        raise
    except Exception as error:  # noqa: BLE001 - of such bytes it raises what it meets
        raise _broken(type(error).__name__) from error


def _member(archive, member, budget: Budget) -> bytes:  # types of a module imported late
    if member.flag_bits & _ENCRYPTED:
        raise InvalidReport("report-encrypted", "the archive is encrypted")
    if member.compress_type not in (_STORED, _DEFLATED):
        raise InvalidReport("report-compression-unknown", "no report is compressed in this way")
    pieces = []
    with archive.open(member) as file:
        while not pieces or pieces[-1]:
            pieces.append(file.read(_PIECE))
            budget.take(len(pieces[-1]))
    return b"".join(pieces)


def _check_members(members: int) -> None:
    if members > _MOST_MEMBERS:
        raise InvalidReport(
            "report-too-many-members", f"the archive has more than {_MOST_MEMBERS} members"
        )


def _broken(why: str) -> InvalidReport:
    return InvalidReport("report-compression-broken", f"it cannot be expanded: {why}")
