"""The way back from `enforce`: what to serve, and until when senders go on with what they have.

Nothing can call back a policy that a sender has cached. It may be applied until its horizon, so the
way back is quick for those who look for a new id, and for the others only as slow as `max_age` is
long: that is why it grows step by step.
"""

import datetime
from typing import Dict, NamedTuple, Sequence, Tuple

from mtasts.history import HistoryEntry
from mtasts.horizon import horizons, lifetime
from mtasts.policy import Mode, Policy
from mtasts.proposal import FIRST_MAX_AGE


class Kept(NamedTuple):
    """A policy that somebody may enforce `until` then (aware)."""

    policy: Policy
    until: datetime.datetime


class WayBack(NamedTuple):
    """What to serve instead, and which policies are enforced until when if that is done at once."""

    policy: Policy
    kept: Tuple[Kept, ...]


def way_back(
    history: Sequence[HistoryEntry], ttl: datetime.timedelta, now: datetime.datetime
) -> WayBack:
    """The way back from the last policy of `history`. Raises `OverflowError`."""
    current = history[-1].policy
    ends: Dict[Policy, datetime.datetime] = {current: now + lifetime(current, ttl)}
    for policy, end in horizons(history, ttl):
        if policy.mode is Mode.ENFORCE and end > now:
            ends[policy] = max(end, ends.get(policy, end))
    kept = sorted((Kept(*one) for one in ends.items()), key=lambda one: one.until)
    return WayBack(Policy(Mode.TESTING, FIRST_MAX_AGE, current.mx), tuple(kept))
