"""Changes that need time, as plans: made, shown, and carried out step by step."""

import datetime
import functools
from typing import Any, Callable, Dict, Optional, Tuple

import click

from mtasts import dns_settings, icalendar, plan_apply, plan_store
from mtasts.change import Wishes
from mtasts.cli.common import (
    DOMAIN,
    DURATION,
    EXIT_WARNING,
    HOLDER,
    ask,
    dry_run_option,
    json_option,
    mx_option,
    now,
    policy_dir_option,
    print_json,
    resolver_option,
    ttl_option,
    yes_option,
)
from mtasts.cli.publishing import dns_config_option
from mtasts.domain import Domain, MXPattern
from mtasts.holder import Holder
from mtasts.plan import Kind, Plan, Step, utc
from mtasts.plan_apply import Site
from mtasts.policy import Mode
from mtasts.publish_record import Options
from mtasts.store import Store

_WAIT = 30  # seconds for name servers to agree; who lags longer is looked at by the next --apply


def _ics_option(command: Callable) -> Callable:
    return click.option(
        "--ics", "as_ics", is_flag=True, help="Print the steps as iCalendar events."
    )(command)


@click.command()
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@mx_option("--add-mx", "Let this host take mail, too.")
@mx_option("--remove-mx", "Let this host take mail no more.")
@click.option("--mode", type=click.Choice(["testing", "enforce"]), help="The mode to end in.")
@click.option("--max-age", type=DURATION, metavar="SPAN", help="The max_age to end in: 30d, 1y.")
@ttl_option
@click.option("--apply", "is_applied", is_flag=True, help="Do the step that is due.")
@click.option("--cancel", "is_cancelled", is_flag=True, help="Forget the plan.")
@dry_run_option
@yes_option
@dns_config_option
@resolver_option
@policy_dir_option
@json_option
@_ics_option
@click.pass_context
def plan(
    ctx: click.Context,
    name: Holder,
    add_mx: Tuple[MXPattern, ...],
    remove_mx: Tuple[MXPattern, ...],
    mode: Optional[str],
    max_age: Optional[int],
    ttl: int,
    is_applied: bool,
    is_cancelled: bool,
    dry_run: bool,
    yes: bool,
    dns_config: Optional[str],
    resolver: Optional[str],
    store: Store,
    as_json: bool,
    as_ics: bool,
) -> None:
    """Plan a change of the policy of DOMAIN so that no cached policy stops mail.

    With options that say what is to be different, the steps are dated, printed and kept; without
    them the plan in progress is shown. --apply does the step that is due, or sees whether you have
    done it, and nothing more. All times are UTC.

    \b
    Examples:
      mtasts plan example.org --add-mx mx2.example.org --remove-mx mx1.example.org
      mtasts plan example.org --mode enforce --max-age 30d --dry-run
      mtasts plan example.org --apply
      mtasts plan example.org --ics > plan.ics
    """
    wishes = Wishes(mode and Mode(mode), max_age, (), add_mx, remove_mx)
    if (wishes != Wishes()) + is_applied + is_cancelled > 1:
        raise click.UsageError("Choose one: a change, --apply or --cancel.")
    if dry_run and wishes == Wishes():
        raise click.UsageError("--dry-run is for a change.")
    site = Site(store, name)
    if wishes != Wishes():
        _make(site, wishes, ttl, dry_run, _Printer(site, as_json, as_ics))
    elif is_cancelled:
        plan_apply.cancel(site)
        click.echo(f"There is no plan for {name} any more; its policy stays as it is.", err=True)
    elif is_applied:
        outcome = plan_apply.apply(
            site._replace(options=Options(dns_settings.load(dns_config), resolver, wait=_WAIT)),
            functools.partial(_confirm, yes),
            _now,
        )
        _Printer(site, as_json, as_ics).outcome(outcome)
        ctx.exit(EXIT_WARNING if outcome.missing else 0)
    else:
        _Printer(site, as_json, as_ics).plan(plan_apply.current(site).dated(_now()))


@click.command()
@click.argument("domain", type=DOMAIN)
@ttl_option
@dry_run_option
@policy_dir_option
@json_option
@_ics_option
def retire(
    domain: Domain, ttl: int, dry_run: bool, store: Store, as_json: bool, as_ics: bool
) -> None:
    """Plan how the policy of DOMAIN, and of its aliases, is taken out of the world.

    The steps are dated, printed and kept; carry them out with: mtasts plan DOMAIN --apply. The
    policy is not taken away before the last sender has forgotten every earlier one.

    \b
    Examples:
      mtasts retire example.org --dry-run
      mtasts retire example.org
    """
    site = Site(store, domain)
    _make(site, None, ttl, dry_run, _Printer(site, as_json, as_ics))


def _make(site: Site, wishes: Optional[Wishes], ttl: int, dry_run: bool, show: "_Printer") -> None:
    show.plan(plan_apply.make(site, wishes, ttl, _now(), not dry_run), is_kept=not dry_run)


def _now() -> datetime.datetime:
    """The time to the second, as plans are kept."""
    return now().replace(microsecond=0)


def _confirm(yes: bool, step: Step) -> bool:
    ask(f"{step.what} Is that so?", yes)
    return True


class _Printer:
    """How plans look: for people, for programs, for calendars."""

    def __init__(self, site: Site, as_json: bool, as_ics: bool) -> None:
        if as_json and as_ics:
            raise click.UsageError("Choose one: --json or --ics.")
        self.site = site
        self.as_json = as_json
        self.as_ics = as_ics

    def plan(self, made: Plan, is_kept: bool = True) -> None:
        """Print all steps."""
        if self.as_json:
            print_json(self._facts(made))
        elif self.as_ics:
            click.echo(icalendar.calendar(self._events(made), _now()), nl=False)
        elif not made.steps:
            click.echo("Nothing has to be waited for or changed: do it now.")
        else:
            click.echo(f"The plan for {self.site.holder}, made {utc(made.made)}:")
            for number, step in enumerate(made.steps, 1):
                click.echo(f"\n{number}. {_when(step)}\n   {step.what}\n   {step.why}")
            again = f"mtasts plan {self.site.holder} --apply"
            click.echo(f"\nDo what is due with: {again}" if is_kept else "\nNothing was kept.")

    def outcome(self, outcome: plan_apply.Outcome) -> None:
        """Print what came of a step, and what comes next."""
        if self.as_json or self.as_ics:
            self.plan(outcome.plan.dated(_now()))
            return
        step, following = outcome.step, outcome.plan.next
        if outcome.missing:
            click.echo(f"Not done yet: {step.what}\n{outcome.missing}")
        else:
            click.echo(f"Done: {step.what}")
            if step.kind is Kind.STOP:
                self._say_farewell()
            elif following:
                click.echo(f"Next, {_when(following)}: {following.what}")
            else:
                click.echo("That was the last step of the plan.")

    def _say_farewell(self) -> None:
        host = Domain(self.site.holder).policy_host
        click.echo(
            f"Now delete the certificate (certbot delete --cert-name {host}), the virtual host of"
            f" {host} and its address records."
        )

    def _facts(self, made: Plan) -> Dict[str, Any]:
        return dict(plan_store.as_json(made), name=self.site.holder)

    def _events(self, made: Plan) -> Any:
        for number, step in enumerate(made.steps, 1):
            if step.done is None:
                yield icalendar.Event(
                    f"{made.made:%Y%m%dT%H%M%SZ}-{number}@{self.site.holder.lstrip('@')}",
                    step.due,
                    f"{self.site.holder}: {step.what}",
                    f"{step.why}\nmtasts plan {self.site.holder} --apply",
                )


def _when(step: Step) -> str:
    return f"done {utc(step.done)}" if step.done else f"due {utc(step.due)}"
