"""Verdicts for a monitoring: the line of a plug-in, and metrics for a textfile collector.

Nothing in either comes from the network: domains are those that were asked for, all other words
are ours. So no stranger can forge a line, or make more series than there are codes.
"""

import collections
from typing import Callable, Dict, List, Sequence, Tuple, Union

from mtasts.checks.verdict import Verdict
from mtasts.finding import GRAVEST_FIRST, Severity, gravest

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

Figure = Union[None, int, float]


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


_FAMILIES: Tuple[Tuple[str, str, Callable[[Verdict], Figure]], ...] = (
    (
        "status",
        "What is wrong with the domain: 0 nothing, 1 warnings, 2 errors, 3 something not known.",
        lambda one: EXIT_CODES[one.severity],
    ),
    (
        "policy_max_age_seconds",
        "The max_age of the policy that senders take.",
        lambda one: one.policy and one.policy.max_age,
    ),
    (
        "policy_host_certificate_end_timestamp_seconds",
        "When the certificate of the policy host ends.",
        lambda one: one.policy_host_end and one.policy_host_end.timestamp(),
    ),
    (
        "mx_certificate_end_timestamp_seconds",
        "When the first certificate of the MX hosts ends.",
        lambda one: one.mx_end and one.mx_end.timestamp(),
    ),
    (
        "fetch_seconds",
        "How long the slowest fetch of the policy took.",
        lambda one: one.seconds,
    ),
    ("timestamp_seconds", "When it was checked.", lambda one: one.checked.timestamp()),
)
_MODE = "The mode of the policy that senders take."
_FINDINGS = "How often a code was found, except for what is ok."


class Metrics:
    """The metrics of a run, in the text format of OpenMetrics and of Prometheus alike.

    Of each verdict only its samples are kept, so there may be any number.
    """

    def __init__(self) -> None:
        self._samples: Dict[str, List[str]] = collections.defaultdict(list)

    def add(self, verdict: Verdict) -> None:
        """Take the samples of one domain."""
        for family, _, figure in _FAMILIES:
            self._sample(family, figure(verdict), domain=verdict.domain)
        if verdict.policy:
            mode = verdict.policy.mode.value
            self._sample("policy_mode", 1, domain=verdict.domain, mode=mode)
        counts = collections.Counter(
            (one.code, one.severity.value)
            for one in verdict.findings
            if one.severity is not Severity.OK
        )
        for (code, severity), count in sorted(counts.items()):
            labels = {"domain": verdict.domain, "code": code, "severity": severity}
            self._sample("findings", count, **labels)

    def __str__(self) -> str:
        described = [(family, said) for family, said, _ in _FAMILIES]
        lines = []
        for family, said in (*described, ("policy_mode", _MODE), ("findings", _FINDINGS)):
            lines += [f"# HELP mtasts_check_{family} {said}", f"# TYPE mtasts_check_{family} gauge"]
            lines += self._samples[family]
        return "\n".join([*lines, "# EOF", ""])

    def _sample(self, family: str, value: Figure, **labels: str) -> None:
        """Labels hold names and words of ours, in which nothing has to be escaped."""
        if value is not None:
            said = ",".join(f'{name}="{label}"' for name, label in labels.items())
            self._samples[family].append(f"mtasts_check_{family}{{{said}}} {value}")
