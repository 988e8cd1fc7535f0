"""The rules, a code each: what is said when a text breaks one, where it stands, what to do.

Codes are stable. `{text}` is replaced by the offending text and `{hint}` by what may have been
meant, both made printable.

An "error" is what no sender has to take; a "warning" is legal, but unwise, or refused or read
otherwise by a sender that is in use; "info" is worth knowing, "ok" a good answer.
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
_RECORDS = f"{_TXT}, {_TLSRPT}"
_SENDERS = "practice of senders"
_REPORTERS = "practice of reporters"

RULES: Dict[str, Rule] = {
    "findings-more": Rule(
        "info",
        "there are more than {text} findings, and the others are not listed",
        "limit of this program",
        "Correct these first.",
    ),
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
        "a blank line stands in the policy; some senders take it, others refuse the policy",
        _GRAMMAR,
        "Remove the blank line.",
    ),
    "policy-line-malformed": Rule(
        "error",
        "'{text}' is not a line of the form 'key: value'",
        _GRAMMAR,
        "Begin the line with the key, put the colon right behind it, and a value after that.",
    ),
    "policy-value-invalid": Rule(
        "error",
        "the value '{text}' holds a control character",
        _GRAMMAR,
        "Use visible text, with spaces between words.",
    ),
    "policy-not-utf8": Rule(
        "error",
        "the line '{text}' is not UTF-8",
        _GRAMMAR,
        "Save the file as UTF-8; nothing but extensions needs more than ASCII.",
    ),
    "policy-byte-order-mark": Rule(
        "error",
        "a byte order mark stands before the policy",
        _GRAMMAR,
        "Save the file as UTF-8 without a byte order mark.",
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
    # Policies: legal but unwise
    "policy-name-near-miss": Rule(
        "warning",
        "senders ignore the field '{text}'; '{hint}' may be meant",
        _GRAMMAR,
        "Write '{hint}', or remove the line.",
    ),
    "policy-extension": Rule(
        "warning",
        "senders ignore the field '{text}', and some refuse a policy that has such a one",
        _SENDERS,
        "Remove the line, unless a sender is known to want it.",
    ),
    "policy-field-repeated": Rule(
        "warning",
        "the field '{text}' stands here again; the first counts, but some senders take the last",
        _GRAMMAR,
        "Keep one line of the two.",
    ),
    "policy-version-not-first": Rule(
        "warning",
        "the policy does not begin with its version",
        _SENDERS,
        "Move 'version: STSv1' to the first line.",
    ),
    "policy-order": Rule(
        "info",
        "the fields are not in the usual order",
        _SENDERS,
        "Write version, mode, the mx lines and max_age, in this order.",
    ),
    "policy-spacing": Rule(
        "warning",
        "the line of '{text}' has other blanks than one space behind the colon",
        _SENDERS,
        "Put one space behind the colon, and none behind the value.",
    ),
    "policy-line-endings-mixed": Rule(
        "warning",
        "this line ends in {text}, but the first in {hint}",
        _SENDERS,
        "End all lines in CRLF, or all in LF.",
    ),
    "policy-last-line-open": Rule(
        "warning", "the last line has no ending", _SENDERS, "End the last line as all others."
    ),
    "policy-none-without-mx": Rule(
        "warning",
        "some senders refuse mode none without an mx, and go on with the policy they have cached",
        _SENDERS,
        "Keep the mx lines until the policy is removed altogether.",
    ),
    "policy-max-age-zero": Rule(
        "warning",
        "max_age is 0: nobody keeps this policy, and some senders refuse it",
        _SENDERS,
        "Write 86401 or more; one day is little enough, also before a removal.",
    ),
    "policy-max-age-short": Rule(
        "warning",
        "max_age is {text}, less than a day: some senders replace it, some reporters leave it out",
        _SENDERS,
        "Write 86401 or more.",
    ),
    "policy-max-age-day": Rule(
        "info",
        "max_age is a day: some reporters leave out policies of a day or less",
        _REPORTERS,
        "Write 86401 or more.",
    ),
    "policy-max-age-brief": Rule(
        "info",
        "max_age is {text}, less than a week: a policy protects while it is cached",
        _GRAMMAR,
        "Write weeks or more once the policy has proved itself, for example 2592000.",
    ),
    "policy-max-age-long": Rule(
        "warning",
        "max_age is {text}, more than 31536000: some senders make a day of it",
        _SENDERS,
        "Write 31536000 or less.",
    ),
    "policy-max-age-zeros": Rule(
        "warning",
        "max_age is written with leading zeros, '{text}'",
        _SENDERS,
        "Write {hint}.",
    ),
    "mx-upper-case": Rule(
        "warning",
        "'{text}' has upper-case letters, which some senders compare as they are",
        _SENDERS,
        "Write '{hint}'.",
    ),
    "mx-repeated": Rule(
        "warning", "'{text}' is named a second time", _GRAMMAR, "Remove one of the two lines."
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
    # TXT records
    "record-too-long": Rule(
        "error",
        "the record is longer than the 65535 octets that DNS has room for",
        "RFC 1035 section 3.2.1",
        "Publish the version and what it needs, nothing else.",
    ),
    "record-blank-at-end": Rule(
        "error",
        "blanks follow '{text}' without a semicolon between",
        _RECORDS,
        "Remove the blanks at the end.",
    ),
    "record-not-ascii": Rule(
        "error",
        "the record '{text}' holds something else than visible ASCII and blanks",
        _RECORDS,
        "Write the record in ASCII.",
    ),
    "record-version": Rule(
        "error",
        "the record '{text}' does not begin with its version and a semicolon",
        _RECORDS,
        "Begin with 'v=STSv1; ' or 'v=TLSRPTv1; ', in exactly these letters.",
    ),
    "record-field-malformed": Rule(
        "error",
        "'{text}' is not a field of the form 'name=value'",
        _RECORDS,
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
    # TXT records: legal but unwise
    "record-blank-before-semicolon": Rule(
        "warning",
        "a blank stands before the first semicolon, and some senders drop the record for it",
        _RECORDS,
        "Put the semicolon right behind the version.",
    ),
    "record-blank-after-end": Rule(
        "warning",
        "blanks follow the last semicolon",
        _SENDERS,
        "Remove the blanks at the end.",
    ),
    "record-form": Rule(
        "info",
        "the record is not in the form that all known programs take",
        _SENDERS,
        "Write '{hint}'.",
    ),
    "record-name-near-miss": Rule(
        "warning",
        "the field '{text}' is ignored; '{hint}' may be meant",
        _RECORDS,
        "Write '{hint}', or remove the field.",
    ),
    "record-extension": Rule(
        "warning",
        "the field '{text}' is ignored, and some senders refuse a record that has such a one",
        _SENDERS,
        "Remove the field.",
    ),
    "record-field-repeated": Rule(
        "warning",
        "the field '{text}' stands here again; the first counts, but some programs take the last",
        "RFC 8461 section 3.2",
        "Keep one of the two; two records are two TXT records, and then neither counts.",
    ),
    "record-final-semicolon": Rule(
        "warning",
        "a semicolon follows the last field, and some reporters do not expect one",
        _REPORTERS,
        "Remove the semicolon at the end.",
    ),
    "record-rua-not-first": Rule(
        "warning",
        "rua does not follow the version, where some reporters look for it",
        _REPORTERS,
        "Write 'v=TLSRPTv1; rua=...' and nothing else.",
    ),
    "record-rua-blanks": Rule(
        "warning",
        "blanks stand around a comma in rua, and some reporters take them for a part of the URI",
        _REPORTERS,
        "Write the URIs with nothing but a comma between two of them.",
    ),
    "record-rua-no-mailto": Rule(
        "warning",
        "rua has no mailto: URI, and a reporter is known that fails without one",
        _REPORTERS,
        "Add a 'mailto:' URI.",
    ),
    "record-rua-scheme": Rule(
        "warning",
        "'{text}' is neither a mailto: nor an https: URI, so no report goes there",
        _TLSRPT,
        "Write 'mailto:address' or 'https://host/path'.",
    ),
    "record-rua-scheme-case": Rule(
        "warning",
        "the scheme of '{text}' is not in lower case, and some reporters know no other",
        _REPORTERS,
        "Write the scheme in lower case.",
    ),
    "record-rua-no-target": Rule(
        "warning",
        "'{text}' names neither a mail address nor a host, so no report goes there",
        _TLSRPT,
        "Write 'mailto:address' or 'https://host/path'.",
    ),
    # Before a domain's first policy
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
    # How a domain stands
    "status-unentered": Rule(
        "warning",
        "the policy of {text} was changed by hand, and the change is not in its history yet",
        "RFC 8461 section 3.1",
        "Publish it with 'mtasts publish {text}'.",
    ),
    "status-testing-long": Rule(
        "info",
        "the mode has been testing for {text} days",
        "RFC 8461 section 5",
        "If the reports are clean, change the mode to enforce.",
    ),
    "status-record-missing": Rule(
        "error",
        "DNS has no _mta-sts TXT record for {text}, so no sender looks for its policy",
        _TXT,
        "Publish it with 'mtasts publish {text}'.",
    ),
    "status-record-several": Rule(
        "error",
        "DNS has {hint} records v=STSv1 for {text}, so senders act as if there were none",
        _TXT,
        "Remove all but one of the TXT records at _mta-sts.{text}.",
    ),
    "status-record-invalid": Rule(
        "error",
        "no sender takes the _mta-sts TXT record of {text}, '{hint}'",
        _TXT,
        "Publish it anew with 'mtasts publish {text}'.",
    ),
    "status-record-behind": Rule(
        "warning",
        "DNS has the id {hint} for {text}, which is that of another policy than is served",
        "RFC 8461 section 8.1",
        "Use 'mtasts publish {text}'; a resolver may keep the old record for its TTL.",
    ),
    "status-record-foreign": Rule(
        "warning",
        "DNS has the id {hint} for {text}, and what policy it stands for is not known here",
        "RFC 8461 section 8.1",
        "Use 'mtasts publish {text}', with --adopt if it is the id of this very policy.",
    ),
    "status-record-unknown": Rule(
        "unknown",
        "whether DNS is in step is not known for {text}: {hint}",
        _TXT,
        "Check the resolver, and the domain's name servers.",
    ),
    "status-policy-host-missing": Rule(
        "error",
        "{text} has no address, so nobody can fetch the policy",
        "RFC 8461 section 3.3",
        "Publish an A or AAAA record (or a CNAME) for it.",
    ),
    "status-policy-host-silent": Rule(
        "error",
        "senders get no answer: {hint}",
        "RFC 8461 section 3.3",
        "See that Apache runs; if only this machine cannot reach that address, look from another.",
    ),
    "status-certificate-invalid": Rule(
        "error",
        "senders refuse the policy host: {hint}",
        "RFC 8461 section 3.3",
        "Get a certificate with 'certbot --mtasts -d {text}'.",
    ),
    "status-certificate-expired": Rule(
        "error",
        "the certificate of {text} expired on {hint}",
        "RFC 8461 section 3.3",
        "Use 'certbot renew'; if it has been renewed, let Apache read it: 'apachectl graceful'.",
    ),
    "status-certificate-ends": Rule(
        "warning",
        "the certificate of {text} ends on {hint}, and should have been renewed by now",
        "RFC 8461 section 3.3",
        "See what 'certbot renew' says; once renewed, Apache reads it by 'apachectl graceful'.",
    ),
    "status-certificate-unknown": Rule(
        "unknown",
        "until when the certificate of {text} is valid is not known: {hint}",
        "RFC 8461 section 3.3",
        "Check the resolver, and the domain's name servers.",
    ),
    "status-step-due": Rule(
        "info",
        "a step of the plan for {text} has been due since {hint}",
        "RFC 8461 section 5",
        "Do it with 'mtasts plan {text} --apply'.",
    ),
    "status-plan-unreadable": Rule(
        "warning",
        "there is a plan for {text}, but it cannot be read: {hint}",
        "the policy directory",
        "Put the file back, or forget the plan with 'mtasts plan {text} --cancel'.",
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
