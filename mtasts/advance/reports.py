"""What the reports say about a step: who has used the policy for long enough, and what failed.

A step needs one reporter that has seen a week of mail under the very policy that is served now, and
still reports. One is enough because many domains have mail from one big sender only, and all it
takes is that MX hosts and policy work; a week, because some mail comes on some days of it only.
Only reports count whose origin is proven, so nobody can push or block a step by a forged one.
"""

import datetime
from typing import Iterator, NamedTuple, Optional, Sequence

from mtasts.advance.evidence import Evidence, Part, evidence
from mtasts.history import HistoryEntry
from mtasts.tlsrpt import enforcement, rhythm, verdict
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.summary import FailureGroup, Reporter, Summary, UnderPolicy

WEEK = 7  # days, the first and the last one included
_REPORTERS = 5  # that are told of, those with the most sessions
_KINDS = 100  # of failures that are looked at: a reporter can make up any number of reasons
_NAMES = 3  # of hosts and reporters in a sentence
_LONGEST = 60  # characters of a word of a report in a sentence


class Reports(NamedTuple):
    """What the reports of a period say: those that count, and `every` one that came.

    What counts is proven by `weakest` at least. `missing` says why there are none at all.
    """

    counted: Summary
    every: Summary
    weakest: Grade
    missing: str = ""


def reports(
    said: Reports, served: Sequence[HistoryEntry], now: datetime.datetime
) -> Iterator[Evidence]:
    """Whether enough is reported about what is served now; `served` is the domain's history."""
    summary = said.counted
    if said.missing:
        yield evidence(Part.REPORTS, "advance-ledger-missing", hint=said.missing)
        return
    if said.weakest < Grade.AUTHENTICATION_RESULTS:
        yield evidence(Part.REPORTS, "advance-grade-weak", said.weakest.value)
    left_out = said.every.reports - summary.reports
    if left_out:
        hint = f"{_counted(left_out, 'report')}, {_failed(said)}"
        yield evidence(Part.REPORTS, "advance-reports-uncounted", hint=hint)
    if not summary.reports:
        yield evidence(Part.REPORTS, "advance-reports-missing", summary.domain)
        return
    today = now.astimezone(datetime.timezone.utc).date()
    if not any(_is_enough(one, served, today) for one in summary.reporters):
        yield evidence(Part.REPORTS, "advance-reports-few", WEEK, _longest(summary, served))
    for one in summary.reporters[:_REPORTERS]:
        yield _reporter(one, served, today)
    if len(summary.reporters) > _REPORTERS:
        more = len(summary.reporters) - _REPORTERS
        yield evidence(Part.REPORTS, "advance-reporters-more", more)
    for found in verdict.of_summary(summary):
        yield Evidence(Part.REPORTS, found)


def failures(summary: Summary, served: Sequence[HistoryEntry]) -> Iterator[Evidence]:
    """What is to be said of every kind of failure of the reports that count."""
    kinds = list(enforcement.kinds(summary))
    if summary.reports and not kinds:
        yield evidence(Part.FAILURES, "advance-failures-none")
    for group in kinds[:_KINDS]:
        code = f"advance-failures-{enforcement.cause(group, summary, served).value}"
        shown = enforcement.under_ours(group, served) or group
        yield evidence(Part.FAILURES, code, summary.domain, _described(shown))
    if len(kinds) > _KINDS:
        yield evidence(Part.FAILURES, "advance-failures-more", summary.domain, _KINDS)


def _under_current(one: Reporter, served: Sequence[HistoryEntry]) -> Optional[UnderPolicy]:
    """What the reporter says of the policy that is served now, if it has sessions under it."""
    for under in one.policies:
        if verdict.was_served(under.policy, served) is served[-1] and under.sessions.total != 0:
            return under
    return None


def _still_uses(one: Reporter, under: UnderPolicy) -> bool:
    """Whether the reporter quotes no other policy on newer days."""
    return under.last == one.policies[-1].last


def _days(under: UnderPolicy) -> int:
    """From the first day of it to the last one, both included."""
    return (under.last - under.first).days + 1 if under.first and under.last else 0


def _is_enough(one: Reporter, served: Sequence[HistoryEntry], today: datetime.date) -> bool:
    under = _under_current(one, served)
    if under is None or not _still_uses(one, under) or rhythm.is_silent(one.days, today):
        return False
    return _days(under) >= WEEK


def _longest(summary: Summary, served: Sequence[HistoryEntry]) -> str:
    """Who comes nearest to it."""
    known = [(one, _under_current(one, served)) for one in summary.reporters]
    days = {one.name: _days(under) for one, under in known if under and _still_uses(one, under)}
    if not days:
        return "nobody uses it by now"
    name = max(days, key=lambda name: days[name])
    return f"{_short(name)} does for {_counted(days[name], 'day')}"


def _reporter(one: Reporter, served: Sequence[HistoryEntry], today: datetime.date) -> Evidence:
    under, name = _under_current(one, served), _short(one.name)
    if under is None:
        said = f"{name} has no session under this policy yet, and {_sessions(one.sessions.total)}"
        return evidence(Part.REPORTS, "advance-reporter-behind", hint=f"{said} in all")
    failed = "unknown" if under.sessions.failed is None else f"{under.sessions.failed:,}"
    said = f"{name}: {_sessions(under.sessions.total)} under this policy, {failed} failed"
    said += f", {under.first or '?'} to {under.last or '?'}"
    if not _still_uses(one, under):
        hint = f"{said}, and another policy since"
        return evidence(Part.REPORTS, "advance-reporter-behind", hint=hint)
    if rhythm.is_silent(one.days, today):
        return evidence(Part.REPORTS, "advance-reporter-silent", hint=f"{said}, silent since")
    return evidence(Part.REPORTS, "advance-reporter", hint=said)


def _failed(said: Reports) -> str:
    """How much fails by the reports that are left out."""
    every, counted = said.every.known.failed, said.counted.known.failed
    return f"{(every or 0) - (counted or 0):,} failed sessions"


def _described(group: FailureGroup) -> str:
    """A kind of failures in a sentence."""
    kind = _short(group.result_type) or "without a word for it"
    reason = f" ({_short(group.reason_code)})" if group.reason_code else ""
    where = f" at {_some(group.mx_hosts)}" if group.mx_hosts else ""
    last = f", last {group.last}" if group.last else ""
    return f"{_sessions(group.sessions)} {kind}{reason}{where}{last}, by {_some(group.reporters)}"


def _short(word: str) -> str:
    """A word of a report, hostile as it came: `evidence` escapes all that it says."""
    return word if len(word) <= _LONGEST else word[: _LONGEST - 3] + "..."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(_short(name) for name in names[:_NAMES]) + more


def _sessions(number: Optional[int]) -> str:
    return "unknown sessions" if number is None else _counted(number, "session")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
