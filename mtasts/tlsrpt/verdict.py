"""What follows from the failures of a domain and all that is known here: facts in, findings out.

Whether the policy that a reporter used covers the MX host, and was ever served; whether one
reporter sees a failure or all; one MX host or all; whether it is over.
"""

import datetime
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from mtasts.domain import InvalidDomain, MXPattern
from mtasts.finding import Finding, finding
from mtasts.history import HistoryEntry
from mtasts.policy import Mode, Policy
from mtasts.tlsrpt import explanations
from mtasts.tlsrpt.explanations import Explanation
from mtasts.tlsrpt.report import STS
from mtasts.tlsrpt.summary import FailureGroup, Reporter, Summary, Used, quoted

_FETCH_ERROR = "sts-policy-fetch-error"
# What reporters call it when no mx line covers the host (RFC 8460 section 4.3.1, and Microsoft).
_OF_COVERAGE = ("certificate-host-mismatch", "validation-failure")


def of_summary(summary: Summary) -> List[Finding]:
    """What is to be known about the numbers."""
    found = []
    if summary.unknown:
        found.append(finding("report-counts-unknown", text=summary.unknown))
    if summary.plain != summary.effective:
        found.append(finding("report-counts-differ"))
    if summary.unspecified:
        found.append(finding("report-failures-unspecified", text=summary.unspecified.sessions))
    return found


class Background(NamedTuple):
    """What is known beside a group of failures, gathered once for however many groups there are.

    `served` is the domain's history, oldest first; `last` has the last day of each reporter, and
    `mx_hosts` are those in reports, and those that the policy names.
    """

    served: Sequence[HistoryEntry]
    last: Dict[str, Optional[datetime.date]]
    mx_hosts: FrozenSet[str]


def background(summary: Summary, served: Sequence[HistoryEntry]) -> Background:
    """What `summary` and the history `served` let be known beside each group of failures."""
    hosts = {host for group in summary.failures for host in group.mx_hosts}
    named = served[-1].policy.mx if served else ()
    hosts.update(pattern for pattern in named if not pattern.startswith("*."))
    return Background(served, _last_days(summary), frozenset(hosts))


def of_group(group: FailureGroup, beside: Background) -> List[Finding]:
    """What follows for a group of failures; without a history nothing is said about policies."""
    served = beside.served
    found = [*_coverage(group, served), *_policies(group, served), *_where(group, beside)]
    if is_single_fetch_error(group):
        found.append(finding("report-fetch-error-once"))
    if _is_over(group, beside.last):
        found.append(finding("report-over", text=group.last))
    return found


def explained(group: FailureGroup) -> Tuple[Explanation, ...]:
    """What the words of the group mean, the more special first; nothing for unknown words."""
    found = explanations.reason(group.reason_code), explanations.result_type(group.result_type)
    return tuple(explanation for explanation in found if explanation)


def was_served(quoted_policy: Policy, served: Sequence[HistoryEntry]) -> Optional[HistoryEntry]:
    """The newest entry of `served` that says what `quoted_policy` says; None if none does."""
    for entry in reversed(served):
        known = entry.policy
        same = known.mode is quoted_policy.mode and known.max_age == quoted_policy.max_age
        if same and set(known.mx) == set(quoted_policy.mx):
            return entry
    return None


class InUse(NamedTuple):
    """The policy that a reporter quoted last, since when it does, and when it was served here.

    `entry` is None for one that was never served, `is_current` says whether it is the newest.
    """

    policy: Policy
    since: Optional[datetime.date]
    last: Optional[datetime.date]
    entry: Optional[HistoryEntry]
    is_current: bool


def in_use(reporter: Reporter, served: Sequence[HistoryEntry]) -> Optional[InUse]:
    """Which policy the reporter still uses; None if it quotes none."""
    if not reporter.policies:
        return None
    under = reporter.policies[-1]
    entry = was_served(under.policy, served)
    is_current = entry is not None and entry is served[-1]
    return InUse(under.policy, under.first, under.last, entry, is_current)


def is_single_fetch_error(group: FailureGroup) -> bool:
    """Whether it is what happens to every policy host now and then."""
    return group.result_type == _FETCH_ERROR and group.reports == 1 and group.sessions == 1


def is_over(group: FailureGroup, summary: Summary) -> bool:
    """Whether all that reported the failure have sent newer reports without it."""
    return _is_over(group, _last_days(summary))


def _is_over(group: FailureGroup, last: Dict[str, Optional[datetime.date]]) -> bool:
    newest = [last[name] for name in group.reporters if name in last]
    return bool(group.last) and all(day and day > group.last for day in newest)


def _last_days(summary: Summary) -> Dict[str, Optional[datetime.date]]:
    return {one.name: one.last for one in summary.reporters}


def is_settled(group: FailureGroup, summary: Summary) -> bool:
    """Whether there is nothing to be done about a group of `summary`: it is over, or noise."""
    return is_single_fetch_error(group) or is_over(group, summary)


def is_covered_now(group: FailureGroup, served: Sequence[HistoryEntry]) -> bool:
    """Whether nothing failed but that policies in use did not cover hosts which are covered now."""
    hosts = [(host, _patterns(used)) for used in group.used for host in used.mx_hosts]
    return (
        bool(served)
        and group.result_type in _OF_COVERAGE
        and all(used.mx_hosts for used in group.used)
        and all(patterns and not _covered(host, patterns) for host, patterns in hosts)
        and all(served[-1].policy.covers(host) for host, _ in hosts)
    )


def _coverage(group: FailureGroup, served: Sequence[HistoryEntry]) -> Iterator[Finding]:
    """MX hosts that the policy in use does not cover."""
    bare: Set[str] = set()
    for used in group.used:
        patterns = _patterns(used)
        if patterns:
            bare.update(host for host in used.mx_hosts if not _covered(host, patterns))
    for host in sorted(bare):
        yield finding("report-mx-not-covered", text=host)
        if served and served[-1].policy.covers(host):
            yield finding("report-mx-covered-now", text=host)


def _patterns(used: Used) -> Tuple[MXPattern, ...]:
    """The MX patterns of the policy in use; none where it asks nothing of senders."""
    if used.policy_type.lower() != STS:
        return ()
    known = quoted(used.policy_string)
    if known:
        return () if known.mode is Mode.NONE else known.mx
    try:
        return tuple(MXPattern(name) for name in used.mx_host)
    except InvalidDomain:
        return ()


def _covered(host: str, patterns: Tuple[MXPattern, ...]) -> bool:
    return any(pattern.covers(host) for pattern in patterns)


def _policies(group: FailureGroup, served: Sequence[HistoryEntry]) -> Iterator[Finding]:
    """Policies that are not the one served now."""
    said: Set[Tuple[str, str]] = set()
    for used in group.used if served else ():
        known = quoted(used.policy_string)
        entry = was_served(known, served) if known else served[-1]
        if entry is served[-1]:
            continue
        until = _replaced(entry, served) if entry else ""
        if (used.reporter, until) not in said:
            said.add((used.reporter, until))
            code = "report-policy-earlier" if entry else "report-policy-foreign"
            yield finding(code, text=used.reporter, hint=until)


def _replaced(entry: HistoryEntry, served: Sequence[HistoryEntry]) -> str:
    """The day on which the policy of `entry` was replaced."""
    return served[served.index(entry) + 1].first.strftime("%Y-%m-%d")


def _where(group: FailureGroup, beside: Background) -> Iterator[Finding]:
    """One reporter or all, one MX host or all."""
    reporters = len(beside.last)
    if reporters > 1 and len(group.reporters) == 1:
        yield finding("report-seen-by-one", text=group.reporters[0], hint=reporters)
    if reporters > 1 and len(group.reporters) == reporters:
        yield finding("report-seen-by-all", text=reporters)
    hosts = len(beside.mx_hosts)
    if hosts > 1 and len(group.mx_hosts) == 1:
        yield finding("report-at-one-mx", text=group.mx_hosts[0], hint=hosts)
