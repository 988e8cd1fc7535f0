"""The policy that a sender had, as it quotes it in `policy-string` (RFC 8460 section 4.4).

For `sts` it is the lines of the policy file, for `tlsa` the TLSA records. Senders order and space
the lines as they like, so they are read by their names; nothing is said about their validity.
"""

import json
from typing import Any, Dict, List, Sequence, Tuple

from mtasts.tlsrpt.notes import Notes


def lines(value: Any, where: str, notes: Notes) -> Tuple[str, ...]:
    """The texts of a report's `policy-string`, () if there are none."""
    if value is None:
        return ()
    if isinstance(value, str):
        nested = _nested(value)
        notes.add("policy-string-nested" if nested else "policy-string-text", where)
        return nested or tuple(value.splitlines())
    if not isinstance(value, list):
        notes.add("policy-string-unreadable", where)
        return ()
    if len(value) == 1 and isinstance(value[0], str):
        nested = _nested(value[0])
        if nested:
            notes.add("policy-string-nested", where)
            return nested
    texts = tuple(line for line in value if isinstance(line, str))
    if len(texts) < len(value):
        notes.add("policy-string-unreadable", where)
    return texts


def _nested(text: str) -> Tuple[str, ...]:
    """The texts of a JSON array within `text`, () if it is none."""
    if not text.lstrip().startswith("["):
        return ()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    is_texts = isinstance(value, list) and all(isinstance(record, str) for record in value)
    return tuple(value) if is_texts else ()


def fields(policy_string: Sequence[str]) -> Dict[str, List[str]]:
    """What the lines of an `sts` policy say: the values of each name, in the order of the lines."""
    found: Dict[str, List[str]] = {}
    for line in "\n".join(policy_string).splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def mx(policy_string: Sequence[str]) -> Tuple[str, ...]:
    """The MX patterns that the policy names, as they are written."""
    return tuple(value for value in fields(policy_string).get("mx", ()) if value)
