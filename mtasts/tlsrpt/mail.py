"""A mail as it may bring a report (RFC 8460 section 5.3), whatever its MIME structure looks like.

The standard library's package email takes the parts apart; it takes everything. What a part holds
is seen by its content, elsewhere; here is what the mail says about it: whether it is meant as a
report, and hints. Nothing relies on types, names, dates and languages.
"""

import re
from typing import Dict, Iterator, NamedTuple, Tuple

from mtasts.tlsrpt.report import Hint, InvalidReport

_MOST_PARTS = 1000
_TYPE = "application/tlsrpt"  # and +json, +gzip, +zip
_FIELDS = {"tls-report-domain": "policy-domain", "tls-report-submitter": "submitter"}
_HEAD = 64 * 1024  # bytes in which the fields stand by which a mail is known
_FIRST_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_USUAL_FIELD = re.compile(
    rb"^(?:from|to|date|subject|received|return-path|delivered-to|message-id|mime-version"
    rb"|content-type|dkim-signature)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_FROM_LINE = re.compile(rb"(?:\A|\n\r?\n)From [^\n]*\n(?=[!-9;-~]+[ \t]*:)")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
# tlsrpt-subject of section 5.3
_SUBJECT = re.compile(
    r"Report\s+Domain:\s*(\S+)\s+Submitter:\s*(\S+)\s+Report-ID:\s*<?([^\s<>]+)", re.IGNORECASE
)
# The file name of section 5.1
_FILE_NAME = re.compile(r"([^!/]+)!([^!/]+)![0-9]+![0-9]+(?:![^!/]*)?\.json(?:\.gz)?\Z", re.I)


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


def is_mail(data: bytes) -> bool:
    """Whether `data` begins with the header of a mail."""
    return bool(_FIRST_FIELD.match(data) and _USUAL_FIELD.search(data[:_HEAD]))


def is_mbox(data: bytes) -> bool:
    """Whether `data` is a mailbox in one file (RFC 4155), or one mail as it is piped."""
    return data.startswith(b"From ") and bool(_FROM_LINE.match(data))


def split_mbox(data: bytes) -> Iterator[bytes]:
    """The mails of a mailbox."""
    start = None
    for line in _FROM_LINE.finditer(data):
        if start is not None:
            yield _QUOTED_FROM.sub(rb"\1", data[start : line.start() + 1])
        start = line.end()
    yield _QUOTED_FROM.sub(rb"\1", data[start:])


def read(data: bytes) -> Mail:
    """The mail; raises `InvalidReport` for more parts, or nested deeper, than any mail has."""
    import email  # costs more than all of the reader, and not every report comes by mail

    try:
        message = email.message_from_bytes(data)
        found = list(message.walk())
    except RecursionError as error:
        raise InvalidReport("report-too-deep", "its parts are nested too deep") from error
    if len(found) > _MOST_PARTS:
        raise InvalidReport("report-too-many-parts", f"it has more than {_MOST_PARTS} parts")
    parts = tuple(_part(part) for part in found if not part.is_multipart())
    hints = _hints(found)
    is_report = bool(hints) or any(part.is_report for part in parts)
    is_report = is_report or message.get_param("report-type") == "tlsrpt"
    return Mail(parts, hints, is_report)


def file_name_hints(name: str) -> Tuple[Hint, ...]:
    """What a file name of RFC 8460 section 5.1 says."""
    match = _FILE_NAME.search(name)
    if not match:
        return ()
    submitter, domain = match.groups()
    return Hint("policy-domain", "file-name", domain), Hint("submitter", "file-name", submitter)


def _part(leaf) -> Part:  # of a class of a module that is imported late
    name, kind = _name(leaf), leaf.get_content_type()
    is_report = kind.startswith(_TYPE) or bool(_FILE_NAME.search(name))
    return Part(name, leaf.get_payload(decode=True) or b"", kind.startswith("text/"), is_report)


def _name(leaf) -> str:
    try:
        return _unfolded(leaf.get_filename() or "")
    except (ValueError, LookupError, TypeError):  # of parameters that are not what RFC 2231 says
        return ""


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
