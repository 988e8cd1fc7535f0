"""What a report says, without keeping it."""

from typing import Iterable, Iterator, List, Tuple, Union

import click

from mtasts import report_files
from mtasts.cli.common import EXIT_WARNING, json_option, print_json_list
from mtasts.cli.report import shown
from mtasts.cli.report.limit import limit_option
from mtasts.errors import MtastsError, printable
from mtasts.tlsrpt import container
from mtasts.tlsrpt.report import Report

Read = Tuple[str, Union[Report, MtastsError]]  # its source, and what it is


@click.command()
@click.argument(
    "paths",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True),
)
@limit_option
@json_option
@click.pass_context
def read(context: click.Context, paths: Tuple[str, ...], limit: int, as_json: bool) -> None:
    """Say what the reports in FILEs tell, and keep nothing of them.

    A FILE may be a report as JSON, gzip or zip, a mail, an mbox, a Maildir, a directory of all
    these, or - for standard input. Exit code 1: something that should be a report cannot be read.

    \b
    Examples:
      mtasts report read example.net!example.org!1767225600!1767311999!001.json.gz
      mtasts report read --json ~/Maildir
    """
    errors: List[str] = []
    found = _counted(_reports(paths, limit), errors)
    if as_json:
        print_json_list(shown.as_json(name, item) for name, item in found)
    else:
        for name, item in found:
            _print(name, item)
    if errors:
        context.exit(EXIT_WARNING)


def _reports(paths: Iterable[str], limit: int) -> Iterator[Read]:
    """Every report in the files, or why it cannot be read, and where it is."""
    for path in report_files.files(paths):
        name = "standard input" if path == "-" else path
        try:
            data = report_files.read(path)
        except MtastsError as error:
            yield name, error
            continue
        yield from container.reports(data, name, limit)


def _counted(found: Iterable[Read], errors: List[str]) -> Iterator[Read]:
    """The same, and the codes of errors into `errors`."""
    for name, item in found:
        if isinstance(item, MtastsError):
            errors.append(item.code)
        yield name, item


def _print(name: str, item: Union[Report, MtastsError]) -> None:
    place = printable(name, 300)
    if isinstance(item, MtastsError):
        click.echo(f"{place}: {item}", err=True)
        return
    click.echo(f"{place}:")
    for line in shown.lines(item):
        click.echo("  " + line)
