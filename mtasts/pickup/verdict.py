"""What follows from who fetched what: who may still apply an earlier policy, and until when."""

import datetime
import enum
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from mtasts import horizon
from mtasts.finding import Finding, finding, limited
from mtasts.history import HistoryEntry, timestamp
from mtasts.pickup.tally import Pickup, Refused, Sender
from mtasts.tlsrpt import verdict as of_reports
from mtasts.tlsrpt.summary import Summary

_NO_TTL = datetime.timedelta(0)


class Standing(enum.Enum):
    """How a sender stands to the policy that is served.

    `BEHIND` has not fetched it and may still apply an earlier one, `LAPSED` may not any more: it
    will fetch with its next mail.
    """

    CURRENT = "current"
    BEHIND = "behind"
    LAPSED = "lapsed"


class LateReporter(NamedTuple):
    """Who reported, after the change, under an earlier policy; `until` is that one's horizon."""

    name: str
    id: str
    last: datetime.date
    until: datetime.datetime


def until(sender: Sender) -> Optional[datetime.datetime]:
    """The last moment at which the sender may apply an earlier policy; None if nobody can tell.

    That is how long it may keep what it fetched last; it need not look for a new id before.
    """
    ends = []
    for one in sender.earlier:
        if one.entry is None:
            return None
        ends.append(one.fetches.last + horizon.lifetime(one.entry.policy, _NO_TTL))
    return max(ends)


def standing(sender: Sender, now: datetime.datetime) -> Standing:
    """How the sender stands at `now`."""
    if sender.current:
        return Standing.CURRENT
    end = until(sender)
    return Standing.LAPSED if end and end <= now else Standing.BEHIND


def senders(found: Pickup, wanted: Standing, now: datetime.datetime) -> Tuple[Sender, ...]:
    """Those of the senders that stand so at `now`; checks are none."""
    return tuple(one for one in found.senders if not one.is_check and standing(one, now) is wanted)


def late_reporters(
    summary: Summary, history: Sequence[HistoryEntry], ttl: datetime.timedelta
) -> Tuple[LateReporter, ...]:
    """The reporters of `summary` that went on with an earlier policy after it had been replaced.

    `history` is oldest first; what was quoted before the last change tells nothing.
    """
    ends = dict(zip(history, (end for _, end in horizon.horizons(history, ttl))))
    found = []
    for reporter in summary.reporters:
        used = of_reports.in_use(reporter, history)
        if used and used.entry in ends and used.last and used.last > history[-1].first.date():
            found.append(LateReporter(reporter.name, used.entry.id, used.last, ends[used.entry]))
    return tuple(found)


def findings(found: Pickup, late: Sequence[LateReporter], now: datetime.datetime) -> List[Finding]:
    """What is to be said at `now`, the requests that were refused included."""
    refused = [of_refused(one) for one in found.refused]
    return limited([*_behind(found, now), *_late(late), *refused, *_limits(found)])


def of_refused(one: Refused) -> Finding:
    """What is to be said of requests that were refused alike."""
    return finding(one.code, text=one.fetches.count, hint=one.status)


def _behind(found: Pickup, now: datetime.datetime) -> Iterator[Finding]:
    if not senders(found, Standing.CURRENT, now):
        yield finding("pickup-nobody", text=found.domain, hint=found.served.id)
    behind = senders(found, Standing.BEHIND, now)
    if behind:
        ends = [until(one) for one in behind]
        known = [end for end in ends if end]
        last = timestamp(max(known)) if len(known) == len(ends) else "a time that nobody knows"
        yield finding("pickup-behind", text=len(behind), hint=last)


def _late(late: Sequence[LateReporter]) -> Iterator[Finding]:
    for one in late:
        yield finding("pickup-reporter-behind", text=one.name, hint=timestamp(one.until))


def _limits(found: Pickup) -> Iterator[Finding]:
    if found.beyond:
        yield finding("pickup-beyond", text=found.beyond)
    yield finding("pickup-unseen")
