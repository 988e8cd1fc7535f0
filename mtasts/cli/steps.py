"""How the steps of publishing look, for people and for programs, and with what code they end."""

import sys
from typing import Any, Dict, Iterable

import click

from mtasts.cli.common import EXIT_FAILED, EXIT_WARNING
from mtasts.steps import State, Step

_COLOURS = {State.DONE: "green", State.FAILED: "red", State.WAITING: "yellow"}
_EXITS = {State.WAITING: EXIT_WARNING, State.FAILED: EXIT_FAILED}


def show(step: Step) -> None:
    """Print a step, and what to do; its progress on standard error."""
    is_progress = step.state is State.PROGRESS
    stream = sys.stderr if is_progress else sys.stdout
    colour = _COLOURS.get(step.state) if stream.isatty() else None
    code = f" [{step.code}]" if step.code else ""
    state = click.style(f"{step.state.value:8}", fg=colour) if colour else f"{step.state.value:8}"
    click.echo(f"{state} {step.name:9} {step.said}{code}", err=is_progress)
    for line in step.remedy.splitlines():
        click.echo(f"{'':19}{line}", err=is_progress)


def as_json(step: Step) -> Dict[str, Any]:
    """The members of a step as JSON has them."""
    return dict(step._asdict(), state=step.state.value)


def exit_code(steps: Iterable[Step]) -> int:
    """With which exit code a command ends that went these steps."""
    return max([_EXITS.get(step.state, 0) for step in steps])
