"""The rules, a code each: what is said when a text breaks one, where it stands, what to do.

There is a table for each noun. Codes are stable. `{text}` is replaced by the offending text and
`{hint}` by what may have been meant, both made printable.

An "error" is what no sender has to take; a "warning" is legal, but unwise, or refused or read
otherwise by a sender that is in use; "info" is worth knowing, "ok" a good answer.
"""

from typing import Dict

from mtasts.rules import (
    advance,
    alert,
    domain,
    fetch,
    mx,
    pickup,
    policy,
    policy_host,
    proposal,
    record,
    report,
    reporting,
    status,
    txt,
    watch,
)
from mtasts.rules.rule import Rule

RULES: Dict[str, Rule] = {
    "findings-more": Rule(
        "info",
        "there are more than {text} findings, and the others are not listed",
        "limit of this program",
        "Correct these first.",
    ),
    **domain.RULES,
    **policy.RULES,
    **record.RULES,
    **proposal.RULES,
    **status.RULES,
    **txt.RULES,
    **policy_host.RULES,
    **fetch.RULES,
    **mx.RULES,
    **reporting.RULES,
    **report.RULES,
    **pickup.RULES,
    **alert.RULES,
    **watch.RULES,
    **advance.RULES,
}
