"""How every domain stands, by the policy directory and by what the network shows: a row for each.

What is wrong is said in findings; `attention` puts the rows into the order in which a person should
look at them.
"""

import datetime
import functools
from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

from mtasts import checks, lint
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import GRAVEST_FIRST, Finding, InvalidText, Severity, finding
from mtasts.history import HistoryEntry
from mtasts.holder import Holder
from mtasts.plan import Kind, Step
from mtasts.policy import Mode, Policy, read
from mtasts.probe import Certificate

# Reports come daily: after a month, testing has told what it can tell.
TESTING_LONG = datetime.timedelta(days=30)


class Seen(NamedTuple):
    """What the network shows of a domain: all its `_mta-sts` TXT records, and the certificate.

    An error in place of a fact says why it is not known.
    """

    records: Union[Tuple[str, ...], MtastsError]
    certificate: Union[Certificate, MtastsError]


class Row(NamedTuple):
    """A domain: whose policy it has, its mode and since when, the policy's id, what is wrong.

    `mode` is None for a policy that no sender takes; then nothing is known of `since` and `id`.
    `next` is the next step of its plan. `in_step` says whether DNS has the policy's id, and
    `certificate_begin` and `certificate_end` from when until when the policy host's certificate is
    valid, None if that is not known.
    `changed` is since when the policy is this very one, and `max_age` (seconds) stands in it.
    """

    domain: Domain
    policy_of: Holder
    mode: Optional[Mode]
    since: Optional[datetime.datetime]
    id: str
    findings: Tuple[Finding, ...]
    next: Optional[Step] = None
    in_step: Optional[bool] = None
    certificate_begin: Optional[datetime.datetime] = None
    certificate_end: Optional[datetime.datetime] = None
    changed: Optional[datetime.datetime] = None
    max_age: Optional[int] = None

    @property
    def severity(self) -> Severity:
        """The gravest severity of the findings."""
        return lint.worst(self.findings)

    @property
    def codes(self) -> List[str]:
        """The codes of the findings, each once, the gravest first."""
        found = sorted(self.findings, key=lambda one: GRAVEST_FIRST.index(one.severity))
        return list(dict.fromkeys(one.code for one in found))


def row(
    domain: Domain,
    policy_of: Holder,
    data: bytes,
    entries: Sequence[HistoryEntry],
) -> Row:
    """The row of a domain that has the policy `data` and the history `entries`."""
    policy, findings = _judged(data)
    if policy is None:
        return Row(domain, policy_of, None, None, "", findings)
    last = entries[-1] if entries else None
    if last is None or not last.is_of(data):
        found = finding("status-unentered", text=domain)
        findings = (*findings, found)
        return Row(domain, policy_of, policy.mode, None, "", findings, max_age=policy.max_age)
    # Most domains of one class have the same findings: one tuple for all of them.
    return Row(
        domain,
        policy_of,
        policy.mode,
        _since(entries),
        last.id,
        findings,
        changed=last.first,
        max_age=policy.max_age,
    )


def in_testing(row: Row, until: Optional[datetime.date], now: datetime.datetime) -> Row:
    """The row with what there is to say of its mode testing.

    `until` is the last day on which the operator wants that mode; where there is none, our custom
    counts.
    """
    if row.mode is not Mode.TESTING or row.since is None:
        return row
    if until:
        is_over = now.astimezone(datetime.timezone.utc).date() > until
        found = finding("status-testing-overdue", text=until, hint=row.policy_of)
    else:
        is_over = now - row.since > TESTING_LONG
        days = (now - row.since).days
        found = finding("status-testing-long", text=days, hint=row.policy_of)
    return row._replace(findings=(*row.findings, found)) if is_over else row


def planned(row: Row, step: Union[None, Step, MtastsError], now: datetime.datetime) -> Row:
    """The row with the next step of the domain's plan, or with why that is not known."""
    if step is None:
        return row
    if isinstance(step, MtastsError):
        found = finding("status-plan-unreadable", text=row.policy_of, hint=step.message)
        return row._replace(findings=(*row.findings, found))
    row = row._replace(next=step)
    if step.due > now:
        return row
    found = finding("status-step-due", text=row.policy_of, hint=f"{step.due:%Y-%m-%d}")
    return row._replace(findings=(*row.findings, found))


def seen(row: Row, data: bytes, network: Seen, now: datetime.datetime) -> Row:
    """The row of a domain that has the policy `data`, with what the network shows."""
    of_certificate = checks.certificate(row.domain, network.certificate, now)
    of_record = checks.record(row.domain, network.records, row.id, data) if row.mode else None
    is_removed = row.next is not None and row.next.kind is Kind.STOP  # by its plan
    if is_removed and of_record and of_record.code == "status-record-missing":
        of_record = None
    is_judged = row.mode and not isinstance(network.records, MtastsError)
    is_unseen = isinstance(network.certificate, MtastsError)
    return row._replace(
        findings=(*row.findings, *filter(None, (of_record, of_certificate))),
        in_step=of_record is None if is_judged else None,
        certificate_begin=None if is_unseen else network.certificate.begin,
        certificate_end=None if is_unseen else network.certificate.end,
    )


def unreadable(domain: Domain, error: MtastsError) -> Row:
    """The row of a domain of which the policy or the history cannot be read."""
    fault = Finding(error.code, Severity.ERROR, error.message, "the policy directory", error.remedy)
    if isinstance(error, InvalidText):
        fault = error.finding
    return Row(domain, domain, None, None, "", (fault,))


def attention(rows: Sequence[Row]) -> List[Row]:
    """The gravest first; among equals by name."""
    return sorted(rows, key=lambda one: (GRAVEST_FIRST.index(one.severity), one.domain))


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
