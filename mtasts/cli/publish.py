"""Publishing a policy: the steps of `mtasts.publish`, as they happen."""

from typing import Iterator, Optional, Tuple

import click

from mtasts import dns_settings
from mtasts.cli import steps as shown
from mtasts.cli.common import (
    DOMAIN,
    ca_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
    report_secret_option,
    resolver_option,
)
from mtasts.cli.publishing import dns_config_option, wait_option
from mtasts.domain import Domain
from mtasts.drop_address import with_drop_box
from mtasts.publish import publish as publish_policy
from mtasts.publish import rollback
from mtasts.publish_record import Options
from mtasts.steps import State, Step
from mtasts.store import Store


@click.command()
@click.argument("domain", type=DOMAIN)
@click.option("--rua", multiple=True, metavar="URI", help="Where reports are to go from now on.")
@click.option("--adopt", is_flag=True, help="Keep the id that DNS has: it names this very policy.")
@click.option("--rollback", "back", is_flag=True, help="Publish the policy published before.")
@click.option("--dry-run", is_flag=True, help="Look at everything, change nothing.")
@wait_option
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
            shown.show(step)
    if as_json:
        print_json([shown.as_json(step) for step in steps if step.state is not State.PROGRESS])
    ctx.exit(shown.exit_code(steps))


def _steps(store: Store, domain: Domain, back: bool, options: Options) -> Iterator[Step]:
    if back:
        step = rollback(store, domain, now, options.dry_run)
        yield step
        if step.state is State.PLANNED:
            return
    yield from publish_policy(store, domain, now, options)
