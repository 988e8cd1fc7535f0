"""The date-times of a report: RFC 3339 section 5.6, and what senders write instead.

A time without a zone is in UTC, as RFC 8460 section 4.4 wants all of them to be. A leap second is
the second before it, because Python has no other.
"""

import datetime
import re
from typing import Any, Optional, Tuple

from mtasts.tlsrpt.memory import Memory
from mtasts.tlsrpt.notes import Notes

_TIMES = Memory()  # those that are written as they should be
_UTC = datetime.timezone.utc
# date-time of RFC 3339 section 5.6, with a blank for the T (allowed there) and the zone optional
_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:[.,]([0-9]{1,20}))?\s?([Zz]|[+-][0-9]{2}:?[0-9]{2})?\Z"
)


def read_range(value: Any, notes: Notes) -> Tuple[Optional[datetime.datetime], ...]:
    """The start and the end of a report's `date-range`."""
    try:
        start, end = _TIMES[value["start-datetime"]], _TIMES[value["end-datetime"]]
    except (KeyError, TypeError):
        if not isinstance(value, dict):
            notes.add("date-range-missing")
            return None, None
        start, end = (_read(value, name, notes) for name in ("start-datetime", "end-datetime"))
    if start and end and end < start:
        notes.add("date-range-reversed", "date-range")
    return start, end


def _read(members: dict, member: str, notes: Notes) -> Optional[datetime.datetime]:
    """The time that a member says, aware and in UTC; None if it says none."""
    value, where = members.get(member), f"date-range.{member}"
    match = _DATE_TIME.match(value) if isinstance(value, str) else None
    if not match:
        notes.add("time-unreadable", where)
        return None
    *parts, fraction, zone = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        local = datetime.datetime(
            year, month, day, hour, minute, second - (second == 60), microsecond, _UTC
        )
        time = local - _offset(zone or "Z")
    except (ValueError, OverflowError):
        notes.add("time-unreadable", where)
        return None
    if zone == "Z" and not fraction:
        return _TIMES.remember(value, time)
    _note_form(fraction, zone, where, notes)
    return time


def _offset(zone: str) -> datetime.timedelta:
    if zone in "Zz":
        return datetime.timedelta()
    size = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -size if zone[0] == "-" else size


def _note_form(fraction: Optional[str], zone: Optional[str], where: str, notes: Notes) -> None:
    if fraction:
        notes.add("time-fraction", where)
    if not zone:
        notes.add("time-zone-missing", where)
    elif zone not in "Zz":
        notes.add("time-offset", where)


def text(time: datetime.datetime) -> str:
    """`time`, aware and in UTC, as RFC 3339 writes it; fractions only if there are any."""
    return time.replace(tzinfo=None).isoformat() + "Z"
