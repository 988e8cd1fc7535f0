"""CSV that is safe to open."""

import csv

import pytest

from mtasts import spreadsheet


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "|", "%"])
def test_what_looks_like_a_formula_is_text(start):
    (cells,) = csv.reader([spreadsheet.row([start + "cmd|' /C calc'!A0"])])
    assert cells[0].startswith("'")


@pytest.mark.parametrize("text", ["a;=1+1", "a; @x", 'a;"=1+1"', "a;;-2"])
def test_where_a_semicolon_ends_a_cell_the_next_one_is_text(text):
    """As where a comma is the decimal point."""
    line = spreadsheet.row(["x", text])
    for cells in (csv.reader([line]), csv.reader([line], delimiter=";")):
        assert not any(cell.lstrip().startswith(("=", "@", "-")) for cell in next(cells))


def test_numbers_stay_numbers_also_negative_ones_and_nothing_is_an_empty_cell():
    assert spreadsheet.row([-3, None, 0]) == "-3,,0"


def test_a_cell_is_one_cell_in_one_line_whatever_is_in_it():
    (cells,) = csv.reader([spreadsheet.row(['a,"b"\r\n=c', "d\x1b[31m"])])
    assert cells == ['a,"b"\\r\\n=c', "d\\x1b[31m"]
