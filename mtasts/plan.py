"""A plan: steps with dates, each of which waits for the one before it to be done.

So a step that is late moves all that follow, and none can be done early.
"""

import datetime
import enum
import itertools
from typing import NamedTuple, Optional, Sequence, Tuple

from mtasts.domain import MXPattern
from mtasts.errors import MtastsError
from mtasts.history import HistoryEntry
from mtasts.policy import Mode, Policy

MAX_TTL = 2**31 - 1  # seconds; RFC 2181 section 8


class PlanError(MtastsError):
    """The change cannot be planned, or the plan not be carried out now; nothing was changed."""


class Kind(enum.Enum):
    """What is done in a step."""

    SERVE = "serve"
    PUBLISH = "publish"
    ADD_MX = "add-mx"
    REMOVE_MX = "remove-mx"
    REPORTS = "reports"
    REMOVE_TXT = "remove-txt"
    STOP = "stop-serving"


class Step(NamedTuple):
    """One step: not before `not_before`, and `wait` after the step before it was done.

    `due` is what comes of both, as far as it is known. `policy` is what a step `serve` serves, and
    what has to cover all MX hosts after a step `remove-mx`; `mx` names the hosts of a step about
    them. All times are aware.
    """

    kind: Kind
    due: datetime.datetime
    what: str
    why: str
    wait: datetime.timedelta
    not_before: datetime.datetime
    policy: Optional[Policy] = None
    mx: Tuple[MXPattern, ...] = ()
    done: Optional[datetime.datetime] = None


class Plan(NamedTuple):
    """Steps for a policy whose history had this `mark` when the plan was last at work on it.

    `made` is when the plan was made, `ttl` the longest TTL of the domains' MX and TXT records.
    """

    made: datetime.datetime
    ttl: datetime.timedelta
    mark: str
    steps: Tuple[Step, ...]

    @property
    def next(self) -> Optional[Step]:
        """The first step that is not done; None if all are."""
        return next((step for step in self.steps if step.done is None), None)

    @property
    def testing_until(self) -> Optional[datetime.date]:
        """The day (UTC) for which the end of mode testing was planned; None if it was not.

        A plan that is late does not move it.
        """
        for step in self.steps:
            if step.policy and step.done is None and step.policy.mode is not Mode.TESTING:
                return step.due.astimezone(datetime.timezone.utc).date()
        return None

    def dated(self, now: datetime.datetime) -> "Plan":
        """The same plan with the dates that hold if what is due is done at `now`."""
        return self._replace(steps=dated(self.steps, self.made, now))

    def step_due(self, now: datetime.datetime) -> Step:
        """The step to be done at `now`; raises `PlanError` if it is too early, or all is done."""
        step = self.dated(now).next
        if step is None:
            raise PlanError("plan-finished", "every step of the plan is done")
        if now < step.due:
            raise PlanError(
                "plan-not-due",
                f"the next step is not due before {utc(step.due)}: {step.what}",
                f"{step.why} Wait until then.",
            )
        return step

    def after(self, now: datetime.datetime, mark: str) -> "Plan":
        """The plan once its next step was done at `now`, and the history has this `mark`."""
        done = sum(step.done is not None for step in self.steps)
        steps = self.steps[:done] + (self.steps[done]._replace(done=now),) + self.steps[done + 1 :]
        return self._replace(steps=dated(steps, self.made, now), mark=mark)


def dated(
    steps: Tuple[Step, ...], made: datetime.datetime, now: datetime.datetime
) -> Tuple[Step, ...]:
    """The steps with their dates: each counts from when the one before it was or can be done."""
    found = []
    before = made
    for step in steps:
        due = max(before + step.wait, step.not_before)
        before = step.done or max(due, now)
        found.append(step._replace(due=due))
    return tuple(found)


def mark(history: Sequence[HistoryEntry]) -> str:
    """What changes with every change of the policy, also with one that was taken back.

    Another id for the same policy is no change: no horizon comes of it.
    """
    policies = [digest for digest, _ in itertools.groupby(entry.sha256 for entry in history)]
    return f"{len(policies)}-{policies[-1][:16]}"


def utc(moment: datetime.datetime) -> str:
    """`moment` as people read it."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
