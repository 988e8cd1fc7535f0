"""Reports come into the ledger: from files, from a mail server's pipe, from the spool."""

import itertools
from collections import Counter
from typing import Any, Iterable, Iterator, List, Optional, Tuple

import click

from mtasts import report_files
from mtasts.cli.common import EXIT_WARNING, now
from mtasts.cli.report.ledger import (
    Grading,
    grader,
    grading_options,
    ledger_option,
    opened,
    spool_option,
)
from mtasts.cli.report.limit import limit_option
from mtasts.cli.report.taken import counted, show, without_errors
from mtasts.errors import MtastsError, printable
from mtasts.ledger.entry import FILE, MAIL, Named
from mtasts.spool import Arrival, Spool
from mtasts.tlsrpt import mail

EXIT_TEMPORARY = 75  # EX_TEMPFAIL of sysexits.h: a mail server keeps the mail and tries again
_PIPE = ("-",)


class _Piped(click.Command):
    """A command that refuses no mail on standard input, not even with a wrong option."""

    def make_context(self, info_name: Optional[str], args: List[str], **others: Any) -> Any:
        """Read the command line; what is wrong with it is for somebody to put right."""
        is_piped = "-" in args
        try:
            return super().make_context(info_name, args, **others)
        except click.UsageError as error:
            if is_piped:
                error.exit_code = EXIT_TEMPORARY
            raise


@click.command(cls=_Piped)
@click.argument(
    "paths",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True),
)
@limit_option
@grading_options
@ledger_option
@click.pass_context
def add(
    context: click.Context,
    paths: Tuple[str, ...],
    limit: int,
    grading: Grading,
    ledger: Optional[str],
) -> None:
    """Keep the reports in FILEs.

    A FILE may be a report as JSON, gzip or zip, a mail, an mbox, a Maildir, a directory of all
    these, or - for a mail on standard input, as an alias or a Sieve script gives it. What is known
    already is recognised; what should be a report and cannot be read goes to quarantine. Exit code
    1: something went there, or a FILE cannot be read or not be judged now.

    With - the exit codes are those that mail servers expect: 0, or 75 if the mail is to be tried
    again later. It is never refused.

    \b
    Examples:
      mtasts report add ~/Maildir
      tls-reports "|mtasts report add -"   (in a file of aliases: docs/reports.md)
    """
    if paths == _PIPE:
        context.exit(_add_mail(limit, grading, ledger))
    database = opened(ledger)
    from mtasts.ingest import batches

    errors: List[MtastsError] = []
    taken = batches(database, _arrivals(paths, errors), grader(grading), limit)
    found = counted(without_errors(itertools.chain.from_iterable(taken), errors))
    show(found, errors)
    context.exit(EXIT_WARNING if errors or found["quarantine"] else 0)


def _add_mail(limit: int, grading: Grading, ledger: Optional[str]) -> int:
    """Keep what is on standard input, and return the exit code for a mail server."""
    try:
        database = opened(ledger)
        from mtasts.ingest import batches, impatient

        arrivals = _split("", report_files.read("-"), MAIL)
        grade = impatient(grader(grading), now())
        for taken in itertools.chain.from_iterable(batches(database, arrivals, grade, limit)):
            if taken.postponed:
                raise taken.postponed
    except Exception as error:  # whatever it is, the mail must not bounce
        said = error if isinstance(error, MtastsError) else printable(repr(error), 300)
        click.echo(f"mtasts: {said}", err=True)
        return EXIT_TEMPORARY
    return 0


@click.command()
@spool_option
@limit_option
@grading_options
@ledger_option
@click.pass_context
def ingest(
    context: click.Context, spool: Spool, limit: int, grading: Grading, ledger: Optional[str]
) -> None:
    """Take what waits in the spool into the ledger.

    A file leaves the spool when the ledger has it, so nothing is lost if this is stopped at any
    moment. Several may run at once. Exit code 1: there are files that are none of the spool's, or
    mails whose signatures cannot be judged now; both stay where they are.

    \b
    Examples:
      mtasts report ingest
    """
    database = opened(ledger)
    from mtasts.ingest import take_spool

    errors: List[MtastsError] = []
    taken = take_spool(database, spool, grader(grading), limit)
    show(counted(without_errors(taken, errors)), errors)
    context.exit(EXIT_WARNING if errors else 0)


@click.command()
@limit_option
@ledger_option
def replay(limit: int, ledger: Optional[str]) -> None:
    """Read what is in quarantine again, for example after an upgrade of mtasts.

    \b
    Examples:
      mtasts report replay
    """
    database = opened(ledger)
    from mtasts import ingest

    left = Counter(entry.error is not None for entry in ingest.replay(database, limit))
    click.echo(f"{left[False]} can be read now, {left[True]} are still in quarantine")


def _arrivals(paths: Iterable[str], errors: List[MtastsError]) -> Iterator[Named]:
    """What is in the files, mails of a mailbox one by one; errors are gathered."""
    for path in report_files.files(paths):
        try:
            data = report_files.read(path)
        except MtastsError as error:
            errors.append(error)
            continue
        yield from _split(path, data, FILE)


def _split(path: str, data: bytes, source: str) -> Iterator[Named]:
    mails = mail.split_mbox(data) if mail.is_mbox(data) else [data]
    for one in mails:
        yield Named(Arrival(one, now(), source), path.rsplit("/", 1)[-1])
