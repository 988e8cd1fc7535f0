"""A line of the access log of the policy hosts, in the format `mtasts` of apache/mtasts.conf.

    ADDRESS - - [28/Nov/2026:14:26:32 +0100] "GET /... HTTP/1.1" 200 123 "-" "AGENT" \\
        HOST TLSv1.3 \\"ETAG\\"

Apache escapes what a client sent, so that it can end neither a quoted field nor the line; the last
two fields are the server's own. A host that has a blank in it makes a line of another format.
"""

import datetime
import functools
import re
from typing import Optional

MAX_LINE = 32 * 1024  # bytes; of one header field Apache takes 8190, and may write each as \xhh
_QUOTED = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
_TIME = rb"\[(\d\d/[A-Z][a-z]{2}/2\d{3}):([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60) ([+-]\d{4})\]"
_FORMAT = re.compile(
    rb"(\S+) \S+ \S+ " + _TIME + rb" " + _QUOTED + rb" (\d{3}) (?:\d+|-) "
    rb'"[^"\\]*(?:\\.[^"\\]*)*" ' + _QUOTED + rb" (\S+) (\S+) (\S+)\Z"
)
ETAG_DIGITS = 32  # of the SHA-256; see wsgi_policy/policy_files.py
_ETAG = re.compile(rb'\\"([0-9a-f]{%d})\\"\Z' % ETAG_DIGITS)
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_ESCAPED = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_LETTERS = {b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class Line:
    """One request, as far as the log tells of it. `when` is in seconds since 1970, UTC.

    `agent` and `host` are as they were logged, with Apache's escapes; `text` takes them off. `etag`
    is the beginning of the SHA-256 of the policy that was sent, "" if none was.
    """

    __slots__ = ("address", "agent", "etag", "host", "request", "status", "tls", "when")

    def __init__(self, groups: tuple, when: int) -> None:
        self.address, self.request, self.status = groups[0], groups[6], groups[7]
        self.agent, self.host, self.tls = groups[8:11]
        self.when = when
        etag = _ETAG.match(groups[11])
        self.etag = etag.group(1).decode("ascii") if etag else ""


def parse(line: bytes) -> Optional[Line]:
    """The line, without its ending, as a value; None if it has another format."""
    found = _FORMAT.match(line)
    if found is None:
        return None
    groups = found.groups()
    midnight = _midnight(groups[1], groups[5])
    if midnight is None:
        return None
    seconds = int(groups[2]) * 3600 + int(groups[3]) * 60 + int(groups[4])
    return Line(groups, midnight + seconds)


@functools.lru_cache(maxsize=1024)
def _midnight(day: bytes, offset: bytes) -> Optional[int]:
    """When a day began where the clock is `offset` from UTC; None if there is no such day."""
    number, month, year = day.split(b"/")
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    try:
        date = datetime.date(int(year), _MONTHS.index(month) + 1, int(number))
    except ValueError:
        return None
    days = date.toordinal() - datetime.date(1970, 1, 1).toordinal()
    return days * 86400 - (-minutes if offset[:1] == b"-" else minutes) * 60


def text(logged: bytes) -> str:
    """What the client sent, of which `logged` is what Apache wrote; "" for the `-` of nothing."""
    if logged == b"-":
        return ""
    if b"\\" in logged:
        logged = _ESCAPED.sub(_unescaped, logged)
    return logged.decode("utf-8", "backslashreplace")


def _unescaped(found) -> bytes:  # a match, whose type Python 3.6 has no name for
    what = found.group(1)
    if len(what) == 3:
        return bytes([int(what[1:], 16)])
    return _LETTERS.get(what, what)
