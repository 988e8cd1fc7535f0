"""How findings look: for people with the line and a caret below the place, and as JSON."""

import sys
from typing import Any, Dict, Tuple

import click

from mtasts.cli.common import EXIT_INVALID, EXIT_WARNING
from mtasts.errors import printable
from mtasts.finding import Finding, Severity

COLOURS = {
    Severity.ERROR: "red",
    Severity.UNKNOWN: "yellow",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}
_EXIT_CODES = {
    Severity.ERROR: EXIT_INVALID,
    Severity.UNKNOWN: EXIT_WARNING,
    Severity.WARNING: EXIT_WARNING,
}
_WIDTH = 72  # characters of the line that are shown
_BEFORE = 40  # of them before the place


def as_json(found: Finding) -> Dict[str, Any]:
    """The finding's members as JSON has them."""
    return dict(found._asdict(), severity=found.severity.value)


def show(found: Finding, source: str, line: str = "", err: bool = False) -> None:
    """Print a finding about `source`, a name that is safe to print, whose `line` it is about."""
    place = f"{source}:{found.line}:{found.column}" if found.line else source
    severity = coloured(found.severity.value, COLOURS.get(found.severity), err)
    click.echo(f"{place}: {severity}: {found.message} [{found.code}]", err=err)
    if line:
        excerpt, caret = _excerpt(line, found.column)
        click.echo(f"    {excerpt}\n    {' ' * caret}^", err=err)
    click.echo(f"  rule: {found.rule}", err=err)
    if found.remedy:
        click.echo(f"  remedy: {found.remedy}", err=err)


def exit_code(worst: Severity) -> int:
    """With which exit code a command ends of whose findings this is the gravest severity."""
    return _EXIT_CODES.get(worst, 0)


def coloured(text: str, colour: Any, err: bool = False) -> str:
    """`text` in colour, if a terminal shows it."""
    stream = sys.stderr if err else sys.stdout
    return click.style(text, fg=colour) if colour and stream.isatty() else text


def _excerpt(line: str, column: int) -> Tuple[str, int]:
    """What is around `column` (from 1) of `line`, in visible ASCII, and where it is in that."""
    start = max(0, column - 1 - _BEFORE)
    dots = "..." if start else ""
    before = dots + printable(line[start : column - 1], sys.maxsize)
    after = printable(line[column - 1 : start + _WIDTH], sys.maxsize)
    return before + after + ("..." if len(line) > start + _WIDTH else ""), len(before)
