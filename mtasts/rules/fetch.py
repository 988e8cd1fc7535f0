"""Rules of what a policy host answers."""

from typing import Dict

from mtasts.rules.rule import Rule

RULES: Dict[str, Rule] = {
    "fetch-status": Rule(
        "error",
        "the policy host answers with status {text}, not 200",
        "RFC 8461 section 3.3",
        "Serve the policy itself at /.well-known/mta-sts.txt, without a redirect.",
    ),
    "fetch-content-type": Rule(
        "error",
        "the policy is served as '{text}', not text/plain",
        "RFC 8461 section 3.2",
        "Serve it as 'text/plain; charset=utf-8'.",
    ),
    "fetch-body": Rule(
        "error",
        "the policy host serves other bytes than the policy directory holds",
        "RFC 8461 section 8.1",
        "See whether another site answers for this name, or another machine for this address.",
    ),
}
