"""Verdicts for a monitoring: exit codes, the line of a plug-in, and findings as numbers.

Nothing in them comes from the network: domains are those that were asked for, all other words are
ours. So no stranger can forge a line, or make more series than there are codes.
"""

import collections
from typing import Iterable, List, Sequence, Tuple, Union

from mtasts.checks import CheckFinding, Verdict
from mtasts.errors import MtastsError
from mtasts.finding import GRAVEST_FIRST, Finding, Severity, gravest

# The exit codes of monitoring plug-ins (Monitoring Plugins Development Guidelines).
EXIT_CODES = {
    Severity.OK: 0,
    Severity.INFO: 0,
    Severity.WARNING: 1,
    Severity.ERROR: 2,
    Severity.UNKNOWN: 3,
}
_STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_COUNTED = (
    (Severity.ERROR, "errors"),
    (Severity.UNKNOWN, "unknowns"),
    (Severity.WARNING, "warnings"),
)
_NAMED = 5  # domains, or codes, that a line has room for


def nagios(verdicts: Sequence[Verdict]) -> str:
    """The one line that a monitoring plug-in prints, with performance data behind the bar.

    For one domain that is how many findings of each severity it has, for how many full days the
    certificates are valid, and the seconds of the slowest answer; for several, how many of them
    have which severity.
    """
    state = _STATES[EXIT_CODES[gravest(one.severity for one in verdicts)]]
    said, figures = _of_one(verdicts[0]) if len(verdicts) == 1 else _of_many(verdicts)
    data = " ".join(f"{name}={value}" for name, value in figures)
    return f"MTA-STS {state} - {said} | {data}"


def nagios_failure(error: MtastsError) -> str:
    """The line of a plug-in that could not check."""
    said = error.message.replace("|", "/")  # which would begin performance data
    return f"MTA-STS UNKNOWN - {said} [{error.code}]"


def _of_one(verdict: Verdict) -> Tuple[str, List[Tuple[str, str]]]:
    mode = f"mode {verdict.policy.mode.value}" if verdict.policy else "no policy"
    said = ", ".join([mode, *_few(_codes(verdict))])
    counts = collections.Counter(one.severity for one in verdict.findings)
    figures = [(name, f"{counts[severity]};;;0") for severity, name in _COUNTED]
    for name, end in (("policy_host_days", verdict.policy_host_end), ("mx_days", verdict.mx_end)):
        if end is not None:
            figures.append((name, str((end - verdict.checked).days)))
    if verdict.seconds is not None:
        figures.append(("fetch", f"{verdict.seconds:.3f}s;;;0"))
    return f"{verdict.domain}: {said}", figures


def _of_many(verdicts: Sequence[Verdict]) -> Tuple[str, List[Tuple[str, str]]]:
    counts = collections.Counter(one.severity for one in verdicts)
    wrong = sorted(
        (one for one in verdicts if EXIT_CODES[one.severity]),
        key=lambda one: (GRAVEST_FIRST.index(one.severity), one.domain),
    )
    named = "; ".join(_few([f"{one.domain}: {', '.join(_few(_codes(one)))}" for one in wrong]))
    said = f"{len(wrong)} of {len(verdicts)} domains need attention" + (
        f": {named}" if named else ""
    )
    figures = [("domains", f"{len(verdicts)};;;0")]
    return said, figures + [(name, f"{counts[severity]};;;0") for severity, name in _COUNTED]


def _codes(verdict: Verdict) -> List[str]:
    """The codes that make the domain need attention, each once, the gravest first."""
    wrong = [one for one in verdict.findings if EXIT_CODES[one.severity]]
    wrong.sort(key=lambda one: GRAVEST_FIRST.index(one.severity))
    return list(dict.fromkeys(one.code for one in wrong))


def _few(words: List[str]) -> List[str]:
    more = len(words) - _NAMED
    return words[:_NAMED] + [f"{more} more"] if more > 0 else words


def counted(findings: Iterable[Union[Finding, CheckFinding]]) -> List[Tuple[str, str, int]]:
    """Each code that was found, its severity, and how often; what is ok is left out."""
    found = [one for one in findings if one.severity is not Severity.OK]
    counts = collections.Counter((one.code, one.severity.value) for one in found)
    return [(code, severity, count) for (code, severity), count in sorted(counts.items())]
