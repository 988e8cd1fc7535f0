"""CSV (RFC 4180) whose cells a spreadsheet shows, and never runs."""

import csv
import io
import re
from typing import Iterable

from mtasts.errors import printable

_FORMULA = ("=", "+", "-", "@", "|", "%")  # what a cell with a formula or a command begins with
_CELL = 300  # characters
# Where a comma is the decimal point, spreadsheets also begin a cell behind a semicolon.
_NEXT_CELL = re.compile(r"""(;\s*['"]?\s*)(?=[=+\-@|%])""")


def row(cells: Iterable[object]) -> str:
    """A line of CSV without its ending: numbers as they are, None as an empty cell.

    Text is made printable, and an apostrophe keeps what looks like a formula from being one.
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([_cell(cell) for cell in cells])
    return line.getvalue()


def _cell(cell: object) -> object:
    if cell is None or isinstance(cell, int):
        return cell
    text = _NEXT_CELL.sub(r"\1'", printable(cell, _CELL))
    return "'" + text if text.lstrip().startswith(_FORMULA) else text
