"""The verdict about a domain: everything that is to be said of what was seen of it."""

import datetime
from typing import Iterable, Iterator, NamedTuple, Optional, Tuple

from mtasts.checks.check_finding import CheckFinding, Place
from mtasts.checks.mx import mx
from mtasts.checks.policy_host import policy_host, served
from mtasts.checks.reporting import reporting
from mtasts.checks.sub_domains import sub_domains
from mtasts.checks.txt import taken, txt
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.facts import Answer, Handshake, Own, Seen
from mtasts.finding import GRAVEST_FIRST, MAX_FINDINGS, Severity, gravest
from mtasts.policy import Policy, read
from mtasts.record import STSRecord


class Verdict(NamedTuple):
    """All findings about `domain`, in the order in which a sender comes to them, and the figures.

    `policy` and `id` are what a sender takes that has nothing in its cache; no policy without both.
    The ends are those of the certificates that end first, at the policy host and at the MX hosts,
    `seconds` the time of the slowest answer of the policy host; None where nothing was seen.
    """

    domain: Domain
    checked: datetime.datetime
    findings: Tuple[CheckFinding, ...]
    policy: Optional[Policy]
    id: str
    policy_host_end: Optional[datetime.datetime]
    mx_end: Optional[datetime.datetime]
    seconds: Optional[float]

    @property
    def severity(self) -> Severity:
        """The gravest severity of the findings."""
        return gravest(one.severity for one in self.findings)


def judge(seen: Seen, now: datetime.datetime) -> Verdict:
    """What is to be said of a domain of which this was `seen` at `now` (aware)."""
    first = served(seen, now)
    policy = first.policy if first else None
    in_force = policy or _own(seen)
    is_taken = first is not None and first.is_trusted
    record = taken(seen.sts, STSRecord)
    parts = (
        txt(seen, first.data if first else None),
        policy_host(seen, now),
        mx(seen, in_force, now),
        reporting(seen),
        sub_domains(seen),
    )
    answers = _answers(seen)
    return Verdict(
        seen.domain,
        now,
        tuple(one for part in parts for one in _limited(part)),
        policy if record and is_taken else None,
        record.id if record else "",
        min((shown.end for shown in _policy_host_tls(seen)), default=None),
        min((shown.end for shown in _mx_tls(seen)), default=None),
        max((answer.seconds for answer in answers), default=None),
    )


def _own(seen: Seen) -> Optional[Policy]:
    """The policy by which senders go that have it cached, while none is served that they take."""
    return read(seen.own.data).policy if isinstance(seen.own, Own) else None


def _limited(findings: Iterable[CheckFinding]) -> Iterator[CheckFinding]:
    """Each finding once, and of one part the `MAX_FINDINGS` gravest: strangers make them."""
    each = list(dict.fromkeys(findings))
    gravest_first = sorted(each, key=lambda one: GRAVEST_FIRST.index(one.severity))
    kept = set(gravest_first[:MAX_FINDINGS])
    yield from (one for one in each if one in kept)
    for one in gravest_first[MAX_FINDINGS : MAX_FINDINGS + 1]:
        yield Place(one.group, one.host).finding("findings-more", MAX_FINDINGS)


def _policy_host_tls(seen: Seen) -> Iterator[Handshake]:
    if not isinstance(seen.policy_host, MtastsError):
        for host in seen.policy_host:
            if isinstance(host.tls, Handshake):
                yield host.tls


def _mx_tls(seen: Seen) -> Iterator[Handshake]:
    for host in seen.mx_hosts:
        if not isinstance(host.servers, MtastsError):
            for _, server in host.servers:
                if not isinstance(server, MtastsError) and isinstance(server.tls, Handshake):
                    yield server.tls


def _answers(seen: Seen) -> Iterator[Answer]:
    if not isinstance(seen.policy_host, MtastsError):
        for host in seen.policy_host:
            yield from (answer for answer in host.answers if isinstance(answer, Answer))
