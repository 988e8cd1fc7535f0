"""Which bytes are a mail or a mailbox, and what file names say: all that needs no MIME parser."""

import re
from typing import Iterator, Tuple

from mtasts.tlsrpt.report import Hint

_HEAD = 64 * 1024  # bytes in which the fields stand by which a mail is known
_FIRST_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_USUAL_FIELD = re.compile(
    rb"^(?:from|to|date|subject|received|return-path|delivered-to|message-id|mime-version"
    rb"|content-type|dkim-signature)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_FROM_LINE = re.compile(rb"(?:\A|\n\r?\n)From [^\n]*\n(?=[!-9;-~]+[ \t]*:)")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
# The file name of RFC 8460 section 5.1
_FILE_NAME = re.compile(
    r"(?:\A|/)([^!/]+)!([^!/]+)![0-9]+![0-9]+(?:![^!/]*)?\.json(?:\.gz)?\Z", re.IGNORECASE
)


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


def file_name_hints(name: str) -> Tuple[Hint, ...]:
    """What a file name of RFC 8460 section 5.1 says."""
    match = _FILE_NAME.search(name)
    if not match:
        return ()
    submitter, domain = match.groups()
    return Hint("policy-domain", "file-name", domain), Hint("submitter", "file-name", submitter)
