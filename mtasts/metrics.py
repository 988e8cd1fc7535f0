"""The metrics of the own domains: how they stand, and what the reports of a period say.

Labels hold own domains and words of ours. What a report says becomes one only if the RFC has that
word, else it counts as `other`: so nobody who sends reports can make series, or name them. What is
not known has no sample, and is never 0. Sums over a period that moves can go down: all are gauges.
"""

import datetime
from typing import Dict, Iterable, List, Optional, Tuple

from mtasts.exposition import Family, Samples
from mtasts.monitoring import EXIT_CODES, counted
from mtasts.status import Row
from mtasts.tlsrpt import explanations
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.report import NO_POLICY, STS, TLSA
from mtasts.tlsrpt.summary import FailureGroup, Summary

OTHER = "other"
_POLICY_TYPES = (STS, TLSA, NO_POLICY)

FAMILIES = (
    Family("mtasts_metrics_timestamp_seconds", "When these metrics were made.", ()),
    Family(
        "mtasts_status",
        "How the domain stands: 0 nothing to warn of, 1 warnings, 2 errors, 3 something not known.",
    ),
    Family(
        "mtasts_findings",
        "How often a code was found, except for what is ok.",
        ("domain", "code", "severity"),
    ),
    Family("mtasts_policy_mode", "1 for the mode of the policy.", ("domain", "mode")),
    Family("mtasts_policy_mode_since_timestamp_seconds", "Since when the policy has had its mode."),
    Family("mtasts_policy_since_timestamp_seconds", "Since when this very policy is served."),
    Family("mtasts_policy_max_age_seconds", "The max_age of the policy."),
    Family("mtasts_dns_in_step", "1 if the _mta-sts record has the policy's id, else 0."),
    Family(
        "mtasts_policy_host_certificate_end_timestamp_seconds",
        "When the certificate of the policy host ends.",
    ),
    Family(
        "mtasts_plan_step_due_timestamp_seconds",
        "From when on the next step of the plan can be done.",
        ("domain", "step"),
    ),
    Family(
        "mtasts_report_ledger_readable", "1 if the ledger of reports could be read, else 0.", ()
    ),
    Family("mtasts_report_quarantine", "How much that arrived as a report cannot be read.", ()),
    Family(
        "mtasts_report_period_start_timestamp_seconds",
        "When the period begins that the metrics of reports are about.",
        (),
    ),
    Family("mtasts_report_received", "How many reports about the period there are."),
    Family("mtasts_report_unknown", "How many of the reports have numbers that are not known."),
    Family(
        "mtasts_report_last_timestamp_seconds",
        "When the day begins that the newest report is about.",
    ),
    Family(
        "mtasts_report_sessions",
        "Effective sessions; absent if the numbers of any report are not known.",
        ("domain", "outcome"),
    ),
    Family(
        "mtasts_report_known_sessions",
        "Effective sessions of the reports whose numbers are known.",
        ("domain", "outcome"),
    ),
    Family(
        "mtasts_report_policy_sessions",
        "Sessions as they were reported for this type of policy; one may count for several.",
        ("domain", "policy_type", "outcome"),
    ),
    Family(
        "mtasts_report_failed_sessions",
        "Sessions that failed so; absent if a report does not say how many.",
        ("domain", "result_type"),
    ),
    Family(
        "mtasts_report_failure_last_timestamp_seconds",
        "When the last day begins of which a failure of this type is reported.",
        ("domain", "result_type"),
    ),
)


def add_row(samples: Samples, row: Row) -> None:
    """Add how one domain stands."""
    domain = row.domain
    samples.add("mtasts_status", EXIT_CODES[row.severity], domain)
    for code, severity, count in counted(row.findings):
        samples.add("mtasts_findings", count, domain, code, severity)
    if row.mode:
        samples.add("mtasts_policy_mode", 1, domain, row.mode.value)
    samples.add("mtasts_policy_mode_since_timestamp_seconds", row.since, domain)
    samples.add("mtasts_policy_since_timestamp_seconds", row.changed, domain)
    samples.add("mtasts_policy_max_age_seconds", row.max_age, domain)
    samples.add("mtasts_dns_in_step", row.in_step, domain)
    ends = "mtasts_policy_host_certificate_end_timestamp_seconds"
    samples.add(ends, row.certificate_end, domain)
    if row.next:
        kind = row.next.kind.value
        samples.add("mtasts_plan_step_due_timestamp_seconds", row.next.due, domain, kind)


def add_summary(samples: Samples, summary: Summary) -> None:
    """Add what the reports say about one domain; nothing if there are none."""
    domain = summary.domain
    samples.add("mtasts_report_received", summary.reports, domain)
    if not summary.reports:
        return
    samples.add("mtasts_report_unknown", summary.unknown, domain)
    last = summary.days[-1].day if summary.days else None
    samples.add("mtasts_report_last_timestamp_seconds", _midnight(last), domain)
    _add_sessions(samples, "mtasts_report_sessions", summary.effective, domain)
    if summary.unknown < summary.reports:
        _add_sessions(samples, "mtasts_report_known_sessions", summary.known, domain)
    for policy_type, sessions in _by_policy_type(summary.types).items():
        _add_sessions(samples, "mtasts_report_policy_sessions", sessions, domain, policy_type)
    for result_type, groups in _by_result_type(summary.failures).items():
        counts = [group.sessions for group in groups]
        total = None if None in counts else sum(filter(None, counts))
        samples.add("mtasts_report_failed_sessions", total, domain, result_type)
        last = max((group.last for group in groups if group.last), default=None)
        when = _midnight(last)
        samples.add("mtasts_report_failure_last_timestamp_seconds", when, domain, result_type)


def _add_sessions(samples: Samples, name: str, sessions: Sessions, *labels: str) -> None:
    samples.add(name, sessions.successful, *labels, "successful")
    samples.add(name, sessions.failed, *labels, "failed")


def _by_policy_type(types: Iterable[Tuple[str, Sessions]]) -> Dict[str, Sessions]:
    found: Dict[str, Sessions] = {}
    for said, sessions in types:
        word = said if said in _POLICY_TYPES else OTHER
        found[word] = found.get(word, Sessions()) + sessions
    return found


def _by_result_type(failures: Iterable[FailureGroup]) -> Dict[str, List[FailureGroup]]:
    found: Dict[str, List[FailureGroup]] = {}
    for group in failures:
        known = explanations.result_type(group.result_type)
        found.setdefault(known.word if known else OTHER, []).append(group)
    return found


def _midnight(day: Optional[datetime.date]) -> Optional[datetime.datetime]:
    if day is None:
        return None
    return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.timezone.utc)
