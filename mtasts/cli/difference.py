"""How the difference between two texts looks: a unified diff in visible ASCII."""

import difflib
import re
from typing import List, Optional

import click

from mtasts.cli.findings import coloured
from mtasts.errors import printable

_COLOURS = {"+": "green", "-": "red"}


def difference(name: str, old: bytes, new: bytes, new_name: Optional[str] = None) -> List[str]:
    """The lines of a unified diff; line endings and other blanks can be seen."""
    lines = [
        [printable(line, len(line) * 4) for line in re.findall(rb"[^\n]*\n|[^\n]+", text)]
        for text in (old, new)
    ]
    names = [printable(one, 300) for one in (name, new_name or name)]
    return list(difflib.unified_diff(lines[0], lines[1], *names, lineterm=""))


def show_difference(lines: List[str], err: bool = False) -> None:
    """Print the lines of a diff, in colour on a terminal."""
    for line in lines:
        click.echo(coloured(line, _COLOURS.get(line[0]), err=err), err=err)
