"""May a policy go one step further? Facts in, a judgement out.

The step is the next one of the ladder of `planning`: from `testing` to `enforce` for a day, or to
the next longer `max_age`. Every domain that has the policy is asked, and each has to agree.
"""

import datetime
import enum
from typing import Iterator, NamedTuple, Optional, Sequence, Tuple

from mtasts.advance.evidence import Evidence, Part, evidence
from mtasts.advance.network import Network, holds_back, network
from mtasts.advance.reports import Reports, failures, reports
from mtasts.advance.way_back import WayBack, way_back
from mtasts.domain import Domain
from mtasts.finding import Severity, gravest
from mtasts.history import HistoryEntry
from mtasts.holder import Holder
from mtasts.plan import Kind, Plan
from mtasts.planning import Rung, next_rung
from mtasts.policy import Mode
from mtasts.tlsrpt import enforcement
from mtasts.tlsrpt.enforcement import Stopped


class Answer(enum.Enum):
    """Whether the step may be taken."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    NOTHING = "nothing to do"


_MINUTE = datetime.timedelta(minutes=1)
_ANSWERS = {Severity.ERROR: Answer.NO, Severity.UNKNOWN: Answer.UNKNOWN}


class Question(NamedTuple):
    """What is asked about: the policy of `holder`, whose bytes were `data`, and its history.

    `history` (oldest first) ends with the policy that is served. `rung` is the step, None if there
    is none left; `ttl` the longest TTL of the TXT records, and `plan` the one in progress.
    """

    holder: Holder
    data: bytes
    history: Tuple[HistoryEntry, ...]
    rung: Optional[Rung]
    ttl: datetime.timedelta
    plan: Optional[Plan]


class Facts(NamedTuple):
    """What is known of a domain that has the policy; its `history` may be longer than that."""

    domain: Domain
    history: Tuple[HistoryEntry, ...]
    reports: Reports
    network: Network


class Case(NamedTuple):
    """What a domain has to say, and what enforcing would have stopped of its mail.

    `is_held_back`: under `enforce`, mail to it is held back now.
    """

    domain: Domain
    evidence: Tuple[Evidence, ...]
    stopped: Stopped
    is_held_back: bool

    @property
    def answer(self) -> Answer:
        """What the domain says to the step."""
        return _answer(self.evidence)


class Judgement(NamedTuple):
    """The answer to a `question`: `evidence` about the policy itself, and a case of each domain.

    `back` is what to do now where a policy that is enforced holds mail back.
    """

    question: Question
    evidence: Tuple[Evidence, ...]
    cases: Tuple[Case, ...]
    back: Optional[WayBack]

    @property
    def answer(self) -> Answer:
        """Yes, if nothing and nobody says anything else."""
        every = [*self.evidence, *(one for case in self.cases for one in case.evidence)]
        found = _answer(every)
        if self.question.rung is None and found is not Answer.NO:
            return Answer.NOTHING
        return found

    @property
    def stopped(self) -> Stopped:
        """What enforcing would have stopped, of all domains."""
        return enforcement.together([case.stopped for case in self.cases])


def case(facts: Facts, ttl: datetime.timedelta, now: datetime.datetime) -> Case:
    """What a domain has to say. Raises `OverflowError` for dates that have no end."""
    said, history = facts.reports, facts.history
    seen = list(network(facts.network, now))
    told = [*reports(said, history, now), *failures(said.counted, history)]
    return Case(
        facts.domain,
        (*_time(history, ttl, now), *told, *seen),
        enforcement.would_stop(said.counted, history),
        holds_back(seen) or enforcement.holds_back(said.counted, history),
    )


def is_asked(question: Question) -> bool:
    """Whether the domains have to be asked: from mode none there is no step to ask for."""
    return question.history[-1].policy.mode is not Mode.NONE


def judge(question: Question, cases: Sequence[Case], now: datetime.datetime) -> Judgement:
    """The judgement, once every domain has been asked. Raises `OverflowError`."""
    found = list(_plan(question, now))
    if not is_asked(question):
        found.append(evidence(Part.TIME, "advance-mode-none", question.holder))
    elif not cases:
        found.append(evidence(Part.REPORTS, "advance-domains-none", question.holder))
    is_enforced = question.history[-1].policy.mode is Mode.ENFORCE
    is_held_back = is_enforced and any(case.is_held_back for case in cases)
    back = way_back(question.history, question.ttl, now) if is_held_back else None
    return Judgement(question, tuple(found), tuple(cases), back)


def _answer(found: Sequence[Evidence]) -> Answer:
    return _ANSWERS.get(gravest(one.severity for one in found), Answer.YES)


def _time(
    history: Sequence[HistoryEntry], ttl: datetime.timedelta, now: datetime.datetime
) -> Iterator[Evidence]:
    """Whether what is served now has been served for long enough."""
    rung = next_rung(history, ttl)
    if rung is None:
        return
    is_testing = history[-1].policy.mode is Mode.TESTING
    since = _at(rung.since)
    if now >= rung.due:
        code = "advance-observed" if is_testing else "advance-kept"
        yield evidence(Part.TIME, code, since, (now - rung.since).days)
    else:
        code = "advance-observed-briefly" if is_testing else "advance-unkept"
        yield evidence(Part.TIME, code, since, _at(rung.due + _MINUTE))  # not a moment early


def _plan(question: Question, now: datetime.datetime) -> Iterator[Evidence]:
    """Whether a plan in progress says otherwise."""
    step = question.plan.dated(now).next if question.plan else None
    if step is None:
        return
    rung = question.rung
    following = [one for one in question.plan.steps if one.done is None and one.policy]
    leads_there = bool(rung and following and following[0].policy == rung.policy)
    agrees = leads_there and step.kind in (Kind.REPORTS, Kind.SERVE)
    code = "advance-plan-agrees" if agrees else "advance-plan-otherwise"
    yield evidence(Part.PLAN, code, question.holder, step.what)


def _at(moment: datetime.datetime) -> str:
    """A time to the minute, as it is written in a sentence."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
