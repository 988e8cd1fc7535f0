"""What the commands about kept reports share: which ledger, which spool, how mails are judged."""

import functools
import os
from typing import Any, Callable, NamedTuple, Optional, Tuple

import click

from mtasts.cli.common import resolver_option
from mtasts.errors import MtastsError
from mtasts.ledger import place
from mtasts.spool import DEFAULT_SPOOL, Spool
from mtasts.tlsrpt.authenticity import Grade


def ledger_option(command: Callable) -> Callable:
    """Add --ledger, to be opened by `opened`."""
    return click.option(
        "--ledger",
        metavar="FILE|URL",
        help=f"The ledger: a file of SQLite, or postgresql://USER@HOST/DATABASE. [default: what "
        f"{place.VARIABLE} says, or {place.SETTING}, or {place.DEFAULT_PATH}]",
    )(command)


def grade_option(command: Callable) -> Callable:
    """Add --grade, which gives the command the `weakest` grade that counts; None: all count."""
    return click.option(
        "--grade",
        "weakest",
        type=click.Choice([grade.value for grade in Grade]),
        callback=lambda _context, _parameter, value: Grade(value) if value else None,
        help="Count only reports of which at least this proves the origin.",
    )(command)


def proof_option(said: str) -> Callable:
    """The option --grade where unproven reports do not count unless somebody says so."""
    return click.option(
        "--grade",
        type=click.Choice([grade.value for grade in Grade]),
        default=Grade.AUTHENTICATION_RESULTS.value,
        show_default=True,
        help=said,
    )


def spool_option(command: Callable) -> Callable:
    """Add --spool, which gives the command its `spool`."""
    return click.option(
        "--spool",
        metavar="DIR",
        default=DEFAULT_SPOOL,
        show_default=True,
        callback=lambda _context, _parameter, value: Spool(value),
        help="Where what arrived waits.",
    )(command)


class Grading(NamedTuple):
    """How the origin of mails is judged; see `mail_grade.MailGrader`."""

    authserv_ids: Tuple[str, ...]
    with_dkim: bool
    resolver: Optional[str]


def grading_options(command: Callable) -> Callable:
    """Add the options that say how mails are judged, which give the command its `grading`."""

    @click.option(
        "--authserv-id",
        "authserv_ids",
        metavar="NAME",
        multiple=True,
        help="Trust what our own mail server of this name says in Authentication-Results.",
    )
    @click.option("--no-dkim", is_flag=True, help="Verify no signatures of mails.")
    @resolver_option
    @functools.wraps(command)
    def with_grading(
        authserv_ids: Tuple[str, ...], no_dkim: bool, resolver: Optional[str], **others: Any
    ) -> Any:
        return command(grading=Grading(authserv_ids, not no_dkim, resolver), **others)

    return with_grading


def grader(grading: Grading) -> Callable:
    """What says how sure the origin of a mail is; that raises `MtastsError` without dkimpy."""

    @functools.lru_cache(maxsize=None)
    def made() -> Callable:
        # DNS and dkimpy take long to import, and not every report comes by mail.
        from mtasts.mail_grade import MailGrader

        return MailGrader(grading.authserv_ids, grading.with_dkim, grading.resolver)

    def grade(mail: bytes) -> Any:
        return made()(mail)

    return grade


def opened(ledger: Optional[str]):  # a Database, whose module is imported late
    """The ledger that --ledger names; raises `MtastsError`."""
    try:
        from mtasts.ledger.database import Database
    except ImportError as error:
        raise MtastsError(
            "ledger-library-missing",
            "keeping reports needs SQLAlchemy 1.4 or newer, and alembic",
            "Install them: apt install python3-alembic, or pip install 'mtasts[reports]'",
        ) from error
    return Database(place.find(ledger, os.environ))
