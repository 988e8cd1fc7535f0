"""How a judgement looks: the verdict first, then the evidence, then the way back."""

import collections
from typing import Any, Dict, Iterator, List, Optional, Sequence

import click

from mtasts.advance import Answer, Case, Evidence, Judgement, Part, WayBack
from mtasts.cli import findings as shown
from mtasts.cli.common import EXIT_INVALID, EXIT_WARNING, counted
from mtasts.errors import printable
from mtasts.finding import GRAVEST_FIRST, Severity
from mtasts.history import timestamp
from mtasts.holder import ClassName, Holder
from mtasts.plan import utc
from mtasts.policy import Mode, Policy
from mtasts.tlsrpt.enforcement import Stopped

EXIT_CODES = {
    Answer.YES: 0,
    Answer.NOTHING: 0,
    Answer.UNKNOWN: EXIT_WARNING,
    Answer.NO: EXIT_INVALID,
}
_COLOURS = {
    Answer.YES: "green",
    Answer.NOTHING: "green",
    Answer.UNKNOWN: "yellow",
    Answer.NO: "red",
}
_TITLES = {
    Part.PLAN: "Plan",
    Part.TIME: "Time",
    Part.REPORTS: "Reports",
    Part.FAILURES: "Failures",
    Part.TXT: "TXT record",
    Part.POLICY_HOST: "Policy host",
    Part.MX: "MX hosts",
    Part.REPORTING: "Where reports go",
}
_WITH_REMEDY = (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING)
_DECISIVE = (Severity.ERROR, Severity.UNKNOWN)
_LISTED = 20  # domains that are named; JSON has them all
_HOSTS = 3  # in a sentence


def show(judged: Judgement, days: int) -> None:
    """Print all of it for people; `days` are those of the reports."""
    for line in _lines(judged, days):
        click.echo(line)


def show_next(judged: Judgement) -> None:
    """Print how the step is taken that may be taken."""
    command = "plan" if judged.question.plan else "advance"
    click.echo(f"Take the step: mtasts {command} {judged.question.holder} --apply")


def _lines(judged: Judgement, days: int) -> Iterator[str]:
    yield _verdict(judged)
    if judged.cases:
        yield f"  {_stopped(judged, days)}"
    yield from _evidence_lines(judged.evidence, "  ")
    if len(judged.cases) == 1:
        if judged.cases[0].domain != judged.question.holder:
            yield f"  {judged.cases[0].domain}"
        yield from _evidence_lines(judged.cases[0].evidence, "  ")
    elif judged.cases:
        yield from _domain_lines(judged.cases)
    if judged.back:
        yield from _back_lines(judged.question.holder, judged.back)


def _verdict(judged: Judgement) -> str:
    answer, rung = judged.answer, judged.question.rung
    said = shown.coloured(answer.value, _COLOURS[answer])
    now = _policy(judged.question.history[-1].policy)
    if rung:
        return f"{judged.question.holder}: {said}: from {now} to {_policy(rung.policy)}"
    return f"{judged.question.holder}: {said}: there is no step from {now}"


def _policy(policy: Policy) -> str:
    return f"mode {policy.mode.value}, max_age {policy.max_age}"


def _stopped(judged: Judgement, days: int) -> str:
    """What enforcing would have meant, in a sentence."""
    stopped = judged.stopped
    is_enforced = judged.question.history[-1].policy.mode is Mode.ENFORCE
    verb = "stopped, or would have stopped," if is_enforced else "would have stopped"
    total = f"{_number(stopped.total)}{' of' if stopped.total is None else ''} sessions"
    said = f"Enforcing {verb} {_number(stopped.sessions)} of {total} in the last {days} days"
    if stopped.senders:
        count = len(stopped.senders)
        said += f", from {count} sender" + ("" if count == 1 else "s")
    if stopped.mx_hosts:
        said += f", to {', '.join(printable(one) for one in stopped.mx_hosts[:_HOSTS])}"
        more = len(stopped.mx_hosts) - _HOSTS
        said += f" and {more} more" if more > 0 else ""
    return said + "."


def _number(number: Optional[int]) -> str:
    return "an unknown number" if number is None else f"{number:,}"


def _evidence_lines(found: Sequence[Evidence], indent: str) -> Iterator[str]:
    """The evidence in its parts, in each the gravest first."""
    for part, title in _TITLES.items():
        said = [one for one in found if one.part is part]
        if said:
            yield indent + title
        for one in sorted(said, key=lambda one: GRAVEST_FIRST.index(one.severity)):
            yield from _one_evidence(one, indent + "  ")


def _one_evidence(one: Evidence, indent: str) -> Iterator[str]:
    severity = shown.coloured(f"{one.severity.value:<7}", shown.COLOURS.get(one.severity, "green"))
    yield f"{indent}{severity} {_place(one)}{one.finding.message} [{one.finding.code}]"
    if one.severity in _WITH_REMEDY:
        yield f"{indent}        rule: {one.finding.rule}"
        if one.finding.remedy:
            yield f"{indent}        remedy: {one.finding.remedy}"


def _place(one: Evidence) -> str:
    if not one.host:
        return ""
    return f"{one.host} ({one.address}): " if one.address else f"{one.host}: "


def _domain_lines(cases: Sequence[Case]) -> Iterator[str]:
    """How many domains say what, and why those do that do not say yes."""
    counts = collections.Counter(case.answer for case in cases)
    said = ", ".join(f"{one.value} {counts[one]}" for one in Answer if counts[one])
    yield f"  asked: {counted(len(cases))}: {said}"
    against = [case for case in cases if case.answer is not Answer.YES]
    against.sort(key=lambda case: (case.answer is not Answer.NO, case.domain))
    for case in against[:_LISTED]:
        yield f"  {case.domain}: {shown.coloured(case.answer.value, _COLOURS[case.answer])}"
        decisive = [one for one in case.evidence if one.severity in _DECISIVE]
        yield from _evidence_lines(decisive, "    ")
    if len(against) > _LISTED:
        yield f"  ... and {len(against) - _LISTED} more (--json lists them all)"


def _back_lines(name: Holder, back: WayBack) -> Iterator[str]:
    yield "The way back"
    yield "  Senders that enforce the policy hold mail back from what fails, and try again for some"
    yield "  days before it bounces (RFC 5321 section 4.5.4.1). What is put right helps at once. If"
    yield "  that takes longer, serve testing in the meantime:"
    for command in back_commands(name, back):
        yield f"    {command}"
    yield "  Who looks for the new id delivers from then on. Others may go on with their copy, if"
    yield "  you do it now:"
    for policy, until in back.kept:
        yield f"    {_policy(policy)}: until {utc(until)}"


def back_commands(name: Holder, back: WayBack) -> List[str]:
    """What to run to go back."""
    wishes = f"--mode {back.policy.mode.value} --max-age {back.policy.max_age}"
    domain = "DOMAIN (for every domain of the class)" if isinstance(name, ClassName) else name
    return [f"mtasts set {name} {wishes}", f"mtasts publish {domain}"]


def as_json(judged: Judgement, days: int, grade: str) -> Dict[str, Any]:
    """The members of a judgement; docs/advance.md explains them."""
    asked, rung = judged.question, judged.question.rung
    served = asked.history[-1]
    return {
        "name": asked.holder,
        "verdict": judged.answer.value,
        "from": dict(_policy_as_json(served.policy), id=served.id, since=timestamp(served.first)),
        "to": rung and _policy_as_json(rung.policy),
        "days": days,
        "grade": grade,
        "would_stop": _stopped_as_json(judged.stopped),
        "evidence": [_evidence_as_json(one) for one in judged.evidence],
        "domains": [
            {
                "domain": case.domain,
                "verdict": case.answer.value,
                "would_stop": _stopped_as_json(case.stopped),
                "evidence": [_evidence_as_json(one) for one in case.evidence],
            }
            for case in judged.cases
        ],
        "back": judged.back and _back_as_json(asked.holder, judged.back),
    }


def _policy_as_json(policy: Policy) -> Dict[str, Any]:
    return {"mode": policy.mode.value, "max_age": policy.max_age, "mx": list(policy.mx)}


def _stopped_as_json(stopped: Stopped) -> Dict[str, Any]:
    return dict(stopped._asdict(), senders=list(stopped.senders), mx_hosts=list(stopped.mx_hosts))


def _evidence_as_json(one: Evidence) -> Dict[str, Any]:
    said = shown.as_json(one.finding)
    return dict(said, part=one.part.value, host=one.host, address=one.address)


def _back_as_json(name: Holder, back: WayBack) -> Dict[str, Any]:
    return {
        "to": _policy_as_json(back.policy),
        "commands": back_commands(name, back),
        "kept": [
            dict(_policy_as_json(one.policy), until=timestamp(one.until)) for one in back.kept
        ],
    }
