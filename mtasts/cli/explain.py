"""What a code or a word of a TLS report means: why it matters, and what to do."""

import difflib
from typing import List, Tuple

import click

from mtasts.cli import findings as shown
from mtasts.cli.common import EXIT_INVALID
from mtasts.errors import MtastsError, printable
from mtasts.finding import Severity
from mtasts.rules import RULES, Rule
from mtasts.tlsrpt import explanations
from mtasts.tlsrpt.explanations import Explanation
from mtasts.tlsrpt.notes import NOTES
from mtasts.tlsrpt.reasons import REASONS

_UNSEEN = "..."  # in place of what a finding has seen
_BY_MODE = "in mode testing a warning, in mode none an info"


@click.command()
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.pass_context
def explain(ctx: click.Context, codes: Tuple[str, ...]) -> None:
    """Explain each CODE that a finding has, or list all of them.

    CODE may also be a result type or a reason code of TLS reports, a note that was made when one
    was read, or why one could not be read. Exit code 2: there is no such code; those that look like
    it are named.

    \b
    Examples:
      mtasts explain mx-host-no-starttls
      mtasts explain certificate-expired 'x509: certificate signed by unknown authority'
      mtasts explain | grep certificate
    """
    if not codes:
        _list()
    for code in codes:
        explanation = explanations.find(code)
        if code in RULES:
            _show(code, RULES[code])
        elif explanation:
            _show_explanation(explanation)
        elif code in NOTES:
            click.echo(f"{code}: a note on a report that was read\n  what: {NOTES[code]}")
        elif code in REASONS:
            click.echo(f"{code}: why a report could not be read\n  what: {REASONS[code]}")
        else:
            click.echo(f"mtasts: {_unknown(code)}", err=True)
            ctx.exit(EXIT_INVALID)


def _list() -> None:
    """All that can be explained: codes of findings, words of reports, notes, the quarantine."""
    for code, rule in RULES.items():
        severity = Severity(rule.severity)
        said = shown.coloured(f"{severity.value:<7}", shown.COLOURS.get(severity))
        click.echo(f"{code:<34} {said} {_generic(rule.message)}")
    for explanation in explanations.ALL:
        click.echo(f"{explanation.word:<34} report  {explanation.what}")
    for code, sentence in NOTES.items():
        click.echo(f"{code:<34} note    {sentence}")
    for code, sentence in REASONS.items():
        click.echo(f"{code:<34} reason  {sentence}")


def _show_explanation(one: Explanation) -> None:
    click.echo(f"{one.word}: in a TLS report")
    click.echo(f"  what: {one.what}")
    click.echo(f"  whose end: {one.end} ({one.certainty})")
    click.echo(f"  rule: {one.source}")
    click.echo(f"  remedy: {one.remedy}")


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


def _known() -> List[str]:
    return [*RULES, *(one.word for one in explanations.ALL), *NOTES, *REASONS]


def _unknown(code: str) -> MtastsError:
    near: List[str] = difflib.get_close_matches(code, _known(), n=3, cutoff=0.5)
    return MtastsError(
        "code-unknown",
        f"there is no code '{printable(code)}'",
        f"It may be {' or '.join(near)}." if near else "See all with 'mtasts explain'.",
    )
