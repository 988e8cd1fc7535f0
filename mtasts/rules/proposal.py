"""Rules of what is said before a domain's first policy."""

from typing import Dict

from mtasts.rules.rule import Rule

RULES: Dict[str, Rule] = {
    "proposal-public-suffix": Rule(
        "warning",
        "'{text}' is a public suffix: others register their domains below it",
        "Public Suffix List",
        "Check the name; a policy is for this very domain, not for those below it.",
    ),
    "proposal-mx-unknown": Rule(
        "unknown",
        "DNS gave no answer for the MX records of {text}",
        "RFC 8461 section 4.1",
        "Compare the mx lines with the MX records yourself.",
    ),
    "proposal-mx-null": Rule(
        "warning",
        "{text} takes no mail: it publishes a null MX",
        "RFC 7505 section 3",
        "Publish MX records before this policy is of use.",
    ),
    "proposal-mx-self": Rule(
        "info",
        "{text} has no MX record, so senders take the domain itself for its MX host",
        "RFC 5321 section 5.1",
        "Publish an MX record, so that mail can move without a change of the policy.",
    ),
    "proposal-mx-uncovered": Rule(
        "warning",
        "mail goes to '{text}', and the policy does not name it",
        "RFC 8461 section 4.1",
        "Add --mx {text}, or take the host out of the MX records.",
    ),
    "proposal-mx-elsewhere": Rule(
        "info",
        "'{text}' is not below {hint}; whoever runs that host decides on its name and certificate",
        "RFC 8461 section 4.2",
        "Make sure to hear of changes before they happen.",
    ),
    "proposal-wildcard": Rule(
        "info",
        "'{text}' stands for any host right below it, and the MX records name {hint}",
        "RFC 8461 section 4.1",
        "Name the hosts: narrow names are safer than wildcards.",
    ),
}
