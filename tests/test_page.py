"""The page's values: words, bars, charts, which domain comes first and what the first lines say."""

import datetime
import re

import pytest

from mtasts.domain import Domain
from mtasts.history import HistoryEntry
from mtasts.page import attention, chart, timeline, words
from mtasts.page.attention import Level
from mtasts.page.facts import About, Asked
from mtasts.policy import Mode, Policy
from mtasts.status import Row
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.report import Failure, PolicyResult, Report
from mtasts.tlsrpt.summary import Day, Entry
from mtasts.tlsrpt.summing import summarise
from mtasts.tlsrpt.verdict import InUse

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 3, 31, 12, tzinfo=UTC)
ASKED = Asked(NOW, datetime.datetime(2026, 3, 1, tzinfo=UTC), 30)
POLICY = Policy(Mode.TESTING, 86400, ("mx1.example.org",))


def day(number):
    return datetime.date(2026, 3, number)


def said(number, good=10, bad=0, failures=(), by="Example Mail", domain="example.org"):
    """A report about a day of March."""
    start = datetime.datetime(2026, 3, number, tzinfo=UTC)
    result = PolicyResult("sts", domain, (), (), good, bad, tuple(failures))
    return Entry(Report(by, f"{by}{number}", start, start, None, (result,), ()), "dkim")


def about(*entries, domain="example.org"):
    name = Domain(domain)
    return About(summarise(name, entries), (), Row(name, name, Mode.TESTING, None, "", ()))


def headline(*abouts):
    return attention.headline(attention.in_order(abouts), ASKED)


SINCE = (
    "Since 2026-03-03, at the receiving end, yours (sure): certificate-expired at mx1.example.org,"
    " reported by Example Mail, last for 2026-03-03."
)
EXPIRED = Failure("certificate-expired", 2, receiving_mx_hostname="mx1.example.org")
BROKEN = about(said(3, 10, 2, [EXPIRED]))
OVER = about(said(3, 10, 2, [EXPIRED]), said(4))
UNKNOWN = about(said(3, None, 0))
SILENT = about(domain="quiet.example")
CLEAN = about(said(3, domain="example.net"), domain="example.net")


@pytest.mark.parametrize(
    ("one", "level", "first", "second"),
    [
        (
            BROKEN,
            Level.FAILING,
            "Yes, something is broken: 2 of 12 sessions failed with example.org.",
            SINCE,
        ),
        (
            about(said(3, None, None, [EXPIRED]), said(3, 10, by="Other")),
            Level.FAILING,
            "Yes, something is broken: 2 of an unknown number of sessions failed with example.org.",
            SINCE,
        ),
        (
            OVER,
            Level.OVER,
            "Not any more: example.org has failures in the period, and none that goes on.",
            SINCE,
        ),
        (
            UNKNOWN,
            Level.UNKNOWN,
            "Not known: example.org has reports that do not say how many sessions failed.",
            "Known of example.org: 0 of 0 sessions failed.",
        ),
        (SILENT, Level.SILENT, "Not known: no report yet about quiet.example.", "Reports come a"),
        (
            CLEAN,
            Level.CLEAN,
            "Nothing is broken: no session failed with example.net.",
            "10 sessions in 30 days.",
        ),
    ],
)
def test_the_first_lines_of_one_domain(one, level, first, second):
    found = headline(one)
    assert (found.level, found.first) == (level, first)
    assert found.second.startswith(second)


def test_the_gravest_of_several_domains_is_named():
    other = about(
        said(3, 5, 9, [EXPIRED._replace(sessions=9)], domain="b.example"), domain="b.example"
    )
    found = headline(CLEAN, BROKEN, SILENT, other)
    assert found.first == (
        "Yes, something is broken: 2 of 4 domains have failing sessions; worst: 9 of 14 sessions"
        " failed with b.example."
    )
    assert [level for level, _ in attention.in_order([CLEAN, SILENT, UNKNOWN, OVER, BROKEN])] == [
        Level.FAILING,
        Level.UNKNOWN,
        Level.OVER,
        Level.SILENT,
        Level.CLEAN,
    ]


def test_silence_about_some_domains_is_said_in_the_second_line():
    found = headline(CLEAN, SILENT)
    assert found.level is Level.CLEAN
    assert found.second == "10 sessions in 30 days; no report about 1 domain."
    other = about(domain="other.example")
    assert headline(SILENT, other).first == "Not known: no report yet about any of the 2 domains."


def test_failures_without_any_detail_are_failures():
    found = headline(about(said(3, 10, 4)))
    assert found.level is Level.FAILING
    assert "at an unknown end: a failure of an unknown type" in found.second


def test_a_single_fetch_error_is_nothing_broken():
    error = Failure("sts-policy-fetch-error", 1)
    assert headline(about(said(3, 10, 1, [error]))).level is Level.OVER


def test_no_domains_at_all():
    assert headline().first == "There are no domains yet."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Example Mail", "Example Mail"),
        ("Пример", "Пример"),
        ("", "unknown"),
        (None, "unknown"),
        ("a\u202eb\x1b\n\ud800", "a\\u202eb\\x1b\\n\\ud800"),
        ("x" * 100, "x" * 80 + "…"),
    ],
)
def test_texts_of_reports_are_seen_as_they_are_and_cut(text, expected):
    assert words.shown(text) == expected


def test_numbers_that_are_unknown_are_called_so():
    assert words.count(None) == "unknown"
    assert words.failed(Sessions(None, 3)) == "3 failed, unknown successful"
    assert words.failed(Sessions(999, 1)) == "1 of 1,000 sessions failed"


def test_a_policy_in_use_is_dated_only_if_it_began_within_the_period():
    entry = HistoryEntry.of(POLICY.to_bytes(), datetime.datetime(2026, 3, 3, tzinfo=UTC))
    use = InUse(POLICY, day(3), day(9), entry, True)
    assert words.policy_in_use(use, day(1)) == (
        f"the policy served now (id {entry.id}) since Tuesday, 2026-03-03"
    )
    assert words.policy_in_use(use, day(5)) == f"the policy served now (id {entry.id})"
    assert words.policy_in_use(use._replace(is_current=False), day(1)).endswith(
        "mode testing), last seen Monday, 2026-03-09"
    )
    assert "never served here" in words.policy_in_use(use._replace(entry=None), day(1))
    assert words.policy_in_use(None, day(1)) == "quotes no policy"


def test_bars_are_days_and_later_weeks():
    days = [Day(day(2), 2, 1, Sessions(5, 1)), Day(day(9), 1, 0, Sessions(7, 0))]
    bars = timeline.bars(days, day(1), day(31))
    assert len(bars) == 31
    assert bars[0] == (day(1), day(1), 0, 0, Sessions())
    assert bars[1] == (day(2), day(2), 2, 1, Sessions(5, 1))
    year = timeline.bars(days, day(31) - datetime.timedelta(days=365), day(31))
    assert len(year) == 53
    assert sum(bar.reports for bar in year) == 3
    assert year[-1].last == day(31)


def test_marks_are_the_changes_within_the_period():
    def at(month, number):
        return datetime.datetime(2026, month, number, tzinfo=UTC)

    entries = tuple(HistoryEntry.of(POLICY.to_bytes(), at(month, 11)) for month in (2, 3))
    row = SILENT.row._replace(certificate_begin=at(3, 21), certificate_end=at(4, 2))
    asked = ASKED._replace(now=at(3, 25), since=at(3, 6))
    served = SILENT._replace(served=entries, row=row)
    first, second = timeline.marks(served, asked)
    assert (first.letter, first.place, first.time) == ("A", 0.25, at(3, 11))
    assert first.what == f"mode testing, max_age 86,400 s, id {entries[1].id}"
    assert (second.letter, second.place, second.time) == ("B", 0.75, at(3, 21))
    assert second.what == "the certificate of the policy host was made"
    ended = served._replace(row=row._replace(certificate_begin=None, certificate_end=at(3, 24)))
    assert timeline.marks(ended, asked)[1].what == "the certificate of the policy host ended"


def bars(*numbers):
    """Days of March with these (successful, failed), None for no report."""
    days = [Day(day(n), 1, 0, Sessions(*one)) for n, one in enumerate(numbers, 1) if one]
    return timeline.bars(days, day(1), day(len(numbers)))


def test_a_chart_has_a_bar_for_each_number_and_hatches_the_rest():
    svg = chart.sessions(bars((100, 3), None, None, (50, 0)), ())
    assert len(re.findall(r'class="gap"', svg)) == 1
    for hint in ("2026-03-01: 100 successful, 3 failed", "2026-03-02: no report"):
        assert f"<title>{hint}</title>" in svg
    assert not re.search(
        r"<(script|style|a|image|use|desc|!--)|href|http:(?!//www.w3.org/2000)", svg
    )


def test_failures_have_a_chart_of_their_own_if_there_are_any():
    assert chart.failures(bars((100, 0), None), ()) == ""
    svg = chart.failures(bars((100000, 3), None, (5, 1)), ())
    drawn = [one for one in re.findall("<rect [^>]*>", svg) if 'class="rect' in one]
    heights = [float(re.search(' height="([0-9.]+)"', one).group(1)) for one in drawn]
    assert len(heights) == 2
    assert heights[0] == pytest.approx(3 * heights[1], rel=0.01)


def test_charts_of_nothing_and_of_very_much_can_be_drawn():
    for most in (0, 1, 7, 10**6, 10**15):
        assert "<svg" in chart.sessions(bars((most, 0)), ())
