"""What is wrong with a domain, as `mtasts watch` remembers it: findings without what changes daily.

A trouble is the same one as long as its code stays the same, and the place that it is about. What
is said of it may change: a number of days, an id, the words of a server.
"""

from typing import Dict, Iterable, List, NamedTuple, Tuple

from mtasts.checks import CheckFinding, Group
from mtasts.domain import Domain
from mtasts.finding import GRAVEST_FIRST, Severity, finding

_TOLD = (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING)
# What a machine without IPv6 does not see; it is never told, and what is known of it stays.
_UNSEEN = {"txt-server-unseen", "policy-host-unseen", "mx-host-unseen"}
# Where these are wrong, a look ends: no more of the host is seen, or of what the record says.
_OBSTACLES = {
    *_UNSEEN,
    "txt-bogus",
    "txt-several",
    "sts-record-missing",
    "policy-host-missing",
    "policy-host-silent",
    "policy-host-tls-failed",
    "policy-host-tls-name",
    "policy-host-tls-old",
    "fetch-content-type",
    "fetch-failed",
    "fetch-redirect",
    "fetch-status",
    "mx-host-without-address",
    "mx-host-no-starttls",
    "mx-host-tls-failed",
    "mx-host-tls-name",
    "mx-host-tls-old",
}
_BY_MX_RECORDS = {"mx-host-uncovered", "watch-mx-moved"}  # nobody has to be reached for them
_BY_POLICY = {"sts-id-behind"}

Place = Tuple[str, str, str]


class Trouble(NamedTuple):
    """A warning or an error, or what could not be found out, in a part of the check (`group`).

    An info is not to be told: it is there for what it hides.

    `host` and `address` as in `CheckFinding`. All members are safe to print.
    """

    group: str
    host: str
    address: str
    code: str
    severity: Severity
    message: str
    remedy: str = ""

    @property
    def place(self) -> Place:
        """What it is about."""
        return (self.group, self.host, self.address)

    @property
    def key(self) -> Tuple[Place, str]:
        """By what it is known again."""
        return (self.place, self.code)

    def hides(self, other: "Trouble", domain: Domain) -> bool:
        """Whether `other` of the same domain could not be seen while there was this trouble.

        Whatever fails for a host fails at all its addresses, and what is not known of the domain
        itself is not known of its hosts either.
        """
        if self.severity is not Severity.UNKNOWN and self.code not in _OBSTACLES:
            return False
        if other.code in _BY_MX_RECORDS:
            return self.code == "mx-records-unknown"
        if self.code == "dane-unknown" and not other.code.startswith("dane-"):
            return False
        needs_policy = other.code in _BY_POLICY or _is_of_policy(other.code)
        if needs_policy and self.group == Group.POLICY_HOST.value:
            return True
        is_there = self.host in (other.host, domain) and self.address in ("", other.address)
        return self.group == other.group and is_there


def troubles(
    domain: Domain, findings: Iterable[CheckFinding], is_tenant: bool
) -> Tuple[Trouble, ...]:
    """What is wrong by the `findings` of a check, each once, the gravest of those that are alike.

    `is_tenant`: the policy is another domain's or that of a class.
    """
    found: Dict[Tuple[Place, str], Trouble] = {}
    listed = list(findings)
    for one in _moved(domain, listed) if is_tenant else listed:
        if one.severity not in _TOLD and one.code not in _UNSEEN:
            continue
        what = _trouble(one)
        before = found.get(what.key, what)
        found[what.key] = min(before, what, key=lambda each: GRAVEST_FIRST.index(each.severity))
    return tuple(found.values())


def _trouble(one: CheckFinding) -> Trouble:
    said = one.finding
    # Whichever address served it: what is wrong with the policy is wrong at all of them.
    address = "" if _is_of_policy(one.code) else one.address
    place = (one.group.value, one.host, address)
    return Trouble(*place, one.code, one.severity, said.message, said.remedy)


def _is_of_policy(code: str) -> bool:
    return code.startswith("policy-") and not code.startswith(("policy-host-", "policy-directory-"))


def _moved(domain: Domain, findings: List[CheckFinding]) -> List[CheckFinding]:
    """The findings; if the policy covers no live MX host any more, they say that instead."""
    codes = {one.code for one in findings}
    uncovered = [one for one in findings if one.code == "mx-host-uncovered"]
    if not uncovered or "mx-host-covered" in codes:
        return findings
    hosts = ", ".join(one.host for one in uncovered)
    said = finding("watch-mx-moved", text=domain, hint=hosts)
    said = said._replace(severity=uncovered[0].severity)  # by the policy's mode
    moved = CheckFinding(Group.MX, domain, "", said)
    return [one for one in findings if one not in uncovered] + [moved]
