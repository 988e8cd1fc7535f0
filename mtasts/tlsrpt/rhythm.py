"""How often a reporter reports, and whether it has fallen silent.

Some report daily, some weekly, some only on days with mail, and reports come up to weeks late. So
silence is judged by each reporter's own rhythm, and by nothing else.
"""

import datetime
import statistics
from typing import Optional, Sequence

_FEWEST = 3  # days with a report from which a rhythm can be told
_PATIENCE = 3  # times the usual gap
_LATE = 2  # days that a report may take to come


def usual_gap(days: Sequence[datetime.date]) -> Optional[int]:
    """The usual number of days from one report to the next, 1 for a daily one.

    `days`, in order, are those that the reports are about. None if they are too few to tell.
    """
    if len(days) < _FEWEST:
        return None
    gaps = [(later - earlier).days for earlier, later in zip(days, days[1:])]
    return max(1, round(statistics.median(gaps)))


def is_silent(days: Sequence[datetime.date], today: datetime.date) -> bool:
    """Whether the next report is overdue, by the longest gap there has been, and the usual one."""
    gap = usual_gap(days)
    if gap is None:
        return False
    longest = max((later - earlier).days for earlier, later in zip(days, days[1:]))
    return (today - days[-1]).days > max(_PATIENCE * gap, longest) + _LATE
