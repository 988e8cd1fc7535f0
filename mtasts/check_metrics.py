"""The metrics of `mtasts check`.

Labels hold the domains that were asked for, and words of ours; nothing in them is from the network.
"""

from mtasts.checks.verdict import Verdict
from mtasts.exposition import Family, Samples
from mtasts.monitoring import EXIT_CODES, counted

FAMILIES = (
    Family(
        "mtasts_check_status",
        "What is wrong with the domain: 0 nothing, 1 warnings, 2 errors, 3 something not known.",
    ),
    Family(
        "mtasts_check_findings",
        "How often a code was found, except for what is ok.",
        ("domain", "code", "severity"),
    ),
    Family(
        "mtasts_check_policy_mode", "The mode of the policy that senders take.", ("domain", "mode")
    ),
    Family("mtasts_check_policy_max_age_seconds", "The max_age of the policy that senders take."),
    Family(
        "mtasts_check_policy_host_certificate_end_timestamp_seconds",
        "When the certificate of the policy host ends.",
    ),
    Family(
        "mtasts_check_mx_certificate_end_timestamp_seconds",
        "When the first certificate of the MX hosts ends.",
    ),
    Family("mtasts_check_fetch_seconds", "How long the slowest fetch of the policy took."),
    Family("mtasts_check_timestamp_seconds", "When it was checked."),
)


def add(samples: Samples, verdict: Verdict) -> None:
    """Add what there is to say of one domain."""
    domain, policy = verdict.domain, verdict.policy
    samples.add("mtasts_check_status", EXIT_CODES[verdict.severity], domain)
    for code, severity, count in counted(verdict.findings):
        samples.add("mtasts_check_findings", count, domain, code, severity)
    if policy:
        samples.add("mtasts_check_policy_mode", 1, domain, policy.mode.value)
        samples.add("mtasts_check_policy_max_age_seconds", policy.max_age, domain)
    ends = "mtasts_check_policy_host_certificate_end_timestamp_seconds"
    samples.add(ends, verdict.policy_host_end, domain)
    samples.add("mtasts_check_mx_certificate_end_timestamp_seconds", verdict.mx_end, domain)
    samples.add("mtasts_check_fetch_seconds", verdict.seconds, domain)
    samples.add("mtasts_check_timestamp_seconds", verdict.checked, domain)
