"""The failure details of a policy (RFC 8460 section 4.4), of which a report may have 10,000s.

`compact` makes a `Failure` of a detail with which nothing is wrong as soon as the parser has it, at
the price of a few looks into dicts; `failures` takes these, and looks with care at all others.
"""

import functools
from typing import Any, Iterator, Optional, Tuple

from mtasts.tlsrpt import fields
from mtasts.tlsrpt.fields import ADDRESSES, HELOS, MAX_COUNT, NAMES
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import Failure

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
_failure = functools.partial(tuple.__new__, Failure)  # a third of the time of calling the class


def compact(members: dict) -> Any:
    """The `Failure` that the object says, if there is nothing to be noted about it; or the object.

    An object that is no detail may look like one: whoever finds a `Failure` in its place has to
    parse once more without this function.
    """
    if "failed-session-count" not in members:
        return members
    get = members.get
    sessions = get("failed-session-count")
    hostname, helo = get("receiving-mx-hostname"), get("receiving-mx-helo")
    information, reason = get("additional-information"), get("failure-reason-code")
    if (
        type(sessions) is not int
        or not 0 <= sessions <= MAX_COUNT
        or (hostname is None and "receiving-mx-host-name" in members)
        or (
            type(information) is not str
            and (information is not None or "additional-info-uri" in members)
        )
        or (type(reason) is not str and reason is not None)
    ):
        return members
    try:
        return _failure(
            (
                _RESULT_TYPES[get("result-type")],
                sessions,
                ADDRESSES[get("sending-mta-ip")],
                NAMES[hostname],
                None if helo is None else HELOS[helo],
                ADDRESSES[get("receiving-ip")],
                information,
                reason,
                None,
                None,
            )
        )
    except (KeyError, TypeError):
        return members


def failures(value: Any, total: Optional[int], where: str, notes: Notes) -> Tuple[Failure, ...]:
    """The failures of a result whose failed sessions are `total` by its summary."""
    place = where + ".failure-details"
    if value is None:
        return ()
    if isinstance(value, dict) or type(value) is Failure:
        notes.add("list-missing", place)
        value = [value]
    if type(value) is not list:
        notes.add("failure-details-unreadable", place)
        return ()
    try:
        found, sessions = tuple(value), [failure.sessions for failure in value]
    except AttributeError:
        found = tuple(_each(value, place, notes))
        sessions = [failure.sessions for failure in found]
    if found and total is not None and None not in sessions and sum(sessions) != total:
        notes.add("details-differ", where)
    return found


def _each(value: list, where: str, notes: Notes) -> Iterator[Failure]:
    for index, detail in enumerate(value):
        if type(detail) is Failure:
            yield detail
        elif isinstance(detail, dict):
            yield _carefully(detail, f"{where}[{index}]", notes)
        else:
            notes.add("detail-unreadable", f"{where}[{index}]")


def _carefully(members: dict, where: str, notes: Notes) -> Failure:
    """What a detail says, with notes for what is repaired or unknown."""

    def text(member: str, alias: str = "") -> Optional[str]:
        if alias in members and members.get(member) is None:
            notes.add(alias, where)
            member = alias
        place = f"{where}.{member}"
        return fields.text(members.get(member), "detail-text-unreadable", place, notes)

    sending, sending_text = fields.address(text("sending-mta-ip"), where + ".sending-mta-ip", notes)
    receiving, receiving_text = fields.address(text("receiving-ip"), where + ".receiving-ip", notes)
    hostname = text("receiving-mx-hostname", "receiving-mx-host-name")
    return Failure(
        _result_type(members.get("result-type"), where, notes),
        fields.counter(members, "failed-session-count", where, notes),
        sending,
        fields.name(hostname, where + ".receiving-mx-hostname", notes),
        fields.first_line(text("receiving-mx-helo"), where + ".receiving-mx-helo", notes),
        receiving,
        text("additional-information", "additional-info-uri"),
        text("failure-reason-code"),
        sending_text,
        receiving_text,
    )


def _result_type(value: Any, where: str, notes: Notes) -> str:
    """The word; an unknown one, also in other letter case, is kept."""
    word = fields.word(value)
    if not word:
        notes.add("result-type-missing", where)
    elif word not in RESULT_TYPES:
        notes.add("result-type-unknown", where)
    return word
