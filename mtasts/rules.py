"""The rules, a code each: what is said when a text breaks one, where it stands, what to do.

Codes are stable. `{text}` in a message is replaced by the offending text, made printable.
"""

from typing import Dict, NamedTuple


class Rule(NamedTuple):
    """What `code` means: its severity, sentence, source (RFC section) and remedy."""

    severity: str
    message: str
    source: str
    remedy: str


_GRAMMAR = "RFC 8461 section 3.2"
_TXT = "RFC 8461 section 3.1"
_TLSRPT = "RFC 8460 section 3"

RULES: Dict[str, Rule] = {
    # Names of domains and hosts
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
    # Policies
    "policy-empty": Rule(
        "error", "the policy is empty", _GRAMMAR, "Write version, mode, mx and max_age."
    ),
    "policy-too-large": Rule(
        "error",
        "the policy is larger than 64 KiB",
        "RFC 8461 section 3.3",
        "Name the MX hosts by a wildcard such as '*.mx.example.org'.",
    ),
    "policy-line-blank": Rule(
        "error",
        "a blank line stands in the policy",
        _GRAMMAR,
        "Remove the blank line: some senders refuse the whole policy for it.",
    ),
    "policy-line-malformed": Rule(
        "error",
        "'{text}' is not a line of the form 'key: value'",
        _GRAMMAR,
        "Begin the line with the key, put the colon right behind it, and a value after that.",
    ),
    "policy-value-invalid": Rule(
        "error",
        "the value '{text}' holds a control character or is not UTF-8",
        _GRAMMAR,
        "Use visible text with single spaces between words.",
    ),
    "policy-version-missing": Rule(
        "error", "the line 'version: STSv1' is missing", _GRAMMAR, "Begin with 'version: STSv1'."
    ),
    "policy-version-invalid": Rule(
        "error",
        "the version is '{text}', not STSv1",
        _GRAMMAR,
        "Write 'version: STSv1', in exactly these letters.",
    ),
    "policy-mode-missing": Rule(
        "error", "the mode is missing", _GRAMMAR, "Add 'mode: testing' (or enforce, or none)."
    ),
    "policy-mode-invalid": Rule(
        "error",
        "the mode is '{text}', not enforce, testing or none",
        _GRAMMAR,
        "Write 'mode: enforce', 'mode: testing' or 'mode: none', in lower case.",
    ),
    "policy-max-age-missing": Rule(
        "error", "max_age is missing", _GRAMMAR, "Add 'max_age: 86401' (seconds)."
    ),
    "policy-max-age-invalid": Rule(
        "error",
        "max_age is '{text}', not one to ten digits",
        _GRAMMAR,
        "Write the seconds in plain digits, for example 'max_age: 604800'.",
    ),
    "policy-max-age-too-large": Rule(
        "error",
        "max_age is '{text}', more than 31557600 seconds (a year)",
        _GRAMMAR,
        "Write 31536000 or less.",
    ),
    "policy-mx-missing": Rule(
        "error",
        "the policy names no mx",
        _GRAMMAR,
        "Add a line 'mx: <host>' for every MX host of the domain.",
    ),
    # TXT records
    "record-not-ascii": Rule(
        "error",
        "the record '{text}' holds something else than visible ASCII and blanks",
        _TXT,
        "Write the record in ASCII.",
    ),
    "record-version": Rule(
        "error",
        "the record '{text}' does not begin with its version and a semicolon",
        _TXT,
        "Begin with 'v=STSv1; ' or 'v=TLSRPTv1; ', in exactly these letters.",
    ),
    "record-field-malformed": Rule(
        "error",
        "'{text}' is not a field of the form 'name=value'",
        _TXT,
        "Write fields as 'name=value' with one semicolon between two of them.",
    ),
    "record-id-missing": Rule(
        "error", "the record has no id", _TXT, "Add 'id=' and up to 32 letters and digits."
    ),
    "record-id-invalid": Rule(
        "error",
        "the id is '{text}', not 1 to 32 letters and digits",
        _TXT,
        "Use letters and digits only, for example the time of the change.",
    ),
    "record-rua-missing": Rule(
        "error",
        "the record has no rua",
        _TLSRPT,
        "Add 'rua=mailto:' and the address that takes the reports.",
    ),
    "record-rua-invalid": Rule(
        "error",
        "'{text}' in rua is not a URI",
        _TLSRPT,
        "Write 'mailto:address' or 'https://host/path', with ',', '!' and ';' percent-encoded.",
    ),
    # What a policy host answers
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
