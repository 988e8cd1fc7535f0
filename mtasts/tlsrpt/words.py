"""Numbers and names of reports in words, in which nothing of a report can do any harm."""

from typing import Optional, Sequence

from mtasts.errors import printable
from mtasts.tlsrpt.counting import Sessions

NAMES = 5  # of reporters or hosts that people are shown in one line


def sessions(counted: Sessions) -> str:
    """Numbers of sessions."""
    return f"{count(counted.successful)} successful, {count(counted.failed)} failed"


def count(number: Optional[int]) -> str:
    """A number that may be unknown."""
    return "unknown" if number is None else str(number)


def text(value: str) -> str:
    """A text of a report."""
    return printable(value, 200) or "unknown"


def several(names: Sequence[str]) -> str:
    """Texts of reports, the first of them if they are many."""
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(map(text, names[:NAMES])) + more


def reports(number: int) -> str:
    """So many reports."""
    return "1 report" if number == 1 else f"{number} reports"
