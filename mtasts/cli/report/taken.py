"""What became of the mails and files that a command has taken in, in numbers."""

from collections import Counter
from typing import Iterable, Iterator, List

import click

from mtasts.errors import MtastsError


def without_errors(taken: Iterable, errors: List[MtastsError]) -> Iterator:
    """What was taken; what was left for later, and why, goes into `errors`."""
    for one in taken:
        error = one if isinstance(one, MtastsError) else one.postponed
        if error:
            errors.append(error)
        else:
            yield one


def counted(taken: Iterable) -> Counter:
    """How many new reports there are, and what became of everything else."""
    numbers: Counter = Counter()
    for one in taken:
        if one.added is None:
            numbers["others"] += 1
            continue
        numbers["known"] += not one.added.is_new
        numbers["new"] += one.added.new_reports
        numbers["resent"] += one.added.resent_reports
        numbers["quarantine"] += one.added.is_new and one.entry.error is not None
    return numbers


def show(numbers: Counter, errors: Iterable[MtastsError]) -> None:
    """Say what `counted` found, and the errors."""
    for error in errors:
        click.echo(f"mtasts: {error}", err=True)
    click.echo(f"new reports: {numbers['new']}")
    for name, words in (
        ("resent", "reports that came again"),
        ("known", "files and mails known already"),
        ("others", "mails that are no reports"),
        ("quarantine", "in quarantine (mtasts report list --quarantine)"),
    ):
        if numbers[name]:
            click.echo(f"{words}: {numbers[name]}")
