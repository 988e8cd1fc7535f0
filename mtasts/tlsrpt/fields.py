"""The members of a report, one by one: what was meant, or unknown, with a note."""

import ipaddress
import re
from typing import Any, Optional

from mtasts.domain import InvalidDomain, mx_host
from mtasts.tlsrpt.memory import Clean
from mtasts.tlsrpt.notes import Notes

MAX_COUNT = 2**53 - 1  # beyond it a number is no I-JSON (RFC 7493 section 2.2)
_LONGEST_NAME = 1000  # characters; a name has at most 254, its U-labels may be longer or shorter
_DECIMAL = re.compile(r"[0-9]{1,16}\Z")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}\Z")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def is_address(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address, without a zone."""
    if _IPV4.match(text):
        return True
    if ":" not in text or "%" in text:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def normalised(text: str) -> str:
    """The name in lower-case A-labels without final dot, with its `*.` if any; "" if it is none."""
    if len(text) > _LONGEST_NAME:
        return ""
    star, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if _NOT_ASCII.search(name):
        from mtasts import idn  # tables of Unicode, which hardly any report needs

        try:
            name = idn.a_labels(name)
        except InvalidDomain:
            return ""
    host = mx_host(name)
    return host and star + host


ADDRESSES = Clean(is_address)
NAMES = Clean(lambda text: bool(text) and normalised(text) == text)


def is_count(value: Any) -> bool:
    """Whether `value` is a number of sessions."""
    return type(value) is int and 0 <= value <= MAX_COUNT


def counter(value: Any, member: str, notes: Notes) -> Optional[int]:
    """A number of sessions; None if there is no whole number, or one beyond those of I-JSON."""
    if is_count(value):
        return value
    if isinstance(value, str) and _DECIMAL.match(value) and int(value) <= MAX_COUNT:
        notes.add("counter-text", member)
        return int(value)
    notes.add("counter-missing" if value is None else "counter-unreadable", member)
    return None


def text(value: Any, code: str, member: str, notes: Notes) -> Optional[str]:
    """A text; None for what is none, with the note `code` if there is something."""
    if value is None or isinstance(value, str):
        return value
    notes.add(code, member)
    return None


def word(value: Any) -> str:
    """A text, "" if it is none."""
    return value if isinstance(value, str) else ""


def name(value: Optional[str], member: str, notes: Notes) -> Optional[str]:
    """A name, normalised if that is possible; None and "" are None."""
    if not value:
        return None
    try:
        return NAMES[value]
    except KeyError:
        host = normalised(value)
        notes.add("name-changed" if host else "name-unreadable", member)
        return host or value
