"""How every domain stands, with what needs attention first."""

import datetime
from typing import Any, Dict, Optional, Tuple

import click

from mtasts import status as judge
from mtasts import survey
from mtasts.cli import findings as shown
from mtasts.cli.common import (
    DOMAIN,
    ca_option,
    json_option,
    now,
    policy_dir_option,
    print_json_list,
    resolver_option,
    with_progress,
)
from mtasts.domain import Domain
from mtasts.history import timestamp
from mtasts.status import Row
from mtasts.store import Store
from mtasts.survey import Network

_IN_STEP = {True: "in-step", False: "differs", None: "-"}


@click.command()
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, type=DOMAIN)
@click.option("--offline", is_flag=True, help="Ask nobody: what the policy directory knows.")
@ca_option
@resolver_option
@policy_dir_option
@json_option
@click.pass_context
def status(
    ctx: click.Context,
    domains: Tuple[Domain, ...],
    offline: bool,
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Show how every domain stands, or each DOMAIN that is named.

    A line has: mode and since when, id, whether DNS has that id, how many days the certificate of
    the policy host is valid, whose policy it is, the next step of its plan, and what is wrong. What
    needs attention comes first. For domains that are named, it is said what to do.

    Exit code 0: nothing to warn of, 1: warnings or something not known, 2: errors.

    \b
    Examples:
      mtasts status
      mtasts status example.org
      mtasts status --offline --json
    """
    when = now()
    asked = domains or list(store.domains())
    found = survey.rows(store, asked, when, None if offline else Network(resolver, ca))
    rows = judge.attention(list(with_progress(found, len(asked), "domains looked at")))
    if as_json:
        print_json_list(_as_json(row, when) for row in rows)
    else:
        for row in rows:
            _show(row, when, offline)
            for one in row.findings if domains else ():
                shown.show(one, row.domain)
    ctx.exit(shown.exit_code(rows[0].severity) if rows else 0)


def _show(row: Row, when: datetime.datetime, offline: bool) -> None:
    severity = shown.coloured(f"{row.severity.value:<7}", shown.COLOURS.get(row.severity))
    mode = row.mode.value if row.mode else "invalid"
    since = row.since.strftime("%Y-%m-%d") if row.since else "-"
    line = f"{row.domain:<40} {mode:<8} {since:<10} {row.id or '-':<22}"
    if not offline:
        days = _days(row, when)
        line += f" {_IN_STEP[row.in_step]:<7} {'-' if days is None else f'{days}d':>5}"
    said = [] if row.policy_of == row.domain else [f"of {row.policy_of}"]
    said += [f"next {row.next.due:%Y-%m-%d} {row.next.kind.value}"] if row.next else []
    click.echo(f"{severity} {' '.join([line, *said, *row.codes]).rstrip()}")


def _days(row: Row, when: datetime.datetime) -> Optional[int]:
    """The full days for which the certificate is still valid."""
    return row.certificate_end and (row.certificate_end - when).days


def _as_json(row: Row, when: datetime.datetime) -> Dict[str, Any]:
    facts = row._asdict()
    facts["mode"] = row.mode and row.mode.value
    facts["since"] = row.since and timestamp(row.since)
    facts["findings"] = [shown.as_json(one) for one in row.findings]
    step = row.next
    facts["next"] = step and {
        "kind": step.kind.value,
        "due": timestamp(step.due),
        "what": step.what,
    }
    for name in ("changed", "certificate_begin", "certificate_end"):
        facts[name] = facts[name] and timestamp(facts[name])
    return dict(facts, certificate_days=_days(row, when), severity=row.severity.value)
