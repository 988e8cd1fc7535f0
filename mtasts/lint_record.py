"""What is to be said about the two TXT records; `mtasts.lint` shows these functions to the world.

The careful form is what every known program takes: `v=STSv1; id=<id>;`, and for reports
`v=TLSRPTv1; rua=<URIs>` without anything around or behind.
"""

import re
from typing import Iterator, List, Tuple

from mtasts import near_miss
from mtasts.finding import Finding, finding, limited
from mtasts.record import (
    RecordField,
    RecordReading,
    STSRecord,
    TLSRPTRecord,
    is_tlsrpt,
    read_sts,
    read_tlsrpt,
    split_rua,
)

_TARGET = re.compile(r"mailto:[^@?]+@[^@?]|https://[^/?#]", re.IGNORECASE)


def sts_record(text: str) -> Tuple[Finding, ...]:
    """Everything to be said about `text`, the joined strings of an `_mta-sts` TXT record."""
    return _findings(text, read_sts(text), STSRecord.KEY)


def tlsrpt_record(text: str) -> Tuple[Finding, ...]:
    """Everything to be said about `text`, the joined strings of an `_smtp._tls` TXT record."""
    return _findings(text, read_tlsrpt(text), TLSRPTRecord.KEY)


def record(text: str) -> Tuple[Finding, ...]:
    """What `tlsrpt_record` or else `sts_record` says, by the version that `text` begins with."""
    return tlsrpt_record(text) if is_tlsrpt(text) else sts_record(text)


def _findings(text: str, reading: RecordReading, key: str) -> Tuple[Finding, ...]:
    faults = [near_miss.remedied(fault) for fault in reading.faults]
    advice = list(_advice(text, reading, key)) if reading.fields else []
    if reading.record and not advice and text != str(reading.record):
        advice.append(finding("record-form", 1, 1, hint=reading.record))
    return tuple(sorted(faults + limited(advice), key=lambda one: (not one.column, one.column)))


def _advice(text: str, reading: RecordReading, key: str) -> Iterator[Finding]:
    semicolon = text.index(";")
    if text[semicolon - 1] in " \t":
        yield finding("record-blank-before-semicolon", 1, len(text[:semicolon].rstrip()) + 1)
    end = text.rstrip(" \t")
    if end != text and end.endswith(";"):
        yield finding("record-blank-after-end", 1, len(end) + 1)
    yield from _names(reading.fields, key)
    if key == TLSRPTRecord.KEY:
        yield from _reporters(reading, end)


def _names(fields: Tuple[RecordField, ...], key: str) -> Iterator[Finding]:
    seen = set()
    for field in fields:
        meant = near_miss.record_name(field.name, key)
        if meant:
            yield finding("record-name-near-miss", 1, field.column, field.name, meant)
        elif field.name in seen:
            yield finding("record-field-repeated", 1, field.column, field.name)
        elif field.name not in ("v", key):
            yield finding("record-extension", 1, field.column, field.name)
        seen.add(field.name)


def _reporters(reading: RecordReading, text: str) -> Iterator[Finding]:
    """What reporters stumble over and, once there is a record, URIs that lead nowhere."""
    if text.endswith(";") and len(reading.fields) > 1:
        yield finding("record-final-semicolon", 1, len(text))
    if reading.record is None:
        return
    rua = next(field for field in reading.fields if field.name == TLSRPTRecord.KEY)
    if rua is not reading.fields[1]:
        yield finding("record-rua-not-first", 1, rua.column)
    blank = re.search(r"[ \t]", rua.value)
    if blank:
        yield finding("record-rua-blanks", 1, rua.column + len("rua=") + blank.start())
    uris = split_rua(rua)
    for uri in uris:
        yield from _target(uri)
    if not any(uri.value.lower().startswith("mailto:") for uri in uris):
        yield finding("record-rua-no-mailto", 1, rua.column)


def _target(uri: RecordField) -> List[Finding]:
    scheme = uri.value.partition(":")[0]
    if scheme.lower() not in ("mailto", "https"):
        code = "record-rua-scheme"
    elif not _TARGET.match(uri.value):
        code = "record-rua-no-target"
    elif scheme != scheme.lower():
        code = "record-rua-scheme-case"
    else:
        return []
    return [finding(code, 1, uri.column, uri.value)]
