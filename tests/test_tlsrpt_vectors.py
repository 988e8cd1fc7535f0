"""Every file in tests/vectors/report is a case (vectors/README.md): what is expected is found."""

import json

import pytest

from cases import REPORTS, report_octets
from mtasts.cli.report import shown
from mtasts.tlsrpt import container
from mtasts.tlsrpt.notes import NOTES

DEVIATIONS = [f"D{number}" for number in range(1, 41) if number != 30]


def found(case):
    """What `mtasts report read --json` prints."""
    data = report_octets(case)
    reports = container.reports(data, case.get("file", ""))
    # Printed and parsed again: what is compared is what a program gets.
    return json.loads(json.dumps([shown.as_json(name, item) for name, item in reports]))


def difference(expected, actual, where=""):
    """Where something expected is not there; members that nobody expects do not matter."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            other = actual.get(name, "missing")
            if name == "notes" and sorted(value) == sorted(other):  # in any order
                continue
            yield from difference(value, other, f"{where}.{name}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual)):
            yield from difference(one, other, f"{where}[{index}]")
    elif expected != actual or type(expected) is not type(actual):
        yield f"{where}: {actual!r} is not {expected!r}"


@pytest.mark.parametrize("name", REPORTS)
def test_report(name):
    case = REPORTS[name]
    assert list(difference(case["expected"], found(case))) == []


@pytest.mark.parametrize("name", REPORTS)
def test_totals_are_integers_or_unknown(name):
    for report in found(REPORTS[name]):
        results = report.get("policies", []) + list(report.get("effective", {}).values())
        for result in results:
            for counter in (result["successful"], result["failed"]):
                assert counter is None or type(counter) is int


@pytest.mark.parametrize("deviation", DEVIATIONS)
def test_every_deviation_has_a_vector(deviation):
    assert any(case["requirement"] == deviation for case in REPORTS.values())


@pytest.mark.parametrize("code", NOTES)
def test_every_note_has_a_vector(code):
    expected = [one for case in REPORTS.values() for one in case["expected"]]
    assert any(code in report.get("notes", ()) for report in expected)


@pytest.mark.parametrize("name", REPORTS)
def test_a_vector_says_why_and_where_it_is_written(name):
    assert REPORTS[name]["why"].endswith(".")
    assert REPORTS[name]["rfc"].startswith("RFC ")
    assert " section " in REPORTS[name]["rfc"]


def test_no_two_vectors_try_the_same():
    inputs = [(case.get("file"), report_octets(case)) for case in REPORTS.values()]
    assert len(set(inputs)) == len(inputs)
