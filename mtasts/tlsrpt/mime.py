"""A mail as it may bring a report (RFC 8460 section 5.3), whatever its MIME structure looks like.

The standard library's package email takes the parts apart. It takes nearly everything; what it
stumbles over is as if it were not there. What a part holds is seen by its content, elsewhere; here
is what the mail says about it: whether it is meant as a report, and hints. Nothing relies on types,
names, dates and languages.

Importing this costs more than all of the reader, and not every report comes by mail.
"""

import email
import email.message
import itertools
import re
from typing import Any, Callable, Dict, NamedTuple, Tuple

from mtasts.tlsrpt.mail import file_name_hints
from mtasts.tlsrpt.report import Hint, InvalidReport

_MOST_PARTS = 1000
_MOST_LINES = 1_000_000  # of which each can take 200 bytes in memory; 75 MiB of base64 have as many
_LONGEST_FIELD = 2048  # characters of a field that is looked into
# The package compares each line with the boundaries of all parts around it. Ten times as many
# comparisons as the largest report of a mail needs.
_MOST_COMPARISONS = 50_000_000
_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
_TYPE = "application/tlsrpt"  # and +json, +gzip, +zip
_FIELDS = {"tls-report-domain": "policy-domain", "tls-report-submitter": "submitter"}
# tlsrpt-subject of section 5.3
_SUBJECT = re.compile(
    r"Report\s+Domain:\s*(\S+)\s+Submitter:\s*(\S+)\s+Report-ID:\s*<?([^\s<>]+)", re.IGNORECASE
)


class Part(NamedTuple):
    """A part that holds something: its file name or "", its bytes without transfer encoding."""

    name: str
    data: bytes
    is_text: bool
    is_report: bool


class Mail(NamedTuple):
    """A mail's parts, what it says beside them, and whether it claims to bring a report."""

    parts: Tuple[Part, ...]
    hints: Tuple[Hint, ...]
    is_report: bool


class _Message(email.message.Message):
    """A message whose very long or senseless fields are as if they were not there.

    The package takes minutes for the parameters of a Content-Type of 100 KiB, and hours for more.
    """

    def get(self, name: str, failobj: Any = None) -> Any:
        value = super().get(name, failobj)
        if value is failobj:
            return failobj
        text = str(value)  # with other bytes than ASCII it is an object, which not all of it knows
        return text if len(text) <= _LONGEST_FIELD else failobj

    def __contains__(self, name: object) -> bool:
        """Whether `get` has it: the package asks this first, and iterates over what `get` gives."""
        return self.get(str(name)) is not None

    def get_boundary(self, failobj: Any = None) -> Any:
        return _unless_broken(super().get_boundary, failobj)


def read(data: bytes) -> Mail:
    """The mail; raises `InvalidReport` for more parts, or nested deeper, than any mail has."""
    _check_lines(data)
    try:
        message = email.message_from_bytes(data, _class=_limited())
        found = list(message.walk())
    except RecursionError as error:
        raise InvalidReport("report-too-deep", "its parts are nested too deep") from error
    parts = tuple(_part(part) for part in found if not part.is_multipart())
    hints = _hints(found)
    is_report = bool(hints) or any(part.is_report for part in parts)
    is_report = is_report or _unless_broken(message.get_param, "report-type") == "tlsrpt"
    return Mail(parts, hints, is_report)


def _check_lines(data: bytes) -> None:
    """Raise `InvalidReport` for a mail that would take far more memory or time than any other."""
    lines = data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
    if lines > _MOST_LINES:
        raise InvalidReport("report-too-large", f"it is a mail of more than {_MOST_LINES} lines")
    # Looking for boundaries takes a while itself, and most mails are too short to matter.
    is_long = lines * _MOST_PARTS > _MOST_COMPARISONS
    if is_long and lines * len(_BOUNDARY.findall(data)) > _MOST_COMPARISONS:
        raise InvalidReport("report-too-many-parts", "it has too many parts for so many lines")


def _limited() -> Callable[..., _Message]:
    """What makes the messages of one mail; raises `InvalidReport` for more than any mail has.

    The package wants one before it begins. Each blank line can make one.
    """
    made = itertools.count()

    def make(policy: Any) -> _Message:
        if next(made) > _MOST_PARTS:
            raise InvalidReport("report-too-many-parts", f"it has more than {_MOST_PARTS} parts")
        return _Message(policy)

    return make


def _part(leaf: _Message) -> Part:
    name, kind = _name(leaf), leaf.get_content_type()
    is_report = kind.startswith(_TYPE) or bool(file_name_hints(name))
    data = _unless_broken(leaf.get_payload, None, True) or b""
    return Part(name, data, kind.startswith("text/"), is_report)


def _name(leaf: _Message) -> str:
    return _unfolded(_unless_broken(leaf.get_filename) or "")


def _unless_broken(get: Callable[..., Any], *arguments: Any) -> Any:
    """What `get` finds; None also if the package stumbles over what it finds.

    Parameters that are not what RFC 2231 says, or in an encoding such as `idna`, a letter that is
    none of uuencode: what it raises then is of all kinds, and another in each version of Python.
    """
    try:
        return get(*arguments)
    except InvalidReport:
        raise
    except Exception:  # noqa: BLE001 - see above
        return None


def _hints(parts: list) -> Tuple[Hint, ...]:
    """What the fields say, of which the first counts; a report may have been forwarded."""
    header: Dict[str, str] = {}
    subject = None
    for part in parts:
        for field, value in part.raw_items():
            name = field.lower()
            if name in _FIELDS:
                header.setdefault(_FIELDS[name], _unfolded(value))
            elif name == "subject":
                subject = subject or _SUBJECT.search(_unfolded(value))
    found = [Hint(name, "header", header[name]) for name in _FIELDS.values() if name in header]
    if subject:
        names = ("policy-domain", "submitter", "report-id")
        found += [Hint(name, "subject", text) for name, text in zip(names, subject.groups())]
    return tuple(found)


def _unfolded(value: object) -> str:
    """A field's text in one line; bytes that are no ASCII are read as UTF-8."""
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.split())
