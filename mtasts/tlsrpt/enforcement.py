"""What enforcing a policy means for the failures that senders report.

Under `testing` a session that fails is reported, and its mail delivered; under `enforce` it is not
delivered (RFC 8461 section 5). So two things are asked of every kind of failure: would it stop
mail, and does it speak against enforcing now. Only what happened under a policy of ours counts: a
report that quotes one which was never served here may be forged, and DANE is enforced without us.
"""

import enum
from typing import Iterable, Iterator, NamedTuple, Optional, Sequence, Set, Tuple

from mtasts.history import HistoryEntry
from mtasts.policy import Mode
from mtasts.tlsrpt import explanations, verdict
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.report import STS
from mtasts.tlsrpt.summary import FailureGroup, Summary, Used, quoted

# Without a policy that it can use a sender delivers as if there were none (RFC 8461 sections 3.3
# and 5), and what fails by DANE fails whatever the policy says (section 2).
STOP_NOTHING = frozenset(
    (
        "sts-policy-fetch-error",
        "sts-policy-invalid",
        "sts-webpki-invalid",
        "tlsa-invalid",
        "dnssec-invalid",
        "dane-required",
    )
)
# One session of so many may fail at nobody's end: connections break.
RARE = 1000


class Cause(enum.Enum):
    """Why a kind of failure speaks against enforcing (the first two), or why it does not."""

    RECEIVING = "receiving"  # the domain's own end, and not over
    UNCLEAR = "unclear"  # nobody can tell whose end, and not over
    OVER = "over"  # newer reports of those who saw it do not have it
    COVERED = "covered"  # the policy that is served now covers the hosts
    ONCE = "once"  # a single fetch error
    RARE = "rare"  # nobody can tell whose end, and it hardly happens
    SENDING = "sending"  # the sender's own end
    FOREIGN = "foreign"  # only under policies that were never served here
    ELSEWHERE = "elsewhere"  # only under other policies than MTA-STS


class Stopped(NamedTuple):
    """How many sessions of a `total` enforcing would stop, from whom and to which MX hosts.

    None is unknown.
    """

    sessions: Optional[int]
    total: Optional[int]
    senders: Tuple[str, ...]
    mx_hosts: Tuple[str, ...]


def kinds(summary: Summary) -> Iterator[FailureGroup]:
    """All kinds of failures; the last one is that of which no detail says anything, if there is."""
    yield from summary.failures
    if summary.unspecified:
        yield summary.unspecified


def would_stop(summary: Summary, served: Sequence[HistoryEntry]) -> Stopped:
    """What enforcing the policy that is served now would have stopped.

    `served` is the domain's history, oldest first.
    """
    ours = [under_ours(group, served) for group in kinds(summary)]
    stopped = [
        group
        for group in ours
        if group
        and group.result_type not in STOP_NOTHING
        and not verdict.is_covered_now(group, served)
    ]
    # Details may add up to more than the sessions that failed, and those are what counts.
    failed = dict(summary.types).get(STS, Sessions()).failed
    sessions = _sum(group.sessions for group in stopped)
    if sessions is not None and failed is not None:
        sessions = min(sessions, failed)
    return Stopped(
        sessions,
        summary.effective.total,
        _all(group.reporters for group in stopped),
        _all(group.mx_hosts for group in stopped),
    )


def together(parts: Sequence[Stopped]) -> Stopped:
    """The same for several domains."""
    return Stopped(
        _sum(one.sessions for one in parts),
        _sum(one.total for one in parts),
        _all(one.senders for one in parts),
        _all(one.mx_hosts for one in parts),
    )


def cause(group: FailureGroup, summary: Summary, served: Sequence[HistoryEntry]) -> Cause:
    """Whether failures of one kind, one of the `kinds` of `summary`, speak against enforcing."""
    ours = under_ours(group, served)
    if ours is None:
        is_foreign = any(_is_foreign(one, served) for one in group.used)
        return Cause.FOREIGN if is_foreign else Cause.ELSEWHERE
    if verdict.is_over(ours, summary):
        return Cause.OVER
    if verdict.is_covered_now(ours, served):
        return Cause.COVERED
    if verdict.is_single_fetch_error(ours):
        return Cause.ONCE
    return _by_end(ours, summary)


def _by_end(group: FailureGroup, summary: Summary) -> Cause:
    """At whose end the failures are, by the more special word that the reporter has for them."""
    meaning = verdict.explained(group)[:1]
    end = meaning[0].end if meaning else explanations.EITHER
    if end == explanations.EITHER:
        return Cause.RARE if _is_rare(group, summary) else Cause.UNCLEAR
    return Cause.RECEIVING if end == explanations.YOURS else Cause.SENDING


def holds_back(summary: Summary, served: Sequence[HistoryEntry]) -> bool:
    """Whether mail is held back now if the policy is enforced, and at the domain's own end."""
    return any(
        group.result_type not in STOP_NOTHING and cause(group, summary, served) is Cause.RECEIVING
        for group in kinds(summary)
    )


def under_ours(group: FailureGroup, served: Sequence[HistoryEntry]) -> Optional[FailureGroup]:
    """What of a kind of failures happened under policies that were served; None if nothing did.

    Its days are still those of all of the kind.
    """
    used = tuple(one for one in group.used if _is_ours(one, served))
    if not used:
        return None
    return group._replace(
        sessions=_sum(one.sessions for one in used),
        reporters=tuple(sorted({one.reporter for one in used})),
        mx_hosts=_all(one.mx_hosts for one in used),
        used=used,
    )


def _is_ours(used: Used, served: Sequence[HistoryEntry]) -> bool:
    """Whether it is a policy that was served and asks something; some reporters quote none."""
    if used.policy_type.lower() != STS:
        return False
    known = quoted(used.policy_string)
    asks = known is None or known.mode is not Mode.NONE
    return asks and not _is_foreign(used, served)


def _is_foreign(used: Used, served: Sequence[HistoryEntry]) -> bool:
    known = quoted(used.policy_string)
    is_known = known is None or verdict.was_served(known, served) is not None
    return used.policy_type.lower() == STS and not is_known


def _is_rare(group: FailureGroup, summary: Summary) -> bool:
    total = summary.effective.total
    return None not in (group.sessions, total) and group.sessions * RARE <= total


def _sum(numbers: Iterable[Optional[int]]) -> Optional[int]:
    found = list(numbers)
    return None if None in found else sum(filter(None, found))


def _all(names: Iterable[Sequence[str]]) -> Tuple[str, ...]:
    """All names, each once, in alphabetical order."""
    found: Set[str] = set()
    return tuple(sorted(found.union(*names)))
