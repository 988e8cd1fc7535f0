"""What the reports of all own domains say that should be known now, and a digest every week."""

import contextlib
import socket
from typing import List, Optional

import click

from mtasts import alert_state
from mtasts.cli.common import EXIT_FAILED, ValueType, json_option, now, policy_dir_option
from mtasts.cli.report.ledger import ledger_option, opened, proof_option
from mtasts.cli.ways import is_told, ways_options
from mtasts.errors import MtastsError, printable
from mtasts.store import Store
from mtasts.telling import Way
from mtasts.tlsrpt.authenticity import Grade


def _percent(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 100:
            return float(text)
    raise MtastsError(
        "share-invalid",
        f"'{printable(text)}' is no share in percent",
        "Write a number from 0 to 100, such as 0.5.",
    )


@click.command()
@ways_options
@click.option(
    "--share",
    type=ValueType("percent", _percent),
    default="1",
    show_default=True,
    metavar="PERCENT",
    help="Tell if more than this of all sessions of the last 7 days failed, and 10 at least.",
)
@proof_option("Tell at once only what reports say whose origin is proven by this at least.")
@click.option(
    "--digest",
    type=click.Choice(["weekly", "never"]),
    default="weekly",
    show_default=True,
    help="How often to sum up the last 7 days.",
)
@click.option(
    "--state",
    default=alert_state.DEFAULT_PATH,
    show_default=True,
    metavar="FILE",
    help="Where it is remembered what was told.",
)
@ledger_option
@policy_dir_option
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    ways: List[Way],
    share: float,
    grade: str,
    digest: str,
    state: str,
    ledger: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Tell what the reports of all own domains say that matters now, and once a week the rest.

    For cron or a systemd timer. Told at once: an expired certificate or a share of failures that is
    too large, and its end; a kind of failure that is new; the first failure under enforce. A single
    fetch error is not. The first run tells how things stand. Without --mail, --webhook and
    --command it is printed, and nothing is if there is nothing to tell.

    Exit code 0: all there was to tell was told, also if that was nothing, 3: reports could not be
    read or it could not be told; the next run tells it then.

    \b
    Examples:
      mtasts report watch --mail postmaster@example.org
      mtasts report watch --command /usr/local/bin/page-me --digest never
      mtasts report watch --share 0.1 --state /var/tmp/reports.json
    """
    database = opened(ledger)
    from mtasts import report_watch as procedure  # needs SQLAlchemy, as `opened` tells

    run = procedure.Run(socket.gethostname(), now(), Grade(grade), share, digest == "weekly")
    told = [
        is_told(outcome, as_json) for outcome in procedure.watch(state, ways, database, store, run)
    ]
    ctx.exit(0 if all(told) else EXIT_FAILED)
