"""Any bytes in which reports may be: JSON, gzip, zip, a mail, a mailbox, and these in each other.

What something is, is seen by how it begins, never by its name or type. Every report found is a
`Document`; what should be a report and cannot be had is an `InvalidReport`, given like a document,
so that the others are not lost. A mail that is no report gives nothing.
"""

from typing import Iterator, NamedTuple, Optional, Tuple, Union

from mtasts.tlsrpt import archive, mail, reader
from mtasts.tlsrpt.archive import Budget
from mtasts.tlsrpt.report import Hint, InvalidReport, Report

LIMIT = 64 * 1024 * 1024  # bytes that one file, or one mail of a mailbox, may expand to
_DEEPEST = 6  # containers in each other; a mail with gzip in gzip in a zip has four
_UNKNOWN = "report-unknown-format"
_NO_REPORT = (_UNKNOWN, "report-empty")  # what a part beside the report may be
_POLICIES = b'"policies"'  # in every report, and hardly in any other JSON
_BEGINNINGS = (  # of a JSON object, with what may stand before it
    b"{",
    b"\xef\xbb\xbf{",
    b"\xff\xfe{\0",
    b"\xfe\xff\0{",
    b"\xff\xfe\0\0{\0\0\0",
    b"\0\0\xfe\xff\0\0\0{",
    b"\0{",
    b"\0\0\0{",
)


class Document(NamedTuple):
    """The JSON text of a report, and where it was.

    `name` is the name of the file and of what is within it, for people and hostile; `data` is not
    compressed any more; `hints` are what mail and file name say; `mail` is the mail that it came
    in, as it came, None if it came without.
    """

    name: str
    data: bytes
    hints: Tuple[Hint, ...] = ()
    mail: Optional[bytes] = None

    def within(self, name: str, data: bytes) -> "Document":
        """Something that is in this one, under its own name."""
        full = f"{self.name}: {name}" if self.name and name else self.name or name
        return self._replace(name=full, data=data, hints=self.hints + mail.file_name_hints(name))


Found = Iterator[Union[Document, InvalidReport]]
Reports = Iterator[Tuple[str, Union[Report, InvalidReport]]]


def documents(data: bytes, name: str = "", limit: int = LIMIT) -> Found:
    """Every report in `data`, a file called `name`, and an error for each that cannot be had.

    More than `limit` bytes are not expanded, of each mail if it is a mailbox. Raises nothing.
    """
    outer = Document(name, data, mail.file_name_hints(name))
    if not mail.is_mbox(data):
        yield from _or_error(outer, Budget(limit), 0)
        return
    for number, message in enumerate(mail.split_mbox(data), 1):
        yield from _or_error(outer.within(f"mail {number}", message), Budget(limit), 0)


def reports(data: bytes, name: str = "", limit: int = LIMIT) -> Reports:
    """The same, each document read: where it was, and the report or why there is none."""
    for document in documents(data, name, limit):
        if isinstance(document, InvalidReport):
            yield document.source, document
            continue
        try:
            yield document.name, reader.read(document.data, document.hints)
        except InvalidReport as error:
            error.source = document.name
            yield document.name, error


def _or_error(outer: Document, budget: Budget, depth: int) -> Found:
    """What is in `outer`, and then the error that ended it."""
    try:
        yield from _unpacked(outer, budget, depth)
    except InvalidReport as error:
        error.source = error.source or outer.name
        yield error


def _unpacked(outer: Document, budget: Budget, depth: int) -> Found:
    """What is in `outer`; raises `InvalidReport`."""
    data = outer.data
    if depth > _DEEPEST:
        raise InvalidReport("report-too-deep", "files are in each other deeper than in any report")
    if data.startswith(archive.GZIP):
        inner = outer._replace(data=archive.gunzip(data, budget))
        yield from _unpacked(inner, budget, depth + 1)
    elif data.startswith(archive.ZIP):
        yield from _members(outer, budget, depth + 1)
    elif data.lstrip().startswith(_BEGINNINGS):
        if len(data) > budget.limit:
            budget.take(len(data))
        yield outer
    elif mail.is_mail(data):
        yield from _parts(outer, budget, depth + 1)
    elif not data.strip():
        raise InvalidReport("report-empty", "there is nothing in it")
    else:
        raise InvalidReport(_UNKNOWN, "it is no object of JSON, and neither gzip, zip nor a mail")


def _members(outer: Document, budget: Budget, depth: int) -> Found:
    """What is in a zip archive; files beside the reports do not matter."""
    found, others = False, []
    for name, data in archive.unzip(outer.data, budget):
        for item in _or_error(outer.within(name, data), budget, depth):
            if isinstance(item, InvalidReport) and item.code == _UNKNOWN:
                others.append(item)
            else:
                found = True
                yield item
    if not found:
        yield from others[:1] or [_missing("the archive holds no report", outer)]


def _parts(outer: Document, budget: Budget, depth: int) -> Found:
    """What is in a mail: all that a mail with a report brings, but for its text for people.

    Of any other mail only what is a report is taken, and nothing is wrong with the rest.
    """
    from mtasts.tlsrpt import mime  # heavy, and not every report comes by mail

    message = mime.read(outer.data)
    found = False
    outer = outer._replace(hints=message.hints + outer.hints, mail=outer.mail or outer.data)
    for part in message.parts:
        is_meant = part.is_report or (message.is_report and not part.is_text)
        for item in _or_error(outer.within(part.name, part.data), budget, depth):
            if _is_wanted(item, is_meant, part.is_report):
                found = True
                yield item
    if message.is_report and not found:
        yield _missing("the mail says that it brings a report, and has none", outer)


def _is_wanted(item: Union[Document, InvalidReport], is_meant: bool, is_report: bool) -> bool:
    """Whether something in a part counts that is meant as a report, or is even said to be one."""
    if isinstance(item, Document):
        return is_meant or _POLICIES in item.data.replace(b"\0", b"")
    return is_meant and (is_report or item.code not in _NO_REPORT)


def _missing(message: str, outer: Document) -> InvalidReport:
    return InvalidReport("report-missing", message, source=outer.name)
