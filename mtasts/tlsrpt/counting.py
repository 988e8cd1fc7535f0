"""How many sessions a report is about: senders count the same session more than once.

A sender that looks at both policies of a domain counts a session under `sts` and again under
`tlsa`; one whose view of a policy changed within the day has an entry for each view, and these are
disjoint. So entries of the same policy type are added, between `sts` and `tlsa` the larger one
counts, and all else is added. What is unknown makes unknown whatever it would be part of.
"""

from typing import Dict, NamedTuple, Optional, Sequence

from mtasts.tlsrpt.report import STS, TLSA, PolicyResult, Report

COUNTED_TWICE = "counted-under-sts-and-tlsa"


class Sessions(NamedTuple):
    """Numbers of sessions; None is unknown."""

    successful: Optional[int] = 0
    failed: Optional[int] = 0

    def __add__(self, other: tuple) -> "Sessions":
        successful, failed = other
        return Sessions(_sum(self.successful, successful), _sum(self.failed, failed))

    @property
    def total(self) -> Optional[int]:
        """All sessions."""
        return _sum(self.successful, self.failed)


class Effective(NamedTuple):
    """The sessions of a policy domain, and beside them the `plain` sum of all entries.

    Where these differ, `reason` is `counted-under-sts-and-tlsa`, else it is "".
    """

    sessions: Sessions
    plain: Sessions
    reason: str


def _sum(one: Optional[int], other: Optional[int]) -> Optional[int]:
    return None if one is None or other is None else one + other


def effective(report: Report) -> Dict[str, Effective]:
    """The sessions of each policy domain of the report, "" where the domain is unknown."""
    domains: Dict[str, list] = {}
    for result in report.policies:
        domains.setdefault(result.policy_domain, []).append(result)
    return {domain: of_results(results) for domain, results in domains.items()}


def of_results(results: Sequence[PolicyResult]) -> Effective:
    """The sessions of `results`, all of the same report and policy domain."""
    if len(results) == 1:
        only = Sessions(results[0].successful, results[0].failed)
        return Effective(only, only, "")
    by_type: Dict[str, Sessions] = {}
    plain = Sessions()
    for result in results:
        sessions = Sessions(result.successful, result.failed)
        plain += sessions
        policy_type = result.policy_type.lower()
        by_type[policy_type] = by_type.get(policy_type, Sessions()) + sessions
    if STS not in by_type or TLSA not in by_type:
        return Effective(plain, plain, "")
    sessions = _larger(by_type.pop(STS), by_type.pop(TLSA))
    for other in by_type.values():
        sessions += other
    return Effective(sessions, plain, COUNTED_TWICE if sessions != plain else "")


def _larger(sts: Sessions, tlsa: Sessions) -> Sessions:
    """The one with more sessions, of equal ones the one with more failures.

    If it cannot be known which one that is, only what both agree about is known.
    """
    if sts.total is None or tlsa.total is None:
        return Sessions(*(one if one == other else None for one, other in zip(sts, tlsa)))
    return max(sts, tlsa, key=lambda sessions: (sessions.total, sessions.failed))
