"""What enforcing means for failures that are reported: what it would stop, what speaks against."""

import datetime

import pytest

from mtasts.domain import Domain
from mtasts.history import HistoryEntry
from mtasts.policy import Mode, Policy
from mtasts.tlsrpt import enforcement
from mtasts.tlsrpt.enforcement import Cause, Stopped
from mtasts.tlsrpt.report import Failure, PolicyResult, Report
from mtasts.tlsrpt.summary import Entry
from mtasts.tlsrpt.summing import summarise

DOMAIN = Domain("example.org")
OLD = Policy(Mode.TESTING, 86401, ("mx1.example.org",))
POLICY = Policy(Mode.TESTING, 86401, ("mx1.example.org", "mx2.example.org"))
FOREIGN = Policy(Mode.ENFORCE, 86401, ("mx1.example.net",))
NONE = Policy(Mode.NONE, 86401, ("mx1.example.org",))


def day(number):
    return datetime.datetime(2026, 3, number, tzinfo=datetime.timezone.utc)


SERVED = [HistoryEntry.of(one.to_bytes(), day(n)) for n, one in enumerate((NONE, OLD, POLICY), 1)]


def failure(kind="certificate-expired", sessions=1, host="mx2.example.org", reason=None):
    return Failure(kind, sessions, receiving_mx_hostname=host, reason_code=reason)


def result(good, *failures, policy=POLICY, kind="sts", bad=None):
    lines = tuple(str(policy).strip().split("\r\n")) if policy and kind == "sts" else ()
    bad = sum(one.sessions for one in failures) if bad is None else bad
    return PolicyResult(kind, "example.org", lines, (), good, bad, failures)


def entry(*results, by="Example Mail", on=10):
    start = day(on)
    report = Report(by, f"{by} {on}", start, start + datetime.timedelta(1), None, results, ())
    return Entry(report, "dkim")


def stopped(*entries):
    return enforcement.would_stop(summarise(DOMAIN, entries), SERVED)


def cause(*entries):
    summary = summarise(DOMAIN, entries)
    (group,) = enforcement.kinds(summary)
    return enforcement.cause(group, summary, SERVED)


def test_sessions_that_fail_would_have_been_stopped():
    found = stopped(
        entry(result(3000, failure(sessions=9))),
        entry(result(2616, failure("starttls-not-supported", 4)), by="Sample Post"),
        entry(result(0), by="Quiet Mail"),
    )
    senders = ("Example Mail", "Sample Post")
    assert found == Stopped(13, 5629, senders, ("mx2.example.org",))


@pytest.mark.parametrize(
    "kind",
    [
        *("sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"),
        *("tlsa-invalid", "dnssec-invalid", "dane-required"),
    ],
)
def test_without_a_policy_and_by_dane_nothing_is_stopped_by_it(kind):
    assert stopped(entry(result(10, failure(kind)))) == Stopped(0, 11, (), ())


def test_a_session_that_is_counted_under_sts_and_tlsa_would_be_stopped_once():
    both = entry(result(10, failure(sessions=2)), result(8, failure(sessions=4), kind="tlsa"))
    assert stopped(both)[:2] == (2, 12)


def test_what_fails_under_tlsa_or_without_a_policy_is_not_stopped_by_us():
    other = entry(result(5, failure(), kind="tlsa"), result(2, failure(), kind="no-policy-found"))
    assert stopped(other)[:2] == (0, 9)


def test_what_is_over_counts_for_the_days_that_were_asked_about():
    assert stopped(entry(result(10, failure())), entry(result(10), on=11))[:2] == (1, 21)


def test_what_the_policy_covers_by_now_would_not_be_stopped_by_it():
    assert stopped(entry(result(1, failure("validation-failure"), policy=OLD)))[:2] == (0, 2)


@pytest.mark.parametrize("policy", [FOREIGN, NONE])
def test_policies_that_were_never_served_or_ask_nothing_do_not_count(policy):
    assert stopped(entry(result(1, failure(), policy=policy)))[:2] == (0, 2)


def test_a_report_that_quotes_no_policy_counts():
    assert stopped(entry(result(1, failure(), policy=None)))[:2] == (1, 2)


def test_details_that_tell_of_more_than_has_failed_do_not_add_to_it():
    assert stopped(entry(result(1, failure(sessions=9), bad=3)))[:2] == (3, 4)


def test_failed_sessions_without_details_would_be_stopped():
    assert stopped(entry(result(1, failure(), bad=3)))[:2] == (3, 4)


def test_a_number_that_is_unknown_makes_the_sum_unknown():
    assert stopped(entry(result(1, failure(sessions=None), bad=2)))[:2] == (None, 3)
    unknown = PolicyResult("sts", "example.org", (), (), None, None, ())
    assert stopped(entry(result(1, failure())), entry(unknown, on=9)).total is None


def test_several_domains_are_told_of_together():
    one = Stopped(1, 10, ("A", "B"), ("mx1.example.org",))
    other = Stopped(2, 5, ("B",), ("mx1.example.org", "mx2.example.org"))
    hosts = ("mx1.example.org", "mx2.example.org")
    assert enforcement.together([one, other]) == Stopped(3, 15, ("A", "B"), hosts)
    assert enforcement.together([one, one._replace(sessions=None)]).sessions is None


def test_a_failure_at_the_receiving_end_speaks_against_it_until_it_is_over():
    failed = entry(result(100000, failure()))
    assert cause(failed) is Cause.RECEIVING
    assert cause(failed, entry(result(1), by="Sample Post", on=11)) is Cause.RECEIVING
    assert cause(failed, entry(result(1), on=11)) is Cause.OVER


def test_a_policy_host_that_fails_speaks_against_it_though_it_stops_nothing():
    assert cause(entry(result(9, failure("sts-webpki-invalid")))) is Cause.RECEIVING


def test_the_more_special_word_says_whose_end_it_is():
    unknown = failure("certificate-not-trusted", reason="X509_V_ERR_CERT_NOT_YET_VALID")
    assert cause(entry(result(1, unknown))) is Cause.UNCLEAR


@pytest.mark.parametrize(
    ("sessions", "good", "expected"),
    [(1, 999, Cause.RARE), (1, 998, Cause.UNCLEAR), (2, 1998, Cause.RARE), (2, 99, Cause.UNCLEAR)],
)
def test_what_may_be_anybodys_end_is_normal_if_it_is_rare(sessions, good, expected):
    assert cause(entry(result(good, failure("validation-failure", sessions)))) is expected


@pytest.mark.parametrize("kind", ["something-new", ""])
def test_a_word_that_nobody_knows_is_unclear(kind):
    assert cause(entry(result(10, failure(kind)))) is Cause.UNCLEAR


def test_failed_sessions_without_details_are_unclear():
    assert cause(entry(result(10, bad=2))) is Cause.UNCLEAR


def test_a_single_fetch_error_is_normal_and_several_are_not():
    assert cause(entry(result(10, failure("sts-policy-fetch-error")))) is Cause.ONCE
    assert cause(entry(result(10, failure("sts-policy-fetch-error", 2)))) is Cause.UNCLEAR


def test_the_senders_own_end_is_its_own():
    assert cause(entry(result(10, failure("dane-required")))) is Cause.SENDING


def test_a_host_that_is_covered_by_now_is_explained():
    assert cause(entry(result(0, failure("validation-failure"), policy=OLD))) is Cause.COVERED
    assert cause(entry(result(0, failure("certificate-expired"), policy=OLD))) is Cause.RECEIVING


def test_what_happened_under_other_policies_only_does_not_count():
    assert cause(entry(result(0, failure(), policy=FOREIGN))) is Cause.FOREIGN
    assert cause(entry(result(0, failure(), policy=NONE))) is Cause.ELSEWHERE
    assert cause(entry(result(0, failure("tlsa-invalid"), kind="tlsa"))) is Cause.ELSEWHERE


def test_a_foreign_policy_does_not_hide_what_happened_under_ours():
    both = entry(result(0, failure(sessions=5), policy=FOREIGN), result(0, failure(sessions=2)))
    assert cause(both) is Cause.RECEIVING
    assert stopped(both)[:2] == (2, 7)
