"""What people mean when they write something else: near-miss names, and the cure for each mistake.

A finding's own remedy is true of every text that breaks the rule. Here stands what the usual
mistakes look like, so that whoever made one is told the line to write.
"""

import difflib
import re
from typing import Callable, Dict, Optional, Sequence, Tuple

from mtasts.finding import Finding
from mtasts.policy import KNOWN_NAMES

# Spellings further from the name than an edit or two; compared in lower case, letters and digits.
_POLICY_NAMES = {
    "nmx": "mx",
    "mxs": "mx",
    "mxhost": "mx",
    "mxhosts": "mx",
    "mxrecord": "mx",
    "host": "mx",
    "hosts": "mx",
    "v": "version",
    "ver": "version",
    "policymode": "mode",
    "age": "max_age",
    "ttl": "max_age",
    "expire": "max_age",
    "expires": "max_age",
}
_RECORD_NAMES = {
    "policyid": "id",
    "stsid": "id",
    "serial": "id",
    "ru": "rua",
    "uri": "rua",
    "rau": "rua",
    "mailto": "rua",
}
_MODES = {
    "strict": "enforce",
    "on": "enforce",
    "report": "testing",  # so named in drafts before RFC 8461
    "reporting": "testing",
    "monitor": "testing",
    "test": "testing",
    "off": "none",
    "disabled": "none",
}
_CLOSE = 0.8  # a letter or two of six
_ALIKE = 32  # longer words are not compared: no name is longer


def _meant(text: str, table: Dict[str, str], names: Sequence[str]) -> Optional[str]:
    """The one of `names` that `text` may stand for; None if it is that one, or like none."""
    if text in names or len(text) > _ALIKE:
        return None
    plain = {_plain(name): name for name in names}
    word = _plain(text)
    close = difflib.get_close_matches(word, [name for name in plain if len(name) > 3], 1, _CLOSE)
    return table.get(word) or plain.get(word) or (plain[close[0]] if close else None)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def policy_name(name: str) -> Optional[str]:
    """The field of a policy that may be meant by the unknown `name`."""
    if re.match(r"mx[0-9]+\Z", name):
        return "mx"
    return _meant(name, _POLICY_NAMES, KNOWN_NAMES)


def record_name(name: str, key: str) -> Optional[str]:
    """The field of a TXT record, `key` or none, that may be meant by the unknown `name`."""
    meant = _meant(name, _RECORD_NAMES, (key,))
    return meant if meant == key else None


def remedied(fault: Finding) -> Finding:
    """The same finding with the remedy that fits its text, where the mistake is a usual one."""
    for codes, cure in _CURES:
        remedy = cure(fault.text) if fault.code in codes else None
        if remedy:
            return fault._replace(remedy=remedy)
    return fault


def _mode_cure(text: str) -> Optional[str]:
    meant = _meant(text, _MODES, ("enforce", "testing", "none"))
    return f"Write 'mode: {meant}'." if meant else None


def _line_cure(text: str) -> Optional[str]:
    for start, cure in _FOREIGN_LINES:
        if re.match(start, text):
            return cure
    plain = text.replace("\\t", " ").strip()
    line = re.match(r"([A-Za-z][\w.-]*(?: age)?)\s*[:=\s]\s*(.*)", plain)
    if not line:
        return None
    name, value = line.groups()
    name = name if name in KNOWN_NAMES else policy_name(name) or ""
    return f"Write '{name}: {value}'." if name and value else None


_FOREIGN_LINES = (
    (r"#|//|;", "A policy has no comments: remove the line."),
    (r"<", "This is HTML: serve the policy's own text, whatever the client."),
    (r"[{}\"\]]", "A policy is no JSON (a draft's was): write lines such as 'mode: enforce'."),
)


def _value_cure(text: str) -> Optional[str]:
    if "\\x00" in text:
        return "This looks like UTF-16: save the file as UTF-8."
    if "\\r" in text:
        return "A CR stands alone here: end lines in CRLF or LF."
    return "Put spaces in place of the tabs." if "\\t" in text else None


def _encoding_cure(text: str) -> Optional[str]:
    is_utf16 = text.startswith(("\\xff\\xfe", "\\xfe\\xff"))
    return "This looks like UTF-16: save the file as UTF-8." if is_utf16 else None


def _mx_cure(text: str) -> Optional[str]:
    for pattern, cure in _MX_MISTAKES:
        match = re.match(pattern, text.lower())
        if match:
            return cure.format(*match.groups())
    return None


_MX_MISTAKES = (
    (
        r"\[.*\]\Z|[0-9.]+\Z|[0-9a-f]*:[0-9a-f:.]*:",
        "Write the host's name: addresses are not matched.",
    ),
    (r"[0-9]+ +([^ ,;]+?)\.?\Z", "Leave the preference out: write 'mx: {0}'."),
    (r".*[,; ]", "Write one line 'mx: <host>' for every host."),
    (r"[a-z]+://", "Write the host's name without scheme and path."),
    (r".*@", "Write the host's name, not a mail address."),
    (r".*:[0-9]+\Z", "Write the host's name without the port."),
    (r"\.([^.].*[^.])\Z", "Write 'mx: *.{0}'; a leading dot for all hosts is from a draft."),
    (r"(.*[^.])\.\Z", "Write 'mx: {0}', without the dot at the end."),
)


def _id_cure(text: str) -> Optional[str]:
    short = re.sub(r"[^A-Za-z0-9]", "", text)
    return f"Write 'id={short}'." if 1 <= len(short) <= 32 else None


def _rua_cure(text: str) -> Optional[str]:
    if re.match(r"[^@: ]+@[^@: ]+\Z", text):
        return f"Write 'mailto:{text}'."
    if "!" in text:
        return "Remove the size behind '!': it is DMARC's, and here '!' has to be written '%21'."
    return None


def _record_cure(text: str) -> Optional[str]:
    for pattern, cure in _RECORD_MISTAKES:
        if re.search(pattern, text, re.IGNORECASE):
            return cure
    return None


_RECORD_MISTAKES = (
    (r'"', "Leave the quotes out: they belong to the zone file, not to the text."),
    (
        r"(version|mode|max_age) *:",
        "This is the policy's text, which the policy host serves; write 'v=STSv1; id=...;' here.",
    ),
    (
        r"\A *v=spf1",
        "An SPF record stands here, perhaps by a wildcard: publish a record at this very name.",
    ),
    (r"\A *v=(dmarc|dkim)1", "Another protocol's record stands here: write 'v=STSv1; id=...;'."),
    (r"\Av=(STSv1|TLSRPTv1)\Z", "Put '; ' and the fields behind the version."),
    (r"\A *v *= *STS", "Begin with 'v=STSv1;', in exactly these letters."),
    (r"\A *v *= *TLS", "Begin with 'v=TLSRPTv1;', in exactly these letters."),
)

_MX_CODES = (
    "domain-label-invalid",
    "domain-label-length",
    "domain-address",
    "domain-too-long",
    "mx-wildcard",
)
_CURES: Tuple[Tuple[Tuple[str, ...], Callable[[str], Optional[str]]], ...] = (
    (("policy-mode-invalid",), _mode_cure),
    (("policy-line-malformed",), _line_cure),
    (("policy-value-invalid",), _value_cure),
    (("policy-not-utf8",), _encoding_cure),
    (_MX_CODES, _mx_cure),
    (("record-id-invalid",), _id_cure),
    (("record-rua-invalid",), _rua_cure),
    (("record-version",), _record_cure),
)
