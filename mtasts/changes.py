"""What is to be told: what was wrong when it was last told, against what is wrong now.

    it was not known before             new
    it matters more, or less            graver, milder
    it is gone                          ended

What cannot be seen now has not ended (`Trouble.hides`): it stays known, and nothing is told of it.
What could not be found out is told when two runs in a row could not find it out: one answer that
got lost is no news.
"""

import datetime
import enum
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from mtasts.domain import Domain
from mtasts.finding import GRAVEST_FIRST, Severity
from mtasts.troubles import Trouble


class What(enum.Enum):
    """What became of a trouble."""

    NEW = "new"
    GRAVER = "graver"
    MILDER = "milder"
    ENDED = "ended"


class Known(NamedTuple):
    """A trouble that was seen, since when (aware), and whether it was told."""

    trouble: Trouble
    since: datetime.datetime
    is_told: bool


class Change(NamedTuple):
    """What is to be told of a trouble; `before` is how much it mattered."""

    what: What
    trouble: Trouble
    since: datetime.datetime
    before: Optional[Severity] = None


class Notice(NamedTuple):
    """The same change of several domains, which share what is wrong."""

    change: Change
    domains: Tuple[Domain, ...]


def compare(
    domain: Domain, known: Sequence[Known], seen: Sequence[Trouble], now: datetime.datetime
) -> Tuple[List[Change], List[Known]]:
    """What is to be told of a domain, and what is known once it has been told."""
    before = {one.trouble.key: one for one in known}
    changes, after = [], []
    for trouble in seen:
        if trouble.severity is Severity.INFO:
            continue
        change, now_known = _seen(before.pop(trouble.key, None), trouble, now)
        changes += [change] if change else []
        after.append(now_known)
    for one in before.values():
        if any(trouble.hides(one.trouble, domain) for trouble in seen):
            after += [one] if one.is_told else []
        elif one.is_told:
            changes.append(Change(What.ENDED, one.trouble, one.since, one.trouble.severity))
    return changes, after


def _seen(
    before: Optional[Known], trouble: Trouble, now: datetime.datetime
) -> Tuple[Optional[Change], Known]:
    """What is to be told of a trouble that is there now, and what is then known of it."""
    if before is None:
        is_sure = trouble.severity is not Severity.UNKNOWN
        change = Change(What.NEW, trouble, now) if is_sure else None
        return change, Known(trouble, now, is_sure)
    known = Known(trouble, before.since, True)
    if not before.is_told:
        return Change(What.NEW, trouble, before.since), known
    was = before.trouble.severity
    if was is trouble.severity:
        return None, known
    is_graver = GRAVEST_FIRST.index(trouble.severity) < GRAVEST_FIRST.index(was)
    what = What.GRAVER if is_graver else What.MILDER
    return Change(what, trouble, before.since, was), known


def notices(changes: Iterable[Tuple[Domain, Change]]) -> List[Notice]:
    """The changes, one for all domains that have the same: the gravest first, what ended last."""
    same: Dict[Change, List[Domain]] = {}
    for domain, change in changes:
        same.setdefault(change, []).append(domain)
    found = [Notice(change, tuple(sorted(domains))) for change, domains in same.items()]
    return sorted(found, key=_order)


def _order(notice: Notice) -> Tuple:
    change = notice.change
    is_end = change.what is What.ENDED
    gravity = GRAVEST_FIRST.index(change.trouble.severity)
    return (is_end, gravity, change.trouble.code, notice.domains, change.trouble.place)
