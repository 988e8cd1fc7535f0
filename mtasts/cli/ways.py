"""How a command is told whom to tell what is new."""

import functools
import sys
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import click

from mtasts import notify
from mtasts.cli.common import print_json
from mtasts.news import News
from mtasts.notify import InvalidWay
from mtasts.telling import Outcome, Way


class Output(NamedTuple):
    """The standard output as a way of telling."""

    as_json: bool

    def tell(self, news: News) -> None:
        """Print the news; a program gets a document even if there are none."""
        if self.as_json:
            print_json(news.facts)
        else:
            click.echo(news.text, nl=False)
        sys.stdout.flush()  # what nobody has taken was not told


def ways_options(command: Callable) -> Callable:
    """Add --mail, --mail-from, --webhook, --command, which give the command its `ways`.

    With --json the only way is the standard output, as it is without any.
    """

    @click.option("--mail", multiple=True, metavar="ADDRESS", help="Tell by a mail to ADDRESS.")
    @click.option("--mail-from", metavar="ADDRESS", help="The mail's sender.")
    @click.option(
        "--webhook",
        metavar="URL",
        envvar="MTASTS_WEBHOOK",
        help="Tell by a POST of JSON to this https: URL. [env: MTASTS_WEBHOOK]",
    )
    @click.option(
        "--command",
        "program",
        metavar="PROGRAM",
        help="Tell by running PROGRAM, which gets JSON on its standard input.",
    )
    @functools.wraps(command)
    def with_ways(
        mail: Tuple[str, ...],
        mail_from: Optional[str],
        webhook: Optional[str],
        program: Optional[str],
        as_json: bool,
        **others: Any,
    ) -> Any:
        ways = _ways(mail, mail_from, webhook, program, as_json)
        return command(ways=ways, as_json=as_json, **others)

    return with_ways


def _ways(
    recipients: Tuple[str, ...],
    sender: Optional[str],
    webhook: Optional[str],
    program: Optional[str],
    as_json: bool,
) -> List[Way]:
    """Whom to tell; raises `InvalidWay`."""
    if sender and not recipients:
        raise InvalidWay("mail-recipient-missing", "--mail-from without --mail", "Add --mail.")
    ways: List[Any] = []
    if recipients:
        ways.append(notify.mail(recipients, sender))
    if webhook:
        ways.append(notify.webhook(webhook))
    if program:
        ways.append(notify.command(program))
    if as_json and ways:
        raise InvalidWay(
            "watch-json-elsewhere",
            "--json is for the standard output, and the news go elsewhere",
            "Leave it out; a webhook or a command gets JSON anyway.",
        )
    return [Way(one.name, one.tell) for one in ways] or [Way("output", Output(as_json).tell)]


def is_told(outcome: Outcome, as_json: bool) -> bool:
    """Whether all of it was told; if not, standard error says why.

    A program that reads the standard output gets a document even if there is nothing to tell.
    """
    if as_json and not outcome.news.subject:
        Output(as_json).tell(outcome.news)
    if outcome.error:
        click.echo(f"mtasts: {outcome.error}", err=True)
    return outcome.error is None
