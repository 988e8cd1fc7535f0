"""What the network shows, for a step: is DNS in step, and would every MX host pass now?

It is what `mtasts check` finds, weighed as it is under `enforce`: there mail is not delivered to an
MX host that fails. What could not be reached from here is not known, and leaves the step open.
"""

import datetime
from typing import Iterable, Iterator, NamedTuple, Optional

from mtasts.advance.evidence import Evidence, Part, evidence
from mtasts.checks import CheckFinding, Group, Verdict
from mtasts.finding import Finding, Severity
from mtasts.gravity import weighed
from mtasts.policy import Mode

_PARTS = {
    Group.TXT: Part.TXT,
    Group.POLICY_HOST: Part.POLICY_HOST,
    Group.MX: Part.MX,
    Group.REPORTING: Part.REPORTING,
}
# A warning now, but it ends in mail that is held back, or in a policy that nobody can take back.
_GRAVE = frozenset(
    ("policy-host-certificate-ends", "mx-host-certificate-ends", "txt-server-differs")
)
# No reason for a word in a check, but who promises something for years has to know it.
_UNSEEN = frozenset(("policy-host-unseen", "mx-host-unseen"))
_QUIET = (Severity.OK, Severity.INFO)
_DECISIVE = (Severity.ERROR, Severity.UNKNOWN)
# What each part comes to if nothing in it is decisive.
_SEEN = {"policy-host": "policy-host-certificate-valid", "mx": "mx-host-certificate-valid"}


class Network(NamedTuple):
    """The verdict of a check, and what is wrong with the `record`, of the `id` (None: nothing)."""

    verdict: Verdict
    record: Optional[Finding]
    id: str


def network(seen: Network, now: datetime.datetime) -> Iterator[Evidence]:
    """What is to be said of record, policy host and MX hosts."""
    found = [_weighed(one) for one in seen.verdict.findings if one.group in _PARTS]
    yield _record(seen)
    for part in (Part.POLICY_HOST, Part.MX):
        if not any(one.part is part and one.severity in _DECISIVE for one in found):
            yield from _passes(part, seen.verdict, now)
    yield from (one for one in found if one.severity not in _QUIET)


def holds_back(found: Iterable[Evidence]) -> bool:
    """Whether the evidence has an MX host from which senders hold mail back under `enforce`.

    What is wrong with DANE holds mail back in every mode.
    """
    return any(
        one.part is Part.MX
        and one.severity is Severity.ERROR
        and not one.finding.code.startswith("dane-")
        for one in found
    )


def _weighed(one: CheckFinding) -> Evidence:
    """The finding with the severity that it has under `enforce`."""
    found = weighed(one.finding, Mode.ENFORCE)
    if found.code in _GRAVE:
        found = found._replace(severity=Severity.ERROR)
    if found.code in _UNSEEN:
        found = found._replace(severity=Severity.UNKNOWN)
    if one.group is Group.REPORTING and found.severity in _DECISIVE:
        found = found._replace(severity=Severity.WARNING)  # whether reports come is seen by reports
    return Evidence(_PARTS[one.group], found, one.host, one.address)


def _record(seen: Network) -> Evidence:
    """Whether DNS is in step; if not, everything else is about another policy."""
    if seen.record is None:
        return evidence(Part.TXT, "advance-record-in-step", seen.id)
    is_unknown = seen.record.severity is Severity.UNKNOWN
    severity = seen.record.severity if is_unknown else Severity.ERROR
    return Evidence(Part.TXT, seen.record._replace(severity=severity))


def _passes(part: Part, verdict: Verdict, now: datetime.datetime) -> Iterator[Evidence]:
    seen = {(one.host, one.address) for one in verdict.findings if one.code == _SEEN[part.value]}
    if not seen:  # a null MX, for example: there is nothing that could fail
        return
    addresses = "1 address" if len(seen) == 1 else f"{len(seen)} addresses"
    if part is Part.MX:
        yield evidence(part, "advance-mx-passes", addresses)
    elif verdict.policy_host_end:
        days = (verdict.policy_host_end - now).days
        yield evidence(part, "advance-policy-host-passes", addresses, days)
