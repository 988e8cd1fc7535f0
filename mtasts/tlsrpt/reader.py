"""A report is read as what its sender meant: what can be repaired is, the rest is unknown.

`read` takes the JSON text of one report and gives a `Report` or raises `InvalidReport`, whatever
the bytes are. The parser turns a failure detail with which nothing is wrong into a `Failure` as
soon as it has it, before the next one takes memory; all else is looked at from the top, so that a
note can say where. What the fast way cannot see is found by counting, and then read again with
care.
"""

import functools
import re
from typing import Any, List, Optional, Sequence, Tuple

from mtasts.tlsrpt import dates, fields, json_text, policies
from mtasts.tlsrpt.failures import COMPACT, compact
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import Hint, InvalidReport, Report

_MEMBERS = {"organization-name", "date-range", "report-id", "policies"}
# A report's id that ends with the policy domain, as Google and Microsoft make them.
_ID_WITH_DOMAIN = re.compile(r".{1,200}?[_+]((?:[a-z0-9-]{1,63}\.){1,9}[a-z0-9-]{1,63})\Z", re.I)

_PARSER = json_text.parser(compact)
_make = functools.partial(tuple.__new__, Report)  # see notes.py


def read(data: bytes, hints: Sequence[Hint] = ()) -> Report:
    """The report that `data` is, a JSON text (RFC 8460 section 4.4) without any compression.

    `hints` are what its mail and its file name say; they come with the report and change nothing
    in it. Raises `InvalidReport`, and nothing else.
    """
    text, codes = json_text.decode(data)
    try:
        value, counters = json_text.parse(text, _PARSER), text.count(json_text.COUNTER_END)
        del text  # as long as the bytes: not needed while the values take memory
        return _report(value, counters, codes, Notes(), hints)
    except json_text.NeedsCare:
        notes = Notes()
        value = json_text.parse_with_care(json_text.decode(data)[0], notes)
        return _report(value, None, codes, notes, hints)


def _report(
    value: Any,
    counters: Optional[int],
    codes: Tuple[str, ...],
    notes: Notes,
    hints: Sequence[Hint],
) -> Report:
    """The report that `value` is, if its text has so many `counters`; raises `NeedsCare` else."""
    if type(value) is not dict:
        if type(value) in COMPACT:
            raise json_text.NeedsCare
        raise InvalidReport("report-no-object", "it is JSON, but no object")
    if _MEMBERS.isdisjoint(value):
        raise InvalidReport("report-unknown-json", "it is JSON, but no TLS report (RFC 8460)")
    for code in codes:
        notes.add(code)
    get = value.get
    organization_name = get("organization-name")
    if not organization_name or type(organization_name) is not str:
        organization_name = ""
        notes.add("organization-name-missing")
    report_id = get("report-id")
    if not report_id or type(report_id) is not str:
        report_id = _report_id(report_id, notes)
    start, end = dates.read_range(get("date-range"), notes)
    contact = get("contact-info")
    if type(contact) is not str and contact is not None:
        contact = fields.text(contact, "contact-info-unreadable", "", notes)
    results = policies.results(get("policies"), counters, notes)
    if hints or "policy-domain-missing" in notes:
        hints = _hints(hints, report_id, notes)
    noted = notes.as_tuple() if notes else ()
    return _make((organization_name, report_id, start, end, contact, results, noted, tuple(hints)))


def _report_id(value: Any, notes: Notes) -> str:
    """The id, although it is no text or empty."""
    if type(value) is int:
        notes.add("report-id-number")
        return str(value)
    notes.add("report-id-missing")
    return ""


def _hints(hints: Sequence[Hint], report_id: str, notes: Notes) -> List[Hint]:
    """The hints, and the domain in the report's id if a policy domain is missing."""
    found = list(hints)
    for hint in hints:
        if hint.name == "report-id" and report_id and hint.value != report_id:
            notes.add("report-id-differs")
    match = _ID_WITH_DOMAIN.match(report_id)
    if match and "policy-domain-missing" in notes:
        found.append(Hint("policy-domain", "report-id", match.group(1).lower()))
    return found
