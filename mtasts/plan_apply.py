"""A plan carried out: one step when it is due, and nothing more.

What is ours to do is done: the policy, its id in DNS, the end of serving it. What the operator does
in DNS is told, and counts as done when DNS shows it, for every domain that has the policy. Clean
reports are the operator's word.
"""

import contextlib
import datetime
import os
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, cast

from mtasts import at_once, plan_store, probe, publications, reach
from mtasts.change import Wishes
from mtasts.domain import Domain
from mtasts.errors import printable
from mtasts.folder import HISTORY_FILE, require_own
from mtasts.holder import Holder
from mtasts.plan import MAX_TTL, Kind, Plan, PlanError, Step, mark
from mtasts.planning import change_steps, retire_steps
from mtasts.policy import Policy
from mtasts.policy_file import NoPolicy, read_bytes
from mtasts.publish import Clock, publish
from mtasts.publish_record import Options
from mtasts.record import STSRecord, candidates
from mtasts.store import Store

SHOWN = 5  # domains in a sentence


class Outcome(NamedTuple):
    """What came of a step: what is `missing` ("" if it is done), and the plan as it is now."""

    step: Step
    missing: str
    plan: Plan


class Site(NamedTuple):
    """Where a plan is carried out: the policy's holder in its store, and how it is published."""

    store: Store
    holder: Holder
    options: Options = Options()

    @property
    def folder(self) -> str:
        """The folder that holds the policy and the plan; raises `NoPolicy`."""
        path = os.path.join(self.store.root, self.holder)
        if not os.path.isdir(path):
            raise NoPolicy(self.store.root, self.holder)
        return path

    def domains(self) -> Tuple[Domain, ...]:
        """All domains that have the policy."""
        return tuple(self.store.sharers(self.holder))


def make(
    site: Site,
    wishes: Optional[Wishes],
    ttl: int,
    now: datetime.datetime,
    is_kept: bool = True,
) -> Plan:
    """The plan for the `wishes`, or for the removal if there are none; kept beside the policy.

    `ttl`, in seconds, is the longest of the domains' MX and TXT records. A plan without steps is
    not kept, nor is any if `is_kept` is false. Raises `PlanError`, also if there is a plan already,
    and as `change_steps` and `Store.current` do.
    """
    site.store.current(site.holder)
    require_own(site.store.root, site.holder)
    if plan_store.read(site.folder):
        raise PlanError(
            "plan-exists",
            f"there is a plan for {site.holder} already",
            f"Carry it out, or cancel it with: mtasts plan {site.holder} --cancel",
        )
    plan = _planned(site, wishes, ttl, now)
    if plan.steps and is_kept:
        plan_store.replace(site.folder, None, plan)
    return plan


def _planned(site: Site, wishes: Optional[Wishes], ttl: int, now: datetime.datetime) -> Plan:
    if ttl > MAX_TTL:
        raise PlanError("plan-ttl", f"no record has a TTL of {ttl} s", "Look it up in the zone.")
    span = datetime.timedelta(seconds=ttl)
    history = site.store.history(site.holder)
    with within_dates(site):
        if wishes is None:
            steps = retire_steps(history, span, now)
        else:
            members = [site.store.history(domain) for domain in site.domains()]
            steps = change_steps([history, *members], wishes, span, now)
    if any(step.due.year > plan_store.LAST_YEAR for step in steps):
        raise _beyond_dates(site)
    return Plan(now, span, mark(history), steps)


@contextlib.contextmanager
def within_dates(site: Site) -> Iterator[None]:
    """Let `PlanError` be raised if nothing can be added to the dates of the site's history."""
    try:
        yield
    except OverflowError as error:
        raise _beyond_dates(site) from error


def _beyond_dates(site: Site) -> PlanError:
    return PlanError(
        "plan-without-date",
        f"the history of {site.holder} has dates that are too far in the future",
        f"Correct the lines of {os.path.join(site.folder, HISTORY_FILE)} that have them.",
    )


def current(site: Site) -> Plan:
    """The plan in progress, as it is kept; raises `PlanError` if there is none."""
    site.store.current(site.holder)
    plan = plan_store.read(site.folder)
    if plan is None:
        raise PlanError(
            "plan-unknown",
            f"there is no plan for {site.holder}",
            f"Make one, for example with: mtasts plan {site.holder} --mode enforce",
        )
    return plan


def cancel(site: Site) -> None:
    """Forget the plan; the policy stays as it is. Raises `NoPolicy` or `PlanError`."""
    if not plan_store.remove(site.folder):
        raise PlanError("plan-unknown", f"there is no plan for {site.holder}")


def apply(site: Site, confirm: Callable[[Step], bool], clock: Clock) -> Outcome:
    """Do the step that is due, or see whether the operator has done it; nothing more.

    `confirm` asks the operator for what cannot be seen. Raises `PlanError` if nothing is due or the
    policy was changed by somebody else, `LookupFailed`, and as `Store.replace` does.
    """
    require_own(site.store.root, site.holder)
    plan = current(site)
    step = plan.step_due(clock())
    _refuse_overtaken(site, plan, step)
    if step.kind is Kind.STOP:
        site.store.retire(Domain(site.holder), clock())  # the plan goes with the folder
        return Outcome(step, "", plan.after(clock(), plan.mark))
    if step.kind is Kind.REPORTS:
        missing = "" if confirm(step) else "Nobody has said that the reports are clean."
    else:
        missing = _ACTS[step.kind](site, step, clock)
    if missing:
        return Outcome(step, missing, plan)
    is_change = step.kind is Kind.SERVE
    known = mark(site.store.history(site.holder)) if is_change else plan.mark
    after = plan.after(clock(), known)
    plan_store.replace(site.folder, plan, after if after.next else None)
    return Outcome(step, "", after)


def _refuse_overtaken(site: Site, plan: Plan, step: Step) -> None:
    """Raise `PlanError` if the policy is not the one that the plan's dates were counted for."""
    history = site.store.history(site.holder)
    # This very step, interrupted before the plan was written.
    is_served = history[-1].policy == step.policy and mark(history[:-1] or history) == plan.mark
    if mark(history) != plan.mark and not (step.kind is Kind.SERVE and is_served):
        raise _overtaken(site)


def _overtaken(site: Site) -> PlanError:
    return PlanError(
        "plan-overtaken",
        f"the policy of {site.holder} was changed by something else than its plan",
        f"Cancel the plan with mtasts plan {site.holder} --cancel, and make another one: its dates"
        " take the change into account.",
    )


def _serve(site: Site, step: Step, clock: Clock) -> str:
    """Serve the step's policy, unless a live MX host would be held back by it."""
    old, new = read_bytes(site.store.root, site.holder), cast(Policy, step.policy)
    if not site.store.history(site.holder)[-1].is_of(old):
        raise _overtaken(site)
    _refuse_uncovered(site, Policy.parse(old), new)
    site.store.replace(site.holder, old, new.to_bytes(), clock())
    return ""


def _refuse_uncovered(site: Site, served: Policy, new: Policy) -> None:
    """Raise `PlanError` if `new` would be the one to hold mail back from a live MX host."""
    if not reach.is_narrower(served, new):
        return
    asked = ((domain, served) for domain in site.domains())
    for outcome in reach.survey(asked, new, lambda domain: _mx_hosts(site, domain)):
        if outcome.unknown:
            raise PlanError("plan-mx-unseen", outcome.unknown, "Try again when DNS answers.")
        if outcome.hosts:
            raise PlanError(
                "plan-mx-uncovered",
                f"the MX records of {outcome.domain} name {printable(outcome.hosts[0])}, which the"
                " policy of this step does not",
                "Correct the MX records; or cancel the plan, and make another one with that host.",
            )


def _publish(site: Site, _step: Step, clock: Clock) -> str:
    """What keeps the policy of the first domain that has it from being published."""
    return next(filter(None, (_unpublished(site, domain, clock) for domain in site.domains())), "")


def _unpublished(site: Site, domain: Domain, clock: Clock) -> str:
    if publications.is_published(site.store.root, domain, site.store.last(domain)):
        return ""
    *_, last = publish(site.store, domain, clock, site.options)
    return f"{last.said}\n{last.remedy}".strip() if last.state.is_end else ""


def _remove_txt(site: Site, _step: Step, _clock: Clock) -> str:
    """Which domains still have their record."""
    seen = at_once.results(lambda domain: (domain, _has_record(site, domain)), site.domains())
    there = sorted(domain for domain, is_there in seen if is_there)
    return f"DNS still has the _mta-sts TXT record of {_some(there)}." if there else ""


def _has_record(site: Site, domain: Domain) -> bool:
    found = probe.txt(STSRecord.owner(domain), site.options.resolver)
    return bool(candidates(found, STSRecord.VERSION))


def _add_mx(site: Site, step: Step, _clock: Clock) -> str:
    """Which hosts no MX record names; of several domains one is enough, to be late is no risk."""
    live = [host for _, host in _live_mx(site)]
    missing = [name for name in step.mx if not any(name.covers(host) for host in live)]
    return f"No MX record names {', '.join(missing)} yet." if missing else ""


def _remove_mx(site: Site, step: Step, _clock: Clock) -> str:
    """Which MX records need what is to be removed."""
    policy = cast(Policy, step.policy)
    left = sorted(
        f"{printable(host)} ({domain})"
        for domain, host in _live_mx(site)
        if any(name.covers(host) for name in step.mx) and not policy.covers(host)
    )
    return f"The MX records still name {_some(left)}." if left else ""


def _live_mx(site: Site) -> Iterator[Tuple[Domain, str]]:
    """Every MX host of every domain; a domain without MX records is its own (RFC 5321 5.1)."""
    seen = at_once.results(lambda domain: (domain, _mx_hosts(site, domain)), site.domains())
    for domain, hosts in seen:
        for host in hosts or [domain]:
            yield domain, host


def _mx_hosts(site: Site, domain: Domain) -> List[str]:
    return [record.host for record in probe.mx(domain, site.options.resolver)]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


_ACTS: Dict[Kind, Callable[[Site, Step, Clock], str]] = {
    Kind.SERVE: _serve,
    Kind.PUBLISH: _publish,
    Kind.ADD_MX: _add_mx,
    Kind.REMOVE_MX: _remove_mx,
    Kind.REMOVE_TXT: _remove_txt,
}
