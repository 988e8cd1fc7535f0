"""What the policy host shows at each of its addresses: TLS, answers, the policy itself.

A sender takes the first address that answers, so each has to be right; and it may come with any
User-Agent, so all of those are answered alike.
"""

import datetime
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from mtasts import lint
from mtasts.checks import handshake
from mtasts.checks.check_finding import CheckFinding, Group, Place
from mtasts.checks.txt import is_absent
from mtasts.checks.unseen import is_unseen
from mtasts.errors import MtastsError
from mtasts.facts import TOO_LATE, Answer, Handshake, PolicyHost, Seen
from mtasts.finding import Finding, finding
from mtasts.policy import Mode, Policy, read

SLOW = 10  # seconds
_UNCONNECTED = {
    "connect-refused": "policy-host-silent",
    "connect-timeout": "policy-host-silent",
    "connect-failed": "policy-host-silent",
    "connect-no-route": "policy-host-unreachable",
    "connect-no-ipv6": "policy-host-unreachable",
    TOO_LATE: "policy-host-unreachable",
}


class Served(NamedTuple):
    """The bytes that are served first, and the policy that they hold, if any.

    `is_trusted`: senders take the certificate as well. Where they do not, those that have the
    policy cached still go by it.
    """

    address: str
    data: bytes
    policy: Optional[Policy]
    is_trusted: bool


def served(seen: Seen, now: datetime.datetime) -> Optional[Served]:
    """What the first address that answers as it should serves; None if there is no such one.

    One whose certificate senders take comes before all others.
    """
    answering = list(_answering(seen))
    trusted = [one for one in answering if _is_trusted(one[0], seen.domain.policy_host, now)]
    for host, answer in trusted or answering:
        return Served(host.address, answer.body, read(answer.body).policy, bool(trusted))
    return None


def _is_trusted(host: PolicyHost, name: str, now: datetime.datetime) -> bool:
    return isinstance(host.tls, Handshake) and handshake.is_valid(host.tls, name, now)


def answered(status: int, content_type: str, location: str = "") -> List[Finding]:
    """What is wrong with the head of an answer, from which a sender may take no policy then."""
    found = []
    if 300 <= status < 400 and location:
        found.append(finding("fetch-redirect", text=status, hint=location))
    elif status != 200:
        found.append(finding("fetch-status", text=status))
    elif content_type.split(";", maxsplit=1)[0].strip().lower() != "text/plain":
        found.append(finding("fetch-content-type", text=_as(content_type)))
    return found


def _as(content_type: str) -> str:
    return f"as '{content_type}'" if content_type else "without a media type"


def policy_host(seen: Seen, now: datetime.datetime) -> Iterator[CheckFinding]:
    """What is to be said of the policy host, of each of its addresses, and of its policy."""
    name = seen.domain.policy_host
    place = Place(Group.POLICY_HOST, name)
    if isinstance(seen.policy_host, MtastsError):
        yield from _addressless(place, seen, seen.policy_host)
        return
    shown = [host.tls for host in seen.policy_host]
    for host in seen.policy_host:
        at_address = place._replace(address=host.address)
        if is_unseen(host.tls, shown):
            yield at_address.finding("policy-host-unseen")
        else:
            yield from _at_address(at_address, host, now)
    first = served(seen, now)
    if first:
        yield from _same(place, seen, first)
        yield from _own(place, seen)
        yield from _policy(place._replace(address=first.address), seen, first, now)


def _addressless(place: Place, seen: Seen, error: MtastsError) -> Iterator[CheckFinding]:
    if error.code != "policy-host-without-address":
        yield place.finding("policy-host-unknown", hint=error)
    elif not is_absent(seen):
        yield place.finding("policy-host-missing", place.host)


def _at_address(place: Place, host: PolicyHost, now: datetime.datetime) -> Iterator[CheckFinding]:
    if isinstance(host.tls, MtastsError):
        code = _UNCONNECTED.get(host.tls.code) if host.address else "policy-host-unknown"
        if code:
            yield place.finding(code, hint=host.tls)
        else:
            yield handshake.failed(place, "policy-host", host.tls)
        return
    yield from handshake.shown(place, "policy-host", host.tls, now)
    yield from _answers(place, host.answers)


def _answers(place: Place, answers: Tuple) -> Iterator[CheckFinding]:
    come = [answer for answer in answers if isinstance(answer, Answer)]
    good = [answer for answer in come if not answered(answer.status, answer.content_type)]
    wrong: Dict[CheckFinding, None] = {}  # each once, though every User-Agent meets it
    for answer in answers:
        if isinstance(answer, MtastsError):
            wrong[place.finding("fetch-failed", hint=answer)] = None
        elif good:
            wrong.update((one, None) for one in _user_agent(place, answer, good[0]))
        else:
            head = answered(answer.status, answer.content_type, answer.location)
            wrong.update((place.of(found), None) for found in head)
    yield from wrong
    slowest = max((answer.seconds for answer in come), default=0.0)
    if slowest > SLOW:
        yield place.finding("fetch-slow", f"{slowest:.0f}")
    if come and not wrong:
        yield place.finding("fetch-taken", len(come[0].body), f"{slowest:.2f}")


def _user_agent(place: Place, answer: Answer, good: Answer) -> Iterator[CheckFinding]:
    """How an answer is not as a `good` one, said of the User-Agent that gets it."""
    otherwise = ""
    if answer.status != good.status:
        otherwise = f"with status {answer.status}"
    elif answered(answer.status, answer.content_type):
        otherwise = _as(answer.content_type)
    elif answer.body != good.body:
        otherwise = "with another body"
    if otherwise:
        yield place.finding("fetch-user-agent", answer.user_agent, otherwise)


def _answering(seen: Seen) -> Iterator[Tuple[PolicyHost, Answer]]:
    """Each address that answers as it should, with the first such answer."""
    if isinstance(seen.policy_host, MtastsError):
        return
    for host in seen.policy_host:
        for answer in host.answers:
            is_answer = isinstance(answer, Answer)
            if is_answer and not answered(answer.status, answer.content_type):
                yield host, answer
                break


def _same(place: Place, seen: Seen, first: Served) -> Iterator[CheckFinding]:
    answering = list(_answering(seen))
    others = [host for host, answer in answering if answer.body != first.data]
    for host in others:
        at_address = place._replace(address=host.address)
        yield at_address.finding("policy-host-differs", first.address)
    if len(answering) > 1 and not others:
        yield place.finding("policy-host-same", len(answering))


def _own(place: Place, seen: Seen) -> Iterator[CheckFinding]:
    """Whether it serves what the policy directory holds."""
    if isinstance(seen.own, MtastsError):
        yield place.finding("policy-directory-unreadable", hint=seen.own)
    elif seen.own is not None:
        wrong = [host for host, answer in _answering(seen) if answer.body != seen.own.data]
        for host in wrong:
            yield place._replace(address=host.address).finding("fetch-body")
        if not wrong:
            yield place.finding("policy-host-own")


def _policy(
    place: Place, seen: Seen, first: Served, now: datetime.datetime
) -> Iterator[CheckFinding]:
    for found in lint.policy(first.data):
        yield place.of(found)
    if first.policy is None:
        return
    mode, max_age, mx = first.policy
    if first.is_trusted:
        lines = "1 mx line" if len(mx) == 1 else f"{len(mx)} mx lines"
        yield place.finding("policy-taken", hint=f"{mode.value}, max_age {max_age}, {lines}")
    if mode is Mode.NONE:
        yield place.finding("policy-none")
    if mode is Mode.TESTING:
        yield _testing(place, seen, now)


def _testing(place: Place, seen: Seen, now: datetime.datetime) -> CheckFinding:
    until = None if isinstance(seen.own, MtastsError) else seen.own and seen.own.testing_until
    if until is None:
        return place.finding("policy-testing")
    is_over = now.astimezone(datetime.timezone.utc).date() > until
    code = "policy-testing-overdue" if is_over else "policy-testing-intended"
    return place.finding(code, until, seen.domain)
