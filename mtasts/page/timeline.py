"""The days of a period, as many together as can be told apart, and what changed on which day."""

import datetime
from typing import List, NamedTuple, Sequence, Tuple

from mtasts.history import HistoryEntry
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
    """A change of the policy: a letter beside the axis, its place (0 to 1), and the entry."""

    letter: str
    place: float
    entry: HistoryEntry


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


def marks(
    served: Sequence[HistoryEntry], first: datetime.date, last: datetime.date
) -> Tuple[Mark, ...]:
    """The changes of the policy in these days, oldest first; at most 26, the newest ones."""
    within = [one for one in served if first <= one.first.date() <= last][-26:]
    length = (last - first).days + 1
    return tuple(
        Mark(chr(ord("A") + number), (entry.first.date() - first).days / length, entry)
        for number, entry in enumerate(within)
    )
