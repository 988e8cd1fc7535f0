"""The two TXT records: `_mta-sts` (RFC 8461 section 3.1) and `_smtp._tls` (RFC 8460 section 3).

Both are a version and fields `name=value` with semicolons between them, so one reader serves both.
A DNS answer's character-strings are joined without a space before they come here.
"""

import re
from typing import Any, Iterable, List, NamedTuple, Optional, Tuple, Union

from mtasts.domain import Domain
from mtasts.finding import Finding, InvalidText, finding

_ID = re.compile(r"[A-Za-z0-9]{1,32}\Z")
# sts-ext-name and sts-ext-value; RFC 8460 has the same productions.
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})=([\x21-\x3a\x3c\x3e-\x7e]+)\Z")
_PRINTABLE = re.compile(r"[\t\x20-\x7e]*\Z")
# URI of RFC 3986 less ',', '!' and ';', which RFC 8460 section 3 wants percent-encoded.
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+=-]|%[0-9A-Fa-f]{2})+\Z"
)


class InvalidRecord(InvalidText):
    """The text is no such record: a sender would act as if it were not there."""


class RecordField(NamedTuple):
    """A field of a record; `column` is its first, counted from 1."""

    name: str
    value: str
    column: int


class STSRecord(NamedTuple):
    """The record that names the current instance of the policy (RFC 8461 section 3.1)."""

    id: str

    VERSION = "v=STSv1"

    @classmethod
    def parse(cls, text: str) -> "STSRecord":
        """Return what a sender takes from `text`; raise `InvalidRecord` if it takes nothing."""
        return _taken(read_sts(text))

    def __str__(self) -> str:
        """The form that every known sender accepts: nothing but the id, nothing after the end."""
        return f"{self.VERSION}; id={self.id};"

    @staticmethod
    def owner(domain: Domain) -> str:
        """The name that carries the record of `domain`."""
        return f"_mta-sts.{domain}"


class TLSRPTRecord(NamedTuple):
    """The record that says where reports go: the URIs of `rua` (RFC 8460 section 3)."""

    rua: Tuple[str, ...]

    VERSION = "v=TLSRPTv1"

    @classmethod
    def parse(cls, text: str) -> "TLSRPTRecord":
        """Return what a reporter takes from `text`; raise `InvalidRecord` if it takes nothing."""
        return _taken(read_tlsrpt(text))

    def __str__(self) -> str:
        """The form that every known reporter accepts: rua behind the version, no blank in it."""
        return f"{self.VERSION}; rua={','.join(self.rua)}"

    @staticmethod
    def owner(domain: Domain) -> str:
        """The name that carries the record of `domain`."""
        return f"_smtp._tls.{domain}"


Record = Union[STSRecord, TLSRPTRecord]


class RecordReading(NamedTuple):
    """All there is in a text: the record (None if it is none), its fields, its faults."""

    record: Optional[Record]
    fields: Tuple[RecordField, ...]
    faults: Tuple[Finding, ...]


def _taken(reading: RecordReading) -> Any:
    if reading.record is None:
        raise InvalidRecord(reading.faults[0])
    return reading.record


def read_sts(text: str) -> RecordReading:
    """Read an `_mta-sts` record (RFC 8461 section 3.1); every fault is found, none is raised."""
    fields, faults = _fields(text, STSRecord.VERSION)
    record = None
    if not faults or fields:
        field = _first(fields, "id")
        if field is None:
            faults.append(finding("record-id-missing", 1))
        elif not _ID.match(field.value):
            faults.append(finding("record-id-invalid", 1, field.column, field.value))
        else:
            record = STSRecord(field.value)
    return RecordReading(None if faults else record, tuple(fields), tuple(faults))


def read_tlsrpt(text: str) -> RecordReading:
    """Read an `_smtp._tls` record (RFC 8460 section 3); every fault is found, none is raised."""
    fields, faults = _fields(text, TLSRPTRecord.VERSION)
    record = None
    if not faults or fields:
        field = _first(fields, "rua")
        if field is None:
            faults.append(finding("record-rua-missing", 1))
        else:
            uris = tuple(uri.strip(" \t") for uri in field.value.split(","))
            bad = [uri for uri in uris if not _URI.match(uri)]
            faults += [finding("record-rua-invalid", 1, field.column, uri) for uri in bad]
            record = TLSRPTRecord(uris)
    return RecordReading(None if faults else record, tuple(fields), tuple(faults))


def _first(fields: List[RecordField], name: str) -> Optional[RecordField]:
    """The first field of that name: all others of the name are ignored."""
    return next((field for field in fields if field.name == name), None)


def _fields(text: str, version: str) -> Tuple[List[RecordField], List[Finding]]:
    """Split `text` at its semicolons; the values that the RFCs define are not judged here."""
    if not _PRINTABLE.match(text):
        return [], [finding("record-not-ascii", 1, 1, text)]
    head = re.match(re.escape(version) + r"[ \t]*;", text)
    if not head:
        return [], [finding("record-version", 1, 1, text)]
    fields: List[RecordField] = []
    faults: List[Finding] = []
    parts = text[head.end() :].split(";")
    if len(parts) > 1 and not parts[-1].strip(" \t"):
        parts.pop()  # the optional semicolon at the end
    column = head.end() + 1
    for part in parts:
        body = part.strip(" \t")
        start = column + len(part) - len(part.lstrip(" \t"))
        column += len(part) + 1
        name, _, value = body.partition("=")
        if _FIELD.match(body) or (name == "rua" and value and version == TLSRPTRecord.VERSION):
            fields.append(RecordField(name, value, start))
        else:
            faults.append(finding("record-field-malformed", 1, start, body))
    return fields, faults


def candidates(records: Iterable[str], version: str) -> List[str]:
    """Return those of a name's TXT `records` that claim `version`; the others are dropped.

    Unless exactly one is left, the domain has no such record (RFC 8461 section 3.1, RFC 8460
    section 3).
    """
    claim = re.compile(re.escape(version) + r"[ \t]*;")
    return [text for text in records if claim.match(text)]
