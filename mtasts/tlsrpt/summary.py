"""What the reports of a period add up to: the values; `summing` makes them.

Numbers are effective sessions (see `counting`). Failures of the same type and reason are one group;
what is known here, the other reports and the policies that were served, then says whose end it is
(see `verdict`).
"""

import datetime
import functools
from typing import NamedTuple, Optional, Tuple

from mtasts import policy
from mtasts.domain import Domain
from mtasts.policy import Policy
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.report import Report


class Entry(NamedTuple):
    """A report that counts, with the grade of its authenticity (see `authenticity`)."""

    report: Report
    grade: str

    @property
    def day(self) -> Optional[datetime.date]:
        """The day that it is counted under: that on which its period starts."""
        return self.report.start.date() if self.report.start else None


class Day(NamedTuple):
    """The reports about a day, how many of them are `unknown` numbers, and what the rest says."""

    day: datetime.date
    reports: int
    unknown: int
    known: Sessions


class UnderPolicy(NamedTuple):
    """What happened under a `policy` that a reporter quotes, and on which days it is quoted.

    The order of its mx lines does not matter, so they are sorted. `sessions` are those counted
    under `sts`.
    """

    policy: Policy
    first: Optional[datetime.date]
    last: Optional[datetime.date]
    sessions: Sessions


class Reporter(NamedTuple):
    """What one organization reported: how often, which sessions, until when, how well proven.

    `days` are all days that its reports are about, `policies` those it quotes, the one that was
    quoted last at the end.
    """

    name: str
    reports: int
    sessions: Sessions
    last: Optional[datetime.date]
    grades: Tuple[str, ...]
    days: Tuple[datetime.date, ...] = ()
    policies: Tuple[UnderPolicy, ...] = ()


class FailureGroup(NamedTuple):
    """Failures of one type and reason: how many sessions, who reports them, where and when.

    `used` are the different policies under which they happened, each by the name of a reporter and
    with the MX hosts concerned; `days` are the days that have some of them, in order.
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
    days: Tuple[datetime.date, ...] = ()


class Used(NamedTuple):
    """The policy that `reporter` quotes, the MX hosts and so many `sessions` that failed under it.

    The same session may have failed under policies of two types.
    """

    reporter: str
    policy_string: Tuple[str, ...]
    mx_host: Tuple[str, ...]
    policy_type: str
    mx_hosts: Tuple[str, ...]
    sessions: Optional[int]


class Summary(NamedTuple):
    """A domain in a period; None in a number means that some report's numbers are unknown.

    `known` leaves those `unknown` reports out; `plain` are the sums as they were reported, and
    `types` those of each policy type (in lower case). `days` are those with a report, in order.
    `unspecified` are failed sessions that are counted and of which no detail says what failed.
    """

    domain: Domain
    reports: int
    unknown: int
    effective: Sessions
    known: Sessions
    plain: Sessions
    reporters: Tuple[Reporter, ...]
    failures: Tuple[FailureGroup, ...]
    types: Tuple[Tuple[str, Sessions], ...] = ()
    days: Tuple[Day, ...] = ()
    unspecified: Optional[FailureGroup] = None


@functools.lru_cache(maxsize=4096)
def quoted(policy_string: Tuple[str, ...]) -> Optional[Policy]:
    """The policy that a report quotes, as a sender reads it; None if it quotes none.

    The order of the lines and the blanks in them differ between reporters; the mx lines are sorted,
    so that policies that say the same are equal.
    """
    text = "".join(line + "\n" for line in policy_string)
    found = policy.read(text.encode("utf-8", "surrogatepass")).policy
    return found and Policy(found.mode, found.max_age, tuple(sorted(set(found.mx))))
