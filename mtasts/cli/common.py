"""What all commands share: options, how errors and JSON are printed, what exit codes mean.

Exit codes: 0 done or clean, 1 warnings or a difference, 2 errors in what was given (as click does
for a wrong option), 3 could not run.
"""

import datetime
import errno
import json
import os
import sys
import time
from typing import Any, Callable, Iterable, Iterator

import click

from mtasts import duration, idn, public_suffix
from mtasts.domain import Domain, MXPattern
from mtasts.drop_address import DEFAULT_SECRET
from mtasts.errors import MtastsError, printable
from mtasts.finding import InvalidText
from mtasts.holder import holder
from mtasts.policy_file import DEFAULT_ROOT
from mtasts.store import Store
from mtasts.testing_until import Until

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


class JudgingCommand(click.Command):
    """A command whose exit code 2 is kept for errors in what it looks at."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line; what is wrong with it ends in exit code 3."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            error.exit_code = EXIT_FAILED
            raise


class ValueType(click.ParamType):
    """Text on the command line that `make` turns into a value, or else it is a wrong argument."""

    def __init__(self, name: str, make: Callable[[str], Any]) -> None:
        self.name = name
        self.make = make

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Make the value, or fail naming the option."""
        if not isinstance(value, str):
            return value
        try:
            return self.make(value)
        except MtastsError as error:
            return self.fail(f"{error}", param, ctx)


def _name(text: str) -> str:
    """The name in A-labels, without its final dot; what was converted is shown."""
    name = idn.a_labels(text[:-1] if text.endswith(".") else text)
    if name not in (text, text[:-1]):
        click.echo(f"{printable(text, 300)} is {printable(name, 300)} in A-labels", err=True)
    return name


DOMAIN = ValueType("domain", lambda text: Domain(_name(text)))
HOLDER = ValueType("domain or @class", lambda text: holder(_name(text)))
MX_PATTERN = ValueType("mx", lambda text: MXPattern(_name(text)))
DURATION = ValueType("duration", duration.seconds)
UNTIL = ValueType("date", Until.parse)


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


def resolver_option(command: Callable) -> Callable:
    """Add --resolver, for whatever asks DNS."""
    return click.option(
        "--resolver",
        metavar="ADDRESS[:PORT]",
        envvar="MTASTS_RESOLVER",
        help="Ask this resolver instead of the machine's own.",
    )(command)


def mx_option(name: str, said: str) -> Callable:
    """The option `name` that names MX hosts; `said` is its help."""
    return click.option(name, type=MX_PATTERN, multiple=True, metavar="HOST", help=said)


def testing_until_option(command: Callable) -> Callable:
    """Add --testing-until, for what gives a policy its mode."""
    return click.option(
        "--testing-until",
        type=UNTIL,
        metavar="DATE",
        help="The last day on which mode testing is no cause for a warning; 'none' for no date.",
    )(command)


def days_option(default: int, said: str) -> Callable:
    """The option --days, which says how far back to look; `said` is its help."""
    return click.option(
        "--days",
        default=default,
        show_default=True,
        type=click.IntRange(1, 3660),
        metavar="N",
        help=said,
    )


def ttl_option(command: Callable) -> Callable:
    """Add --ttl, for whatever counts how long resolvers keep records."""
    return click.option(
        "--ttl",
        type=DURATION,
        default="1d",
        show_default=True,
        metavar="SPAN",
        help="The longest TTL of the MX and _mta-sts TXT records.",
    )(command)


def ca_option(command: Callable) -> Callable:
    """Add --ca, for whatever asks policy hosts."""
    return click.option("--ca", metavar="FILE", help="Trust the roots in this PEM file only.")(
        command
    )


def report_secret_option(command: Callable) -> Callable:
    """Add --report-secret, for what names the addresses of the drop box."""
    return click.option(
        "--report-secret",
        envvar="MTASTS_REPORT_SECRET",
        default=DEFAULT_SECRET,
        show_default=True,
        metavar="FILE",
        help="What the drop box for reports makes its addresses of, if there is one.",
    )(command)


def yes_option(command: Callable) -> Callable:
    """Add --yes, for what asks before it writes."""
    return click.option("--yes", is_flag=True, help="Do it without asking.")(command)


def dry_run_option(command: Callable) -> Callable:
    """Add --dry-run, for what writes."""
    return click.option(
        "--dry-run", is_flag=True, help="Show what would be done, and write nothing."
    )(command)


def print_json(value: Any) -> None:
    """Print `value` as JSON, readable for people too."""
    click.echo(json.dumps(value, indent=2))


def now() -> datetime.datetime:
    """The time, as the library wants it."""
    return datetime.datetime.now(datetime.timezone.utc)


def is_interactive() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def print_json_list(values: Iterable[Any]) -> None:
    """Print a JSON array of `values` one by one, however many there are."""
    separator = "["
    for value in values:
        click.echo(separator + "\n" + json.dumps(value), nl=False)
        separator = ","
    click.echo("[]" if separator == "[" else "\n]")


def ask(question: str, yes: bool, is_needed: bool = True) -> None:
    """Go on if `yes`, or if a person agrees; where nobody can be asked, unless it `is_needed`.

    Raises `MtastsError` if a word is needed and nobody can be asked.
    """
    if yes:
        return
    if is_interactive():
        click.confirm(question, abort=True, err=True)
    elif is_needed:
        raise MtastsError(
            "change-unconfirmed",
            "nobody is here to confirm this",
            "Run it on a terminal, or add --yes.",
        )


def counted(domains: int) -> str:
    """So many domains, in words."""
    return "1 domain" if domains == 1 else f"{domains} domains"


def public_suffixes() -> str:
    """Debian's list of public suffixes; "" where it is not installed."""
    if not os.path.exists(public_suffix.LIST):
        return ""
    with open(public_suffix.LIST, encoding="utf-8") as file:
        return file.read()


def with_progress(items: Iterable[Any], total: int, done: str) -> Iterator[Any]:
    """The `items`; after two seconds standard error says how many of `total` are `done`."""
    said = time.monotonic() + 2
    is_terminal = sys.stderr.isatty()
    for count, item in enumerate(items, 1):
        yield item
        if time.monotonic() >= said:
            click.echo(f"{count} of {total} {done}", err=True)
            said = time.monotonic() + (2 if is_terminal else 10)
