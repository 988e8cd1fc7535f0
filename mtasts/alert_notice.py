"""Alerts and the weekly digest, in words for people and as JSON for programs.

The schema of the JSON is described in docs/alerts.md; a change that a program may stumble over has
a new number. Everything is in visible ASCII: so it is safe on a terminal, in a log and in a mail.
"""

import datetime
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from mtasts import digest_notice
from mtasts.alerts import ENFORCE, EXPIRED, NEW, SHARE, WINDOW, Alert, Change
from mtasts.digest import Digest
from mtasts.finding import GRAVEST_FIRST, Finding, finding
from mtasts.history import timestamp
from mtasts.news import News
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.explanations import Explanation
from mtasts.tlsrpt.kinds import kind_of
from mtasts.tlsrpt.summary import FailureGroup
from mtasts.tlsrpt.words import count, reports, several, text

SCHEMA = "mtasts-report-watch/1"
_SPOKEN_DOMAINS = 10
_SPOKEN_NOTICES = 50
_JSON_DOMAINS = 1000
_JSON_NOTICES = 1000
_JSON_NAMES = 100


class Found(NamedTuple):
    """What a run at `time` (aware) on the machine `by` has to tell; a digest if one is due.

    The changes are what reports say that are proven by `weakest` at least.
    """

    by: str
    time: datetime.datetime
    weakest: Grade
    changes: Sequence[Change]
    digest: Optional[Digest]


class Notice(NamedTuple):
    """The same change of several domains: new alerts about failures of a kind, or their end.

    `failure` is that of the first domain; there is none if it has ended.
    """

    finding: Finding
    about: str
    failure: Optional[FailureGroup]
    changes: Tuple[Change, ...]
    weakest: Grade

    @property
    def explanation(self) -> Optional[Explanation]:
        """What the words of the reports mean, if they are known."""
        found = verdict.explained(self.failure) if self.failure else ()
        return found[0] if found else None

    @property
    def message(self) -> str:
        """Why it is told now."""
        if self.failure:
            return self.finding.message
        if self.finding.code == SHARE:
            return "the share of failed sessions is less than half of what is too much"
        return f"the reports of the last {WINDOW} days have no {self.about} any more"

    @property
    def remedy(self) -> str:
        """What to do; "" for what has ended."""
        if not self.failure:
            return ""
        if not self.explanation:
            return self.finding.remedy
        more = f" {self.finding.remedy}" if self.finding.code == ENFORCE else ""
        return self.explanation.remedy + more

    @property
    def command(self) -> str:
        """What shows more of it, with the same numbers."""
        grade = "" if self.weakest is Grade.FILE else f" --grade {self.weakest.value}"
        return f"mtasts report summary {self.changes[0].domain} --days {WINDOW}{grade}"


def news(found: Found) -> News:
    """What was found, as every way tells it."""
    notices = _notices(found.changes, found.weakest)
    subject = _subject(notices, found.digest)
    paragraphs = [_paragraph(one) for one in notices[:_SPOKEN_NOTICES]]
    left = len(notices) - _SPOKEN_NOTICES
    if left > 0:
        paragraphs.append(f"... and {left} more alerts. See: mtasts report summary DOMAIN\n")
    if found.digest:
        paragraphs.append(digest_notice.words(found.digest))
    facts = {
        "schema": SCHEMA,
        "by": found.by,
        "time": timestamp(found.time),
        "subject": subject,
        "alert_count": len(notices),
        "alerts": [_as_json(one) for one in notices[:_JSON_NOTICES]],
        "digest": digest_notice.as_json(found.digest) if found.digest else None,
    }
    words = "\n".join(paragraphs)
    return News("mtasts report watch", found.by, found.time, subject, words, facts)


def _notices(changes: Iterable[Change], weakest: Grade) -> List[Notice]:
    """One for all domains of which the same is to be told: the gravest first, what ended last."""
    same: Dict[Tuple, List[Change]] = {}
    for change in changes:
        alert = change.alert
        said = alert.finding if alert else finding(change.known.code)
        kind = kind_of(alert.failure) if alert else None
        same.setdefault((said, change.known.about, kind), []).append(change)
    found = []
    for (said, about, _), some in same.items():
        first = some[0].alert
        found.append(Notice(said, about, first and first.failure, tuple(some), weakest))
    return sorted(found, key=_order)


def _order(notice: Notice) -> Tuple:
    gravity = GRAVEST_FIRST.index(notice.finding.severity)
    return notice.failure is None, gravity, notice.finding.code, notice.changes[0].domain


def _subject(notices: Sequence[Notice], digest: Optional[Digest]) -> str:
    """What matters most, in a line that a telephone shows; "" if there is nothing to tell."""
    if not notices:
        return f"mtasts: {digest_notice.subject(digest)}" if digest else ""
    first = notices[0]
    what = {
        ENFORCE: "first failure under enforce",
        SHARE: "many failures",
        NEW: f"new failure: {first.about}",
        EXPIRED: first.about,
    }[first.finding.code]
    end = "" if first.failure else "ended: "
    domains = len(first.changes)
    of = first.changes[0].domain if domains == 1 else f"{domains} domains"
    more = f", and {len(notices) - 1} more" if len(notices) > 1 else ""
    return f"mtasts: {end}{what} ({of}){more}"


def _paragraph(notice: Notice) -> str:
    new = f"new {notice.finding.severity.value}" if notice.failure else "ended"
    lines = [f"{new}: {notice.message} [{notice.finding.code}]"]
    meant = notice.explanation
    if meant:
        lines.append(f"    {kind_of(notice.failure)}: {meant.what}")
        lines.append(f"    whose end: {meant.end} ({meant.certainty})")
    elif notice.failure:
        lines.append(
            f"    {kind_of(notice.failure)}: the reports do not say why in words that are known"
        )
    lines += [f"    {_line(change)}" for change in notice.changes[:_SPOKEN_DOMAINS]]
    left = len(notice.changes) - _SPOKEN_DOMAINS
    lines += [f"    and {left} more domains"] if left > 0 else []
    lines += [f"    remedy: {notice.remedy}"] if notice.remedy else []
    return "\n".join([*lines, f"    see: {notice.command}"]) + "\n"


def _line(change: Change) -> str:
    """The numbers of a domain."""
    since, alert = f"since {change.known.since}", change.alert
    if not alert:
        return f"{change.domain}: it was so {since}"
    total = count(alert.week.known.total)
    failure = alert.failure
    unknown = alert.week.unknown
    rest = f", and {reports(unknown)} with unknown numbers" if unknown else ""
    of = f"{count(alert.failed)} of {total} sessions in {WINDOW} days{rest}, {since}"
    number = len(failure.reporters)
    reporters = "1 reporter" if number == 1 else f"{number} reporters"
    by = f"from {reporters} ({several(failure.reporters)}; {', '.join(_grades(alert))})"
    where = f", to {several(failure.mx_hosts)}" if failure.mx_hosts else ""
    return f"{change.domain}: {of}, {by}{where}"


def _grades(alert: Alert) -> List[str]:
    """What proves the origin of the reports that tell of it."""
    seen_by = [one for one in alert.week.reporters if one.name in alert.failure.reporters]
    return sorted({grade for one in seen_by for grade in one.grades})


def _as_json(notice: Notice) -> Dict[str, Any]:
    meant, kind = notice.explanation, notice.failure and kind_of(notice.failure)
    return {
        "what": "new" if notice.failure else "ended",
        "code": notice.finding.code,
        "severity": notice.finding.severity.value,
        "message": notice.message,
        "about": notice.about,
        "result_type": kind.result_type if kind else "",
        "reason": kind.reason if kind else "",
        "meaning": meant.what if meant else "",
        "end": meant.end if meant else "",
        "certainty": meant.certainty if meant else "",
        "remedy": notice.remedy,
        "command": notice.command,
        "domain_count": len(notice.changes),
        "domains": [_domain_as_json(change) for change in notice.changes[:_JSON_DOMAINS]],
    }


def _domain_as_json(change: Change) -> Dict[str, Any]:
    facts: Dict[str, Any] = {"domain": change.domain, "since": str(change.known.since)}
    alert = change.alert
    if alert:
        facts.update(
            failed=alert.failed,
            total=alert.week.known.total,
            reporter_count=len(alert.failure.reporters),
            reporters=[text(name) for name in alert.failure.reporters[:_JSON_NAMES]],
            mx_hosts=[text(name) for name in alert.failure.mx_hosts[:_JSON_NAMES]],
            grades=_grades(alert),
        )
    return facts
