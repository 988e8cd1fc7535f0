"""Rules of the two TXT records."""

from typing import Dict

from mtasts.rules.rule import RECORDS, REPORTERS, SENDERS, TLSRPT, TXT, Rule

RULES: Dict[str, Rule] = {
    "record-too-long": Rule(
        "error",
        "the record is longer than the 65535 octets that DNS has room for",
        "RFC 1035 section 3.2.1",
        "Publish the version and what it needs, nothing else.",
    ),
    "record-blank-at-end": Rule(
        "error",
        "blanks follow '{text}' without a semicolon between",
        RECORDS,
        "Remove the blanks at the end.",
    ),
    "record-not-ascii": Rule(
        "error",
        "the record '{text}' holds something else than visible ASCII and blanks",
        RECORDS,
        "Write the record in ASCII.",
    ),
    "record-version": Rule(
        "error",
        "the record '{text}' does not begin with its version and a semicolon",
        RECORDS,
        "Begin with 'v=STSv1; ' or 'v=TLSRPTv1; ', in exactly these letters.",
    ),
    "record-field-malformed": Rule(
        "error",
        "'{text}' is not a field of the form 'name=value'",
        RECORDS,
        "Write fields as 'name=value' with one semicolon between two of them.",
    ),
    "record-id-missing": Rule(
        "error", "the record has no id", TXT, "Add 'id=' and up to 32 letters and digits."
    ),
    "record-id-invalid": Rule(
        "error",
        "the id is '{text}', not 1 to 32 letters and digits",
        TXT,
        "Use letters and digits only, for example the time of the change.",
    ),
    "record-rua-missing": Rule(
        "error",
        "the record has no rua",
        TLSRPT,
        "Add 'rua=mailto:' and the address that takes the reports.",
    ),
    "record-rua-invalid": Rule(
        "error",
        "'{text}' in rua is not a URI",
        TLSRPT,
        "Write 'mailto:address' or 'https://host/path', with ',', '!' and ';' percent-encoded.",
    ),
    # TXT records: legal but unwise
    "record-blank-before-semicolon": Rule(
        "warning",
        "a blank stands before the first semicolon, and some senders drop the record for it",
        RECORDS,
        "Put the semicolon right behind the version.",
    ),
    "record-blank-after-end": Rule(
        "warning",
        "blanks follow the last semicolon",
        SENDERS,
        "Remove the blanks at the end.",
    ),
    "record-form": Rule(
        "info",
        "the record is not in the form that all known programs take",
        SENDERS,
        "Write '{hint}'.",
    ),
    "record-name-near-miss": Rule(
        "warning",
        "the field '{text}' is ignored; '{hint}' may be meant",
        RECORDS,
        "Write '{hint}', or remove the field.",
    ),
    "record-extension": Rule(
        "warning",
        "the field '{text}' is ignored, and some senders refuse a record that has such a one",
        SENDERS,
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
        REPORTERS,
        "Remove the semicolon at the end.",
    ),
    "record-rua-not-first": Rule(
        "warning",
        "rua does not follow the version, where some reporters look for it",
        REPORTERS,
        "Write 'v=TLSRPTv1; rua=...' and nothing else.",
    ),
    "record-rua-blanks": Rule(
        "warning",
        "blanks stand around a comma in rua, and some reporters take them for a part of the URI",
        REPORTERS,
        "Write the URIs with nothing but a comma between two of them.",
    ),
    "record-rua-no-mailto": Rule(
        "warning",
        "rua has no mailto: URI, and a reporter is known that fails without one",
        REPORTERS,
        "Add a 'mailto:' URI.",
    ),
    "record-rua-scheme": Rule(
        "warning",
        "'{text}' is neither a mailto: nor an https: URI, so no report goes there",
        TLSRPT,
        "Write 'mailto:address' or 'https://host/path'.",
    ),
    "record-rua-scheme-case": Rule(
        "warning",
        "the scheme of '{text}' is not in lower case, and some reporters know no other",
        REPORTERS,
        "Write the scheme in lower case.",
    ),
    "record-rua-no-target": Rule(
        "warning",
        "'{text}' names neither a mail address nor a host, so no report goes there",
        TLSRPT,
        "Write 'mailto:address' or 'https://host/path'.",
    ),
}
