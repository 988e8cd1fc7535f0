"""A change of a policy as steps with dates, so that no policy in a cache ever stops mail.

    add an MX       policy -> TXT -> wait for the horizon of every policy without it -> MX record
    remove an MX    MX record -> wait for its TTL -> policy -> TXT
    enforce         clean reports on `testing` -> `enforce` for a day, then longer, rung by rung
    retire          `none` -> TXT -> wait for all horizons -> TXT away -> wait -> stop serving

(RFC 8461 sections 8.1, 8.3 and 10.2.) What makes a policy milder comes first, what makes it
stricter last.
"""

import datetime
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

from mtasts.change import Wishes, changed
from mtasts.domain import MXPattern
from mtasts.history import HistoryEntry
from mtasts.horizon import accepts, cacheable, lifetime, names, settled
from mtasts.plan import Kind, PlanError, Step, dated
from mtasts.policy import Mode, Policy
from mtasts.proposal import FIRST_MAX_AGE
from mtasts.reach import STRICTNESS

# max_age in seconds, from the first days of `enforce` to the most that every sender takes.
LADDER = (FIRST_MAX_AGE, 604800, 2592000, 31536000)
SHORTEST_MAX_AGE = 86400
# A week of mail as it comes, and a day until the last reports are in (RFC 8460 section 4.1).
OBSERVATION = datetime.timedelta(days=8)
_AT_ONCE = datetime.timedelta(0)


def change_steps(
    histories: Sequence[Sequence[HistoryEntry]],
    wishes: Wishes,
    ttl: datetime.timedelta,
    now: datetime.datetime,
) -> Tuple[Step, ...]:
    """The steps from the policy that is served to the `wishes`; none if they have come true.

    The first of `histories` (each oldest first) is the one of the policy, the others are those of
    members of its class, who had other policies before. Raises `MtastsError` for
    wishes that contradict themselves or the policy.
    """
    draft = _Draft(histories, ttl, now)
    goal = _goal(draft.policy, wishes)
    draft.serve(
        _opened(draft.policy, goal, wishes),
        "A host is named before it takes mail, and what is milder comes first (RFC 8461 8.1).",
    )
    _add_mx(draft, wishes)
    _remove_mx(draft, goal, wishes)
    _end(draft, goal)
    return dated(tuple(draft.steps), now, now)


class Rung(NamedTuple):
    """The next step up the ladder: what to serve, and when what is served has stood its test.

    What is served now has been so `since` then, in testing with whatever max_age.
    """

    policy: Policy
    since: datetime.datetime
    due: datetime.datetime


def next_rung(history: Sequence[HistoryEntry], ttl: datetime.timedelta) -> Optional[Rung]:
    """The step from the last policy of `history` (oldest first); None if there is none left.

    There is none from mode none either. Raises `OverflowError` for dates that have no end.
    """
    mode, max_age, named = history[-1].policy
    mx = tuple(dict.fromkeys(named))  # as every change leaves them
    if mode is Mode.TESTING:
        since = _testing_since(history)
        return Rung(Policy(Mode.ENFORCE, LADDER[0], mx), since, since + OBSERVATION)
    longer = _rungs(max_age, LADDER[-1])
    if mode is Mode.NONE or not longer:
        return None
    since = history[-1].first
    policy = Policy(Mode.ENFORCE, longer[0], mx)
    return Rung(policy, since, since + lifetime(history[-1].policy, ttl))


def retire_steps(
    history: Sequence[HistoryEntry], ttl: datetime.timedelta, now: datetime.datetime
) -> Tuple[Step, ...]:
    """The steps that take the last policy of `history` out of the world (RFC 8461 section 8.3)."""
    draft = _Draft([history], ttl, now)
    before = draft.policy
    if before.mode is not Mode.NONE:
        # Some senders ignore `none` without mx lines, and so would the removal be.
        draft.serve(
            Policy(Mode.NONE, FIRST_MAX_AGE, before.mx),
            "It tells senders to forget what they have cached (RFC 8461 8.3). Until it is no longer"
            " served, the certificate of the policy host has to be renewed as before.",
        )
    draft.step(
        Kind.REMOVE_TXT,
        "In DNS, remove the _mta-sts TXT record, of every domain that has this policy.",
        "Until then somebody may still apply an earlier policy, and has to be able to fetch mode"
        " none (RFC 8461 8.3).",
        _When(
            draft.lifetime(before),
            settled([history], ttl, lambda policy: policy.mode is Mode.NONE),
        ),
    )
    draft.step(
        Kind.STOP,
        "Stop serving the policy; it is kept aside, with its history.",
        "Until then a resolver may still have the TXT record, whose readers fetch the policy.",
        _When(ttl),
    )
    return dated(tuple(draft.steps), now, now)


class _When(NamedTuple):
    """How long after the step before, and not before when."""

    wait: datetime.timedelta = _AT_ONCE
    not_before: Optional[datetime.datetime] = None


_NEXT = _When()


class _Draft:
    """Steps in the making. `policy` is what is served after those that are there."""

    def __init__(
        self,
        histories: Sequence[Sequence[HistoryEntry]],
        ttl: datetime.timedelta,
        now: datetime.datetime,
    ) -> None:
        self.histories = histories
        self.history = histories[0]
        self.ttl = ttl
        self.now = now
        self.policy = self.history[-1].policy
        self.steps: List[Step] = []

    def lifetime(self, policy: Policy) -> datetime.timedelta:
        """How long to wait for `policy` to be gone, once another one is published."""
        return _AT_ONCE if policy.mode is Mode.NONE else lifetime(policy, self.ttl)

    def after(self, since: datetime.datetime, span: datetime.timedelta) -> _When:
        """When what is served at the end of the draft, or `since` then, has been so for `span`."""
        return _When(span) if self.steps else _When(not_before=since + span)

    def step(
        self,
        kind: Kind,
        what: str,
        why: str,
        when: _When = _NEXT,
        **about: Any,
    ) -> None:
        """Append a step; `about` is its policy and mx."""
        earliest = max(when.not_before or self.now, self.now)
        self.steps.append(Step(kind, earliest, what, why, when.wait, earliest, **about))

    def serve(
        self,
        policy: Policy,
        why: str,
        when: _When = _NEXT,
    ) -> None:
        """Append the two steps of a changed policy; none if it is the same."""
        if policy == self.policy:
            return
        what = f"Serve mode {policy.mode.value}, max_age {policy.max_age}, mx {_list(policy.mx)}."
        self.step(Kind.SERVE, what, why, when, policy=policy)
        self.step(
            Kind.PUBLISH,
            "Publish the new id in the _mta-sts TXT record, of every domain that has this policy.",
            "The policy is served first; its id is what makes senders fetch it (RFC 8461 8.1).",
        )
        self.policy = policy


def _goal(policy: Policy, wishes: Wishes) -> Policy:
    """The policy at the end of the plan; raises `MtastsError` for what cannot be meant."""
    both = [name for name in wishes.add_mx if name in wishes.remove_mx]
    if both:
        raise PlanError("plan-mx-both", f"{both[0]} is to be added and removed at once")
    if wishes.mode is Mode.NONE:
        raise PlanError(
            "plan-mode-none", "mode none is the first step of a removal", "Use: mtasts retire"
        )
    if wishes.max_age is not None and not SHORTEST_MAX_AGE <= wishes.max_age <= LADDER[-1]:
        raise PlanError(
            "plan-max-age",
            f"not every sender takes a max_age of {wishes.max_age}",
            f"Choose from {SHORTEST_MAX_AGE} (a day) to {LADDER[-1]} (a year).",
        )
    return Policy.parse(changed(policy.to_bytes(), wishes))


def _opened(policy: Policy, goal: Policy, wishes: Wishes) -> Policy:
    """The policy to begin with: it also names what is added, and is never stricter."""
    is_raised = STRICTNESS.index(goal.mode) > STRICTNESS.index(policy.mode)
    added = tuple(name for name in dict.fromkeys(wishes.add_mx) if not names(policy, name))
    return Policy(
        min(policy.mode, goal.mode, key=STRICTNESS.index),
        policy.max_age if is_raised else min(policy.max_age, goal.max_age),
        policy.mx + added,
    )


def _add_mx(draft: _Draft, wishes: Wishes) -> None:
    """The MX record comes when every policy that may be applied names the host."""
    before = draft.history[-1].policy
    known = [
        policy for history in draft.histories for policy in cacheable(history, draft.ttl, draft.now)
    ]
    added = tuple(
        name
        for name in dict.fromkeys(wishes.add_mx)
        if not names(before, name) or not all(accepts(policy, name) for policy in known)
    )
    if not added:
        return

    def is_harmless(policy: Policy) -> bool:
        return all(accepts(policy, name) for name in added)

    draft.step(
        Kind.ADD_MX,
        f"In DNS, let the MX records name {_list(added)}.",
        "Until then somebody may apply a policy that does not name it, and hold mail back"
        " (RFC 8461 8.1).",
        _When(
            _AT_ONCE if is_harmless(before) else draft.lifetime(before),
            settled(draft.histories, draft.ttl, is_harmless),
        ),
        mx=added,
    )


def _remove_mx(draft: _Draft, goal: Policy, wishes: Wishes) -> None:
    """The line goes when no MX record is left that needs it, in no resolver's cache either."""
    narrow = Policy(draft.policy.mode, draft.policy.max_age, goal.mx)
    if wishes.remove_mx:
        draft.step(
            Kind.REMOVE_MX,
            f"In DNS, let no MX record need {_list(wishes.remove_mx)} any more.",
            "A host leaves the policy only after it has left DNS (RFC 8461 8.1).",
            policy=narrow,
            mx=wishes.remove_mx,
        )
    draft.serve(
        narrow,
        "Resolvers may have the old MX records until then (RFC 8461 8.1).",
        _When(draft.ttl if wishes.remove_mx else _AT_ONCE),
    )


def _end(draft: _Draft, goal: Policy) -> None:
    """From the mild policy that the draft has reached to `goal`."""
    if goal.mode is not Mode.ENFORCE:
        draft.serve(goal, "All that is stricter or lasts longer comes last.")
        return
    if draft.policy.mode is not Mode.ENFORCE:
        _observe(draft)
        draft.serve(
            Policy(Mode.ENFORCE, min(LADDER[0], goal.max_age), goal.mx),
            "Enforced for a day at first: a mistake is soon forgotten (RFC 8461 10.2).",
        )
    for max_age in _rungs(draft.policy.max_age, goal.max_age):
        draft.serve(
            Policy(Mode.ENFORCE, max_age, goal.mx),
            "What lasts longer comes when what was promised before has been kept"
            " (RFC 8461 10.2). Look at the reports first.",
            draft.after(draft.history[-1].first, draft.lifetime(draft.policy)),
        )


def _observe(draft: _Draft) -> None:
    """Before `enforce`: `testing`, with reports that are clean for long enough."""
    if draft.policy.mode is Mode.NONE:
        testing = Policy(Mode.TESTING, FIRST_MAX_AGE, draft.policy.mx)
        draft.serve(testing, "Reports come first, and no mail is held back (RFC 8461 5).")
    draft.step(
        Kind.REPORTS,
        "Look at the TLS reports: they show no failure.",
        f"What fails now would be held back later; {OBSERVATION.days} days show a week of mail"
        " (RFC 8461 5 and 10.2). 'mtasts advance' looks at them, and at all MX hosts.",
        draft.after(_testing_since(draft.history), OBSERVATION),
    )


def _testing_since(history: Sequence[HistoryEntry]) -> datetime.datetime:
    """From when on the mx lines are those of now, in mode testing."""
    since = history[-1].first
    for served in reversed(history):
        if served.policy.mode is not Mode.TESTING or served.mx != history[-1].mx:
            break
        since = min(since, served.first)
    return since


def _rungs(low: int, high: int) -> Tuple[int, ...]:
    """The values of max_age from above `low` up to `high`; who enforces has passed the first."""
    if low >= high:
        return ()
    return tuple(rung for rung in LADDER[1:] if low < rung < high) + (high,)


def _list(mx: Tuple[MXPattern, ...]) -> str:
    return ", ".join(mx)
