"""Failures by the words that are known, so that what is new can be told from what is another word.

A reporter may write anything as a type or a reason. What the RFC and `explanations` do not know is
of one kind, `other`; and a reason makes a difference only where the type leaves the cause open.
"""

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from mtasts.tlsrpt import explanations
from mtasts.tlsrpt.explanations import Explanation
from mtasts.tlsrpt.summary import FailureGroup, Summary

OTHER = "other"
_OPEN_TYPES = (OTHER, "validation-failure", "sts-webpki-invalid")


class Kind(NamedTuple):
    """A result type of RFC 8460, or `OTHER`, and a known reason where that matters, else ""."""

    result_type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.result_type} ({self.reason})" if self.reason else self.result_type


def kind_of(group: FailureGroup) -> Kind:
    """The kind of which the failures are."""
    result_type = _word(explanations.result_type(group.result_type)) or OTHER
    reason = _word(explanations.reason(group.reason_code)) if result_type in _OPEN_TYPES else ""
    return Kind(result_type, reason)


def by_kind(summary: Summary) -> Dict[Kind, FailureGroup]:
    """The failures of `summary`, also those without details: one group for each kind."""
    found: Dict[Kind, List[FailureGroup]] = {}
    for group in (*summary.failures, *filter(None, [summary.unspecified])):
        found.setdefault(kind_of(group), []).append(group)
    return {kind: _merged(kind, groups) for kind, groups in found.items()}


def _word(explanation: Optional[Explanation]) -> str:
    return explanation.word if explanation else ""


def _merged(kind: Kind, groups: List[FailureGroup]) -> FailureGroup:
    sessions = [one.sessions for one in groups if one.sessions is not None]
    days = sorted({day for one in groups for day in one.days})
    return FailureGroup(
        *kind,
        sum(sessions) if len(sessions) == len(groups) else None,
        sum(one.reports for one in groups),
        _all(one.reporters for one in groups),
        _all(one.mx_hosts for one in groups),
        days[0] if days else None,
        days[-1] if days else None,
        tuple(used for one in groups for used in one.used),
        tuple(days),
    )


def _all(names: Iterable[Iterable[str]]) -> Tuple[str, ...]:
    return tuple(sorted({name for some in names for name in some}))
