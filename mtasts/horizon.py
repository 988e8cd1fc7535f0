"""How long senders may still apply what was served.

A sender may keep a policy for its max_age, counted from the last moment at which it was served
(RFC 8461 section 3.2), and need not look for a new id before that. Some keep every policy for a
week at least, and resolvers keep the TXT record for its TTL. The last moment at which anybody may
apply a policy is its horizon; all that is risky waits for the horizons of all policies served
before, because some senders apply `testing`, too. Only `none` asks nothing of a host.
"""

import datetime
from typing import Callable, Iterable, Optional, Sequence, Tuple

from mtasts.domain import MXPattern
from mtasts.history import HistoryEntry
from mtasts.policy import Mode, Policy

# What one provider makes of any shorter max_age.
SHORTEST = datetime.timedelta(days=7)


def lifetime(policy: Policy, ttl: datetime.timedelta) -> datetime.timedelta:
    """How long after it was last served somebody may apply `policy`; `ttl` is the TXT record's."""
    return max(datetime.timedelta(seconds=policy.max_age), SHORTEST) + ttl


def horizons(
    history: Sequence[HistoryEntry], ttl: datetime.timedelta
) -> Tuple[Tuple[Policy, datetime.datetime], ...]:
    """Every policy of `history` (oldest first) but the last, which is served, with its horizon."""
    found = []
    last_served = history[0].first if history else None
    for before, after in zip(history, history[1:]):
        # Files that were copied with their old time can make a history that goes back in time.
        last_served = max(last_served, after.first)
        found.append((before.policy, last_served + lifetime(before.policy, ttl)))
    return tuple(found)


def cacheable(
    history: Sequence[HistoryEntry], ttl: datetime.timedelta, now: datetime.datetime
) -> Tuple[Policy, ...]:
    """Every policy that somebody may apply at `now`, the one that is served included."""
    old = tuple(policy for policy, end in horizons(history, ttl) if end > now)
    return old + tuple(entry.policy for entry in history[-1:])


def settled(
    histories: Iterable[Sequence[HistoryEntry]],
    ttl: datetime.timedelta,
    is_harmless: Callable[[Policy], bool],
) -> Optional[datetime.datetime]:
    """When the last of the earlier policies that are not harmless is gone; None without any."""
    ends = [
        end
        for history in histories
        for policy, end in horizons(history, ttl)
        if not is_harmless(policy)
    ]
    return max(ends) if ends else None


def accepts(policy: Policy, pattern: MXPattern) -> bool:
    """Whether `policy` lets mail pass to every host that `pattern` names."""
    return policy.mode is Mode.NONE or names(policy, pattern)


def names(policy: Policy, pattern: MXPattern) -> bool:
    """Whether the mx lines of `policy` name every host that `pattern` names."""
    return pattern in policy.mx or policy.covers(pattern)
