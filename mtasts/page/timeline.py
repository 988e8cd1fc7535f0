"""The days of a period, as many together as can be told apart, and what changed on which day."""

import datetime
from typing import Iterator, List, NamedTuple, Sequence, Tuple

from mtasts.history import HistoryEntry
from mtasts.page import words
from mtasts.page.facts import About, Asked
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.summary import Day

_STEPS = (1, 7, 28)  # days in one bar
_MOST = 95  # bars that can be told apart


class Bar(NamedTuple):
    """What the reports say about the days from `first` to `last`.

    Without `reports` nothing is known. `unknown` of them have numbers that are not known; `known`
    are the sessions of the others.
    """

    first: datetime.date
    last: datetime.date
    reports: int
    unknown: int
    known: Sessions


class Mark(NamedTuple):
    """A change: a letter beside the axis, its place (0 to 1), when it was (aware), and what."""

    letter: str
    place: float
    time: datetime.datetime
    what: str


def bars(days: Sequence[Day], first: datetime.date, last: datetime.date) -> Tuple[Bar, ...]:
    """The bars from `first` to `last`; the newest may be about fewer days."""
    length = (last - first).days + 1
    step = next((one for one in _STEPS if length / one <= _MOST), _STEPS[-1])
    found: List[Bar] = []
    for begin in range(0, length, step):
        start = first + datetime.timedelta(days=begin)
        end = min(last, start + datetime.timedelta(days=step - 1))
        found.append(Bar(start, end, 0, 0, Sessions()))
    for one in days:
        place = (one.day - first).days // step
        if 0 <= place < len(found):
            bar = found[place]
            found[place] = bar._replace(
                reports=bar.reports + one.reports,
                unknown=bar.unknown + one.unknown,
                known=bar.known + one.known,
            )
    return tuple(found)


def marks(about: About, asked: Asked) -> Tuple[Mark, ...]:
    """What changed in the period, oldest first; at most 26 changes, the newest ones.

    That is the policy, and the certificate of the policy host as far as it is known.
    """
    within = sorted(one for one in _changes(about) if asked.since <= one[0] <= asked.now)[-26:]
    length = (asked.today - asked.first).days + 1
    return tuple(
        Mark(chr(ord("A") + number), (time.date() - asked.first).days / length, time, what)
        for number, (time, what) in enumerate(within)
    )


def _changes(about: About) -> Iterator[Tuple[datetime.datetime, str]]:
    for entry in about.served:
        yield entry.first, _policy(entry)
    begin, end = about.row.certificate_begin, about.row.certificate_end
    if begin:
        yield begin, "the certificate of the policy host was made"
    if end:
        yield end, "the certificate of the policy host ended"


def _policy(entry: HistoryEntry) -> str:
    return f"mode {entry.mode}, max_age {words.count(entry.max_age)} s, id {entry.id}"
