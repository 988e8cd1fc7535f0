"""Findings: what is to be said about a text, a record or a host, for people and for programs.

The sentences and remedies stand in `rules`, once a code; a finding adds where it was seen.
"""

import enum
from typing import Iterable, List, NamedTuple, Optional

from mtasts.errors import MtastsError, printable
from mtasts.rules import RULES

MAX_FINDINGS = 100


class Severity(enum.Enum):
    """How much a finding matters. `UNKNOWN`: it could not be found out."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


GRAVEST_FIRST = (
    Severity.ERROR,
    Severity.UNKNOWN,
    Severity.WARNING,
    Severity.INFO,
    Severity.OK,
)


def gravest(severities: Iterable[Severity]) -> Severity:
    """The gravest of `severities`; `OK` if there are none."""
    return min(severities, key=GRAVEST_FIRST.index, default=Severity.OK)


class Finding(NamedTuple):
    """One thing that was seen. `line` and `column` count from 1; 0 means the whole text."""

    code: str
    severity: Severity
    message: str
    rule: str
    remedy: str
    line: int = 0
    column: int = 0
    text: str = ""


def finding(
    code: str, line: int = 0, column: int = 0, text: object = "", hint: object = ""
) -> Finding:
    """Make the finding that `rules` describes under `code`, seen at this place in this text.

    `hint` is what may have been meant, or the error that says why, for the rules that say so.
    """
    rule = RULES[code]
    shown = printable(text)
    meant = hint.said if isinstance(hint, MtastsError) else printable(hint, 300)
    message = rule.message.format(text=shown, hint=meant)
    remedy = rule.remedy.format(text=shown, hint=meant)
    return Finding(code, Severity(rule.severity), message, rule.source, remedy, line, column, shown)


def limited(findings: List[Finding]) -> List[Finding]:
    """The first `MAX_FINDINGS`, and one more that says so if there are others.

    A stranger's 64 KiB can break rules in 64 Ki places.
    """
    if len(findings) <= MAX_FINDINGS:
        return findings
    return findings[:MAX_FINDINGS] + [finding("findings-more", text=MAX_FINDINGS)]


class InvalidText(MtastsError, ValueError):
    """A text that is not what the RFC says it must be; `finding` says where and why."""

    def __init__(self, what: Finding, source: Optional[str] = None) -> None:
        place = f"line {what.line}: " if what.line else ""
        name = f"{printable(source, 200)}: " if source else ""
        super().__init__(what.code, f"{name}{place}{what.message} ({what.rule})", what.remedy)
        self.finding = what
