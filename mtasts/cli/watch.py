"""All own domains looked at, and what changed since the last time told."""

import socket
import sys
from typing import Any, List, NamedTuple, Optional, Tuple

import click

from mtasts import edges, notify, watch_state
from mtasts import watch as procedure
from mtasts.cli.common import (
    DOMAIN,
    EXIT_FAILED,
    ca_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
    resolver_option,
    with_progress,
)
from mtasts.domain import Domain
from mtasts.notice import Report, as_json, text
from mtasts.notify import InvalidWay
from mtasts.store import Store
from mtasts.watch import Run, Way


class _Output(NamedTuple):
    """The standard output as a way of telling."""

    as_json: bool

    def tell(self, report: Report) -> None:
        """Print what is new; a program gets a document even if nothing is."""
        if self.as_json:
            print_json(as_json(report))
        else:
            click.echo(text(report), nl=False)
        sys.stdout.flush()  # what nobody has taken was not told


@click.command()
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, type=DOMAIN)
@click.option("--mail", multiple=True, metavar="ADDRESS", help="Tell by a mail to ADDRESS.")
@click.option("--mail-from", metavar="ADDRESS", help="The mail's sender.")
@click.option(
    "--webhook",
    metavar="URL",
    envvar="MTASTS_WEBHOOK",
    help="Tell by a POST of JSON to this https: URL. [env: MTASTS_WEBHOOK]",
)
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
    mail: Tuple[str, ...],
    mail_from: Optional[str],
    webhook: Optional[str],
    state: str,
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Check all own domains, or each DOMAIN, and tell only what changed since the last run.

    For cron or a systemd timer. Warnings, errors and what could not be found out are told when they
    are new, graver, milder or gone; the first run tells all that is wrong. What lasts is not told
    twice. Without --mail and --webhook it is printed, and nothing is if nothing changed.

    Exit code 0: all there was to tell was told, also if that was nothing, 3: it could not be looked
    or told; the next run tells it then.

    \b
    Examples:
      mtasts watch --mail postmaster@example.org
      mtasts watch --webhook https://example.org/hooks/mail
      mtasts watch example.org --state /var/tmp/watch.json
    """
    ways = _ways(mail, mail_from, webhook, as_json)
    asked = list(dict.fromkeys(domains or store.domains()))
    when = now()
    looks = procedure.looks(store, asked, edges.real(resolver, ca, store.root), when)
    if sys.stderr.isatty():  # cron mails whatever is printed
        looks = with_progress(looks, len(asked), "domains looked at")
    run = Run(socket.gethostname(), when, frozenset(asked), is_all=not domains)
    errors = []
    for outcome in procedure.watch(state, ways, looks, run):
        errors += [outcome.error] if outcome.error else []
        if as_json and not outcome.report.notices:
            _Output(as_json).tell(outcome.report)
    for error in errors:
        click.echo(f"mtasts: {error}", err=True)
    ctx.exit(EXIT_FAILED if errors else 0)


def _ways(
    mail: Tuple[str, ...], sender: Optional[str], webhook: Optional[str], as_json: bool
) -> List[Way]:
    """Whom to tell; raises `InvalidWay`."""
    if sender and not mail:
        raise InvalidWay("mail-recipient-missing", "--mail-from without --mail", "Add --mail.")
    ways: List[Any] = []
    if mail:
        ways.append(notify.mail(mail, sender))
    if webhook:
        ways.append(notify.webhook(webhook))
    if as_json and ways:
        raise InvalidWay(
            "watch-json-elsewhere",
            "--json is for the standard output, and the news go elsewhere",
            "Leave it out; a webhook gets JSON anyway.",
        )
    return [Way(one.name, one.tell) for one in ways] or [Way("output", _Output(as_json).tell)]
