"""A finding of a check: what is said, and of which host and address, in which part of the check."""

import enum
from typing import NamedTuple

from mtasts.errors import printable
from mtasts.finding import Finding, Severity, finding


class Group(enum.Enum):
    """The parts of a check, in the order in which a sender comes to them."""

    TXT = "txt"
    POLICY_HOST = "policy-host"
    MX = "mx"
    REPORTING = "reporting"
    SUB_DOMAINS = "sub-domains"


class CheckFinding(NamedTuple):
    """One thing that was seen of a domain.

    `host` is the name that it is about, and `address` where that was seen: an address of the host,
    or a name server; "" where there is none. Both are safe to print.
    """

    group: Group
    host: str
    address: str
    finding: Finding

    @property
    def code(self) -> str:
        """The code of what is said."""
        return self.finding.code

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return self.finding.severity


class Place(NamedTuple):
    """What findings are about: a host (or other name) in a part of the check, at an address."""

    group: Group
    host: str
    address: str = ""

    def finding(self, code: str, text: object = "", hint: object = "") -> CheckFinding:
        """What `rules` say under `code`, seen here."""
        return self.of(finding(code, text=text, hint=hint))

    def of(self, found: Finding) -> CheckFinding:
        """What lint found in a text that was seen here."""
        return CheckFinding(
            self.group, printable(self.host, 300), printable(self.address, 300), found
        )
