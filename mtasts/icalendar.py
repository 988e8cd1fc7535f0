"""Events as an iCalendar stream (RFC 5545), for calendars of people: no alarms, no time zones."""

import datetime
from typing import Iterable, NamedTuple

_LINE = 75  # octets, without the line's ending (section 3.1)


class Event(NamedTuple):
    """Something at one moment (aware). `uid` is the same whenever the event is written again."""

    uid: str
    start: datetime.datetime
    summary: str
    description: str


def calendar(events: Iterable[Event], stamp: datetime.datetime) -> bytes:
    """The stream with `events`, as they were known at `stamp` (aware)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//mtasts//plan//EN"]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(event.uid)}",
            f"DTSTAMP:{_time(stamp)}",
            f"DTSTART:{_time(event.start)}",
            f"SUMMARY:{_text(event.summary)}",
            f"DESCRIPTION:{_text(event.description)}",
            # It takes no time that others could not have.
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _time(moment: datetime.datetime) -> str:
    """Form 2 of section 3.3.5."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """A value of type TEXT (section 3.3.11), which has no room for other control characters."""
    lines = text.replace("\r\n", "\n").split("\n")
    shown = ["".join(char for char in line if char == "\t" or char.isprintable()) for line in lines]
    escaped = [line.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,") for line in shown]
    return "\\n".join(escaped)


def _folded(line: str) -> bytes:
    """The content line, continued on lines that begin with a blank, between characters only."""
    folded = b""
    current = b""
    for char in line:
        octets = char.encode("utf-8", "replace")
        if len(current) + len(octets) > _LINE:
            folded += current + b"\r\n"
            current = b" "
        current += octets
    return folded + current + b"\r\n"
