"""What changed, in words for people and as JSON for programs.

The schema of the JSON is described in docs/watch.md; a change that a program may stumble over has a
new number. Everything is in visible ASCII: so it is safe on a terminal, in a log and in a mail.
"""

import datetime
import textwrap
from typing import Any, Dict, List, NamedTuple, Sequence

from mtasts.changes import Notice, What
from mtasts.finding import Severity
from mtasts.history import timestamp
from mtasts.news import News

SCHEMA = "mtasts-watch/1"
_MANY = (
    (Severity.ERROR, "errors"),
    (Severity.WARNING, "warnings"),
    (Severity.UNKNOWN, "unknown"),
)
_SPOKEN_DOMAINS = 10
_SPOKEN_NOTICES = 200
_JSON_DOMAINS = 1000
_JSON_NOTICES = 1000


class Report(NamedTuple):
    """What changed, as a run at `time` (aware) on the machine `by` found it."""

    by: str
    time: datetime.datetime
    notices: Sequence[Notice]


def news(report: Report) -> News:
    """What changed, as every way tells it."""
    facts = as_json(report)
    return News("mtasts watch", report.by, report.time, facts["subject"], text(report), facts)


def subject(report: Report) -> str:
    """What changed, in a line."""
    severities = [one.change.trouble.severity for one in report.notices if not _is_end(one)]
    ended = sum(map(_is_end, report.notices))
    counts = [(severities.count(severity), severity.value, many) for severity, many in _MANY]
    counts.append((ended, "ended", "ended"))
    said = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n)
    about = {domain for one in report.notices for domain in one.domains}
    of = next(iter(about)) if len(about) == 1 else f"{len(about)} domains"
    return f"mtasts: {said} ({of})"


def text(report: Report) -> str:
    """What changed, for people: a paragraph for each notice."""
    paragraphs = [_paragraph(one) for one in report.notices[:_SPOKEN_NOTICES]]
    left = len(report.notices) - _SPOKEN_NOTICES
    if left > 0:
        paragraphs.append(f"... and {left} more changes. See: mtasts check DOMAIN\n")
    return "\n".join(paragraphs)


def _paragraph(notice: Notice) -> str:
    change, trouble = notice.change, notice.change.trouble
    place = trouble.host + (f" ({trouble.address})" if trouble.address else "")
    head = {
        What.NEW: f"new {trouble.severity.value}",
        What.GRAVER: f"now {trouble.severity.value}",
        What.MILDER: f"now only {trouble.severity.value}",
        What.ENDED: f"ended {trouble.severity.value}",
    }[change.what]
    lines = [
        *textwrap.wrap(f"{head}: {_domains(notice)}", 100, break_on_hyphens=False),
        f"    {place}: {trouble.message} [{trouble.code}]",
        f"    since {timestamp(change.since)}",
    ]
    if not _is_end(notice) and trouble.remedy:
        lines.append(f"    remedy: {trouble.remedy}")
    return "\n".join(lines) + "\n"


def _domains(notice: Notice) -> str:
    named = ", ".join(notice.domains[:_SPOKEN_DOMAINS])
    left = len(notice.domains) - _SPOKEN_DOMAINS
    return named + (f" and {left} more" if left > 0 else "")


def _is_end(notice: Notice) -> bool:
    return notice.change.what is What.ENDED


def as_json(report: Report) -> Dict[str, Any]:
    """What changed, for programs; of very many changes or domains the first and their number."""
    return {
        "schema": SCHEMA,
        "by": report.by,
        "time": timestamp(report.time),
        "subject": subject(report) if report.notices else "",
        "change_count": len(report.notices),
        "changes": [_notice_as_json(one) for one in report.notices[:_JSON_NOTICES]],
    }


def _notice_as_json(notice: Notice) -> Dict[str, Any]:
    change, trouble = notice.change, notice.change.trouble
    domains: List[str] = list(notice.domains[:_JSON_DOMAINS])
    return {
        "what": change.what.value,
        **dict(trouble._asdict(), severity=trouble.severity.value),
        "before": change.before and change.before.value,
        "since": timestamp(change.since),
        "domain_count": len(notice.domains),
        "domains": domains,
    }
