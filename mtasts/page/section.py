"""What the page says about one domain, ready for the template."""

from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from mtasts.finding import Finding
from mtasts.page import attention, chart, timeline, words
from mtasts.page.attention import Level
from mtasts.page.facts import About, Asked
from mtasts.page.timeline import Bar, Mark
from mtasts.plan import Step
from mtasts.policy import Policy
from mtasts.status import Row
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.explanations import Explanation
from mtasts.tlsrpt.summary import FailureGroup, Reporter, Summary
from mtasts.tlsrpt.verdict import Background

MOST_FAILURES = 20  # kinds of failures of a domain that are explained
MOST_REPORTERS = 50
MOST_HOSTS = 50


class Failed(NamedTuple):
    """A kind of failure: the numbers, what its word means, what follows, whether it is settled."""

    group: FailureGroup
    explanation: Optional[Explanation]
    findings: Tuple[Finding, ...]
    is_settled: bool


class Reported(NamedTuple):
    """A reporter, its rhythm, and the policy that it uses, in words."""

    reporter: Reporter
    rhythm: str
    policy: str


class Host(NamedTuple):
    """An MX host: whether the policy served now names it, and which failures it has."""

    name: str
    covered: str
    failures: str


class Section(NamedTuple):
    """All there is about a domain; `more_...` is how many are left out."""

    about: About
    level: Level
    findings: Tuple[Finding, ...]
    bars: Tuple[Bar, ...]
    marks: Tuple[Mark, ...]
    charts: Tuple[str, ...]
    failures: Tuple[Failed, ...]
    more_failures: int
    reporters: Tuple[Reported, ...]
    more_reporters: int
    hosts: Tuple[Host, ...]
    more_hosts: int
    step: Optional[Step]
    certificate: str
    standing: Tuple[Finding, ...]


def section(level: Level, about: About, asked: Asked) -> Section:
    """The section of a domain."""
    found = about.summary
    bars = timeline.bars(found.days, asked.first, asked.today)
    marks = timeline.marks(about, asked)
    charts = (chart.sessions(bars, marks), chart.failures(bars, marks)) if found.reports else ()
    failures, hosts = attention.groups(found), _hosts(about)
    beside = verdict.background(found, about.served)
    return Section(
        about,
        level,
        tuple(verdict.of_summary(found)),
        bars,
        marks,
        tuple(filter(None, charts)),
        tuple(_failed(group, found, beside) for group in failures[:MOST_FAILURES]),
        max(0, len(failures) - MOST_FAILURES),
        tuple(_reported(one, about, asked) for one in found.reporters[:MOST_REPORTERS]),
        max(0, len(found.reporters) - MOST_REPORTERS),
        hosts[:MOST_HOSTS],
        max(0, len(hosts) - MOST_HOSTS),
        about.row.next,
        _certificate(about, asked),
        _standing(about.row),
    )


def _failed(group: FailureGroup, summary: Summary, beside: Background) -> Failed:
    explained = verdict.explained(group)[:1]
    said = tuple(verdict.of_group(group, beside))
    is_settled = verdict.is_settled(group, summary)
    return Failed(group, explained[0] if explained else None, said, is_settled)


def _reported(reporter: Reporter, about: About, asked: Asked) -> Reported:
    use = verdict.in_use(reporter, about.served)
    policy = words.policy_in_use(use, asked.first)
    return Reported(reporter, words.rhythm_of(reporter, asked.today), policy)


def _hosts(about: About) -> Tuple[Host, ...]:
    """The MX hosts that the policy names or that a report says something failed at."""
    policy = about.served[-1].policy if about.served else None
    kinds: Dict[str, Set[str]] = {name: set() for name in (policy.mx if policy else ())}
    for group in about.summary.failures:
        for name in group.mx_hosts:
            kinds.setdefault(name, set()).add(words.kind(group))
    return tuple(
        Host(name, _covered(policy, name), words.several(sorted(kinds[name])) or "none")
        for name in _failing_first(kinds)
    )


def _failing_first(kinds: Dict[str, Set[str]]) -> List[str]:
    return sorted(kinds, key=lambda name: (not kinds[name], name))


def _covered(policy: Optional[Policy], name: str) -> str:
    if policy is None:
        return "no policy is known here"
    if name in policy.mx:
        return "named"
    return "covered" if policy.covers(name) else "not covered"


def _standing(row: Row) -> Tuple[Finding, ...]:
    """What is to be said of how the domain stands; whose policy it shares is not for its page."""
    if row.policy_of == row.domain:
        return row.findings
    see = f"'mtasts status {row.domain}' says more"
    return tuple(
        one._replace(message=see, remedy="") if row.policy_of in one.message + one.remedy else one
        for one in row.findings
    )


def _certificate(about: About, asked: Asked) -> str:
    """Until when the certificate of the policy host is valid, as far as that is known."""
    if not asked.has_network:
        return "not looked at (mtasts status shows it)"
    end = about.row.certificate_end
    if end is None:
        return "unknown"
    return f"valid until {words.day(end.date())}, {words.counted((end - asked.now).days, 'day')}"
