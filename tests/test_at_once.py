"""Look-ups side by side: nothing is asked far ahead (how many: see test_change)."""

import itertools

import pytest

from mtasts import at_once
from mtasts.errors import MtastsError


def test_no_more_are_asked_than_are_under_way():
    numbers = itertools.count()
    found = at_once.results(lambda number: number, numbers)
    assert len({next(found) for _ in range(10)}) == 10
    found.close()
    assert next(numbers) <= 10 + 2 * at_once.AT_ONCE


def test_nobody_is_asked_for_nothing():
    assert list(at_once.results(lambda _: 1, [])) == []


def test_what_is_raised_there_is_raised_here():
    def look_up(number):
        raise MtastsError("dns-lookup-failed", f"no answer for {number}")

    with pytest.raises(MtastsError):
        list(at_once.results(look_up, range(100)))
