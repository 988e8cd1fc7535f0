"""What all commands share: options, how errors and JSON are printed, what exit codes mean.

Exit codes: 0 done or clean, 1 warnings or a difference, 2 errors in what was given (as click does
for a wrong option), 3 could not run.
"""

import datetime
import errno
import json
import sys
from typing import Any, Callable

import click

from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import InvalidText
from mtasts.store import DEFAULT_ROOT, Store

EXIT_WARNING = 1
EXIT_INVALID = 2
EXIT_FAILED = 3


class Group(click.Group):
    """A group whose commands end with our errors, printed for people, and never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error that a user can cause ends it with its exit code."""
        try:
            return super().invoke(ctx)
        except MtastsError as error:
            click.secho(f"mtasts: {error}", fg="red" if sys.stderr.isatty() else None, err=True)
            ctx.exit(EXIT_INVALID if isinstance(error, InvalidText) else EXIT_FAILED)
        except OSError as error:
            if error.errno == errno.EPIPE:  # a reader such as head has enough: click ends quietly
                raise
            click.echo(f"mtasts: the system refuses: {error.strerror} [system-refuses]", err=True)
            ctx.exit(EXIT_FAILED)


class DomainType(click.ParamType):
    """A mail domain on the command line."""

    name = "domain"

    def convert(self, value: str, param: Any, ctx: Any) -> Domain:
        """Make the domain, or fail naming the option."""
        try:
            return Domain(value[:-1] if value.endswith(".") else value)
        except MtastsError as error:
            return self.fail(f"{error}", param, ctx)


DOMAIN = DomainType()


def policy_dir_option(command: Callable) -> Callable:
    """Add --policy-dir, which gives the command its `store`."""
    return click.option(
        "--policy-dir",
        "store",
        envvar="MTASTS_POLICY_DIR",
        default=DEFAULT_ROOT,
        show_default=True,
        callback=lambda _context, _parameter, value: Store(value),
        help="The policy directory.",
    )(command)


def json_option(command: Callable) -> Callable:
    """Add --json, for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        command
    )


def print_json(value: Any) -> None:
    """Print `value` as JSON, readable for people too."""
    click.echo(json.dumps(value, indent=2))


def now() -> datetime.datetime:
    """The time, as the library wants it."""
    return datetime.datetime.now(datetime.timezone.utc)


def is_interactive() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()
