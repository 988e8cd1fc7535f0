"""What the reports of a week said of all domains: once a week, also that nothing is wrong.

Here every report counts, whatever proves its origin: what only unproven ones say is marked. So is
what newer reports do not have any more, and what came late, about days before the week.
"""

from typing import Dict, Iterable, Iterator, NamedTuple, Optional, Tuple

from mtasts.alerts import Numbers
from mtasts.domain import Domain
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.kinds import Kind, by_kind
from mtasts.tlsrpt.rhythm import is_silent
from mtasts.tlsrpt.summary import FailureGroup, Reporter, Summary


class Failing(NamedTuple):
    """A kind of failure in the week, or only in the weeks before it (then it is not `is_now`)."""

    kind: Kind
    failure: FailureGroup
    is_now: bool
    is_over: bool
    is_proven: bool


class Lagging(NamedTuple):
    """A reporter that still uses another policy than is served: that of the `id`, or a foreign."""

    reporter: str
    id: Optional[str]


class DomainWeek(NamedTuple):
    """What is to be said of a domain: `known` are the sessions of all but `unknown` reports."""

    domain: Domain
    known: Sessions
    reports: int
    unknown: int
    failing: Tuple[Failing, ...]
    new: Tuple[str, ...]
    silent: Tuple[Reporter, ...]
    lagging: Tuple[Lagging, ...]

    @property
    def is_clean(self) -> bool:
        """Whether all went well, and all who report do it as ever."""
        odd = (self.failing, self.new, self.silent, self.lagging, self.unknown, self.known.failed)
        return not any(odd)


class Digest(NamedTuple):
    """The week of all domains: the worst first. `quarantined` is what could not be read."""

    domains: Tuple[DomainWeek, ...]
    quarantined: int

    @property
    def known(self) -> Sessions:
        """The sessions of all domains."""
        return sum((one.known for one in self.domains), Sessions())


def digest(
    everything: Iterable[Numbers], proven: Dict[Domain, Summary], quarantined: int
) -> Digest:
    """The digest of `everything`; `proven` is the longer time by reports that are proven."""
    weeks = [_week(one, proven[one.week.domain]) for one in everything]
    return Digest(tuple(sorted(weeks, key=_worst_first)), quarantined)


def _worst_first(week: DomainWeek) -> Tuple[int, bool, Domain]:
    return -(week.known.failed or 0), week.is_clean, week.domain


def _week(numbers: Numbers, proven: Summary) -> DomainWeek:
    week, month = numbers.week, numbers.month
    before = {one.name for one in month.reporters if one.days[:1] < (numbers.start,)}
    return DomainWeek(
        week.domain,
        week.known,
        week.reports,
        week.unknown,
        tuple(_failing(numbers, proven)),
        tuple(one.name for one in week.reporters if one.name not in before),
        tuple(one for one in month.reporters if is_silent(one.days, numbers.today)),
        tuple(_lagging(numbers)),
    )


def _failing(numbers: Numbers, proven: Summary) -> Iterator[Failing]:
    now, sure = by_kind(numbers.week), by_kind(proven)
    for kind, longer in by_kind(numbers.month).items():
        failure = now.get(kind, longer)._replace(first=longer.first)
        is_over = verdict.is_over(longer, numbers.month)
        yield Failing(kind, failure, kind in now, is_over, kind in sure)


def _lagging(numbers: Numbers) -> Iterator[Lagging]:
    for reporter in numbers.week.reporters:
        used = verdict.in_use(reporter, numbers.served) if numbers.served else None
        if used and not used.is_current:
            yield Lagging(reporter.name, used.entry and used.entry.id)
