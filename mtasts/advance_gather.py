"""What a step up the ladder is judged by, gathered; nothing is written.

question   what is served, its history, the plan in progress
numbers    what is reported of each domain that has the policy
looks      its DNS and its hosts as they are now
cases      what each domain has to say
judgement  the answer
"""

import datetime
from typing import (
    TYPE_CHECKING,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    NamedTuple,
    Sequence,
)

from mtasts import check_run, checks, plan_store
from mtasts.advance import Case, Facts, Judgement, Network, Question, Reports, case, judge
from mtasts.domain import Domain
from mtasts.edges import Edges
from mtasts.errors import MtastsError
from mtasts.facts import Seen
from mtasts.folder import require_own
from mtasts.plan_apply import Site, within_dates
from mtasts.planning import next_rung
from mtasts.policy_file import read_bytes
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.summary import Summary
from mtasts.tlsrpt.summing import summarise

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

    Raises `StoreError` for an alias or a member, `PlanError` for a plan that cannot
    be read, and as `Store.known` does.
    """
    require_own(site.store.root, site.holder)
    data = read_bytes(site.store.root, site.holder)
    history = tuple(site.store.known(site.holder))
    with within_dates(site):
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
    from mtasts.ledger.queries import Filter

    since = report_numbers.first_day(now, days)
    try:
        wanted = Filter(since=since, weakest=weakest)
        counted = report_numbers.numbers(database, domains, wanted)
        every = report_numbers.numbers(database, domains, wanted._replace(weakest=None))
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
        history = tuple(site.store.known(seen.domain))
        record = checks.record(seen.domain, seen.sts.texts, history[-1].id, asked.data)
        network = Network(checks.judge(seen, now), record, history[-1].id)
        facts = Facts(seen.domain, history, said.of(seen.domain), network)
        with within_dates(site._replace(holder=seen.domain)):
            found = case(facts, asked.ttl, now)
        yield found


def judgement(
    site: Site, asked: Question, found: Sequence[Case], now: datetime.datetime
) -> Judgement:
    """The judgement, once every domain has been asked. Raises `PlanError` for a history's dates."""
    with within_dates(site):
        return judge(asked, found, now)


def looks(domains: Sequence[Domain], edges: Edges, suffixes: FrozenSet[str]) -> Iterator[Seen]:
    """A look at each of the `domains`; `suffixes` as in `check_run.run`."""
    if len(domains) <= check_run.FEW:
        return check_run.few(domains, edges, lambda _domain: ())
    return check_run.run(domains, edges, suffixes=suffixes)
