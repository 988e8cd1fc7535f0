"""Reporters are silent by their own rhythm, and by nobody else's."""

import datetime

import pytest

from mtasts.tlsrpt.rhythm import is_silent, usual_gap

FIRST = datetime.date(2026, 3, 1)


def dates(*numbers):
    return [FIRST + datetime.timedelta(days=number) for number in numbers]


@pytest.mark.parametrize(
    ("days", "gap"),
    [
        (dates(), None),
        (dates(0, 1), None),
        (dates(0, 1, 2, 3), 1),
        (dates(0, 7, 14, 21), 7),
        (dates(0, 1, 2, 9, 10, 11), 1),
    ],
)
def test_the_usual_gap_is_that_of_most_reports(days, gap):
    assert usual_gap(days) == gap


def test_a_daily_reporter_is_silent_after_some_days():
    days = dates(0, 1, 2, 3)
    assert [is_silent(days, FIRST + datetime.timedelta(days=n)) for n in (4, 8, 9)] == [
        False,
        False,
        True,
    ]


def test_a_weekly_one_is_not_silent_after_a_week_nor_one_with_a_gap_after_such_a_gap():
    assert not is_silent(dates(0, 7, 14), FIRST + datetime.timedelta(days=28))
    assert is_silent(dates(0, 7, 14), FIRST + datetime.timedelta(days=38))
    assert not is_silent(dates(0, 1, 2, 22), FIRST + datetime.timedelta(days=43))


def test_of_two_reports_nobody_can_tell():
    assert not is_silent(dates(0, 1), FIRST + datetime.timedelta(days=365))
