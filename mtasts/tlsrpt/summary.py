"""What the reports of a period say about a domain: the one place where reports become numbers.

The numbers are effective sessions (see `counting`). Failures of the same type and reason are one
group; what is known here, the other reports and the policies that were served, then says whose end
it is (see `verdict`).
"""

import datetime
from typing import Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from mtasts.domain import Domain
from mtasts.tlsrpt import counting
from mtasts.tlsrpt.counting import Effective, Sessions
from mtasts.tlsrpt.report import Failure, PolicyResult, Report


class Entry(NamedTuple):
    """A report that counts, with the grade of its authenticity (see `authenticity`)."""

    report: Report
    grade: str

    @property
    def day(self) -> Optional[datetime.date]:
        """The day that it is counted under: that on which its period starts."""
        return self.report.start.date() if self.report.start else None


class Reporter(NamedTuple):
    """What one organization reported: how often, which sessions, until when, how well proven."""

    name: str
    reports: int
    sessions: Sessions
    last: Optional[datetime.date]
    grades: Tuple[str, ...]


class FailureGroup(NamedTuple):
    """Failures of one type and reason: how many sessions, who reports them, where and when.

    `used` are the different policies under which they happened, each by the name of a reporter and
    with the MX hosts concerned.
    """

    result_type: str
    reason_code: str
    sessions: Optional[int]
    reports: int
    reporters: Tuple[str, ...]
    mx_hosts: Tuple[str, ...]
    first: Optional[datetime.date]
    last: Optional[datetime.date]
    used: Tuple["Used", ...]


class Used(NamedTuple):
    """The policy that `reporter` quotes, and the MX hosts that failed under it."""

    reporter: str
    policy_string: Tuple[str, ...]
    mx_host: Tuple[str, ...]
    policy_type: str
    mx_hosts: Tuple[str, ...]


class Summary(NamedTuple):
    """A domain in a period; None in a number means that some report's numbers are unknown.

    `known` leaves those `unknown` reports out; `plain` are the sums as they were reported.
    """

    domain: Domain
    reports: int
    unknown: int
    effective: Sessions
    known: Sessions
    plain: Sessions
    reporters: Tuple[Reporter, ...]
    failures: Tuple[FailureGroup, ...]


def summarise(domain: Domain, entries: Iterable[Entry]) -> Summary:
    """What `entries`, reports of a period in any order, say about `domain`; the rest is ignored."""
    total = _Total()
    reporters: Dict[str, _Tally] = {}
    groups: Dict[_Kind, _Group] = {}
    for entry in entries:
        results = tuple(one for one in entry.report.policies if one.policy_domain == domain)
        if not results:
            continue
        counted = counting.of_results(results)
        total.add(counted)
        name = entry.report.organization_name
        reporters.setdefault(name, _Tally(name)).add(entry, counted)
        for kind, happened in _by_kind(results).items():
            groups.setdefault(kind, _Group(kind)).add(entry, happened)
    return Summary(
        domain,
        total.reports,
        total.unknown,
        total.effective,
        total.known,
        total.plain,
        tuple(sorted((one.reporter() for one in reporters.values()), key=_busiest_first)),
        tuple(sorted((one.group() for one in groups.values()), key=_most_first)),
    )


_Kind = Tuple[str, str]  # result type and reason
_Happened = List[Tuple[PolicyResult, Failure]]


def _by_kind(results: Iterable[PolicyResult]) -> Dict[_Kind, _Happened]:
    """The failures of each type and reason."""
    found: Dict[_Kind, _Happened] = {}
    for result in results:
        for failure in result.failures:
            kind = failure.result_type.lower(), failure.reason_code or ""
            found.setdefault(kind, []).append((result, failure))
    return found


def _busiest_first(reporter: Reporter) -> Tuple[int, str]:
    return -(reporter.sessions.total or 0), reporter.name


def _most_first(group: FailureGroup) -> Tuple[bool, int, str, str]:
    """What is unknown may be most."""
    known = group.sessions is not None
    return known, -(group.sessions or 0), group.result_type, group.reason_code


class _Total:
    """The numbers of all reports of the domain."""

    def __init__(self) -> None:
        self.reports = self.unknown = 0
        self.effective = self.known = self.plain = Sessions()

    def add(self, counted: Effective) -> None:
        self.reports += 1
        self.effective += counted.sessions
        self.plain += counted.plain
        if None in counted.sessions:
            self.unknown += 1
        else:
            self.known += counted.sessions


class _Tally:
    """The numbers of one reporter."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.total = _Total()
        self.days = _Days()
        self.grades: Set[str] = set()

    def add(self, entry: Entry, counted: Effective) -> None:
        self.total.add(counted)
        self.days.add(entry.day)
        self.grades.add(entry.grade)

    def reporter(self) -> Reporter:
        last, grades = self.days.last, tuple(sorted(self.grades))
        return Reporter(self.name, self.total.reports, self.total.effective, last, grades)


class _Days:
    """The first and the last of some days."""

    def __init__(self) -> None:
        self.first: Optional[datetime.date] = None
        self.last: Optional[datetime.date] = None

    def add(self, day: Optional[datetime.date]) -> None:
        if day:
            self.first = min(self.first or day, day)
            self.last = max(self.last or day, day)


class _Group:
    """The failures of one kind."""

    def __init__(self, kind: _Kind) -> None:
        self.kind = kind
        self.sessions = Sessions()
        self.reports = 0
        self.days = _Days()
        self.reporters: Set[str] = set()
        self.mx_hosts: Set[str] = set()
        self.used: Dict[tuple, Set[str]] = {}

    def add(self, entry: Entry, happened: _Happened) -> None:
        name = entry.report.organization_name
        self.reports += 1
        self.reporters.add(name)
        self.days.add(entry.day)
        self.sessions += _sessions(happened)
        for result, failure in happened:
            policy = (name, result.policy_string, result.mx_host, result.policy_type)
            hosts = self.used.setdefault(policy, set())
            if failure.receiving_mx_hostname:
                hosts.add(failure.receiving_mx_hostname)
        self.mx_hosts.update(*self.used.values())

    def group(self) -> FailureGroup:
        used = (Used(*policy, tuple(sorted(hosts))) for policy, hosts in self.used.items())
        return FailureGroup(
            self.kind[0],
            self.kind[1],
            self.sessions.failed,
            self.reports,
            tuple(sorted(self.reporters)),
            tuple(sorted(self.mx_hosts)),
            self.days.first,
            self.days.last,
            tuple(used),
        )


def _sessions(happened: _Happened) -> Sessions:
    """How many sessions of one report failed so, counted as all its sessions are."""
    results = tuple(
        result._replace(successful=0, failed=failure.sessions) for result, failure in happened
    )
    return counting.of_results(results).sessions
