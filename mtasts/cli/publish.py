"""Publishing a policy: the steps of `mtasts.publish`, as they happen."""

import sys
from typing import Any, Dict, Iterator, Optional, Tuple

import click

from mtasts import dns_settings
from mtasts.cli.common import (
    DOMAIN,
    EXIT_FAILED,
    EXIT_WARNING,
    ca_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
    report_secret_option,
    resolver_option,
)
from mtasts.cli.dns_config import dns_config_option
from mtasts.domain import Domain
from mtasts.drop_address import with_drop_box
from mtasts.publish import publish as publish_policy
from mtasts.publish import rollback
from mtasts.publish_record import Options
from mtasts.steps import State, Step
from mtasts.store import Store

_COLOURS = {State.DONE: "green", State.FAILED: "red", State.WAITING: "yellow"}
_EXITS = {State.WAITING: EXIT_WARNING, State.FAILED: EXIT_FAILED}


@click.command()
@click.argument("domain", type=DOMAIN)
@click.option("--rua", multiple=True, metavar="URI", help="Where reports are to go from now on.")
@click.option("--adopt", is_flag=True, help="Keep the id that DNS has: it names this very policy.")
@click.option("--rollback", "back", is_flag=True, help="Publish the policy published before.")
@click.option("--dry-run", is_flag=True, help="Look at everything, change nothing.")
@click.option(
    "--wait",
    type=click.IntRange(min=0),
    default=Options().wait,
    show_default=True,
    metavar="SECONDS",
    help="How long the name servers have to agree.",
)
@dns_config_option
@report_secret_option
@ca_option
@resolver_option
@policy_dir_option
@json_option
@click.pass_context
def publish(
    ctx: click.Context,
    domain: Domain,
    rua: Tuple[str, ...],
    adopt: bool,
    back: bool,
    dry_run: bool,
    wait: float,
    dns_config: Optional[str],
    report_secret: str,
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Tell the world of the policy of DOMAIN, once it is served.

    Fetches it by every address of the policy host, then changes the TXT records (or says what to
    paste, where no way is configured), then waits until every authoritative name server has them.
    Run it again at any time: what is done stays as it is. Exit code 0: it is published; 1: not
    yet, and the last line says what to do; 3: something failed.

    \b
    Examples:
      mtasts publish example.org
      mtasts publish example.org --dry-run
      mtasts publish example.org --rollback
    """
    zones = dns_settings.load(dns_config)
    reports = with_drop_box(rua, report_secret, domain)
    options = Options(zones, resolver, ca, reports, wait, adopt, dry_run, bool(rua))
    steps = []
    for step in _steps(store, domain, back, options):
        steps.append(step)
        if not as_json:
            _show(step)
    if as_json:
        print_json([_as_json(step) for step in steps if step.state is not State.PROGRESS])
    ctx.exit(max([_EXITS.get(step.state, 0) for step in steps]))


def _steps(store: Store, domain: Domain, back: bool, options: Options) -> Iterator[Step]:
    if back:
        step = rollback(store, domain, now, options.dry_run)
        yield step
        if step.state is State.PLANNED:
            return
    yield from publish_policy(store, domain, now, options)


def _show(step: Step) -> None:
    is_progress = step.state is State.PROGRESS
    stream = sys.stderr if is_progress else sys.stdout
    colour = _COLOURS.get(step.state) if stream.isatty() else None
    code = f" [{step.code}]" if step.code else ""
    state = click.style(f"{step.state.value:8}", fg=colour) if colour else f"{step.state.value:8}"
    click.echo(f"{state} {step.name:9} {step.said}{code}", err=is_progress)
    for line in step.remedy.splitlines():
        click.echo(f"{'':19}{line}", err=is_progress)


def _as_json(step: Step) -> Dict[str, Any]:
    return dict(step._asdict(), state=step.state.value)
