"""A report is read as what its sender meant: what can be repaired is, the rest is unknown.

`read` takes the JSON text of one report and gives a `Report` or raises `InvalidReport`, whatever
the bytes are. The parser turns a failure detail with which nothing is wrong into a `Failure` as
soon as it has it, before the next one takes memory; all else is looked at from the top, so that a
note can say where. What the fast way cannot see is found by counting, and then read again with
care.
"""

import re
from typing import Any, List, Sequence, Tuple

from mtasts.tlsrpt import dates, fields, json_text, policies
from mtasts.tlsrpt.failures import compact
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import Failure, Hint, InvalidReport, PolicyResult, Report

_MEMBERS = {"organization-name", "date-range", "report-id", "policies"}
# A report's id that ends with the policy domain, as Google and Microsoft make them.
_ID_WITH_DOMAIN = re.compile(r".{1,200}?[_+]((?:[a-z0-9-]{1,63}\.){1,9}[a-z0-9-]{1,63})\Z", re.I)


def read(data: bytes, hints: Sequence[Hint] = ()) -> Report:
    """The report that `data` is, a JSON text (RFC 8460 section 4.4) without any compression.

    `hints` are what its mail and its file name say; they come with the report and change nothing
    in it. Raises `InvalidReport`, and nothing else.
    """
    text, codes = json_text.decode(data)
    try:
        value = json_text.parse(text, compact)
        report = _report(value, Notes(codes), hints)
        if text.count(json_text.COUNTER_END) != _counters(report):
            raise json_text.NeedsCare
        return report
    except json_text.NeedsCare:
        notes = Notes(codes)
        return _report(json_text.parse_with_care(text, notes), notes, hints)


def _counters(report: Report) -> int:
    """How many counters a report of this shape has, if none is missing or given twice."""
    return sum(2 + len(result.failures) for result in report.policies)


def _report(value: Any, notes: Notes, hints: Sequence[Hint]) -> Report:
    if type(value) is not dict:
        if type(value) is Failure:
            raise json_text.NeedsCare
        raise InvalidReport("report-no-object", "it is JSON, but no object")
    if _MEMBERS.isdisjoint(value):
        raise InvalidReport("report-unknown-json", "it is JSON, but no TLS report (RFC 8460)")
    organization_name = fields.word(value.get("organization-name"))
    if not organization_name:
        notes.add("organization-name-missing")
    report_id = _report_id(value.get("report-id"), notes)
    start, end = dates.read_range(value.get("date-range"), notes)
    contact = value.get("contact-info")
    if contact is not None:
        contact = fields.text(contact, "contact-info-unreadable", "", notes)
    results = policies.results(value.get("policies"), notes)
    if hints or not all(result.policy_domain for result in results):
        hints = _hints(hints, report_id, results, notes)
    return Report(
        organization_name, report_id, start, end, contact, results, notes.as_tuple(), tuple(hints)
    )


def _report_id(value: Any, notes: Notes) -> str:
    if type(value) is int:
        notes.add("report-id-number")
        return str(value)
    if not value or not isinstance(value, str):
        notes.add("report-id-missing")
        return ""
    return value


def _hints(
    hints: Sequence[Hint], report_id: str, results: Tuple[PolicyResult, ...], notes: Notes
) -> List[Hint]:
    """The hints, and the domain in the report's id if a policy domain is missing."""
    found = list(hints)
    for hint in hints:
        if hint.name == "report-id" and report_id and hint.value != report_id:
            notes.add("report-id-differs")
    match = _ID_WITH_DOMAIN.match(report_id)
    if match and not all(result.policy_domain for result in results):
        found.append(Hint("policy-domain", "report-id", match.group(1).lower()))
    return found
