"""CSV that is safe to open."""

import csv

import pytest

from mtasts import spreadsheet


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "|", "%"])
def test_what_looks_like_a_formula_is_text(start):
    (cells,) = csv.reader([spreadsheet.row([start + "cmd|' /C calc'!A0"])])
    assert cells[0].startswith("'")


def test_numbers_stay_numbers_also_negative_ones_and_nothing_is_an_empty_cell():
    assert spreadsheet.row([-3, None, 0]) == "-3,,0"


def test_a_cell_is_one_cell_in_one_line_whatever_is_in_it():
    (cells,) = csv.reader([spreadsheet.row(['a,"b"\r\n=c', "d\x1b[31m"])])
    assert cells == ['a,"b"\\r\\n=c', "d\\x1b[31m"]
