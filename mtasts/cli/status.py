"""How every domain stands, with what needs attention first."""

import datetime
from typing import Any, Dict

import click

from mtasts import status as judge
from mtasts.cli import findings as shown
from mtasts.cli.common import (
    EXIT_INVALID,
    EXIT_WARNING,
    json_option,
    now,
    policy_dir_option,
    print_json_list,
    with_progress,
)
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import Severity
from mtasts.history import timestamp
from mtasts.policy_file import read_bytes
from mtasts.status import Row
from mtasts.store import Store

_EXIT_CODES = {
    Severity.ERROR: EXIT_INVALID,
    Severity.UNKNOWN: EXIT_WARNING,
    Severity.WARNING: EXIT_WARNING,
}
_COLOURS = {Severity.ERROR: "red", Severity.UNKNOWN: "yellow", Severity.WARNING: "yellow"}


@click.command()
@click.option("--offline", is_flag=True, help="Ask nobody: what the policy directory knows.")
@policy_dir_option
@json_option
@click.pass_context
def status(ctx: click.Context, offline: bool, store: Store, as_json: bool) -> None:
    """Show every domain: mode and since when, id, whose policy it has, and what is wrong.

    What needs attention comes first. Exit code 0: nothing to warn of, 1: warnings, 2: errors.

    \b
    Examples:
      mtasts status --offline
      mtasts status --offline --json
    """
    if not offline:
        raise click.UsageError("Only --offline is possible yet.")
    domains = list(store.domains())
    seen = (_row(store, domain, now()) for domain in domains)
    rows = judge.attention(list(with_progress(seen, len(domains), "domains looked at")))
    if as_json:
        print_json_list(_as_json(row) for row in rows)
    else:
        for row in rows:
            _show(row)
    ctx.exit(_EXIT_CODES.get(rows[0].severity, 0) if rows else 0)


def _row(store: Store, domain: Domain, when: datetime.datetime) -> Row:
    try:
        data = read_bytes(store.root, domain)
        return judge.row(domain, store.target(domain), data, store.history(domain), when)
    except MtastsError as error:
        return judge.unreadable(domain, error)


def _show(row: Row) -> None:
    severity = shown.coloured(f"{row.severity.value:<7}", _COLOURS.get(row.severity))
    mode = row.mode.value if row.mode else "invalid"
    since = row.since.strftime("%Y-%m-%d") if row.since else "-"
    said = [] if row.policy_of == row.domain else [f"of {row.policy_of}"]
    said += row.codes
    line = f"{row.domain:<40} {mode:<8} {since:<10} {row.id or '-':<22} {' '.join(said)}"
    click.echo(f"{severity} {line.rstrip()}")


def _as_json(row: Row) -> Dict[str, Any]:
    facts = row._asdict()
    facts["mode"] = row.mode and row.mode.value
    facts["since"] = row.since and timestamp(row.since)
    facts["findings"] = [shown.as_json(one) for one in row.findings]
    return dict(facts, severity=row.severity.value)
