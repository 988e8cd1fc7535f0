"""One arrival and what it holds; and how old ones are forgotten."""

import contextlib
import datetime
import sys
from typing import Dict, Iterator, Optional

import click

from mtasts import duration, spreadsheet
from mtasts.cli.common import (
    DURATION,
    dry_run_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
)
from mtasts.cli.report import shown
from mtasts.cli.report.ledger import ledger_option, opened
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.history import timestamp
from mtasts.ledger.entry import ArrivalFacts, Held, Shown
from mtasts.store import Store
from mtasts.tlsrpt import summary, verdict, words
from mtasts.tlsrpt.reasons import REASONS
from mtasts.tlsrpt.report import STS, PolicyResult

_NEVER_SERVED = "this policy was never served from here: it is not in the history of the domain"


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print a line of CSV for each failure.")
@click.option("--raw", is_flag=True, help="Write the bytes as they came.")
@policy_dir_option
@ledger_option
def show(
    number: int, as_json: bool, as_csv: bool, raw: bool, store: Store, ledger: Optional[str]
) -> None:
    """Show the reports that came by the arrival ID of mtasts report list, and how they came.

    \b
    Examples:
      mtasts report show 17
      mtasts report show 17 --csv >failures.csv
      mtasts report show 17 --raw >report.eml
    """
    if as_json + as_csv + raw > 1:
        raise click.UsageError("these options do not go together")
    database = opened(ledger)
    from mtasts.ledger import queries

    if raw:
        sys.stdout.flush()
        sys.stdout.buffer.write(queries.raw(database, number))
        return
    found = queries.shown(database, number)
    if as_json:
        print_json(list(_as_json(found.facts, found.reports, store)))
        return
    for line in _csv_lines(found) if as_csv else _lines(found, store):
        click.echo(line)


@click.command()
@click.option("--older", type=DURATION, required=True, help="What is older, for example 1y or 90d.")
@dry_run_option
@ledger_option
def vacuum(older: int, dry_run: bool, ledger: Optional[str]) -> None:
    """Forget what is older, with its bytes.

    A report is as old as the days that it is about; what could not be read, as its arrival.

    \b
    Examples:
      mtasts report vacuum --older 2y --dry-run
      mtasts report vacuum --older 2y
    """
    database = opened(ledger)
    from mtasts.ledger import retention

    before = _before(older)
    if dry_run:
        click.echo(f"arrivals to be forgotten: {retention.count_older(database, before)}")
    else:
        click.echo(f"arrivals forgotten: {retention.forget_older(database, before)}")


def _before(older: int) -> datetime.datetime:
    try:
        return now() - datetime.timedelta(seconds=older)
    except OverflowError as error:
        raise MtastsError(
            "duration-too-long", f"{duration.spoken(older)} ago there was no calendar"
        ) from error


def _as_json(facts: ArrivalFacts, reports: Iterator[Held], store: Store) -> Iterator[Dict]:
    arrival = dict(facts._asdict(), received=timestamp(facts.received), grade=facts.grade.value)
    source = facts.name or f"arrival {facts.id}"
    for held in reports:
        members = shown.as_json(source, held.report)
        for result, policy in zip(members["policies"], held.report.policies):
            result["served"] = _served(policy, store)
        members.update(
            arrival=arrival,
            arrivals=held.arrivals,
            first_arrival=held.arrival_id,
            conflicts=held.conflicts,
            counted=held.is_counted,
            uncounted=held.uncounted,
        )
        yield members
    if facts.error:
        yield {"source": source, "error": facts.error, "arrival": arrival}


def _csv_lines(found: Shown) -> Iterator[str]:
    yield spreadsheet.row(shown.COLUMNS)
    for held in found.reports:
        yield from map(spreadsheet.row, shown.cells(held.report))


def _lines(found: Shown, store: Store) -> Iterator[str]:
    yield from _arrival_lines(found.facts)
    for held in found.reports:
        for line in _report_lines(held, store):
            yield "  " + line


def _arrival_lines(facts: ArrivalFacts) -> Iterator[str]:
    to = f" for {facts.domain}" if facts.domain else ""
    name = f", {printable(facts.name, 100)}" if facts.name else ""
    yield f"{facts.id}: {facts.size} bytes by {facts.source}{to}, {timestamp(facts.received)}{name}"
    yield f"sha256: {facts.sha256}"
    yield f"origin: {facts.grade.value}"
    if facts.error:
        why = REASONS.get(facts.error, "it cannot be read")  # an older mtasts knew other codes
        yield f"in quarantine: {why} [{facts.error}]"


def _report_lines(held: Held, store: Store) -> Iterator[str]:
    yield from shown.lines(held.report)
    if held.arrivals > 1:
        yield f"it came {held.arrivals} times, first as {held.arrival_id}, and is counted once"
    if held.conflicts:
        counted = "this one is counted" if held.is_counted else "this one is not counted"
        if held.is_counted and held.uncounted:
            counted = f"this one is not counted for {words.several(held.uncounted)}"
        yield f"in conflict with {held.conflicts} of the same id: {counted}"
    for policy in held.report.policies:
        if _served(policy, store) is False:
            yield f"{policy.policy_domain}: {_NEVER_SERVED}"


def _served(policy: PolicyResult, store: Store) -> Optional[bool]:
    """Whether the policy was ever served from here; None if that is not known."""
    try:
        domain = Domain(policy.policy_domain)
        history = store.history(domain)
        with contextlib.suppress(MtastsError):  # there is none any more
            history = [*history, store.last(domain)]
    except MtastsError:  # no name of a domain, or nothing to be read
        return None
    quoted = summary.quoted(policy.policy_string)
    if not history or not quoted or policy.policy_type.lower() != STS:
        return None
    return verdict.was_served(quoted, history) is not None
