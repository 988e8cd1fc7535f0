"""All own domains looked at, and what changed since the last time told."""

import socket
import sys
from typing import List, Optional, Tuple

import click

from mtasts import edges, watch_state
from mtasts import watch as procedure
from mtasts.cli.common import (
    DOMAIN,
    EXIT_FAILED,
    ca_option,
    json_option,
    now,
    policy_dir_option,
    resolver_option,
    with_progress,
)
from mtasts.cli.ways import is_told, ways_options
from mtasts.domain import Domain
from mtasts.store import Store
from mtasts.telling import Way
from mtasts.watch import Run


@click.command()
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, type=DOMAIN)
@ways_options
@click.option(
    "--state",
    default=watch_state.DEFAULT_PATH,
    show_default=True,
    metavar="FILE",
    help="Where it is remembered what was told.",
)
@ca_option
@resolver_option
@policy_dir_option
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    domains: Tuple[Domain, ...],
    ways: List[Way],
    state: str,
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Check all own domains, or each DOMAIN, and tell only what changed since the last run.

    For cron or a systemd timer. Warnings, errors and what could not be found out are told when they
    are new, graver, milder or gone; the first run tells all that is wrong. What lasts is not told
    twice. Without --mail, --webhook and --command it is printed, and nothing is if nothing changed.

    Exit code 0: all there was to tell was told, also if that was nothing, 3: it could not be looked
    or told; the next run tells it then.

    \b
    Examples:
      mtasts watch --mail postmaster@example.org
      mtasts watch --webhook https://example.org/hooks/mail
      mtasts watch example.org --state /var/tmp/watch.json
    """
    asked = list(dict.fromkeys(domains or store.domains()))
    when = now()
    looks = procedure.looks(store, asked, edges.real(resolver, ca, store.root), when)
    if sys.stderr.isatty():  # cron mails whatever is printed
        looks = with_progress(looks, len(asked), "domains looked at")
    run = Run(socket.gethostname(), when, frozenset(asked), is_all=not domains)
    outcomes = procedure.watch(state, ways, looks, run)
    told = [is_told(outcome, as_json) for outcome in outcomes]
    ctx.exit(0 if all(told) else EXIT_FAILED)
