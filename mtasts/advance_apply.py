"""A step up the ladder, taken: the policy served, then published for every domain that has it.

Nothing here knows of a report. Whoever is interrupted in between begins again, and comes to the
same end.
"""

import datetime
from typing import Iterator, Tuple

from mtasts import plan_store, publications
from mtasts import publish as publishing
from mtasts.change import Wishes, changed
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.folder import require_own
from mtasts.history import HistoryEntry
from mtasts.plan_apply import Site, within_dates
from mtasts.planning import Rung, next_rung
from mtasts.publish import Clock
from mtasts.steps import Step


def take(site: Site, old: bytes, rung: Rung, clock: Clock) -> HistoryEntry:
    """Serve the policy of the step `rung` in place of `old`, the bytes that it was judged by.

    Raises `MtastsError` if there is a plan, which is then to be carried out, and as `Store.replace`
    does, also if somebody else has changed the policy meanwhile.
    """
    if plan_store.read(site.folder):
        raise MtastsError(
            "advance-planned",
            f"there is a plan for {site.holder}, and its steps are counted from one another",
            f"Take this step with: mtasts plan {site.holder} --apply",
        )
    new = changed(old, Wishes(rung.policy.mode, rung.policy.max_age))
    return site.store.replace(site.holder, old, new, clock())


def is_unfinished(site: Site, ttl: datetime.timedelta) -> bool:
    """Whether the policy that is served came of a step, and is not published for every domain yet.

    What a plan has begun is for the plan to finish. Raises `MtastsError`.
    """
    require_own(site.store.root, site.holder)
    if plan_store.read(site.folder):
        return False
    history = site.store.known(site.holder)
    before = [one for one in history if one.policy != history[-1].policy]
    with within_dates(site):
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
