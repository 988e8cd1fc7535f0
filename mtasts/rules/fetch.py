"""Rules of what a policy host answers."""

from typing import Dict

from mtasts.rules.rule import FETCH, GRAMMAR, SENDERS, Rule

RULES: Dict[str, Rule] = {
    "fetch-taken": Rule("ok", "it answers with {text} octets of text/plain in {hint} s", FETCH, ""),
    "fetch-status": Rule(
        "error",
        "the policy host answers with status {text}, not 200",
        FETCH,
        "Serve the policy itself at /.well-known/mta-sts.txt, without a redirect.",
        "Senders take no policy from such an answer, whatever its body says.",
    ),
    "fetch-redirect": Rule(
        "error",
        "the policy host answers with a redirect (status {text}) to '{hint}'",
        FETCH,
        "Serve the policy itself at /.well-known/mta-sts.txt: except this path from the redirect.",
        "Senders must not follow redirects.",
    ),
    "fetch-content-type": Rule(
        "error",
        "the policy is served {text}, not as text/plain",
        GRAMMAR,
        "Serve it as 'text/plain; charset=utf-8'.",
    ),
    "fetch-failed": Rule(
        "error",
        "there is no complete answer: {hint}",
        FETCH,
        "See what the web server's error log says.",
    ),
    "fetch-slow": Rule(
        "warning",
        "the answer took {text} s",
        FETCH,
        "See what the web server waits for: a policy is a small file.",
        "A sender may give up after a minute, and some do earlier.",
    ),
    "fetch-user-agent": Rule(
        "error",
        "to the User-Agent '{text}' it answers otherwise: {hint}",
        SENDERS,
        "Except the policy's path from whatever guards the web server against programs.",
        "Senders are programs: some send no User-Agent at all, and one sends 'Postfix'.",
    ),
    "fetch-body": Rule(
        "error",
        "the policy host serves other bytes than the policy directory holds",
        "RFC 8461 section 8.1",
        "See whether another site answers for this name, or another machine for this address.",
    ),
}
