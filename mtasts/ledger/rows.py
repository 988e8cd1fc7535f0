"""Reports as rows of the ledger's tables, and back: values only, no database.

NUL and half surrogate pairs, which JSON can say and databases do not take, become U+FFFD; a policy
domain that is too long to be one becomes unknown. The bytes that came are kept as they are.
"""

import calendar
import datetime
import functools
import hashlib
import json
import re
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from mtasts.ledger.schema import MAX_DOMAIN
from mtasts.tlsrpt.report import Failure, Hint, Note, PolicyResult, Report

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_UTC = datetime.timezone.utc
_USUAL = 1000  # characters of a quoted policy


def content(report: Report) -> str:
    """A hash of what `report` says: equal for a resend, whatever was repaired in either."""
    digest = hashlib.sha256()
    for part in _parts(report):
        digest.update(json.dumps(part).encode("ascii") + b"\n")
    return digest.hexdigest()


def identity(report: Report, content_hash: str) -> str:
    """A hash of what tells reports apart: organisation, report-id, range.

    One without a report-id cannot be told from others, so it is in conflict with none: it is what
    it says, its `content_hash`.
    """
    if not report.report_id:
        return content_hash
    key = [report.organization_name.lower(), report.report_id]
    key += [second(report.start), second(report.end)]
    return hashlib.sha256(json.dumps(key).encode("ascii")).hexdigest()


def _parts(report: Report) -> Iterator[Any]:
    """What `report` says, piece by piece, however large it is."""
    yield [report.organization_name, report.report_id, report.contact_info]
    yield [second(report.start), second(report.end)]
    for policy in report.policies:
        yield policy._replace(failures=())
        yield from policy.failures


def started(report: Report, received: datetime.datetime) -> int:
    """Where the range of `report` starts: the time that it is about.

    When it came, if it does not say, or claims to be about days that had yet to come: else it would
    be among the newest for ever.
    """
    return second(min(report.start or received, received))


def of_report(
    report: Report, content_hash: str, rank: int, received: datetime.datetime
) -> Dict[str, Any]:
    """The row of `report` without its policies; `content_hash` is its `content`."""
    return {
        "content": content_hash,
        "identity": identity(report, content_hash),
        "grade": rank,
        "received": second(received),
        "started": started(report, received),
        "organization_name": storable(report.organization_name),
        "report_id": storable(report.report_id),
        "range_start": second(report.start),
        "range_end": second(report.end),
        "contact_info": storable(report.contact_info),
        "notes": json.dumps(report.notes),
        "hints": json.dumps(report.hints),
    }


def of_policies(report: Report, number: int, received: datetime.datetime) -> List[Dict[str, Any]]:
    """The rows of the policies of `report`, whose number is `number`."""
    return [
        {
            "report_id": number,
            "position": position,
            "policy_domain": _domain(policy.policy_domain),
            "started": started(report, received),
            "policy_type": storable(policy.policy_type),
            "policy_string": json.dumps(policy.policy_string),
            "mx_host": json.dumps(policy.mx_host),
            "successful": policy.successful,
            "failed": policy.failed,
        }
        for position, policy in enumerate(report.policies)
    ]


def of_failures(report: Report, number: int) -> List[Dict[str, Any]]:
    """The rows of all failure details of `report`, whose number is `number`."""
    return [
        dict(
            {
                name: storable(value)
                for name, value in failure._asdict().items()
                if name != "sessions"
            },
            sessions=failure.sessions,
            report_id=number,
            policy_position=policy_position,
            position=position,
        )
        for policy_position, policy in enumerate(report.policies)
        for position, failure in enumerate(policy.failures)
    ]


def to_report(row: Any, policies: Tuple[PolicyResult, ...]) -> Report:
    """The report of a row of `report`."""
    return Report(
        row.organization_name,
        row.report_id,
        moment(row.range_start),
        moment(row.range_end),
        row.contact_info,
        policies,
        tuple(Note(*note) for note in json.loads(row.notes)),
        tuple(Hint(*hint) for hint in json.loads(row.hints)),
    )


COUNTED = ("organization_name", "report_id", "range_start", "range_end")


def to_counted(row: Any, policies: Tuple[PolicyResult, ...]) -> Report:
    """The same without what nobody counts, of a row that has `COUNTED` only."""
    start, end = moment(row.range_start), moment(row.range_end)
    return Report(row.organization_name, row.report_id, start, end, None, policies, ())


def to_policy(row: Any, failures: Iterable[Failure]) -> PolicyResult:
    """The policy of a row of `policy_result`."""
    return PolicyResult(
        row.policy_type,
        row.policy_domain,
        _texts(row.policy_string),
        _texts(row.mx_host),
        row.successful,
        row.failed,
        tuple(failures),
    )


def to_failure(row: Any) -> Failure:
    """The failure detail of a row of `failure`."""
    return Failure(*(getattr(row, name) for name in Failure._fields))


def second(when: Optional[datetime.datetime]) -> Optional[int]:
    """`when` (aware) as the tables have it."""
    return None if when is None else calendar.timegm(when.utctimetuple())


@functools.lru_cache(maxsize=4096)
def moment(seconds: Optional[int]) -> Optional[datetime.datetime]:
    """The time (aware) of what `second` returned; reports of a day have the same range."""
    if seconds is None:
        return None
    return datetime.datetime(1970, 1, 1, tzinfo=_UTC) + datetime.timedelta(seconds=seconds)


def storable(text: Optional[str]) -> Optional[str]:
    """`text` as databases take it."""
    return text if text is None else _NOT_STORABLE.sub("\ufffd", text)


def _texts(array: str) -> Tuple[str, ...]:
    """A list of texts; what is longer than policies are would fill the memory."""
    return _usual_texts(array) if len(array) <= _USUAL else tuple(json.loads(array))


@functools.lru_cache(maxsize=8192)
def _usual_texts(array: str) -> Tuple[str, ...]:
    """The same; reporters quote the same policy day after day."""
    return tuple(json.loads(array))


def _domain(text: str) -> str:
    return storable(text) if len(text) <= MAX_DOMAIN else ""
