"""What the reports of a period say about a domain: numbers, failures, whose end, what to do."""

from typing import Iterator, List, Optional, Sequence

import click

from mtasts.cli import findings
from mtasts.cli.common import (
    DOMAIN,
    EXIT_WARNING,
    days_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
)
from mtasts.cli.report import document
from mtasts.cli.report.document import day_text
from mtasts.cli.report.ledger import grade_option, ledger_option, opened
from mtasts.domain import Domain
from mtasts.finding import Finding
from mtasts.history import HistoryEntry
from mtasts.spreadsheet import row
from mtasts.store import Store
from mtasts.tlsrpt import verdict, words
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.summary import FailureGroup, Summary
from mtasts.tlsrpt.verdict import Background

_COLUMNS = (
    "result_type",
    "reason_code",
    "sessions",
    "reports",
    "reporters",
    "mx_hosts",
    "first",
) + ("last", "end", "certainty", "what", "remedy")


@click.command()
@click.argument("domain", metavar="DOMAIN", type=DOMAIN)
@days_option(30, "Sum up the reports of the last N days.")
@grade_option
@click.option("--csv", "as_csv", is_flag=True, help="Print a line of CSV for each kind of failure.")
@ledger_option
@policy_dir_option
@json_option
@click.pass_context
def summary(
    ctx: click.Context,
    domain: Domain,
    days: int,
    weakest: Optional[Grade],
    as_csv: bool,
    ledger: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Sum up what the reports of the last N days say about DOMAIN, and explain every failure.

    What happened, at whose end, how sure that is, what to do; joined with the policies that were
    served here. Numbers are effective sessions. Exit code 0: no failures, 1: some, or a report's
    numbers are unknown.

    \b
    Examples:
      mtasts report summary example.org
      mtasts report summary example.org --days 7 --grade dkim
      mtasts report summary example.org --csv > failures.csv
    """
    database = opened(ledger)
    from mtasts.ledger.queries import Filter  # needs SQLAlchemy, as `opened` tells
    from mtasts.report_numbers import first_day, numbers

    since = first_day(now(), days)
    found = numbers(database, [domain], Filter(since=since, weakest=weakest))[domain]
    served = store.history(domain)
    if as_json:
        print_json(dict(document.as_json(found, served), since=day_text(since)))
    elif as_csv:
        click.echo(row(_COLUMNS))
        for group in found.failures:
            click.echo(row(_cells(group)))
    else:
        for line in _lines(found, served, days):
            click.echo(line)
    if found.failures or found.effective.failed != 0:
        ctx.exit(EXIT_WARNING)


def _cells(group: FailureGroup) -> List[object]:
    meaning = verdict.explained(group)[:1]
    said = [(one.end, one.certainty, one.what, one.remedy) for one in meaning] or [("",) * 4]
    names = [" ".join(group.reporters), " ".join(group.mx_hosts)]
    days = [day_text(group.first), day_text(group.last)]
    counts = [group.sessions, group.reports]
    return [group.result_type, group.reason_code, *counts, *names, *days, *said[0]]


def _lines(found: Summary, served: Sequence[HistoryEntry], days: int) -> Iterator[str]:
    """All of it for people: the numbers, the failures, the reporters."""
    period = f"{found.domain}, {days} days, {words.reports(found.reports)}"
    yield f"{period}: {words.sessions(found.effective)} (sessions)"
    if found.unknown:
        yield f"  known: {words.sessions(found.known)}"
    if found.plain != found.effective:
        yield f"  as reported: {words.sessions(found.plain)}"
    yield from _finding_lines(verdict.of_summary(found))
    beside = verdict.background(found, served)
    for group in found.failures:
        yield from _group_lines(group, beside)
    if found.reporters:
        yield "reporters:"
    for one in found.reporters:
        proof = ", ".join(one.grades)
        last = f"{words.reports(one.reports)} until {day_text(one.last) or '?'} ({proof})"
        yield f"  {words.text(one.name)}: {words.sessions(one.sessions)}, {last}"


def _group_lines(group: FailureGroup, beside: Background) -> Iterator[str]:
    reason = f" ({words.text(group.reason_code)})" if group.reason_code else ""
    kind = words.text(group.result_type) + reason
    where = f" at {words.several(group.mx_hosts)}" if group.mx_hosts else ""
    when = f"since {day_text(group.first) or '?'}, last {day_text(group.last) or '?'}"
    by = words.several(group.reporters)
    yield f"{words.count(group.sessions)} x {kind}{where}, {when}, by {by}"
    for one in verdict.explained(group)[:1]:
        yield f"  what: {one.what}"
        yield f"  whose end: {one.end} ({one.certainty})"
        yield f"  remedy: {one.remedy}"
    yield from _finding_lines(verdict.of_group(group, beside))


def _finding_lines(said: Sequence[Finding]) -> Iterator[str]:
    for one in said:
        severity = findings.coloured(one.severity.value, findings.COLOURS.get(one.severity))
        yield f"  {severity}: {one.message} [{one.code}]"
