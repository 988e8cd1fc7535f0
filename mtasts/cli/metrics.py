"""Metrics of the own domains, for Prometheus."""

import datetime
import os
import sys
from typing import Any, Optional, Sequence, Tuple

import click

from mtasts import survey
from mtasts.cli import textfile
from mtasts.cli.common import (
    DOMAIN,
    ca_option,
    days_option,
    now,
    policy_dir_option,
    resolver_option,
    with_progress,
)
from mtasts.cli.report.ledger import grade_option, ledger_option, opened
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.ledger import place
from mtasts.store import Store
from mtasts.survey import Network
from mtasts.tlsrpt.authenticity import Grade


@click.command()
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, type=DOMAIN)
@click.option(
    "--output",
    metavar="FILE",
    default=textfile.STDOUT,
    help="Write to FILE, all at once, in place of the standard output.",
)
@days_option(7, "Sum up the reports of the last N days.")
@click.option("--offline", is_flag=True, help="Ask nobody: no DNS, no certificates.")
@ca_option
@resolver_option
@policy_dir_option
@grade_option
@ledger_option
def metrics(
    domains: Tuple[Domain, ...],
    output: str,
    days: int,
    offline: bool,
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
    weakest: Optional[Grade],
    ledger: Optional[str],
) -> None:
    """Print metrics of all own domains, or of each DOMAIN, for Prometheus.

    How they stand, as mtasts status has it, and what their reports add up to, as mtasts report
    summary has it. node_exporter's textfile collector takes them from a FILE that ends in .prom.

    Before the first report there are no metrics of reports, and that is no fault.

    Exit code 0: metrics were written, whatever they say, 3: not all. If it is the ledger that
    cannot be read, all others are written.

    \b
    Examples:
      mtasts metrics
      mtasts metrics --output /var/lib/prometheus/node-exporter/mtasts.prom
      mtasts metrics example.org --offline --days 30
    """
    textfile.require_library()
    from mtasts import exposition
    from mtasts import metrics as families

    when = now()
    samples = exposition.Samples(families.FAMILIES)
    samples.add("mtasts_metrics_timestamp_seconds", when)
    # Prometheus refuses a series that is there twice.
    asked = tuple(dict.fromkeys(domains or store.domains()))
    network = None if offline else Network(resolver, ca)
    rows = survey.rows(store, asked, when, network)
    if sys.stderr.isatty():  # cron mails whatever is printed
        rows = with_progress(rows, len(asked), "domains looked at")
    for row in rows:
        families.add_row(samples, row)
    fault = None
    try:
        if _is_there(ledger):
            _add_reports(samples, opened(ledger), asked, when, days, weakest)
    except MtastsError as error:
        samples.add("mtasts_report_ledger_readable", 0)
        fault = error
    textfile.write(samples.text(), output)
    if fault:
        raise fault


def _is_there(ledger: Optional[str]) -> bool:
    """Whether there is a ledger; before the first report there is none."""
    where = place.find(ledger, os.environ)
    if where.is_missing and sys.stderr.isatty():
        click.echo(f"there is no ledger at {where} yet: no metrics of reports", err=True)
    return not where.is_missing


def _add_reports(
    samples: Any,
    database: Any,
    asked: Sequence[Domain],
    when: datetime.datetime,
    days: int,
    weakest: Optional[Grade],
) -> None:
    """Add what the reports of the last `days` say; raises `LedgerError`."""
    from mtasts import metrics as families
    from mtasts.ledger import queries  # needs SQLAlchemy, as `opened` tells
    from mtasts.report_numbers import first_day, numbers

    since = first_day(when, days)
    quarantined = queries.quarantined(database)
    found = numbers(database, asked, queries.Filter(since=since, weakest=weakest))
    samples.add("mtasts_report_ledger_readable", 1)
    samples.add("mtasts_report_quarantine", quarantined)
    samples.add("mtasts_report_period_start_timestamp_seconds", since)
    for summary in found.values():
        families.add_summary(samples, summary)
