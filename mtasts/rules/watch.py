"""Rules of what only a comparison with the policy directory shows."""

from typing import Dict

from mtasts.rules.rule import MATCH, Rule

RULES: Dict[str, Rule] = {
    "watch-mx-moved": Rule(
        "error",
        "the tenant's mail no longer comes to you: the policy covers none of its MX hosts, {hint}",
        MATCH,
        "If {text} has left, retire its policy before you stop serving it; if not, put its MX "
        "records right.",
        "Senders that have the policy deliver no mail to the new hosts.",
        by_mode=True,
    ),
}
