"""The failure details of a policy (RFC 8460 section 4.4), of which a report may have 10,000s.

`compact` makes a tuple of a detail as soon as the parser has it, before the next one takes memory:
of a usual one at the price of a few looks into dicts, of any other with care and notes. No value of
JSON is a tuple.
"""

import operator
import re
from typing import Any, Iterator, NamedTuple, Optional, Tuple

from mtasts.tlsrpt import fields
from mtasts.tlsrpt.fields import ADDRESSES, MAX_COUNT, NAMES
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import Failure, Failures, Note

RESULT_TYPES = frozenset(  # section 4.3
    (
        "starttls-not-supported",
        "certificate-host-mismatch",
        "certificate-expired",
        "certificate-not-trusted",
        "validation-failure",
        "tlsa-invalid",
        "dnssec-invalid",
        "dane-required",
        "sts-policy-fetch-error",
        "sts-policy-invalid",
        "sts-webpki-invalid",
    )
)
_RESULT_TYPES = {word: word for word in RESULT_TYPES}
_LINE_BREAK = re.compile(r"[\r\n]")
_sessions = operator.itemgetter(Failure._fields.index("sessions"))


class Noted(NamedTuple):
    """The members of a `Failure`, and the notes about them."""

    failure: tuple
    notes: Tuple[Note, ...]


COMPACT = (tuple, Noted)


def compact(members: dict) -> Any:
    """The members of a `Failure`, `Noted` if need be; or the object if it is no failure detail.

    An object that is no detail may look like one: whoever finds a compact one in its place has to
    parse once more without this function.
    """
    if "failed-session-count" not in members:
        return members
    try:
        return _usual(members)
    except (KeyError, TypeError):
        notes = Notes()
        failure = _carefully(members, notes)
        return Noted(failure, notes.as_tuple()) if notes else failure


def _usual(members: dict) -> tuple:
    """The same of five members, or with a reason six, about which there is nothing to be noted.

    Raises `KeyError` or `TypeError` for others.
    """
    reason = None if len(members) == 5 else members["failure-reason-code"]
    if len(members) > 6 or not (reason is None or type(reason) is str):
        raise TypeError
    sessions = members["failed-session-count"]
    if type(sessions) is not int or not 0 <= sessions <= MAX_COUNT:
        raise TypeError
    return (
        _RESULT_TYPES[members["result-type"]],
        sessions,
        ADDRESSES[members["sending-mta-ip"]],
        NAMES[members["receiving-mx-hostname"]],
        None,
        ADDRESSES[members["receiving-ip"]],
        None,
        reason,
        None,
        None,
    )


def failures(value: Any, total: Optional[int], notes: Notes) -> Failures:
    """The failures of a policy result whose failed sessions are `total` by its summary."""
    if type(value) is not list:
        value = _list(value, notes)
    if set(map(type, value)) == {tuple}:
        found = Failures(value)
        sessions = sum(map(_sessions, value))
    else:  # with notes, an object that `compact` has left, or something else
        found = Failures(_each(value, notes))
        counted = [failure.sessions for failure in found]
        sessions = None if None in counted or not found else sum(counted)
    if sessions != total and None not in (sessions, total):
        notes.add("details-differ")
    return found


def _list(value: Any, notes: Notes) -> list:
    if isinstance(value, (dict, *COMPACT)):
        notes.add("list-missing", "failure-details")
        return [value]
    notes.add("failure-details-unreadable")
    return []


def _each(details: list, notes: Notes) -> Iterator[tuple]:
    for notes.detail, detail in enumerate(details):
        if type(detail) is tuple:
            yield detail
        elif type(detail) is Noted:
            for code, member in detail.notes:
                notes.add(code, member)
            yield detail.failure
        elif type(detail) is dict:
            yield _carefully(detail, notes)
        else:
            notes.add("detail-unreadable")
    notes.detail = None


def _carefully(members: dict, notes: Notes) -> tuple:
    """The members of the `Failure`, with notes for what is repaired or unknown."""
    sending, sending_text = _address(members, "sending-mta-ip", notes)
    receiving, receiving_text = _address(members, "receiving-ip", notes)
    hostname = _aliased(members, "receiving-mx-hostname", "receiving-mx-host-name", notes)
    return (
        _result_type(members.get("result-type"), notes),
        fields.counter(members.get("failed-session-count"), "failed-session-count", notes),
        sending,
        fields.name(hostname, "receiving-mx-hostname", notes),
        _first_line(_text(members, "receiving-mx-helo", notes), notes),
        receiving,
        _aliased(members, "additional-information", "additional-info-uri", notes),
        _text(members, "failure-reason-code", notes),
        sending_text,
        receiving_text,
    )


def _result_type(value: Any, notes: Notes) -> str:
    """The word; an unknown one, also in other letter case, is kept."""
    word = fields.word(value)
    if word not in RESULT_TYPES:
        notes.add("result-type-unknown" if word else "result-type-missing")
    return word


def _text(members: dict, member: str, notes: Notes) -> Optional[str]:
    return fields.text(members.get(member), "detail-text-unreadable", member, notes)


def _aliased(members: dict, member: str, alias: str, notes: Notes) -> Optional[str]:
    """The text of a member, or else of its alias, which some senders write."""
    if alias in members and members.get(member) is None:
        notes.add(alias)
        member = alias
    return _text(members, member, notes)


def _address(members: dict, member: str, notes: Notes) -> Tuple[Optional[str], Optional[str]]:
    """An address and None; or None and the text that is no address; or twice None."""
    text = _text(members, member, notes)
    if not text:
        return None, None
    try:
        return ADDRESSES[text], None
    except KeyError:
        notes.add("address-unreadable", member)
        return None, text


def _first_line(text: Optional[str], notes: Notes) -> Optional[str]:
    """The first line that says something, of a whole answer to EHLO."""
    if text is None or not _LINE_BREAK.search(text):
        return text
    notes.add("helo-lines", "receiving-mx-helo")
    return "".join(text.strip().splitlines()[:1]).strip()
