"""Who has fetched a domain's policy, as the access log of Apache tells it."""

import datetime
from typing import Dict, Optional, Sequence, Tuple

import click

from mtasts import access_log
from mtasts.cli import findings as shown
from mtasts.cli import pickup_shown
from mtasts.cli.common import (
    DOMAIN,
    days_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
    resolver_option,
    with_progress,
)
from mtasts.cli.pickup_shown import View
from mtasts.cli.report.ledger import ledger_option, opened
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import gravest
from mtasts.history import HistoryEntry
from mtasts.pickup import verdict
from mtasts.pickup.fetcher import Name
from mtasts.pickup.tally import Pickup, Tally
from mtasts.pickup.verdict import LateReporter
from mtasts.store import Store
from mtasts.zone import TTL

_MAX_NAMES = 64  # addresses that are looked up


@click.command()
@click.argument("domain", metavar="DOMAIN", type=DOMAIN)
@click.option(
    "--log",
    "logs",
    multiple=True,
    metavar="FILE",
    default=[access_log.DEFAULT],
    show_default=True,
    help="Read this log, and those that logrotate has made of it; may be given again.",
)
@days_option(30, "Look at the last N days.")
@click.option("--resolve", is_flag=True, help="Ask DNS for the names of the busiest senders.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a line of CSV for each sender.")
@resolver_option
@ledger_option
@policy_dir_option
@json_option
@click.pass_context
def pickup(
    ctx: click.Context,
    domain: Domain,
    logs: Sequence[str],
    days: int,
    resolve: bool,
    as_csv: bool,
    resolver: Optional[str],
    ledger: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Show which senders have fetched the policy that is served for DOMAIN, and which have not yet.

    From the last N days of Apache's access log: by User-Agent and network, how often, from when to
    when, and what they had fetched before; which requests were refused, and why. If there is a
    ledger, also which reporters still use an earlier policy.

    Exit code 0: all who had an earlier policy have this one, 1: some have not yet, or fetches were
    refused that should not have been.

    \b
    Examples:
      mtasts pickup example.org
      mtasts pickup example.org --days 7 --resolve
      mtasts pickup example.org --log /var/log/apache2/mta-sts.log --json
    """
    when = now()
    history = store.history_until_now(domain) or [store.last(domain)]  # which says what is wrong
    found = _tallied(domain, history, logs, when - datetime.timedelta(days=days))
    late, unknown = _late(domain, history, ledger, when, days)
    names = _names(found, resolver) if resolve else {}
    view = View(found, late, unknown, names, when)
    said = verdict.findings(found, late, when)
    if as_json:
        print_json(pickup_shown.as_json(view, said))
    elif as_csv:
        for line in pickup_shown.csv_lines(view):
            click.echo(line)
    else:
        pickup_shown.show(view, said)
    ctx.exit(shown.exit_code(gravest(one.severity for one in said)))


def _tallied(
    domain: Domain, history: Sequence[HistoryEntry], logs: Sequence[str], since: datetime.datetime
) -> Pickup:
    """What the logs say; after two seconds standard error says how far it is."""
    tally = Tally(domain, history, since)
    with access_log.opened(logs, since) as files:
        pieces = access_log.feed(files, tally.add)
        for _ in with_progress(pieces, access_log.pieces(files), "MiB read"):
            pass
    return tally.result()


def _late(
    domain: Domain,
    history: Sequence[HistoryEntry],
    ledger: Optional[str],
    when: datetime.datetime,
    days: int,
) -> Tuple[Tuple[LateReporter, ...], str]:
    """The reporters that are late, or why nobody knows: the log is worth reading by itself."""
    try:
        database = opened(ledger)
        from mtasts.ledger.queries import Filter  # needs SQLAlchemy, as `opened` tells
        from mtasts.report_numbers import first_day, numbers

        summary = numbers(database, [domain], Filter(since=first_day(when, days)))[domain]
    except MtastsError as error:
        if ledger:
            raise
        return (), error.message
    return verdict.late_reporters(summary, history, datetime.timedelta(seconds=TTL)), ""


def _names(found: Pickup, resolver: Optional[str]) -> Dict[str, Name]:
    """The names of the busiest senders' addresses."""
    from mtasts import reverse_dns  # dnspython takes long to import
    from mtasts.dns_view import Resolver

    addresses = dict.fromkeys(one.address for one in found.senders if not one.is_check)
    return reverse_dns.names_of(Resolver(resolver), list(addresses)[:_MAX_NAMES])
