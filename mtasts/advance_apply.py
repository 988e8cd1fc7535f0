"""A step up the ladder, asked for and taken: the question gathered, the policy served, published.

    question   what is served, its history, the plan in progress
    facts      of each domain that has the policy: its reports, its DNS and hosts as they are now
    take       the one step, unless anything has changed meanwhile
    publish    for every domain, as `mtasts publish` does

Whoever is interrupted between the last two begins again, and comes to the same end.
"""

import contextlib
import datetime
from typing import (
    TYPE_CHECKING,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    NamedTuple,
    Sequence,
    Tuple,
    cast,
)

from mtasts import check_run, checks, plan_store, publications
from mtasts import publish as publishing
from mtasts.advance import Case, Facts, Judgement, Network, Question, Reports, case, judge
from mtasts.change import Wishes, changed
from mtasts.domain import Domain
from mtasts.edges import Edges
from mtasts.errors import MtastsError
from mtasts.facts import Seen
from mtasts.folder import require_own
from mtasts.history import HistoryEntry
from mtasts.holder import Holder
from mtasts.plan_apply import Site, beyond_dates
from mtasts.planning import Rung, next_rung
from mtasts.policy_file import read_bytes
from mtasts.publish import Clock
from mtasts.steps import Step
from mtasts.store import Store
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.summary import Summary, summarise

if TYPE_CHECKING:
    from mtasts.ledger.database import Database


class Numbers(NamedTuple):
    """What the reports of a period say of each domain; see `mtasts.advance.Reports`."""

    counted: Dict[Domain, Summary]
    every: Dict[Domain, Summary]
    weakest: Grade
    missing: str = ""

    def of(self, domain: Domain) -> Reports:
        """What they say of one domain."""
        nothing = summarise(domain, ())
        counted, every = (of.get(domain, nothing) for of in (self.counted, self.every))
        return Reports(counted, every, self.weakest, self.missing)


def question(site: Site, ttl: datetime.timedelta) -> Question:
    """What is asked about the policy of the site's holder, whose own it has to be.

    Writes nothing. Raises `StoreError` for an alias or a member, `PlanError` for a plan that cannot
    be read, and as `Store.last` does.
    """
    require_own(site.store.root, site.holder)
    data = read_bytes(site.store.root, site.holder)
    history = _history(site.store, site.holder)
    with _within_dates(site):
        rung = next_rung(history, ttl)
    return Question(site.holder, data, history, rung, ttl, plan_store.read(site.folder))


def numbers(
    database: "Database",
    domains: Sequence[Domain],
    now: datetime.datetime,
    days: int,
    weakest: Grade,
) -> Numbers:
    """What the reports of the last `days` say; raises `LedgerError`, but not for no ledger."""
    from mtasts import report_numbers  # needs SQLAlchemy, as `database` does

    since = report_numbers.first_day(now, days)
    try:
        counted = report_numbers.numbers(database, domains, since, weakest)
        every = report_numbers.numbers(database, domains, since)
    except MtastsError as error:
        if error.code != "ledger-missing":
            raise
        return Numbers({}, {}, weakest, error.message)
    return Numbers(counted, every, weakest)


def cases(
    site: Site, asked: Question, said: Numbers, looks: Iterable[Seen], now: datetime.datetime
) -> Iterator[Case]:
    """What each domain that was looked at has to say, as the `looks` come. Raises `MtastsError`."""
    for seen in looks:
        history = _history(site.store, seen.domain)
        record = checks.record(seen.domain, seen.sts.texts, history[-1].id, asked.data)
        network = Network(checks.judge(seen, now), record, history[-1].id)
        facts = Facts(seen.domain, history, said.of(seen.domain), network)
        with _within_dates(site._replace(holder=seen.domain)):
            found = case(facts, asked.ttl, now)
        yield found


def judgement(
    site: Site, asked: Question, found: Sequence[Case], now: datetime.datetime
) -> Judgement:
    """The judgement, once every domain has been asked. Raises `PlanError` for a history's dates."""
    with _within_dates(site):
        return judge(asked, found, now)


def looks(domains: Sequence[Domain], edges: Edges, suffixes: FrozenSet[str]) -> Iterator[Seen]:
    """A look at each of the `domains`; `suffixes` as in `check_run.run`."""
    if len(domains) == 1:
        return check_run.few(domains, edges, lambda _domain: ())
    return check_run.run(domains, edges, suffixes=suffixes)


def take(site: Site, judged: Judgement, clock: Clock) -> HistoryEntry:
    """Serve the policy of the step to which `judged` says yes, in place of the one it is about.

    Raises `MtastsError` if there is a plan, which is then to be carried out, and as `Store.replace`
    does, also if somebody else has changed the policy meanwhile.
    """
    asked = judged.question
    if plan_store.read(site.folder):
        raise MtastsError(
            "advance-planned",
            f"there is a plan for {site.holder}, and its steps are counted from one another",
            f"Take this step with: mtasts plan {site.holder} --apply",
        )
    goal = cast(Rung, asked.rung).policy
    new = changed(asked.data, Wishes(goal.mode, goal.max_age))
    return site.store.replace(site.holder, asked.data, new, clock())


def is_unfinished(site: Site, ttl: datetime.timedelta) -> bool:
    """Whether the policy that is served came of a step, and is not published for every domain yet.

    What a plan has begun is for the plan to finish. Raises as `question` does.
    """
    require_own(site.store.root, site.holder)
    if plan_store.read(site.folder):
        return False
    history = _history(site.store, site.holder)
    before = [one for one in history if one.policy != history[-1].policy]
    with _within_dates(site):
        rung = next_rung(before, ttl) if before else None
    if rung is None or rung.policy != history[-1].policy:
        return False
    return not all(
        publications.is_published(site.store.root, domain, site.store.last(domain))
        for domain in site.domains()
    )


def publish(site: Site, clock: Clock) -> Iterator[Tuple[Domain, Step]]:
    """Publish the policy for every domain that has it; yields each step. Raises `MtastsError`."""
    for domain in site.domains():
        for step in publishing.publish(site.store, domain, clock, site.options):
            yield domain, step


@contextlib.contextmanager
def _within_dates(site: Site) -> Iterator[None]:
    try:
        yield
    except OverflowError as error:
        raise beyond_dates(site) from error


def _history(store: Store, name: Holder) -> Tuple[HistoryEntry, ...]:
    """The history, the policy that is there now included, also if nobody has entered it yet."""
    entries, last = store.history(name), store.last(name)
    return (*entries, last) if last not in entries[-1:] else tuple(entries)
