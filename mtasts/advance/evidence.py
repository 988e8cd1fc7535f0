"""What speaks for a step, against it, or leaves it open: findings, each about something."""

import enum
from typing import NamedTuple

from mtasts.finding import Finding, Severity, finding


class Part(enum.Enum):
    """What the evidence is about."""

    PLAN = "plan"
    TIME = "time"
    REPORTS = "reports"
    FAILURES = "failures"
    TXT = "txt"
    POLICY_HOST = "policy-host"
    MX = "mx"
    REPORTING = "reporting"


class Evidence(NamedTuple):
    """A finding, and which host it is about and at which address that was seen ("": no one).

    An error speaks against the step, what is unknown leaves it open. Both names are safe to print.
    """

    part: Part
    finding: Finding
    host: str = ""
    address: str = ""

    @property
    def severity(self) -> Severity:
        """How much it matters for the step."""
        return self.finding.severity


def evidence(part: Part, code: str, text: object = "", hint: object = "") -> Evidence:
    """What `rules` say under `code`."""
    return Evidence(part, finding(code, text=text, hint=hint))
