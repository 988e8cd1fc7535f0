"""Rules of policies, and of whether one covers a host."""

from typing import Dict

from mtasts.rules.rule import GRAMMAR, REPORTERS, SENDERS, Rule

RULES: Dict[str, Rule] = {
    "policy-empty": Rule(
        "error", "the policy is empty", GRAMMAR, "Write version, mode, mx and max_age."
    ),
    "policy-too-large": Rule(
        "error",
        "the policy is larger than 64 KiB",
        "RFC 8461 section 3.3",
        "Name the MX hosts by a wildcard such as '*.mx.example.org'.",
    ),
    "policy-line-blank": Rule(
        "error",
        "a blank line stands in the policy; some senders take it, others refuse the policy",
        GRAMMAR,
        "Remove the blank line.",
    ),
    "policy-line-malformed": Rule(
        "error",
        "'{text}' is not a line of the form 'key: value'",
        GRAMMAR,
        "Begin the line with the key, put the colon right behind it, and a value after that.",
    ),
    "policy-value-invalid": Rule(
        "error",
        "the value '{text}' holds a control character",
        GRAMMAR,
        "Use visible text, with spaces between words.",
    ),
    "policy-not-utf8": Rule(
        "error",
        "the line '{text}' is not UTF-8",
        GRAMMAR,
        "Save the file as UTF-8; nothing but extensions needs more than ASCII.",
    ),
    "policy-byte-order-mark": Rule(
        "error",
        "a byte order mark stands before the policy",
        GRAMMAR,
        "Save the file as UTF-8 without a byte order mark.",
    ),
    "policy-version-missing": Rule(
        "error", "the line 'version: STSv1' is missing", GRAMMAR, "Begin with 'version: STSv1'."
    ),
    "policy-version-invalid": Rule(
        "error",
        "the version is '{text}', not STSv1",
        GRAMMAR,
        "Write 'version: STSv1', in exactly these letters.",
    ),
    "policy-mode-missing": Rule(
        "error", "the mode is missing", GRAMMAR, "Add 'mode: testing' (or enforce, or none)."
    ),
    "policy-mode-invalid": Rule(
        "error",
        "the mode is '{text}', not enforce, testing or none",
        GRAMMAR,
        "Write 'mode: enforce', 'mode: testing' or 'mode: none', in lower case.",
    ),
    "policy-max-age-missing": Rule(
        "error", "max_age is missing", GRAMMAR, "Add 'max_age: 86401' (seconds)."
    ),
    "policy-max-age-invalid": Rule(
        "error",
        "max_age is '{text}', not one to ten digits",
        GRAMMAR,
        "Write the seconds in plain digits, for example 'max_age: 604800'.",
    ),
    "policy-max-age-too-large": Rule(
        "error",
        "max_age is '{text}', more than 31557600 seconds (a year)",
        GRAMMAR,
        "Write 31536000 or less.",
    ),
    "policy-mx-missing": Rule(
        "error",
        "the policy names no mx",
        GRAMMAR,
        "Add a line 'mx: <host>' for every MX host of the domain.",
    ),
    # Policies: legal but unwise
    "policy-name-near-miss": Rule(
        "warning",
        "senders ignore the field '{text}'; '{hint}' may be meant",
        GRAMMAR,
        "Write '{hint}', or remove the line.",
    ),
    "policy-extension": Rule(
        "warning",
        "senders ignore the field '{text}', and some refuse a policy that has such a one",
        SENDERS,
        "Remove the line, unless a sender is known to want it.",
    ),
    "policy-field-repeated": Rule(
        "warning",
        "the field '{text}' stands here again; the first counts, but some senders take the last",
        GRAMMAR,
        "Keep one line of the two.",
    ),
    "policy-version-not-first": Rule(
        "warning",
        "the policy does not begin with its version",
        SENDERS,
        "Move 'version: STSv1' to the first line.",
    ),
    "policy-order": Rule(
        "info",
        "the fields are not in the usual order",
        SENDERS,
        "Write version, mode, the mx lines and max_age, in this order.",
    ),
    "policy-spacing": Rule(
        "warning",
        "the line of '{text}' has other blanks than one space behind the colon",
        SENDERS,
        "Put one space behind the colon, and none behind the value.",
    ),
    "policy-line-endings-mixed": Rule(
        "warning",
        "this line ends in {text}, but the first in {hint}",
        SENDERS,
        "End all lines in CRLF, or all in LF.",
    ),
    "policy-last-line-open": Rule(
        "warning", "the last line has no ending", SENDERS, "End the last line as all others."
    ),
    "policy-none-without-mx": Rule(
        "warning",
        "some senders refuse mode none without an mx, and go on with the policy they have cached",
        SENDERS,
        "Keep the mx lines until the policy is removed altogether.",
    ),
    "policy-max-age-zero": Rule(
        "warning",
        "max_age is 0: nobody keeps this policy, and some senders refuse it",
        SENDERS,
        "Write 86401 or more; one day is little enough, also before a removal.",
    ),
    "policy-max-age-short": Rule(
        "warning",
        "max_age is {text}, less than a day: some senders replace it, some reporters leave it out",
        SENDERS,
        "Write 86401 or more.",
    ),
    "policy-max-age-day": Rule(
        "info",
        "max_age is a day: some reporters leave out policies of a day or less",
        REPORTERS,
        "Write 86401 or more.",
    ),
    "policy-max-age-brief": Rule(
        "info",
        "max_age is {text}, less than a week: a policy protects while it is cached",
        GRAMMAR,
        "Write weeks or more once the policy has proved itself, for example 2592000.",
    ),
    "policy-max-age-long": Rule(
        "warning",
        "max_age is {text}, more than 31536000: some senders make a day of it",
        SENDERS,
        "Write 31536000 or less.",
    ),
    "policy-max-age-zeros": Rule(
        "warning",
        "max_age is written with leading zeros, '{text}'",
        SENDERS,
        "Write {hint}.",
    ),
    "mx-upper-case": Rule(
        "warning",
        "'{text}' has upper-case letters, which some senders compare as they are",
        SENDERS,
        "Write '{hint}'.",
    ),
    "mx-repeated": Rule(
        "warning", "'{text}' is named a second time", GRAMMAR, "Remove one of the two lines."
    ),
    "mx-covered": Rule(
        "info",
        "'{text}' is covered by '{hint}'",
        "RFC 8461 section 4.1",
        "Remove the one that is not needed: narrow names are safer than wildcards.",
    ),
    "mx-single-label": Rule(
        "warning",
        "'{text}' is a single label, which no public certificate can name",
        "RFC 8461 section 4.2",
        "Write the host's full name.",
    ),
    "mx-wildcard-top": Rule(
        "warning",
        "'{text}' stands for all hosts right below a top-level domain",
        "RFC 8461 section 4.1",
        "Name the hosts, or a wildcard below your own domain.",
    ),
    "mx-numeric-top": Rule(
        "warning",
        "'{text}' ends in a number, and no top-level domain is one",
        "RFC 3696 section 2",
        "Write the host's full name.",
    ),
    "mx-a-label-invalid": Rule(
        "warning",
        "'{text}' has a label that begins with 'xn--' but stands for no name",
        "RFC 5890 section 2.3.2.1",
        "Make the A-labels anew from the internationalised name.",
    ),
    # Is a host covered?
    "match-equal": Rule("ok", "the pattern names '{text}'", "RFC 8461 section 4.1", ""),
    "match-wildcard": Rule(
        "ok", "'*' stands for the label '{hint}' of '{text}'", "RFC 8461 section 4.1", ""
    ),
    "match-different": Rule(
        "warning",
        "'{text}' is another name than '{hint}'",
        "RFC 8461 section 4.1",
        "Add a line 'mx: {text}' if this host takes the domain's mail.",
    ),
    "match-wildcard-depth": Rule(
        "warning",
        "'*' stands for exactly one label, and '{text}' has more of them before '{hint}'",
        "RFC 8461 section 4.1",
        "Name the host, or a wildcard right above it.",
    ),
    "match-wildcard-parent": Rule(
        "warning",
        "'*' stands for exactly one label, and '{text}' has none before '{hint}'",
        "RFC 8461 section 4.1",
        "Add a line 'mx: {text}' if this host takes the domain's mail.",
    ),
    "match-host-invalid": Rule(
        "error",
        "'{text}' is no name of a host",
        "RFC 5321 section 5.1",
        "Write the name as the MX record has it, in A-labels.",
    ),
}
