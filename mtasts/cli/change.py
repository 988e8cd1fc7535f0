"""How a policy is changed, by whatever command: shown, looked at, agreed to, written.

The difference and what lint has to say of it are shown first. If the change may take MX hosts away,
or is stricter, the live MX of every domain that has the policy is looked up, and it is refused if
more than --max-uncovered of them would lose a host. Then a person on a terminal is asked; where
there is none, it goes ahead, unless there is something new to warn of.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import click

from mtasts import lint, near_miss, probe, reach
from mtasts.change import new_findings
from mtasts.cli import findings as shown
from mtasts.cli.common import (
    ask,
    counted,
    dry_run_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
    resolver_option,
    with_progress,
    yes_option,
)
from mtasts.cli.difference import difference, show_difference
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.finding import Finding, Severity
from mtasts.holder import ClassName, Holder
from mtasts.policy import InvalidPolicy, Policy, read
from mtasts.reach import Outcome
from mtasts.store import Store
from mtasts.testing_until import Until

_LISTED = 20  # domains that are named; JSON has them all


class How(NamedTuple):
    """What the options of every change say."""

    store: Store
    yes: bool
    dry_run: bool
    as_json: bool
    max_uncovered: int
    resolver: Optional[str]


def change_options(command: Callable) -> Callable:
    """Add the options of `How`."""
    limit = click.option(
        "--max-uncovered",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="Refuse if more domains than this would lose an MX host, or cannot be looked up.",
    )
    for option in (json_option, policy_dir_option, resolver_option, limit):
        command = option(command)
    return yes_option(dry_run_option(command))


def carry_out(
    name: Holder, old: bytes, new: bytes, how: How, until: Optional[Until] = None
) -> None:
    """Replace the policy `old` of `name` by `new`; raises `MtastsError` if that is refused.

    `until` is the last day of mode testing, None if that is to stay as it is.
    """
    policy = valid(new, f"the new policy of {name}")
    if until:
        until.require(name, policy.mode)
    found = new_findings(old, new)
    report = _show_change(name, old, new, found, how)
    if old != new:
        before = read(old).policy
        domains = [(domain, before) for domain in how.store.sharers(name)]
        outcomes = look_up(domains, policy, how)
        report.update(domains=len(domains), **reach_as_json(outcomes))
        refuse_if_too_many(outcomes, how, report)
        if not how.dry_run:
            is_warning = lint.worst(found) not in (Severity.OK, Severity.INFO)
            ask(f"Change the policy of {_spoken(name, len(domains))}?", how.yes, is_warning)
            how.store.replace(name, old, new, now())
            report["written"] = True
    if until and not how.dry_run:
        how.store.set_testing_until(name, until)
    _conclude(name, report, how, until)


def _show_change(
    name: Holder, old: bytes, new: bytes, found: Sequence[Finding], how: How
) -> Dict[str, Any]:
    """Show the difference and what is newly found in it; return both for --json."""
    lines = difference(name, old, new)
    if not how.as_json:
        show_difference(lines)
        for one in found:
            shown.show(one, name)
    objects = [shown.as_json(one) for one in found]
    changed = old != new
    return {"name": name, "changed": changed, "written": False, "diff": lines, "findings": objects}


def _spoken(name: Holder, domains: int) -> str:
    return f"{name} and so of {counted(domains)}" if isinstance(name, ClassName) else name


def _conclude(name: Holder, report: Dict[str, Any], how: How, until: Optional[Until]) -> None:
    entry = how.store.last(name) if report["written"] else None
    if how.as_json:
        said = {"testing_until": until.date and str(until.date)} if until else {}
        print_json(dict(report, id=entry and entry.id, **said))
        return
    if until:
        click.echo(f"{name}: {'would be ' if how.dry_run else ''}{_said(until)}")
    if entry:
        click.echo(f"{name}: mode {entry.mode}, id {entry.id}, served from now on")
        domain = "DOMAIN, for every domain of the class" if isinstance(name, ClassName) else name
        click.echo(f"Next: mtasts publish {domain}")
    elif report["changed"] or not until:
        click.echo(f"{name}: {'not written (dry run)' if report['changed'] else 'no change'}")


def _said(until: Until) -> str:
    return f"in testing until {until.date}" if until.date else "in testing without a set end"


def valid(data: bytes, source: str) -> Policy:
    """The policy `data`; raises `InvalidPolicy` that names `source` and the usual cure."""
    reading = read(data)
    if reading.policy is None:
        raise InvalidPolicy(near_miss.remedied(reading.faults[0]), source)
    return reading.policy


def look_up(
    domains: Sequence[Tuple[Domain, Optional[Policy]]], new: Policy, how: How
) -> List[Outcome]:
    """The domains, each with the policy it has now, that `new` would hurt, or may hurt."""
    if how.resolver:
        probe.split_address(how.resolver, 53)  # said once, and not of every domain

    def live_mx(domain: Domain) -> List[str]:
        return [record.host for record in probe.mx(domain, how.resolver)]

    outcomes = reach.survey(domains, new, live_mx)
    asked = with_progress(outcomes, len(domains), "domains looked up")
    return sorted(one for one in asked if one.hosts or one.unknown)


def reach_as_json(outcomes: Sequence[Outcome]) -> Dict[str, Any]:
    """The members that tell whom a change would hurt."""
    return {
        "uncovered": {one.domain: list(one.hosts) for one in outcomes if one.hosts},
        "unknown": {one.domain: one.unknown for one in outcomes if one.unknown},
    }


def refuse_if_too_many(outcomes: Sequence[Outcome], how: How, report: Dict[str, Any]) -> None:
    """Show the `outcomes`; raise `MtastsError` if there are more than --max-uncovered."""
    if not how.as_json:
        _show_outcomes(outcomes)
    if len(outcomes) <= how.max_uncovered:
        return
    if how.as_json:
        print_json(report)
    count = sum(bool(one.hosts) for one in outcomes)
    raise MtastsError(
        "mx-uncovered",
        f"{counted(count)} would have MX hosts that the policy does not cover, and "
        f"{len(outcomes) - count} could not be looked up; --max-uncovered is {how.max_uncovered}",
        "Change the MX records first, or say with --max-uncovered how many you accept.",
    )


def _show_outcomes(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes[:_LISTED]:
        hosts = ", ".join(printable(host, 300) for host in one.hosts)
        click.echo(f"{one.domain}: {one.unknown or 'would not be covered: ' + hosts}")
    if len(outcomes) > _LISTED:
        click.echo(f"... and {len(outcomes) - _LISTED} more (--json lists them all)")
