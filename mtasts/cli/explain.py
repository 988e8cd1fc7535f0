"""What a code means that a finding has: why it matters, and what to do."""

import difflib
from typing import List, Tuple

import click

from mtasts.cli import findings as shown
from mtasts.cli.common import EXIT_INVALID
from mtasts.errors import MtastsError, printable
from mtasts.finding import Severity
from mtasts.rules import RULES, Rule

_UNSEEN = "..."  # in place of what a finding has seen
_BY_MODE = "in mode testing a warning, in mode none an info"


@click.command()
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.pass_context
def explain(ctx: click.Context, codes: Tuple[str, ...]) -> None:
    """Explain each CODE that a finding has, or list all of them.

    Exit code 2: there is no such code; those that look like it are named.

    \b
    Examples:
      mtasts explain mx-host-no-starttls
      mtasts explain | grep certificate
    """
    for code in codes or RULES:
        if code not in RULES:
            click.echo(f"mtasts: {_unknown(code)}", err=True)
            ctx.exit(EXIT_INVALID)
        (_show if codes else _list)(code, RULES[code])


def _list(code: str, rule: Rule) -> None:
    severity = Severity(rule.severity)
    said = shown.coloured(f"{severity.value:<7}", shown.COLOURS.get(severity))
    click.echo(f"{code:<34} {said} {_generic(rule.message)}")


def _show(code: str, rule: Rule) -> None:
    """What stands in the table, for any finding of this code."""
    severity = Severity(rule.severity)
    said = shown.coloured(severity.value, shown.COLOURS.get(severity))
    click.echo(f"{code}: {said}" + (f" ({_BY_MODE})" if rule.by_mode else ""))
    click.echo(f"  what: {_generic(rule.message)}")
    if rule.why:
        click.echo(f"  why: {_generic(rule.why)}")
    click.echo(f"  rule: {rule.source}")
    if rule.remedy:
        click.echo(f"  remedy: {_generic(rule.remedy)}")


def _generic(sentence: str) -> str:
    return sentence.format(text=_UNSEEN, hint=_UNSEEN)


def _unknown(code: str) -> MtastsError:
    near: List[str] = difflib.get_close_matches(code, RULES, n=3, cutoff=0.5)
    return MtastsError(
        "code-unknown",
        f"there is no code '{printable(code)}'",
        f"It may be {' or '.join(near)}." if near else "See all with 'mtasts explain'.",
    )
