"""What TLS reports say that should be known at once, and whether it was told before.

    alert-certificate-expired   a session met an expired certificate
    alert-share-high            more than a share of all sessions fails
    alert-failure-new           a kind of failure that `QUIET` days did not have
    alert-enforce-failure       the first that holds mail back since the mode became enforce

Each is news while it is current, which the last `WINDOW` days are. What reports that come late say
of earlier days is no news, nor what newer reports of those who saw it do not have any more, nor a
single fetch error. The first two are told to have ended: when `WINDOW` days are without an
expired certificate, or the share is below the half of what is too much. Days without any report say
nothing.
"""

import datetime
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from mtasts.domain import Domain
from mtasts.finding import Finding, Severity, finding
from mtasts.gravity import weighed
from mtasts.history import HistoryEntry
from mtasts.policy import Mode
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.enforcement import STOP_NOTHING
from mtasts.tlsrpt.kinds import by_kind
from mtasts.tlsrpt.summary import FailureGroup, Summary, quoted

WINDOW = 7
QUIET = 30
LOOKBACK = WINDOW + QUIET
FEWEST = 10  # failed sessions that may be too large a share of all
EXPIRED, NEW = "alert-certificate-expired", "alert-failure-new"
SHARE, ENFORCE = "alert-share-high", "alert-enforce-failure"
_TOLD_TO_THE_END = (EXPIRED, SHARE)
_EXPIRED_REASON = "X509_V_ERR_CERT_HAS_EXPIRED"
_DANE = ("tlsa-invalid", "dnssec-invalid", "dane-required")  # they stop mail whatever the mode is


class Numbers(NamedTuple):
    """What reports say of a domain: of the last `WINDOW` days, and of the last `LOOKBACK` days.

    `served` is the domain's history, oldest first. `today` is a day in UTC.
    """

    week: Summary
    month: Summary
    served: Sequence[HistoryEntry]
    today: datetime.date

    @property
    def start(self) -> datetime.date:
        """The first of the days that are current, as `report_numbers.first_day` has it."""
        return self.today - datetime.timedelta(days=WINDOW)

    def past(self, days: Iterable[datetime.date]) -> List[datetime.date]:
        """Those of `days` that have come: a reporter may write what it likes."""
        return [day for day in days if day <= self.today]


class Alert(NamedTuple):
    """Something that is so now, since a day: `about` a kind of failure, or a day, or "".

    `failure` is what fails so, or most, in the last days, and `week` all that they had. `is_news`
    says whether it may be told.
    """

    about: str
    finding: Finding
    since: datetime.date
    failure: FailureGroup
    week: Summary
    is_news: bool

    @property
    def failed(self) -> Optional[int]:
        """How many sessions are concerned; None is unknown."""
        all_of_them = self.finding.code == SHARE
        return self.week.known.failed if all_of_them else self.failure.sessions


class Known(NamedTuple):
    """An alert that was told, and since when it was so."""

    code: str
    about: str
    since: datetime.date


class Change(NamedTuple):
    """What is to be told of a domain: a new `alert`, or without one, that what is `known` ended."""

    domain: Domain
    known: Known
    alert: Optional[Alert]


def compare(
    domain: Domain, told: Sequence[Known], now: Sequence[Alert]
) -> Tuple[List[Change], List[Known]]:
    """What is to be told of `domain`, and what is known once it has been told."""
    before = {(one.code, one.about): one for one in told}
    changes, after = [], []
    for alert in now:
        known = Known(alert.finding.code, alert.about, alert.since)
        was_told = before.pop((known.code, known.about), None)
        if was_told or alert.is_news:
            after.append(was_told or known)
        if alert.is_news and not was_told:
            changes.append(Change(domain, known, alert))
    ended = (one for one in before.values() if one.code in _TOLD_TO_THE_END)
    return changes + [Change(domain, one, None) for one in ended], after


def alerts(numbers: Numbers, most: float) -> List[Alert]:
    """What is so now; `most` is the share of failed sessions, in percent, that is no news yet.

    What the mode of the policy makes harmless is no news.
    """
    found = (*_of_kinds(numbers), *_of_share(numbers, most), *_of_enforcing(numbers))
    return [one._replace(is_news=one.is_news and not _is_harmless(one)) for one in found]


def _is_harmless(alert: Alert) -> bool:
    return alert.finding.severity is Severity.INFO


def _mode(served: Sequence[HistoryEntry]) -> Mode:
    """The mode that is served; `testing` where nothing is yet, because that comes first."""
    return Mode(served[-1].mode) if served else Mode.TESTING


def _of_kinds(numbers: Numbers) -> Iterator[Alert]:
    """The kinds of failures of the last days."""
    month, mode = by_kind(numbers.month), _mode(numbers.served)
    for kind, failure in by_kind(numbers.week).items():
        longer = month.get(kind, failure)  # both were read, one after the other
        if verdict.is_single_fetch_error(longer):
            continue
        days = numbers.past(longer.days)
        if longer.days and not days:
            continue
        since = _began(days) or numbers.today
        is_expired = kind.result_type == "certificate-expired" or kind.reason == _EXPIRED_REASON
        said = finding(EXPIRED) if is_expired else finding(NEW, text=QUIET)
        if kind.result_type not in _DANE:
            said = weighed(said, mode)
        is_new = is_expired or since >= numbers.start
        is_news = is_new and not verdict.is_over(longer, numbers.month)
        yield Alert(str(kind), said, since, failure, numbers.week, is_news)


def _of_share(numbers: Numbers, most: float) -> Iterator[Alert]:
    """A share of failed sessions that is too large, or was and has not gone down to the half."""
    week, kinds = numbers.week, by_kind(numbers.week)
    failed, total = week.known.failed or 0, week.known.total or 0
    share = 100.0 * failed / total if total else 0.0
    if not kinds or share <= most / 2:
        return
    said = weighed(finding(SHARE, text=f"{most:g}"), _mode(numbers.served))
    since = min((one.day for one in week.days if one.known.failed), default=numbers.today)
    worst = max(kinds, key=lambda kind: _size(kinds[kind]))
    longer = by_kind(numbers.month).get(worst, kinds[worst])
    is_too_much = share > most and failed >= FEWEST
    is_news = is_too_much and not verdict.is_over(longer, numbers.month)
    yield Alert("", said, since, kinds[worst], week, is_news)


def _of_enforcing(numbers: Numbers) -> Iterator[Alert]:
    """The first failures that hold mail back since the mode became enforce, not long ago."""
    enforced = _enforced(numbers.served)
    if enforced is None or (numbers.today - enforced.date()).days > LOOKBACK:
        return
    month, week = by_kind(numbers.month), by_kind(numbers.week)
    found = {
        kind: [day for day in numbers.past(failure.days) if _is_enforced(failure, day, enforced)]
        for kind, failure in month.items()
        if kind.result_type not in STOP_NOTHING
    }
    found = {kind: days for kind, days in found.items() if days}
    if not found:
        return
    since = min(days[0] for days in found.values())
    lasting = [kind for kind in found if not verdict.is_over(month[kind], numbers.month)]
    worst = max((week.get(kind, month[kind]) for kind in lasting or found), key=_size)
    said = finding(ENFORCE, text=enforced.date())
    is_news = bool(lasting) and since >= numbers.start
    yield Alert(str(enforced.date()), said, since, worst, numbers.week, is_news)


def _is_enforced(failure: FailureGroup, day: datetime.date, enforced: datetime.datetime) -> bool:
    """Whether sessions of `day` failed under enforce: on the first one, if the reporter says so."""
    if day != enforced.date():
        return day > enforced.date()
    policies = filter(None, (quoted(used.policy_string) for used in failure.used))
    return any(policy.mode is Mode.ENFORCE for policy in policies)


def _size(failure: FailureGroup) -> int:
    return failure.sessions or 0


def _began(days: Sequence[datetime.date]) -> Optional[datetime.date]:
    """The first of `days` after the last time that `QUIET` days had none."""
    began = days[0] if days else None
    for earlier, later in zip(days, days[1:]):
        if (later - earlier).days > QUIET:
            began = later
    return began


def _enforced(served: Sequence[HistoryEntry]) -> Optional[datetime.datetime]:
    """Since when the mode has been enforce; None if it is not."""
    since = None
    for entry in served:
        since = (since or entry.first) if entry.mode == Mode.ENFORCE.value else None
    return since
