"""What the dashboard answers: filters in, a page out. No sockets; `mtasts.cli.dashboard` has them.

The numbers of one domain are counted on the spot. Those of all take seconds at a thousand domains,
so they are kept, and counted anew in the background when reports have come or gone, a day has
begun, or they are old. Until then the page has those that there are and says when they were
counted. They are counted domain by domain, and of what the overview does not show nothing is kept,
so that two years of reports need little memory.
"""

import datetime
import hashlib
import threading
import time
from collections import OrderedDict
from typing import Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from mtasts import page_facts
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.ledger import queries
from mtasts.ledger.database import Database
from mtasts.page import document
from mtasts.page.document import Document
from mtasts.page.facts import About, Asked, Form
from mtasts.report_numbers import first_day
from mtasts.store import Store
from mtasts.tlsrpt.authenticity import Grade

DAYS = (7, 30, 90, 365, 730)
GRADES = tuple(grade.value for grade in Grade)
_DEFAULT_DAYS = 30
_OLD = 600  # seconds after which numbers are counted anew in any case
_PATIENCE = 0.05  # seconds that an answer waits for numbers that nobody has counted yet
_LONG_PATIENCE = 60  # the same where somebody has a page to look at meanwhile
_KEPT = 8  # combinations of filters
_MOST_REPORTERS = 100  # to choose from, the busiest


class InvalidFilter(MtastsError):
    """A filter has a value that it cannot have."""


class Chosen(NamedTuple):
    """The filters. Without `domain` all are shown; `reporter` is "" for all, too."""

    domain: Optional[Domain] = None
    days: int = _DEFAULT_DAYS
    reporter: str = ""
    grade: str = ""


class Answer(NamedTuple):
    """A page, and whether it is only there until the numbers are."""

    document: Document
    is_waiting: bool = False


class _Counted(NamedTuple):
    """The facts about all domains, what the ledger was like before, and when (`monotonic`)."""

    asked: Asked
    abouts: Tuple[About, ...]
    mark: Tuple
    at: float


class Dashboard:
    """The pages about `domains` of a ledger and a policy directory; without any, about all.

    `now` is the clock. It may be used by several threads.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        domains: Sequence[Domain],
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._database = database
        self._store = store
        self._named = tuple(domains)
        self._now = now
        self._lock = threading.Lock()  # of what stands below
        self._kept: "OrderedDict[Chosen, _Counted]" = OrderedDict()
        self._errors: Dict[Chosen, MtastsError] = {}
        self._running: Dict[Chosen, threading.Event] = {}
        self._turn = threading.Lock()  # one counts at a time: answers need the processor, too

    def begin(self) -> None:
        """Have the numbers that are shown first counted; raises `MtastsError` without a ledger."""
        queries.mark(self._database)
        self._numbers(Chosen(), self._domains())

    def page(self, filters: Mapping[str, str]) -> Answer:
        """The page for `filters`, as they stand in a URL; raises `MtastsError`."""
        domains = self._domains()
        chosen = _chosen(filters, domains, self._reporters())
        if len(domains) == 1:
            chosen = chosen._replace(domain=domains[0])
        if chosen.domain:
            asked = self._asked(chosen)
            abouts, form = self._abouts([chosen.domain], asked), self._form(chosen, domains)
            return Answer(document.document(abouts, asked, [chosen.domain], form))
        found, is_renewed = self._numbers(chosen, domains)
        form = self._form(chosen, domains)
        if found is None:
            return Answer(document.waiting(self._asked(chosen), form), True)
        form = form._replace(counted=found.asked.now, is_renewed=is_renewed)
        return Answer(document.document(found.abouts, found.asked, (), form, most=0))

    def wait(self, filters: Mapping[str, str]) -> None:
        """Wait until the numbers for `filters` are there, for a minute; raises `MtastsError`."""
        chosen = _chosen(filters, self._domains(), self._reporters())
        with self._lock:
            done = self._running.get(chosen)
        if done:
            done.wait(_LONG_PATIENCE)

    def _form(self, chosen: Chosen, domains: Sequence[Domain]) -> Form:
        """The filters as they are chosen, and what else there is to choose."""
        reporters = tuple(self._reporters().items())
        key = next((key for key, name in reporters if name == chosen.reporter), "")
        return Form(chosen.domain or "", tuple(domains), DAYS, key, reporters, GRADES)

    def _domains(self) -> Tuple[Domain, ...]:
        return self._named or tuple(self._store.domains())

    def _asked(self, chosen: Chosen) -> Asked:
        now = self._now()
        since = first_day(now, chosen.days)
        return Asked(now, since, chosen.days, chosen.grade, chosen.reporter)

    def _abouts(self, domains: Sequence[Domain], asked: Asked) -> Sequence[About]:
        rows = page_facts.stands(self._store, domains, asked)
        return page_facts.abouts(self._database, self._store, asked, rows)

    def _found(self, chosen: Chosen) -> Optional[_Counted]:
        """The numbers that there are; raises the error with which their counting ended."""
        with self._lock:
            error = self._errors.pop(chosen, None)
            found = self._kept.get(chosen)
            if found:
                self._kept.move_to_end(chosen)
        if error:
            raise error
        return found

    def _reporters(self) -> Dict[str, str]:
        """The reporters to choose from by a key, which holds nothing that they have written."""
        found = self._found(Chosen())
        reports: Dict[str, int] = {}
        for about in found.abouts if found else ():
            for one in about.summary.reporters:
                reports[one.name] = reports.get(one.name, 0) + one.reports
        busiest = sorted(reports, key=lambda name: (-reports[name], name))
        return {_key(name): name for name in busiest[:_MOST_REPORTERS]}

    def _numbers(
        self, chosen: Chosen, domains: Sequence[Domain]
    ) -> Tuple[Optional[_Counted], bool]:
        """The numbers of all domains, if there are any yet, and whether they are counted anew."""
        found = self._found(chosen)
        if found and not self._is_outdated(found):
            return found, False
        done = self._run(chosen, domains)
        if found is None and done.wait(_PATIENCE):
            return self._found(chosen), False
        return found, True

    def _is_outdated(self, found: _Counted) -> bool:
        if time.monotonic() - found.at > _OLD:
            return True
        since = first_day(self._now(), found.asked.days)
        return since != found.asked.since or queries.mark(self._database) != found.mark

    def _run(self, chosen: Chosen, domains: Sequence[Domain]) -> threading.Event:
        """Let a thread count, if none does; what says that it has ended."""
        with self._lock:
            done = self._running.get(chosen)
            if done is None:
                done = self._running[chosen] = threading.Event()
                arguments = chosen, domains, done
                threading.Thread(target=self._count, args=arguments, daemon=True).start()
        return done

    def _count(self, chosen: Chosen, domains: Sequence[Domain], done: threading.Event) -> None:
        try:
            with self._turn:
                asked, mark = self._asked(chosen), queries.mark(self._database)
                abouts = tuple(_shortened(*self._abouts([one], asked)) for one in domains)
            with self._lock:
                self._kept[chosen] = _Counted(asked, abouts, mark, time.monotonic())
                self._kept.move_to_end(chosen)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        except MtastsError as error:
            with self._lock:
                self._errors[chosen] = error
        finally:
            with self._lock:
                del self._running[chosen]
            done.set()


def _shortened(about: About) -> About:
    """What the overview shows of a domain."""
    found = about.summary
    reporters = tuple(one._replace(days=(), policies=()) for one in found.reporters)
    return about._replace(summary=found._replace(days=found.days[-1:], reporters=reporters))


def _key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _chosen(
    filters: Mapping[str, str], domains: Sequence[Domain], reporters: Mapping[str, str]
) -> Chosen:
    """The filters as values, each one of those that can be chosen; raises `InvalidFilter`."""
    known = {
        "domain": {one: one for one in domains},
        "days": {str(one): one for one in DAYS},
        "reporter": reporters,
        "grade": {one: one for one in GRADES},
    }
    chosen = {}
    for name, said in filters.items():
        if name not in known:
            raise InvalidFilter(
                "filter-unknown",
                f"there is no filter '{printable(name)}'",
                f"There are: {', '.join(known)}.",
            )
        if said and said not in known[name]:
            raise InvalidFilter(
                "filter-invalid",
                f"'{printable(said)}' is nothing that can be chosen for {name}",
                "Choose one of those that the form has.",
            )
        if said:
            chosen[name] = known[name][said]
    return Chosen(**chosen)
