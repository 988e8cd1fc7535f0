"""A mail as it may bring a report (RFC 8460 section 5.3), whatever its MIME structure looks like.

The standard library's package email takes the parts apart; it takes everything. What a part holds
is seen by its content, elsewhere; here is what the mail says about it: whether it is meant as a
report, and hints. Nothing relies on types, names, dates and languages.
"""

import re
from typing import Iterator, List, NamedTuple, Tuple

from mtasts.tlsrpt.report import Hint, InvalidReport

_MOST_PARTS = 1000
_TYPE = "application/tlsrpt"  # and +json, +gzip, +zip
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

    parts: Iterator[Part]
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
        leaves = _leaves(message)
    except RecursionError as error:
        raise InvalidReport("report-too-deep", "its parts are nested too deep") from error
    hints = _hints(message)
    is_report = bool(hints) or message.get_param("report-type") == "tlsrpt"
    is_report = is_report or any(_is_report(leaf) for leaf in leaves)
    return Mail(map(_part, leaves), hints, is_report)


def file_name_hints(name: str) -> Tuple[Hint, ...]:
    """What a file name of RFC 8460 section 5.1 says."""
    match = _FILE_NAME.search(name)
    if not match:
        return ()
    submitter, domain = match.groups()
    return Hint("policy-domain", "file-name", domain), Hint("submitter", "file-name", submitter)


def _leaves(message) -> List:  # of a class of a module that is imported late
    leaves = []
    for part in message.walk():
        if not part.is_multipart():
            leaves.append(part)
        if len(leaves) > _MOST_PARTS:
            raise InvalidReport("report-too-many-parts", f"it has more than {_MOST_PARTS} parts")
    return leaves


def _part(leaf) -> Part:
    is_text = leaf.get_content_maintype() == "text"
    return Part(_name(leaf), leaf.get_payload(decode=True) or b"", is_text, _is_report(leaf))


def _is_report(leaf) -> bool:
    """Whether the part is said to be a report, by its type or its name."""
    return leaf.get_content_type().startswith(_TYPE) or bool(_FILE_NAME.search(_name(leaf)))


def _name(leaf) -> str:
    try:
        return str(leaf.get_filename() or "")
    except (ValueError, LookupError, TypeError):  # of parameters that are not what RFC 2231 says
        return ""


def _hints(message) -> Tuple[Hint, ...]:
    """What the header says; the first part that has a field counts (a report may be forwarded)."""
    found = []
    for name, field in (
        ("policy-domain", "TLS-Report-Domain"),
        ("submitter", "TLS-Report-Submitter"),
    ):
        values = [str(part[field]) for part in message.walk() if field in part]
        found += [Hint(name, "header", _unfolded(value)) for value in values[:1]]
    for part in message.walk():
        match = _SUBJECT.search(_unfolded(str(part["Subject"] or "")))
        if match:
            names = ("policy-domain", "submitter", "report-id")
            found += [Hint(name, "subject", text) for name, text in zip(names, match.groups())]
            break
    return tuple(found)


def _unfolded(value: str) -> str:
    return " ".join(value.split())
