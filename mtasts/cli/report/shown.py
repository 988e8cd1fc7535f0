"""How a report looks: as JSON, as cells, and as lines for people, in which it can do no harm."""

from typing import Any, Dict, Iterator, List, Union

from mtasts.errors import MtastsError, printable
from mtasts.tlsrpt import counting, dates
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.notes import NOTES
from mtasts.tlsrpt.report import Failure, PolicyResult, Report
from mtasts.tlsrpt.words import count, sessions, text

_FAILURES = 20  # of a policy that people are shown, those with the most sessions
COLUMNS = (
    *("organization_name", "report_id", "start", "end", "policy_domain", "policy_type"),
    *("successful", "failed", "result_type", "sessions", "receiving_mx_hostname"),
    *("receiving_ip", "sending_mta_ip", "reason_code", "additional_information"),
)
_REASONS = {counting.COUNTED_TWICE: "the same sessions are counted under sts and under tlsa"}


def as_json(source: str, item: Union[Report, MtastsError]) -> Dict[str, Any]:
    """The members of a report, or the `error` because of which it cannot be read."""
    if isinstance(item, MtastsError):
        return {"source": source, "error": item.code, "message": item.message}
    return {
        "source": source,
        "organization_name": item.organization_name,
        "report_id": item.report_id,
        "start": item.start and dates.text(item.start),
        "end": item.end and dates.text(item.end),
        "contact_info": item.contact_info,
        "notes": list(dict.fromkeys(note.code for note in item.notes)),
        "hints": [hint._asdict() for hint in item.hints],
        "policies": [_policy(result) for result in item.policies],
        "effective": {
            domain: dict(
                effective.sessions._asdict(),
                plain=effective.plain._asdict(),
                reason=effective.reason,
            )
            for domain, effective in counting.effective(item).items()
        },
    }


def _policy(result: PolicyResult) -> Dict[str, Any]:
    return dict(result._asdict(), failures=[failure._asdict() for failure in result.failures])


def cells(report: Report) -> Iterator[List[Any]]:
    """What belongs under `COLUMNS`: a row for each policy, and one for each of its failures."""
    start, end = (time and dates.text(time) for time in (report.start, report.end))
    for result in report.policies:
        about = [report.organization_name, report.report_id, start, end]
        about += [result.policy_domain, result.policy_type]
        yield [*about, result.successful, result.failed, *[None] * 7]
        for one in result.failures:
            receiver = one.receiving_ip or one.receiving_ip_text
            sender = one.sending_mta_ip or one.sending_mta_ip_text
            where = [one.receiving_mx_hostname, receiver, sender]
            why = [one.reason_code, one.additional_information]
            yield [*about, None, None, one.result_type, one.sessions, *where, *why]


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    start, end = (time and dates.text(time) for time in (report.start, report.end))
    yield f"from {text(report.organization_name)}, {start or '?'} to {end or '?'}"
    yield f"report id: {text(report.report_id)}"
    if report.contact_info:
        yield f"contact: {text(report.contact_info)}"
    for hint in report.hints:
        yield f"{hint.name} by its {hint.source}: {text(hint.value)} (a hint, not proven)"
    for result in report.policies:
        yield from _policy_lines(result)
    for domain, effective in counting.effective(report).items():
        yield f"sessions of {text(domain)}: {sessions(effective.sessions)}"
        if effective.reason:
            yield f"  not {sessions(effective.plain)}: {_REASONS[effective.reason]}"
    for note in report.notes:
        yield f"note: {NOTES[note.code]} [{note.code}]" + (f" ({note.where})" if note.where else "")


def _policy_lines(result: PolicyResult) -> Iterator[str]:
    counted = sessions(Sessions(result.successful, result.failed))
    yield f"{text(result.policy_type)} of {text(result.policy_domain)}: {counted}"
    if result.mx_host:
        yield "  mx: " + printable(", ".join(result.mx_host), 300)
    by_sessions = sorted(result.failures, key=lambda failure: -(failure.sessions or 0))
    for failure in by_sessions[:_FAILURES]:
        yield f"  {count(failure.sessions)} {text(failure.result_type)}{_where(failure)}"
    if len(by_sessions) > _FAILURES:
        yield f"  and {len(by_sessions) - _FAILURES} more"


def _where(failure: Failure) -> str:
    """Between whom it happened, and what the sender says of it."""
    found = ""
    receiver = failure.receiving_mx_hostname or failure.receiving_ip or failure.receiving_ip_text
    for before, value in (
        (" at ", receiver),
        (" from ", failure.sending_mta_ip or failure.sending_mta_ip_text),
        (": ", failure.reason_code or failure.additional_information),
    ):
        found += before + printable(value, 100) if value else ""
    return found
