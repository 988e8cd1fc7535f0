"""What the ledger holds: a line for each report, or for each thing in quarantine."""

from typing import Any, Dict, Iterable, Iterator, Optional

import click

from mtasts import spreadsheet
from mtasts.cli.common import DOMAIN, json_option, now, print_json_list
from mtasts.cli.report.ledger import ledger_option, opened
from mtasts.domain import Domain
from mtasts.errors import printable
from mtasts.history import timestamp
from mtasts.ledger.entry import ArrivalFacts, Held
from mtasts.tlsrpt import counting, words

_COLUMNS = (
    *("id", "start", "organization_name", "report_id", "domains", "successful", "failed"),
    *("grade", "arrivals", "conflicts", "counted", "uncounted"),
)
_QUARANTINE_COLUMNS = ("id", "received", "source", "domain", "grade", "size", "name", "error")


@click.command("list")
@click.option("--domain", type=DOMAIN, help="Only what is about this policy domain.")
@click.option("--days", type=click.IntRange(1, 3660), help="Only reports about the last days.")
@click.option("--organization", metavar="NAME", help="Only reports of this organisation.")
@click.option("--quarantine", is_flag=True, help="What could not be read, instead of reports.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, safe for spreadsheets.")
@ledger_option
def list_reports(
    domain: Optional[Domain],
    days: Optional[int],
    organization: Optional[str],
    quarantine: bool,
    as_json: bool,
    as_csv: bool,
    ledger: Optional[str],
) -> None:
    """List the reports in the ledger, by the day that they are about.

    A line has the number for mtasts report show, the day, the organisation, the policy domains,
    successful and failed sessions, how sure the origin is, and whether the report came again or is
    in conflict with another one. A line that begins with "!" is not counted.

    \b
    Examples:
      mtasts report list --domain example.org --days 30
      mtasts report list --quarantine
    """
    filtered = domain is not None or days is not None or organization is not None
    if (as_json and as_csv) or (quarantine and filtered):
        raise click.UsageError("these options do not go together")
    database = opened(ledger)
    from mtasts.ledger import queries
    from mtasts.report_numbers import first_day

    if quarantine:
        rows = map(_arrival, queries.quarantine(database))
        _print(rows, _QUARANTINE_COLUMNS, _arrival_line, as_json, as_csv)
        return
    since = first_day(now(), days) if days else None
    found = queries.reports(database, queries.Filter(domain, organization, since))
    _print(map(_report, found), _COLUMNS, _report_line, as_json, as_csv)


def _print(rows: Iterable[Dict[str, Any]], columns, line, as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json_list(rows)
    elif as_csv:
        click.echo(spreadsheet.row(columns))
        for row in rows:
            click.echo(spreadsheet.row(_cells(row, columns)))
    else:
        for row in rows:
            click.echo(line(row))


def _cells(row: Dict[str, Any], columns) -> Iterator[Any]:
    for name in columns:
        yield " ".join(row[name]) if isinstance(row[name], list) else row[name]


def _arrival(facts: ArrivalFacts) -> Dict[str, Any]:
    row = dict(facts._asdict(), received=timestamp(facts.received), grade=facts.grade.value)
    return {name: row[name] for name in _QUARANTINE_COLUMNS}


def _arrival_line(row: Dict[str, Any]) -> str:
    name = printable(row["name"] or row["domain"] or "-", 60)
    return f"{row['id']:>7}  {row['received']}  {row['source']:<6} {row['error']:<28} {name}"


def _report(held: Held) -> Dict[str, Any]:
    report = held.report
    effective = counting.effective(report)
    sessions = sum((one.sessions for one in effective.values()), counting.Sessions())
    return {
        "id": held.arrival_id,
        "start": timestamp(report.start) if report.start else None,
        "organization_name": report.organization_name,
        "report_id": report.report_id,
        "domains": sorted(effective),
        "successful": sessions.successful,
        "failed": sessions.failed,
        "grade": held.grade.value,
        "arrivals": held.arrivals,
        "conflicts": held.conflicts,
        "counted": held.is_counted,
        "uncounted": list(held.uncounted),
    }


def _report_line(row: Dict[str, Any]) -> str:
    day = row["start"][:10] if row["start"] else "?"
    domains = printable(" ".join(name or "?" for name in row["domains"]), 60) or "-"
    sessions = [("?" if row[name] is None else row[name]) for name in ("successful", "failed")]
    marks = f"  came {row['arrivals']} times" if row["arrivals"] > 1 else ""
    marks += f"  in conflict with {row['conflicts']}" if row["conflicts"] else ""
    if row["counted"] and row["uncounted"]:
        marks += f" and not counted for {words.several(row['uncounted'])}"
    return (
        f"{' ' if row['counted'] else '!'}{row['id']:>6}  {day:<10} "
        f"{printable(row['organization_name'], 30) or '?':<30} {domains:<30} "
        f"{sessions[0]:>8} {sessions[1]:>8} failed  {row['grade']}{marks}"
    )
