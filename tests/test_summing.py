"""What reports of a period add up to, and what follows from the failures in them."""

import datetime

import pytest

from mtasts.domain import Domain
from mtasts.history import HistoryEntry
from mtasts.policy import Mode, Policy
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.report import Failure, PolicyResult, Report
from mtasts.tlsrpt.summary import Entry
from mtasts.tlsrpt.summing import summaries, summarise

DOMAIN = Domain("example.org")
POLICY = Policy(Mode.TESTING, 86401, ("mx1.example.org", "mx2.example.org"))
OLD = Policy(Mode.TESTING, 86401, ("mx1.example.org",))


def day(number):
    return datetime.datetime(2026, 3, number, tzinfo=datetime.timezone.utc)


def served(*policies):
    """A history: the first policy since 2026-03-01, the next one since 2026-03-02, ..."""
    return [HistoryEntry.of(each.to_bytes(), day(n)) for n, each in enumerate(policies, 1)]


def failure(kind="certificate-expired", sessions=1, host="mx1.example.org", reason=None):
    return Failure(kind, sessions, receiving_mx_hostname=host, reason_code=reason)


def result(good, *failures, policy=POLICY, kind="sts", bad=None, domain="example.org"):
    lines = () if kind != "sts" else tuple(str(policy).strip().split("\r\n"))
    bad = sum(one.sessions for one in failures) if bad is None else bad
    return PolicyResult(kind, domain, lines, (), good, bad, failures)


def entry(*results, by="Reporter A", on=1, grade="dkim"):
    start = day(on)
    end = start + datetime.timedelta(days=1, seconds=-1)
    return Entry(Report(by, "id-" + by + str(on), start, end, None, results, ()), grade)


def codes(entries, history=(), kind="certificate-expired"):
    summary = summarise(DOMAIN, entries)
    (group,) = (one for one in summary.failures if one.result_type == kind)
    return [one.code for one in verdict.of_group(group, verdict.background(summary, history))]


def test_sessions_of_all_reports_are_added():
    summary = summarise(DOMAIN, [entry(result(10)), entry(result(5, failure()), on=2)])
    assert summary.effective == summary.known == summary.plain == Sessions(15, 1)
    assert (summary.reports, summary.unknown) == (2, 0)


def test_sessions_under_sts_and_tlsa_are_the_same_ones_and_count_once():
    both = entry(result(10, failure()), result(8, failure(), kind="tlsa"))
    summary = summarise(DOMAIN, [both])
    assert summary.effective == Sessions(10, 1)
    assert summary.plain == Sessions(18, 2)
    assert summary.failures[0].sessions == 1
    assert [one.code for one in verdict.of_summary(summary)] == ["report-counts-differ"]


def test_one_report_with_unknown_numbers_makes_the_sum_unknown_but_not_the_rest_of_it():
    unknown = PolicyResult("sts", "example.org", (), (), None, 0, ())
    summary = summarise(DOMAIN, [entry(result(10)), entry(unknown, on=2)])
    assert summary.effective == Sessions(None, 0)
    assert summary.known == Sessions(10, 0)
    assert summary.unknown == 1
    assert [one.code for one in verdict.of_summary(summary)] == ["report-counts-unknown"]


def test_other_domains_of_a_report_are_left_out():
    report = entry(result(10), result(7, failure(), domain="example.net"))
    summary = summarise(DOMAIN, [report])
    assert summary.effective == Sessions(10, 0)
    assert summary.failures == ()
    assert summarise(Domain("example.com"), [report]).reports == 0


def test_failures_are_grouped_by_type_and_reason_gravest_first():
    reports = [
        entry(result(0, failure(sessions=2), failure("validation-failure", 9, reason="odd"))),
        entry(result(0, failure(sessions=1, host="mx2.example.org")), on=4, by="Reporter B"),
    ]
    first, second = summarise(DOMAIN, reports).failures
    assert (first.result_type, first.reason_code, first.sessions) == (
        "validation-failure",
        "odd",
        9,
    )
    assert (second.sessions, second.reports, second.reason_code) == (3, 2, "")
    assert second.reporters == ("Reporter A", "Reporter B")
    assert second.mx_hosts == ("mx1.example.org", "mx2.example.org")
    assert (second.first, second.last) == (day(1).date(), day(4).date())
    assert second.days == (day(1).date(), day(4).date())


def test_what_happened_to_no_session_is_no_failure():
    summary = summarise(DOMAIN, [entry(result(5, failure(sessions=0), failure("other-word", 1)))])
    assert [one.result_type for one in summary.failures] == ["other-word"]


def test_reporters_come_with_their_rhythm_and_grades():
    reports = [entry(result(1)), entry(result(2), on=3, grade="file"), entry(result(9), by="B")]
    first, second = summarise(DOMAIN, reports).reporters
    assert (first.name, first.sessions) == ("B", Sessions(9, 0))
    assert (second.reports, second.sessions, second.last) == (2, Sessions(3, 0), day(3).date())
    assert second.grades == ("dkim", "file")


def test_a_host_that_the_quoted_policy_does_not_cover_is_named():
    stray = entry(result(0, failure(host="mx9.example.org")))
    assert "report-mx-not-covered" in codes([stray], served(POLICY))


def test_a_wildcard_stands_for_one_label():
    wide = Policy(Mode.ENFORCE, 86401, ("*.mx.example.org",))
    reports = [entry(result(0, failure(host="a.b.mx.example.org"), policy=wide))]
    assert codes(reports) == ["report-mx-not-covered"]


def test_a_report_may_name_the_patterns_only():
    known = PolicyResult("sts", "example.org", (), ("*.example.net",), 0, 1, (failure(),))
    assert codes([entry(known)]) == ["report-mx-not-covered"]


def test_a_policy_with_mode_none_asks_nothing_of_a_host():
    off = Policy(Mode.NONE, 86401, ("mx9.example.org",))
    assert codes([entry(result(0, failure(), policy=off))]) == []


def test_a_policy_that_covers_the_host_by_now_is_said_to():
    reports = [entry(result(0, failure(host="mx2.example.org"), policy=OLD))]
    found = codes(reports, served(OLD, POLICY))
    assert found[:3] == ["report-mx-not-covered", "report-mx-covered-now", "report-policy-earlier"]


@pytest.mark.parametrize(
    ("policies", "expected"),
    [((OLD, POLICY), []), ((POLICY, OLD), ["report-policy-earlier"])],
)
def test_an_earlier_policy_is_told_from_the_present_one(policies, expected):
    reports = [entry(result(0, failure()))]
    assert [c for c in codes(reports, served(*policies)) if "policy" in c] == expected


def test_a_policy_that_was_never_served_is_suspicious():
    foreign = Policy(Mode.ENFORCE, 86401, ("mx1.example.org",))
    reports = [entry(result(0, failure(), policy=foreign))]
    assert "report-policy-foreign" in codes(reports, served(OLD, POLICY))


def test_a_report_without_a_policy_says_nothing_about_the_policy():
    nothing = PolicyResult("no-policy-found", "example.org", (), (), 0, 1, (failure(),))
    assert codes([entry(nothing)], served(POLICY)) == ["report-at-one-mx"]


def test_the_order_of_a_quoted_policys_lines_and_their_blanks_do_not_matter():
    lines = ("max_age:86401", "mx:mx2.example.org", "mode:testing", "version:STSv1")
    quoted = result(0, failure())._replace(policy_string=(*lines, "mx: mx1.example.org"))
    assert codes([entry(quoted)], served(POLICY)) == ["report-at-one-mx"]


def test_one_reporter_of_several_is_suspected_itself_and_all_of_them_suspect_us():
    reports = [entry(result(0, failure())), entry(result(5), by="Reporter B")]
    assert codes(reports) == ["report-seen-by-one"]
    reports[1] = entry(result(0, failure()), by="Reporter B")
    assert codes(reports) == ["report-seen-by-all"]


def test_one_mx_host_of_several_is_named():
    assert codes([entry(result(0, failure()))], served(POLICY)) == ["report-at-one-mx"]


def test_a_single_fetch_error_is_normal_and_a_second_one_is_not():
    kind = "sts-policy-fetch-error"
    reports = [entry(result(5, failure(kind, host=None)))]
    assert codes(reports, kind=kind) == ["report-fetch-error-once"]
    reports.append(entry(result(5, failure(kind, host=None)), on=2))
    assert codes(reports, kind=kind) == []


def test_a_failure_is_over_when_all_who_saw_it_have_reported_without_it_since():
    reports = [entry(result(0, failure())), entry(result(5), on=2)]
    assert codes(reports) == ["report-over"]
    reports.append(entry(result(0, failure()), by="Reporter B"))
    assert "report-over" not in codes(reports)


def test_hostile_text_of_a_report_is_printable_in_what_is_said():
    reports = [entry(result(0, failure(host="\x1b[31mmx\u202e")))]
    summary = summarise(DOMAIN, reports)
    (found,) = verdict.of_group(summary.failures[0], verdict.background(summary, ()))
    assert found.code == "report-mx-not-covered"
    assert found.message.isprintable()
    assert "\x1b" not in found.message


def test_every_day_with_a_report_has_its_numbers():
    unknown = PolicyResult("sts", "example.org", (), (), None, 2, ())
    reports = [entry(result(10)), entry(unknown, by="B"), entry(result(5, failure()), on=3)]
    first, last = summarise(DOMAIN, reports).days
    assert first == (day(1).date(), 2, 1, Sessions(10, 0))
    assert last == (day(3).date(), 1, 0, Sessions(5, 1))


def test_sessions_of_each_policy_type_are_those_that_were_reported():
    both = entry(result(10, failure()), result(8, kind="TLSA"), result(1, kind="no-policy-found"))
    assert summarise(DOMAIN, [both]).types == (
        ("no-policy-found", Sessions(1, 0)),
        ("sts", Sessions(10, 1)),
        ("tlsa", Sessions(8, 0)),
    )


def test_what_a_reporter_used_last_is_told_with_when_it_was_served():
    reports = [
        entry(result(3, policy=OLD)),
        entry(result(1, policy=OLD), result(4), on=2),
        entry(result(5, failure()), on=3),
        entry(result(7, policy=OLD), on=3, by="B"),
        entry(PolicyResult("tlsa", "example.org", (), (), 1, 0, ()), by="C"),
    ]
    summary = summarise(DOMAIN, reports)
    history = served(OLD, POLICY)
    by_name = {one.name: one for one in summary.reporters}
    old, new = by_name["Reporter A"].policies
    assert (old.first, old.last, old.sessions) == (day(1).date(), day(2).date(), Sessions(4, 0))
    assert (new.first, new.last, new.sessions) == (day(2).date(), day(3).date(), Sessions(9, 1))
    used = verdict.in_use(by_name["Reporter A"], history)
    assert (used.entry, used.is_current, used.since) == (history[1], True, day(2).date())
    used = verdict.in_use(by_name["B"], history)
    assert (used.entry, used.is_current) == (history[0], False)
    assert verdict.in_use(by_name["C"], history) is None


def test_a_policy_that_was_never_served_has_no_entry():
    foreign = Policy(Mode.ENFORCE, 86401, ("mx1.example.org",))
    (reporter,) = summarise(DOMAIN, [entry(result(1, policy=foreign))]).reporters
    assert verdict.in_use(reporter, served(POLICY))[3:] == (None, False)
    assert verdict.in_use(reporter, [])[3:] == (None, False)


def test_many_domains_are_summed_up_by_one_look():
    other = Domain("example.net")
    reports = [entry(result(1), result(2, domain="example.net"), result(4, domain="example.com"))]
    found = summaries([DOMAIN, other, Domain("example.edu")], reports)
    assert {name: one.effective for name, one in found.items()} == {
        "example.org": Sessions(1, 0),
        "example.net": Sessions(2, 0),
        "example.edu": Sessions(0, 0),
    }


def test_failures_tell_how_many_sessions_failed_under_which_policy():
    both = entry(result(10, failure(sessions=2)), result(8, failure(sessions=2), kind="tlsa"))
    other = entry(result(0, failure(sessions=3), policy=OLD), on=2)
    (group,) = summarise(DOMAIN, [both, other]).failures
    assert group.sessions == 5
    assert {(used.policy_type, used.policy_string[2:], used.sessions) for used in group.used} == {
        ("sts", ("mx: mx1.example.org", "mx: mx2.example.org", "max_age: 86401"), 2),
        ("sts", ("mx: mx1.example.org", "max_age: 86401"), 3),
        ("tlsa", (), 2),
    }


def test_failed_sessions_without_a_detail_are_not_lost():
    reports = [entry(result(10, failure(sessions=2), bad=5)), entry(result(1), on=2)]
    summary = summarise(DOMAIN, reports)
    left = summary.unspecified
    assert (left.sessions, left.reporters, left.last) == (3, ("Reporter A",), day(1).date())
    assert [one.code for one in verdict.of_summary(summary)] == ["report-failures-unspecified"]
    assert verdict.is_over(left, summary)


@pytest.mark.parametrize(
    "results",
    [
        [result(10, failure(sessions=2))],
        [result(10, failure(sessions=7), bad=2)],
        [result(10, failure(sessions=None), bad=2)],
        [PolicyResult("sts", "example.org", (), (), None, None, ())],
    ],
    ids=["all told", "more told than counted", "unknown detail", "unknown count"],
)
def test_nothing_is_left_over_where_nothing_can_be_known_to_be(results):
    assert summarise(DOMAIN, [entry(*results)]).unspecified is None


def test_what_the_present_policy_covers_is_told_from_what_it_does_not():
    def is_covered_now(*failures, policy=OLD):
        (group,) = summarise(DOMAIN, [entry(result(0, *failures, policy=policy))]).failures
        return verdict.is_covered_now(group, served(OLD, POLICY))

    mismatch = "certificate-host-mismatch"
    assert is_covered_now(failure(mismatch, host="mx2.example.org"))
    assert not is_covered_now(failure(mismatch, host="mx2.example.org"), failure(mismatch))
    assert not is_covered_now(failure(mismatch, host="mx9.example.org"))
    assert not is_covered_now(failure(mismatch, host=None))
    assert not is_covered_now(failure("certificate-expired", host="mx2.example.org"))
    assert not is_covered_now(failure(mismatch, host="mx2.example.org"), policy=POLICY)
