"""What the ledger takes and gives: an arrival that has been read."""

import datetime
from typing import NamedTuple, Optional, Tuple

from mtasts.spool import Arrival
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import Report

FILE, MAIL, IMAP, HTTPS = "file", "mail", "imap", "https"  # sources of arrivals


class Named(NamedTuple):
    """An arrival, and the name of the file that it was, or "" (it may hint at what it is)."""

    arrival: Arrival
    name: str = ""


class Entry(NamedTuple):
    """Something that arrived, how sure its origin is, and the reports that were read in it.

    `error` is the code of what could not be read: then it is in quarantine, with whatever could.
    `name` is that of the file, which may hint at what it is.
    """

    arrival: Arrival
    grade: Grade
    reports: Tuple[Report, ...] = ()
    error: Optional[str] = None
    name: str = ""


class Added(NamedTuple):
    """What became of an entry: the `id` of the arrival in the ledger, whether it `is_new` or the
    same bytes were known, and how many of its reports were new and how many had come before."""

    id: int
    is_new: bool
    new_reports: int
    resent_reports: int


class ArrivalFacts(NamedTuple):
    """An arrival as the ledger knows it, without its bytes; `size` is how many they are."""

    id: int
    sha256: str
    received: datetime.datetime
    source: str
    domain: Optional[str]
    grade: Grade
    error: Optional[str]
    name: str
    size: int


class Held(NamedTuple):
    """A report in the ledger: the `report`, the strongest grade with which it came, when it first
    came and by which arrival, how many `arrivals` brought it, and how many other reports claim to
    be the same one (`conflicts`). For the domains `uncounted` one of those is counted instead."""

    report: Report
    grade: Grade
    received: datetime.datetime
    arrival_id: int
    arrivals: int
    conflicts: int
    uncounted: Tuple[str, ...]

    @property
    def is_counted(self) -> bool:
        """Whether anything in it is counted."""
        domains = {result.policy_domain for result in self.report.policies}
        return not self.uncounted or bool(domains.difference(self.uncounted))


class Shown(NamedTuple):
    """An arrival and its reports, in their order."""

    facts: ArrivalFacts
    reports: Tuple[Held, ...]
