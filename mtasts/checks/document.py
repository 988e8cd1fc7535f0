"""A verdict as JSON has it, for programs; `docs/check.schema.json` is its schema.

`VERSION` changes when something is taken away or means something else, not when a member comes.
"""

import datetime
from typing import Any, Dict, Optional

from mtasts.checks.check_finding import CheckFinding
from mtasts.checks.verdict import Verdict
from mtasts.history import timestamp

VERSION = 1


def document(verdict: Verdict) -> Dict[str, Any]:
    """One object for a domain, whose members `docs/check.md` explains."""
    policy = verdict.policy
    return {
        "version": VERSION,
        "domain": verdict.domain,
        "checked": timestamp(verdict.checked),
        "severity": verdict.severity.value,
        "mode": policy and policy.mode.value,
        "max_age": policy and policy.max_age,
        "mx": list(policy.mx) if policy else [],
        "id": verdict.id or None,
        "policy_host_certificate_end": _time(verdict.policy_host_end),
        "mx_certificate_end": _time(verdict.mx_end),
        "seconds": verdict.seconds,
        "findings": [_finding(one) for one in verdict.findings],
    }


def _finding(one: CheckFinding) -> Dict[str, Any]:
    said = one.finding
    return {
        "group": one.group.value,
        "code": said.code,
        "severity": said.severity.value,
        "host": one.host,
        "address": one.address,
        "line": said.line,
        "column": said.column,
        "text": said.text,
        "message": said.message,
        "rule": said.rule,
        "remedy": said.remedy,
    }


def _time(when: Optional[datetime.datetime]) -> Optional[str]:
    return when and timestamp(when)
