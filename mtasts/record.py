"""The two TXT records: `_mta-sts` (RFC 8461 section 3.1) and `_smtp._tls` (RFC 8460 section 3).

Both are a version and fields `name=value` with semicolons between them, so one reader serves both.
A DNS answer's character-strings are joined without a space before they come here. As in a policy,
only the first field of a name counts (RFC 8461 section 3.2 says it of records, too).
"""

import re
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

from mtasts.domain import Domain
from mtasts.finding import MAX_FINDINGS, Finding, InvalidText, finding, limited

MAX_RECORD = 65535  # octets that a TXT record has room for (RFC 1035 section 3.2.1)

_BLANK = " \t"
_ID = re.compile(r"[A-Za-z0-9]{1,32}\Z")
# sts-ext-name and sts-ext-value; RFC 8460 has the same productions.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")
_VALUE = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+\Z")
_NOT_PRINTABLE = re.compile(r"[^\t\x20-\x7e]")
# URI of RFC 3986 less ',', '!' and ';', which RFC 8460 section 3 wants percent-encoded.
_ESCAPE = r"%[0-9A-Fa-f]{2}"
_REG_NAME = rf"(?:[A-Za-z0-9._~$&'()*+=-]|{_ESCAPE})*"
_USERINFO = rf"(?:[A-Za-z0-9._~$&'()*+=:-]|{_ESCAPE})*"
_PCHAR = rf"(?:[A-Za-z0-9._~$&'()*+=:@-]|{_ESCAPE})"
_URI = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*:"
    rf"(?://(?:{_USERINFO}@)?(?:\[[0-9A-Fa-f:.]+\]|{_REG_NAME})(?::[0-9]*)?(?:/{_PCHAR}*)*"
    rf"|/?(?:{_PCHAR}+(?:/{_PCHAR}*)*)?)"
    rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?\Z"
)


class InvalidRecord(InvalidText):
    """The text is no such record: a sender would act as if it were not there."""


_STSFields = NamedTuple("_STSFields", [("id", str)])


class STSRecord(_STSFields):
    """The record that names the current instance of the policy (RFC 8461 section 3.1).

    Raises `InvalidRecord` for an id that no record may have.
    """

    __slots__ = ()
    VERSION = "v=STSv1"
    KEY = "id"

    def __new__(cls, id: str) -> "STSRecord":
        """Check the id once and for all."""
        if not _ID.match(id):
            raise InvalidRecord(finding("record-id-invalid", text=id))
        return super().__new__(cls, id)

    @classmethod
    def parse(cls, text: str) -> "STSRecord":
        """Return the record that a sender takes from `text`; raise `InvalidRecord` if none."""
        return _taken(read_sts(text))

    def __str__(self) -> str:
        """The form that every known sender accepts: nothing but the id, nothing after the end."""
        return f"{self.VERSION}; id={self.id};"

    @staticmethod
    def owner(domain: Domain) -> str:
        """The name that carries the record of `domain`."""
        return f"_mta-sts.{domain}"


_TLSRPTFields = NamedTuple("_TLSRPTFields", [("rua", Tuple[str, ...])])


class TLSRPTRecord(_TLSRPTFields):
    """The record that says where reports go: the URIs of `rua` (RFC 8460 section 3).

    Raises `InvalidRecord` for what is no URI, and without any.
    """

    __slots__ = ()
    VERSION = "v=TLSRPTv1"
    KEY = "rua"

    def __new__(cls, rua: Iterable[str]) -> "TLSRPTRecord":
        """Check the URIs once and for all."""
        uris = tuple(rua)
        if not uris:
            raise InvalidRecord(finding("record-rua-missing"))
        for uri in uris:
            if not _URI.match(uri):
                raise InvalidRecord(finding("record-rua-invalid", text=uri))
        return super().__new__(cls, uris)

    @classmethod
    def parse(cls, text: str) -> "TLSRPTRecord":
        """Return the record that a reporter takes from `text`; raise `InvalidRecord` if none."""
        return _taken(read_tlsrpt(text))

    def __str__(self) -> str:
        """The form that every known reporter accepts: rua behind the version, no blank in it."""
        return f"{self.VERSION}; rua={','.join(self.rua)}"

    @staticmethod
    def owner(domain: Domain) -> str:
        """The name that carries the record of `domain`."""
        return f"_smtp._tls.{domain}"


Record = Union[STSRecord, TLSRPTRecord]


def reports_to(domain: Domain, rua: Iterable[str] = ()) -> TLSRPTRecord:
    """The record of a domain whose reports go to `rua`, or else to its postmaster.

    Raises `InvalidRecord` for what no record can hold.
    """
    record = TLSRPTRecord(tuple(rua) or (postmaster(domain),))
    return TLSRPTRecord.parse(str(record))


def postmaster(domain: Domain) -> str:
    """The address that every mail domain has (RFC 5321 section 4.5.1), as a URI."""
    return f"mailto:postmaster@{domain}"


class RecordField(NamedTuple):
    """A field of a record; `column` is its first, counted from 1."""

    name: str
    value: str
    column: int


class RecordReading(NamedTuple):
    """All there is in a text: the record (None if it is none), its fields, its faults."""

    record: Optional[Record]
    fields: Tuple[RecordField, ...]
    faults: Tuple[Finding, ...]

    @property
    def extensions(self) -> Dict[str, str]:
        """What the fields say that the RFC does not define; of each name the first counts."""
        first: Dict[str, str] = {}
        if self.record:
            for field in self.fields:
                if field.name not in ("v", self.record.KEY):
                    first.setdefault(field.name, field.value)
        return first


def _taken(reading: RecordReading) -> Any:
    if reading.record is None:
        raise InvalidRecord(reading.faults[0])
    return reading.record


def is_tlsrpt(text: str) -> bool:
    """Whether the version that `text` begins with, correctly written or not, is TLSRPT's."""
    return bool(re.match(r"[\s\"']*v\s*=\s*TLS", text, re.IGNORECASE))


def read(text: str) -> RecordReading:
    """Read `text` by its version: as the record for reports, or else as that for the policy."""
    return read_tlsrpt(text) if is_tlsrpt(text) else read_sts(text)


def read_sts(text: str) -> RecordReading:
    """Read an `_mta-sts` record (RFC 8461 section 3.1); the faults are found, none is raised."""
    fields, faults = _fields(text, STSRecord.VERSION)
    field = _first(fields, STSRecord.KEY)
    record = None
    if field is None:
        faults += [finding("record-id-missing", 1)] if fields else []
    elif not _ID.match(field.value):
        faults.append(finding("record-id-invalid", 1, field.column + len("id="), field.value))
    else:
        record = STSRecord(field.value)
    return RecordReading(None if faults else record, fields, _in_order(faults))


def read_tlsrpt(text: str) -> RecordReading:
    """Read an `_smtp._tls` record (RFC 8460 section 3); the faults are found, none is raised."""
    fields, faults = _fields(text, TLSRPTRecord.VERSION)
    ruas = [field for field in fields if field.name == TLSRPTRecord.KEY]
    if fields and not ruas:
        faults.append(finding("record-rua-missing", 1))
    record = None
    for field in ruas:
        uris = split_rua(field)
        bad = [uri for uri in uris if not _URI.match(uri.value)]
        if field is ruas[0]:
            faults += [finding("record-rua-invalid", 1, uri.column, uri.value) for uri in bad]
            record = None if bad else TLSRPTRecord(uri.value for uri in uris)
        elif bad and not _VALUE.match(field.value):  # neither tlsrpt-rua nor tlsrpt-extension
            faults.append(_malformed(field.column, f"{field.name}={field.value}"))
    return RecordReading(None if faults else record, fields, _in_order(faults))


def split_rua(field: RecordField) -> List[RecordField]:
    """The URIs of a rua field: blanks may stand around the commas, but not behind `rua=`."""
    uris = []
    column = field.column + len("rua=")
    for number, part in enumerate(field.value.split(",")):
        uri = part.lstrip(_BLANK) if number else part
        start = column + len(part) - len(uri)
        uris.append(RecordField(field.name, uri.rstrip(_BLANK), start))
        column += len(part) + 1
    return uris


def _first(fields: Iterable[RecordField], name: str) -> Optional[RecordField]:
    """The first field of that name: all others of the name are ignored."""
    return next((field for field in fields if field.name == name), None)


def _fields(text: str, version: str) -> Tuple[Tuple[RecordField, ...], List[Finding]]:
    """Split `text` at its semicolons; the values that the RFCs define are not judged here.

    The version is the first field; without it there is none.
    """
    if len(text) > MAX_RECORD:
        return (), [finding("record-too-long", 1, MAX_RECORD + 1)]
    unprintable = _NOT_PRINTABLE.search(text)
    if unprintable:
        return (), [finding("record-not-ascii", 1, unprintable.start() + 1, text)]
    head = _claim(version).match(text)
    if not head:
        return (), [finding("record-version", 1, 1, text)]
    fields = [RecordField("v", version[len("v=") :], 1)]
    faults: List[Finding] = []
    column = head.end() + 1
    *parts, last = text[head.end() :].split(";")
    for part in parts:
        body = part.strip(_BLANK)
        _read_field(body, column + len(part) - len(part.lstrip(_BLANK)), fields, faults)
        column += len(part) + 1
        if len(faults) > MAX_FINDINGS:
            return tuple(fields), faults
    # What follows the last semicolon is a field or nothing; blanks behind a field need a semicolon.
    body = last.lstrip(_BLANK)
    if body != body.rstrip(_BLANK):
        faults.append(finding("record-blank-at-end", 1, len(text.rstrip(_BLANK)) + 1, body))
        body = body.rstrip(_BLANK)
    if body:
        _read_field(body, len(text.rstrip(_BLANK)) - len(body) + 1, fields, faults)
    return tuple(fields), faults


def _read_field(body: str, column: int, fields: List[RecordField], faults: List[Finding]) -> None:
    """Append what `body` is, a field or a fault."""
    name, _, value = body.partition("=")
    # tlsrpt-rua has room for what an extension has not; its URIs are judged later.
    is_rua = name == TLSRPTRecord.KEY and f"v={fields[0].value}" == TLSRPTRecord.VERSION
    if _NAME.match(name) and (_VALUE.match(value) or (is_rua and value)):
        fields.append(RecordField(name, value, column))
    else:
        faults.append(_malformed(column, body))


def _malformed(column: int, body: str) -> Finding:
    return finding("record-field-malformed", 1, column, body)


def _in_order(faults: List[Finding]) -> Tuple[Finding, ...]:
    return tuple(limited(sorted(faults, key=lambda fault: (not fault.column, fault.column))))


def _claim(version: str) -> Any:
    # sts-field-delim has room for blanks before the first semicolon, too.
    return re.compile(re.escape(version) + r"[ \t]*;")


def candidates(records: Iterable[str], version: str) -> List[str]:
    """Return those of a name's TXT `records` that claim `version`; the others are dropped.

    Unless exactly one is left, the domain has no such record (RFC 8461 section 3.1, RFC 8460
    section 3).
    """
    claim = _claim(version)
    return [text for text in records if claim.match(text)]
