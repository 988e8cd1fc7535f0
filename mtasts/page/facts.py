"""What the page is made of."""

import datetime
from typing import NamedTuple, Optional, Tuple

from mtasts.history import HistoryEntry
from mtasts.status import Row
from mtasts.tlsrpt.summary import Summary


class About(NamedTuple):
    """A domain: what the reports say, what was served (oldest first), and how it stands."""

    summary: Summary
    served: Tuple[HistoryEntry, ...]
    row: Row


class Asked(NamedTuple):
    """Which reports count: those from `since` to `now` (both aware), `days` before today.

    `grade` is what proves the origin of each at least, "" where nothing has to; `reporter` is who
    sent them, "" for everybody. `has_network` says whether DNS and policy hosts were asked, too.
    """

    now: datetime.datetime
    since: datetime.datetime
    days: int
    grade: str = ""
    reporter: str = ""
    has_network: bool = False

    @property
    def first(self) -> datetime.date:
        """The first day (UTC)."""
        return self.since.astimezone(datetime.timezone.utc).date()

    @property
    def today(self) -> datetime.date:
        """The last day (UTC)."""
        return self.now.astimezone(datetime.timezone.utc).date()


class Form(NamedTuple):
    """The filters of the dashboard, which the page in a file does not have.

    `domain` is "" for all domains; `reporters` are (key, name), of which `reporter` is a key or "".
    `counted` says when the numbers were counted if that was before, and `is_renewed` whether they
    are being counted anew.
    """

    domain: str
    domains: Tuple[str, ...]
    days: Tuple[int, ...]
    reporter: str
    reporters: Tuple[Tuple[str, str], ...]
    grades: Tuple[str, ...]
    counted: Optional[datetime.datetime] = None
    is_renewed: bool = False
