"""Rules of names: of domains, hosts, and mx patterns."""

from typing import Dict

from mtasts.rules.rule import Rule

RULES: Dict[str, Rule] = {
    "domain-empty": Rule(
        "error",
        "a domain name is missing",
        "RFC 5321 section 4.1.2",
        "Write a name such as example.org.",
    ),
    "domain-too-long": Rule(
        "error",
        "'{text}' is longer than the 253 octets that a domain name may have",
        "RFC 1035 section 2.3.4",
        "Shorten the name.",
    ),
    "domain-label-length": Rule(
        "error",
        "'{text}' has a label that is empty or longer than 63 octets",
        "RFC 1035 section 2.3.4",
        "Give every label between two dots 1 to 63 octets, and no dot at the end.",
    ),
    "domain-not-ascii": Rule(
        "error",
        "'{text}' is not written in A-labels",
        "RFC 5890 section 2.3.2.1",
        "Write the internationalised name as A-labels (xn--...).",
    ),
    "domain-label-invalid": Rule(
        "error",
        "'{text}' has a label with something else than letters, digits and inner hyphens",
        "RFC 5321 section 4.1.2",
        "Use letters, digits and hyphens only, with no hyphen at either end of a label.",
    ),
    "domain-address": Rule(
        "error",
        "'{text}' is an IP address, not a domain name",
        "RFC 8461 section 4.1",
        "Write the host's name: certificates and policies are matched by name.",
    ),
    "domain-not-policy-host": Rule(
        "error",
        "'{text}' is not the name of a policy host",
        "RFC 8461 section 3.3",
        "A policy host is named mta-sts.<domain>.",
    ),
    "mx-wildcard": Rule(
        "error",
        "'{text}' has a wildcard other than a single '*.' at the beginning",
        "RFC 8461 section 4.1",
        "Write '*.example.org' for all hosts one label below example.org, or each host's name.",
    ),
}
