"""How every domain stands, as far as the policy directory knows: a row for each.

What is wrong is said in findings; `attention` puts the rows into the order in which a person should
look at them.
"""

import datetime
import functools
from typing import List, NamedTuple, Optional, Sequence, Tuple

from mtasts import lint
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import Finding, InvalidText, Severity, finding
from mtasts.history import HistoryEntry
from mtasts.holder import Holder
from mtasts.policy import Mode, Policy, read

# Reports come daily: after a month, testing has told what it can tell.
TESTING_LONG = datetime.timedelta(days=30)
_GRAVITY = (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING, Severity.INFO, Severity.OK)


class Row(NamedTuple):
    """A domain: whose policy it has, its mode and since when, the policy's id, what is wrong.

    `mode` is None for a policy that no sender takes; then nothing is known of `since` and `id`.
    """

    domain: Domain
    policy_of: Holder
    mode: Optional[Mode]
    since: Optional[datetime.datetime]
    id: str
    findings: Tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The gravest severity of the findings."""
        return lint.worst(self.findings)

    @property
    def codes(self) -> List[str]:
        """The codes of the findings, each once, the gravest first."""
        found = sorted(self.findings, key=lambda one: _GRAVITY.index(one.severity))
        return list(dict.fromkeys(one.code for one in found))


def row(
    domain: Domain,
    policy_of: Holder,
    data: bytes,
    entries: Sequence[HistoryEntry],
    now: datetime.datetime,
) -> Row:
    """The row of a domain that has the policy `data` and the history `entries`."""
    policy, findings = _judged(data)
    if policy is None:
        return Row(domain, policy_of, None, None, "", findings)
    found = list(findings)
    last = entries[-1] if entries else None
    if last is None or not last.is_of(data):
        found.append(finding("status-unentered", text=domain))
        return Row(domain, policy_of, policy.mode, None, "", tuple(found))
    since = _since(entries)
    if policy.mode is Mode.TESTING and now - since > TESTING_LONG:
        found.append(finding("status-testing-long", text=(now - since).days))
    # Most domains of one class have the same findings: one tuple for all of them.
    same = findings if len(found) == len(findings) else tuple(found)
    return Row(domain, policy_of, policy.mode, since, last.id, same)


def unreadable(domain: Domain, error: MtastsError) -> Row:
    """The row of a domain of which the policy or the history cannot be read."""
    fault = Finding(error.code, Severity.ERROR, error.message, "", error.remedy)
    if isinstance(error, InvalidText):
        fault = error.finding
    return Row(domain, domain, None, None, "", (fault,))


def attention(rows: Sequence[Row]) -> List[Row]:
    """The gravest first; among equals by name."""
    return sorted(rows, key=lambda one: (_GRAVITY.index(one.severity), one.domain))


@functools.lru_cache(maxsize=256)
def _judged(data: bytes) -> Tuple[Optional[Policy], Tuple[Finding, ...]]:
    """What a sender takes from `data`, and what lint says: the same for all that have it."""
    return read(data).policy, lint.policy(data)


def _since(entries: Sequence[HistoryEntry]) -> datetime.datetime:
    """From when on the mode is what it is now."""
    first = entries[-1].first
    for entry in reversed(entries):
        if entry.mode != entries[-1].mode:
            break
        first = entry.first
    return first
