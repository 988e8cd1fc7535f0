"""Reports added up: the one place where they become numbers.

Commands, page, metrics and alerts all have their numbers from here. What is added up is mutable and
made a value at the end, because that is cheaper than one value after another.
"""

import datetime
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Optional,
    Sequence,
    Set,
    Tuple,
    cast,
)

from mtasts.domain import Domain
from mtasts.policy import Policy
from mtasts.tlsrpt import counting
from mtasts.tlsrpt.counting import Effective, Sessions
from mtasts.tlsrpt.report import STS, Failure, PolicyResult
from mtasts.tlsrpt.summary import (
    Day,
    Entry,
    FailureGroup,
    Reporter,
    Summary,
    UnderPolicy,
    Used,
    quoted,
)


def summarise(domain: Domain, entries: Iterable[Entry]) -> Summary:
    """What `entries`, reports of a period in any order, say about `domain`; the rest is ignored."""
    return summaries([domain], entries)[domain]


def summaries(domains: Iterable[Domain], entries: Iterable[Entry]) -> Dict[Domain, Summary]:
    """The same for each of `domains`, by one look at the `entries`."""
    found = {domain: _Domain() for domain in domains}
    for entry in entries:
        policies = entry.report.policies
        if len(policies) == 1:  # as nearly always
            if policies[0].policy_domain in found:
                found[policies[0].policy_domain].add(entry, policies)
            continue
        results: Dict[str, List[PolicyResult]] = {}
        for one in policies:
            if one.policy_domain in found:
                results.setdefault(one.policy_domain, []).append(one)
        for name, about in results.items():
            found[name].add(entry, about)
    return {domain: one.summary(domain) for domain, one in found.items()}


class _Domain:
    """What the reports say about one domain."""

    def __init__(self) -> None:
        self.types: Dict[str, _Sum] = {}
        self.days: Dict[datetime.date, _Known] = {}
        self.reporters: Dict[str, _Tally] = {}
        self.groups: Dict[_Kind, _Group] = {}
        self.unspecified = _Group()

    def add(self, entry: Entry, results: Sequence[PolicyResult]) -> None:
        """Count a report by what it says about the domain."""
        name, day, counted = entry.report.organization_name, entry.day, counting.of_results(results)
        if day:
            _at(self.days, day, _Known).add(counted)
        _at(self.reporters, name, _Tally).add(entry.grade, day, results, counted)
        for one in results:
            _at(self.types, one.policy_type.lower(), _Sum).add((one.successful, one.failed))
        for failed, happened in _by_kind(results).items():
            _at(self.groups, failed, _Group).add(name, day, happened)
        unspecified = _unspecified(results)
        if unspecified:
            self.unspecified.add(name, day, unspecified)

    def summary(self, domain: Domain) -> Summary:
        """All of it."""
        reporters = [one.reporter(name) for name, one in self.reporters.items()]
        groups = [one.group(*kind) for kind, one in self.groups.items()]
        days = [one.of_day(day) for day, one in sorted(self.days.items())]
        totals = [one.total for one in self.reporters.values()]
        return Summary(
            domain,
            sum(one.reports for one in totals),
            sum(one.unknown for one in totals),
            sum((one.effective.sessions for one in totals), Sessions()),
            sum((one.known for one in totals), Sessions()),
            sum((one.plain.sessions for one in totals), Sessions()),
            tuple(sorted(reporters, key=_busiest_first)),
            tuple(sorted(groups, key=_most_first)),
            tuple(sorted((kind, one.sessions) for kind, one in self.types.items())),
            tuple(days),
            self.unspecified.group("", "") if self.unspecified.reports else None,
        )


def _at(kept: Dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """What is kept for `key`, made if it is the first time."""
    found = kept.get(key)
    if found is None:
        found = kept[key] = make()
    return found


_Kind = Tuple[str, str]  # result type and reason
_Happened = List[Tuple[PolicyResult, Failure]]


def _by_kind(results: Iterable[PolicyResult]) -> Dict[_Kind, _Happened]:
    """The failures of each type and reason; what happened to no session is none."""
    found: Dict[_Kind, _Happened] = {}
    for result in results:
        for failure in result.failures:
            if failure.sessions != 0:
                kind = failure.result_type.lower(), failure.reason_code or ""
                found.setdefault(kind, []).append((result, failure))
    return found


def _unspecified(results: Iterable[PolicyResult]) -> _Happened:
    """What failed by the summary of a result beyond what its details tell of."""
    found = []
    for one in results:
        if one.failed:
            told = [failure.sessions for failure in one.failures]
            rest = 0 if None in told else one.failed - sum(cast(List[int], told))
            if rest > 0:
                found.append((one, Failure("", rest)))
    return found


def _busiest_first(reporter: Reporter) -> Tuple[int, str]:
    return -(reporter.sessions.total or 0), reporter.name


def _most_first(group: FailureGroup) -> Tuple[bool, int, str, str]:
    """What is unknown may be most."""
    known = group.sessions is not None
    return known, -(group.sessions or 0), group.result_type, group.reason_code


class _Sum:
    """Sessions that are added up in place, which is cheaper than one `Sessions` after another."""

    __slots__ = ("failed", "successful")

    def __init__(self) -> None:
        self.successful: Optional[int] = 0
        self.failed: Optional[int] = 0

    def add(self, sessions: Tuple[Optional[int], Optional[int]]) -> None:
        successful, failed = sessions
        if successful is None or self.successful is None:
            self.successful = None
        else:
            self.successful += successful
        if failed is None or self.failed is None:
            self.failed = None
        else:
            self.failed += failed

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.successful, self.failed)


class _Known:
    """How many reports there are, how many of them are `unknown` numbers, and what the rest says.

    There is one for each day of each domain, so it is kept small.
    """

    __slots__ = ("failed", "reports", "successful", "unknown")

    def __init__(self) -> None:
        self.reports = self.unknown = self.successful = self.failed = 0

    def add(self, counted: Effective) -> None:
        self.reports += 1
        successful, failed = counted.sessions
        if successful is None or failed is None:
            self.unknown += 1
        else:
            self.successful += successful
            self.failed += failed

    @property
    def known(self) -> Sessions:
        return Sessions(self.successful, self.failed)

    def of_day(self, day: datetime.date) -> Day:
        return Day(day, self.reports, self.unknown, self.known)


class _Total(_Known):
    """The same with all sums."""

    __slots__ = ("effective", "plain")

    def __init__(self) -> None:
        super().__init__()
        self.effective, self.plain = _Sum(), _Sum()

    def add(self, counted: Effective) -> None:
        super().add(counted)
        self.effective.add(counted.sessions)
        self.plain.add(counted.plain)


class _Tally:
    """What one reporter says."""

    def __init__(self) -> None:
        self.total = _Total()
        self.days: Set[datetime.date] = set()
        self.grades: Set[str] = set()
        self.policies: Dict[Policy, _Under] = {}

    def add(
        self,
        grade: str,
        day: Optional[datetime.date],
        results: Sequence[PolicyResult],
        counted: Effective,
    ) -> None:
        self.total.add(counted)
        self.grades.add(grade)
        if day:
            self.days.add(day)
        for one in results:
            known = quoted(one.policy_string) if one.policy_type.lower() == STS else None
            if known:
                _at(self.policies, known, _Under).add(day, one)

    def reporter(self, name: str) -> Reporter:
        under = [one.under_policy(known) for known, one in self.policies.items()]
        return Reporter(
            name,
            self.total.reports,
            self.total.effective.sessions,
            max(self.days, default=None),
            tuple(sorted(self.grades)),
            tuple(sorted(self.days)),
            tuple(sorted(under, key=_last_at_the_end)),
        )


class _Under:
    """What one reporter says of one policy."""

    def __init__(self) -> None:
        self.days = _Days()
        self.sum = _Sum()

    def add(self, day: Optional[datetime.date], result: PolicyResult) -> None:
        self.days.add(day)
        self.sum.add((result.successful, result.failed))

    def under_policy(self, known: Policy) -> UnderPolicy:
        return UnderPolicy(known, self.days.first, self.days.last, self.sum.sessions)


def _last_at_the_end(under: UnderPolicy) -> Tuple[datetime.date, datetime.date]:
    return under.last or datetime.date.min, under.first or datetime.date.min


class _Days:
    """The first and the last of some days."""

    def __init__(self) -> None:
        self.first: Optional[datetime.date] = None
        self.last: Optional[datetime.date] = None

    def add(self, day: Optional[datetime.date]) -> None:
        if day:
            self.first = min(self.first or day, day)
            self.last = max(self.last or day, day)


class _Use:
    """What failed under one policy of one reporter."""

    __slots__ = ("hosts", "sum")

    def __init__(self) -> None:
        self.hosts: Set[str] = set()
        self.sum = _Sum()


class _Group:
    """The failures of one kind."""

    def __init__(self) -> None:
        self.sum = _Sum()
        self.reports = 0
        self.days: Set[datetime.date] = set()
        self.reporters: Set[str] = set()
        self.used: Dict[tuple, _Use] = {}

    def add(self, name: str, day: Optional[datetime.date], happened: _Happened) -> None:
        self.reports += 1
        self.reporters.add(name)
        if day:
            self.days.add(day)
        self.sum.add(_sessions(happened))
        for result, failure in happened:
            under = (name, result.policy_string, result.mx_host, result.policy_type)
            use = _at(self.used, under, _Use)
            use.sum.add((0, failure.sessions))
            if failure.receiving_mx_hostname:
                use.hosts.add(failure.receiving_mx_hostname)

    def group(self, result_type: str, reason_code: str) -> FailureGroup:
        used = [
            Used(*under, tuple(sorted(use.hosts)), use.sum.failed)
            for under, use in self.used.items()
        ]
        return FailureGroup(
            result_type,
            reason_code,
            self.sum.failed,
            self.reports,
            tuple(sorted(self.reporters)),
            tuple(sorted(set().union(*(use.hosts for use in self.used.values())))),
            min(self.days, default=None),
            max(self.days, default=None),
            tuple(used),
            tuple(sorted(self.days)),
        )


def _sessions(happened: _Happened) -> Sessions:
    """How many sessions of one report failed so, counted as all its sessions are."""
    results = tuple(
        result._replace(successful=0, failed=failure.sessions) for result, failure in happened
    )
    return counting.of_results(results).sessions
