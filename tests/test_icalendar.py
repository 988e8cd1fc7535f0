"""iCalendar as RFC 5545 has it; where the library `icalendar` is there, it reads it back."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies  # noqa: F401 - its profile
from mtasts.icalendar import Event, calendar

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
TEXTS = st.one_of(
    st.text("a\\;,\n:\"' \u00e9\u20ac\U0001f4e7", max_size=120),
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=60),
)


def event(summary="s", description="d"):
    return Event("1@example.org", NOW, summary, description)


def unfolded(stream):
    """The content lines (section 3.1)."""
    assert stream.endswith(b"\r\n")
    assert b"\n" not in stream.replace(b"\r\n", b"")
    assert b"\r" not in stream.replace(b"\r\n", b"")
    assert max(len(line) for line in stream.split(b"\r\n")) <= 75
    for line in stream.split(b"\r\n"):
        line.decode("utf-8")  # no character is cut in two
    return stream.replace(b"\r\n ", b"").decode("utf-8").split("\r\n")[:-1]


def value(lines, name):
    (line,) = [line for line in lines if line.startswith(name + ":")]
    return line[len(name) + 1 :]


def unescaped(text):
    """TEXT (section 3.3.11)."""
    read, rest = "", iter(text)
    for char in rest:
        assert char not in ";,"
        read += {"n": "\n"}.get(*[next(rest)] * 2) if char == "\\" else char
    return read


def visible(text):
    """What there is room for in TEXT."""
    text = text.replace("\r\n", "\n")
    return "".join(char for char in text if char in "\t\n" or char.isprintable())


def test_an_event():
    later = NOW.astimezone(datetime.timezone(datetime.timedelta(hours=7)))
    stream = calendar([event("a;b", "c\nd")._replace(start=later)], NOW)
    assert stream.decode("ascii").split("\r\n") == [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//mtasts//plan//EN", "BEGIN:VEVENT"),
        *("UID:1@example.org", "DTSTAMP:20260102T030405Z", "DTSTART:20260102T030405Z"),
        *("SUMMARY:a\\;b", "DESCRIPTION:c\\nd", "TRANSP:TRANSPARENT"),
        *("END:VEVENT", "END:VCALENDAR", ""),
    ]


@given(TEXTS, TEXTS)
def test_every_text_can_be_read_back(summary, description):
    lines = unfolded(calendar([event(summary, description)], NOW))
    assert unescaped(value(lines, "SUMMARY")) == visible(summary)
    assert unescaped(value(lines, "DESCRIPTION")) == visible(description)


def test_a_text_cannot_end_its_line():
    lines = unfolded(calendar([event("a\r\nEND:VEVENT\x85\u2028\x1b[2J")], NOW))
    assert value(lines, "SUMMARY") == "a\\nEND:VEVENT[2J"


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
def test_a_library_reads_the_same(texts):
    library = pytest.importorskip("icalendar")
    stream = calendar([event(*pair) for pair in texts], NOW)
    read = library.Calendar.from_ical(stream)
    assert [(str(one["SUMMARY"]), str(one["DESCRIPTION"])) for one in read.walk("VEVENT")] == [
        (visible(summary), visible(description)) for summary, description in texts
    ]
    assert all(one["DTSTART"].dt == NOW == one["DTSTAMP"].dt for one in read.walk("VEVENT"))
