"""May a policy go one step further: the evidence and the verdict, from facts that stand here."""

import pytest

from mtasts import advance, checks
from mtasts.advance import Answer, Facts, Network, Part, Question, Reports
from mtasts.change import Wishes
from mtasts.domain import Domain
from mtasts.facts import TLSA, Endpoint
from mtasts.finding import Severity
from mtasts.history import HistoryEntry
from mtasts.holder import ClassName
from mtasts.plan import Plan
from mtasts.planning import LADDER, change_steps, next_rung
from mtasts.policy import Mode, Policy
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import Failure, PolicyResult, Report
from mtasts.tlsrpt.summary import Entry
from mtasts.tlsrpt.summing import summarise
from sights import DAY, NOW, handshake, healthy, mx_host, policy_hosts, server, sts
from sights import failure as failed

DOMAIN = Domain("example.org")
MX = ("mx1.example.org", "mx2.example.org")
TESTING = Policy(Mode.TESTING, 86401, MX)
ENFORCE = Policy(Mode.ENFORCE, 86401, MX)
LONG = Policy(Mode.ENFORCE, LADDER[-1], MX)
TTL = DAY


def history(*policies):
    """Policies, each with the days since when it is served."""
    return tuple(HistoryEntry.of(one.to_bytes(), NOW - days * DAY) for one, days in policies)


TRIED = history((TESTING, 20))


def report(days, good=100, *failures, by="Example Mail", policy=TESTING, failed=None):
    """A report about the day that was so many days ago."""
    start = (NOW - days * DAY).replace(hour=0)
    lines = tuple(str(policy).strip().split("\r\n"))
    bad = sum(one.sessions for one in failures) if failed is None else failed
    results = (PolicyResult("sts", DOMAIN, lines, (), good, bad, tuple(failures)),)
    return Report(by, f"{by} {days}", start, start + DAY, None, results, ())


def failure(kind="certificate-expired", sessions=13, **facts):
    return Failure(kind, sessions, receiving_mx_hostname="mx2.example.org", **facts)


def week(policy=TESTING, by="Example Mail", days=range(1, 8)):
    return [report(day, policy=policy, by=by) for day in days]


def reports(counted, others=(), weakest=Grade.AUTHENTICATION_RESULTS, missing=""):
    kept = [Entry(one, "dkim") for one in counted]
    every = kept + [Entry(one, "file") for one in others]
    return Reports(summarise(DOMAIN, kept), summarise(DOMAIN, every), weakest, missing)


def seen_of(served, **other):
    """A healthy domain that serves the last policy of its history."""
    data = served[-1].policy.to_bytes()
    record = sts(f"v=STSv1; id={served[-1].id};")
    tls = [one._replace(answers=_answers(one, data)) for one in policy_hosts()]
    seen = healthy(sts=record, policy_host=tuple(tls), own=None)
    return seen._replace(**other)


def _answers(host, data):
    return tuple(one._replace(body=data) for one in host.answers)


def network(served, seen=None):
    seen = seen or seen_of(served)
    record = checks.record(DOMAIN, seen.sts.texts, served[-1].id, served[-1].policy.to_bytes())
    return Network(checks.judge(seen, NOW), record, served[-1].id)


def question(served, plan, holder):
    data = served[-1].policy.to_bytes()
    return Question(holder, data, served, next_rung(served, TTL), TTL, plan)


def judged(served=TRIED, said=None, seen=None, plan=None, holder=DOMAIN):
    said = reports(week(served[-1].policy)) if said is None else said
    asked = question(served, plan, holder)
    cases = [advance.case(Facts(DOMAIN, served, said, network(served, seen)), TTL, NOW)]
    return advance.judge(asked, cases if advance.is_asked(asked) else [], NOW)


def codes(found, *severities):
    """The codes of all evidence, or of that with one of the severities."""
    every = [*found.evidence, *(one for case in found.cases for one in case.evidence)]
    return [one.finding.code for one in every if not severities or one.severity in severities]


def against(found):
    return codes(found, Severity.ERROR, Severity.UNKNOWN)


def test_a_domain_of_which_all_is_known_and_good_may_go_on():
    found = judged()
    assert (found.answer, against(found), found.back) == (Answer.YES, [], None)
    assert found.question.rung.policy == ENFORCE
    assert found.stopped[:2] == (0, 700)
    assert codes(found, Severity.OK) == [
        "advance-observed",
        "advance-reporter",
        "advance-failures-none",
        "advance-record-in-step",
        "advance-policy-host-passes",
        "advance-mx-passes",
    ]


@pytest.mark.parametrize("days", [8, 9, 400])
def test_testing_for_long_enough_is_enough(days):
    assert judged(history((TESTING, days))).answer is Answer.YES


def test_testing_for_less_leaves_it_open_and_says_until_when():
    served = history((TESTING, 7.5))
    found = judged(served)
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["advance-observed-briefly"])
    (said,) = [one.finding for one in found.cases[0].evidence if one.part is Part.TIME]
    assert "2026-06-02 00:01 UTC" in said.remedy


def test_time_with_other_hosts_is_no_time():
    other = Policy(Mode.TESTING, 86401, MX[:1])
    assert "advance-observed-briefly" in codes(judged(history((other, 90), (TESTING, 5))))
    longer = Policy(Mode.TESTING, 604800, MX)
    assert "advance-observed" in codes(judged(history((longer, 90), (TESTING, 5))))


@pytest.mark.parametrize(
    ("max_age", "to"),
    [(3600, 604800), (86400, 604800), (86401, 604800), (604800, 2592000), (2600000, 31536000)],
)
def test_each_step_is_one_rung(max_age, to):
    policy = Policy(Mode.ENFORCE, max_age, MX)
    found = judged(history((TESTING, 100), (policy, 50)), reports(week(policy)))
    assert (found.answer, found.question.rung.policy) == (Answer.YES, policy_of(to))


def policy_of(max_age):
    return Policy(Mode.ENFORCE, max_age, MX)


@pytest.mark.parametrize(
    ("max_age", "days", "expected"),
    [
        (86401, 7.9, ["advance-unkept"]),
        (86401, 8, []),
        (2592000, 30.9, ["advance-unkept"]),
        (2592000, 31, []),
    ],
)
def test_a_longer_promise_waits_until_the_one_before_was_kept(max_age, days, expected):
    """The horizon: max_age, a week at least, and the TTL."""
    served = history((TESTING, 300), (policy_of(max_age), days))
    assert against(judged(served)) == expected


@pytest.mark.parametrize("policy", [TESTING, ENFORCE, policy_of(604800), policy_of(900000)])
def test_the_rungs_are_those_of_plans(policy):
    served = history((policy, 3))
    rung = next_rung(served, TTL)
    wishes = Wishes(Mode.ENFORCE, LADDER[-1])
    steps = change_steps([served], wishes, TTL, NOW)
    first = next(step for step in steps if step.policy)
    assert (rung.policy, rung.due) == (first.policy, first.due)


def test_at_the_top_there_is_nothing_to_do():
    served = history((LONG, 500))
    found = judged(served)
    assert (found.answer, found.question.rung) == (Answer.NOTHING, None)
    assert judged(served, reports([])).answer is Answer.NOTHING


def test_from_mode_none_testing_comes_first():
    found = judged(history((Policy(Mode.NONE, 86401, MX), 100)))
    assert (found.answer, codes(found)) == (Answer.NO, ["advance-mode-none"])


def test_without_reports_nothing_is_known():
    found = judged(said=reports([]))
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["advance-reports-missing"])
    missing = judged(said=reports([], missing="there is no ledger"))
    assert (missing.answer, against(missing)) == (Answer.UNKNOWN, ["advance-ledger-missing"])


@pytest.mark.parametrize(
    "said",
    [
        week(days=range(1, 7)),
        week(days=(1, 3)),
        week(policy=Policy(Mode.TESTING, 86401, MX[:1])),
        week(policy=ENFORCE),
        [report(day, 0) for day in range(1, 8)],
        week(days=range(1, 4)) + week(by="Sample Post", days=range(4, 8)),
        week(days=range(15, 30)),
    ],
    ids=["6 days", "3 days", "other hosts", "other mode", "no mail", "two halves", "silent since"],
)
def test_a_week_of_one_reporter_under_this_policy_is_needed(said):
    found = judged(said=reports(said))
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["advance-reports-few"])


def test_a_reporter_that_writes_weekly_is_enough():
    assert judged(said=reports(week(days=(2, 9, 16)))).answer is Answer.YES


def test_reporters_are_told_apart():
    busy = [report(1, 9000, by="Busy", policy=Policy(Mode.TESTING, 86401, MX[:1]))]
    quiet = [report(day, 1, by=f"Quiet {number}") for number in range(6) for day in (1, 2)]
    silent = week(by="Silent", days=range(15, 25))
    found = judged(said=reports(week() + busy + quiet + silent))
    said = [code for code in codes(found) if code.startswith("advance-reporter")]
    assert said == [
        "advance-reporter-behind",
        "advance-reporter-silent",
        *["advance-reporter"] * 3,
        "advance-reporters-more",
    ]
    assert found.answer is Answer.YES


def test_a_reporter_that_has_gone_over_to_another_policy_tells_of_this_one_no_more():
    elsewhere = Policy(Mode.ENFORCE, 86401, ("mx.elsewhere.example",))
    before, since = week(days=range(6, 14)), week(elsewhere, days=range(1, 6))
    found = judged(said=reports(before + since))
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["advance-reports-few"])
    assert "advance-reporter-behind" in codes(found, Severity.INFO)
    told = [one.finding.message for one in found.cases[0].evidence if one.part is Part.REPORTS]
    span = f"{before[-1].start.date()} to {before[0].start.date()}"
    assert told == [
        "no reporter tells of sessions under this policy for 7 days: nobody uses it by now",
        f"Example Mail: 800 sessions under this policy, 0 failed, {span}, and another policy since",
    ]
    assert judged(said=reports(before + since + week(by="Sample Post"))).answer is Answer.YES


def test_an_unproven_report_neither_pushes_nor_blocks():
    forged = [report(day, 0, failure(), by="Forger") for day in range(1, 20)]
    found = judged(said=reports(week(), forged))
    assert (found.answer, found.stopped.sessions) == (Answer.YES, 0)
    (said,) = [one for case in found.cases for one in case.evidence if "left out" in str(one)]
    assert "19 reports, 247 failed sessions" in said.finding.message
    assert judged(said=reports([], week())).answer is Answer.UNKNOWN


def test_to_count_unproven_reports_is_warned_of():
    found = judged(said=reports(week(), weakest=Grade.FILE))
    assert codes(found, Severity.WARNING) == ["advance-grade-weak"]


def test_unknown_numbers_block_yes():
    found = judged(said=reports([*week(), report(1, None, by="Vague")]))
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["report-counts-unknown"])


@pytest.mark.parametrize(
    ("one", "answer", "code"),
    [
        (failure(), Answer.NO, "receiving"),
        (failure("validation-failure"), Answer.UNKNOWN, "unclear"),
        (failure("validation-failure", 1, reason_code="x" * 500), Answer.UNKNOWN, "unclear"),
        (failure("sts-policy-fetch-error", 1), Answer.YES, "once"),
        (failure("dane-required"), Answer.YES, "sending"),
    ],
)
def test_failures_block_as_far_as_they_are_at_the_receiving_end(one, answer, code):
    found = judged(said=reports([*week(days=range(2, 9)), report(1, 100, one)]))
    assert found.answer is answer
    assert f"advance-failures-{code}" in codes(found)


def test_a_failure_that_is_over_does_not_block_and_is_counted():
    said = [*week(), report(9, 100, failure()), report(9, 100, failure(sessions=2), by="B")]
    found = judged(said=reports([*said, report(8, 1, by="B")]))
    assert (found.answer, found.stopped) == (Answer.YES, (15, 916, ("B", "Example Mail"), MX[1:]))
    assert "advance-failures-over" in codes(found, Severity.OK)


def test_failures_under_a_policy_of_somebody_else_do_not_block():
    foreign = Policy(Mode.ENFORCE, 604800, ("mx1.example.net",))
    found = judged(said=reports([*week(), report(1, 0, failure(), policy=foreign, by="B")]))
    assert found.answer is Answer.YES
    assert "advance-failures-foreign" in codes(found, Severity.WARNING)


def test_failed_sessions_without_details_leave_it_open():
    found = judged(said=reports([*week(days=range(2, 9)), report(1, 10, failed=3)]))
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["advance-failures-unclear"])


def test_reasons_without_end_are_not_looked_at_without_end():
    wild = [failure("validation-failure", 1, reason_code=str(number)) for number in range(300)]
    found = judged(said=reports([*week(days=range(2, 9)), report(1, 10, *wild)]))
    assert len([code for code in codes(found) if "failures" in code]) == 101
    assert "advance-failures-more" in against(found)


def test_what_reporters_write_cannot_move_a_terminal():
    evil = failure("\x1b[2J", 1, reason_code="\r\nexample.org: yes")
    found = judged(said=reports([report(1, 1, evil, by="\x1b]0;Mail\x07")]))
    for one in found.cases[0].evidence:
        assert one.finding.message.isprintable()
        assert one.finding.remedy.isprintable()
    said = " ".join(one.finding.message for one in found.cases[0].evidence)
    assert r"\x1b]0;Mail\x07" in said
    assert r"\\" not in said  # it is escaped once


def test_an_mx_host_counts_as_it_would_under_enforce():
    """In testing it is a warning for `mtasts check`."""
    plain = mx_host(MX[1], servers=(("192.0.2.26", server(MX[1], tls=None)),))
    found = judged(seen=seen_of(TRIED, mx_hosts=(mx_host(MX[0]), plain)))
    assert (found.answer, against(found)) == (Answer.NO, ["mx-host-no-starttls"])
    (said,) = [one for one in found.cases[0].evidence if one.severity is Severity.ERROR]
    assert (said.host, said.address) == (MX[1], "192.0.2.26")


def test_an_mx_host_that_cannot_be_reached_is_unknown():
    silent = mx_host(MX[1], servers=(("192.0.2.26", failed("connect-refused")),))
    found = judged(seen=seen_of(TRIED, mx_hosts=(mx_host(MX[0]), silent)))
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["mx-host-unreachable"])


def test_what_a_machine_without_ipv6_does_not_see_is_unknown():
    beside = (("192.0.2.26", server(MX[1])), ("2001:db8::26", failed("connect-no-ipv6")))
    seen = seen_of(TRIED, mx_hosts=(mx_host(MX[0]), mx_host(MX[1], servers=beside)))
    found = judged(seen=seen)
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["mx-host-unseen"])


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("mta-sts.example.org", "policy-host-certificate-ends"),
        (MX[0], "mx-host-certificate-ends"),
    ],
)
def test_a_renewal_that_was_skipped_speaks_against_it(host, code):
    late = handshake(host, days=3, age=80)
    seen = seen_of(TRIED)
    if host == MX[0]:
        mail = mx_host(host, servers=(("192.0.2.25", server(host, tls=late)),))
        seen = seen._replace(mx_hosts=(mail, mx_host(MX[1])))
    else:
        hosts = tuple(one._replace(tls=late) for one in seen.policy_host)
        seen = seen._replace(policy_host=hosts)
    found = judged(seen=seen)
    assert found.answer is Answer.NO
    assert set(against(found)) == {code}


@pytest.mark.parametrize(
    ("texts", "answer", "code"),
    [
        (("v=STSv1; id=20260101000000deadbeef;",), Answer.NO, "status-record-behind"),
        ((), Answer.NO, "status-record-missing"),
        (failed("dns-lookup-failed"), Answer.UNKNOWN, "status-record-unknown"),
    ],
)
def test_dns_has_to_be_in_step(texts, answer, code):
    found = judged(seen=seen_of(TRIED, sts=sts()._replace(texts=texts, servers=())))
    assert (found.answer, code in against(found)) == (answer, True)


def test_a_name_server_that_lags_is_not_in_step():
    record = sts(f"v=STSv1; id={TRIED[-1].id};")
    lagging = record._replace(servers=(record.servers[0], ("ns2.example.net", ("v=STSv1; id=1;",))))
    found = judged(seen=seen_of(TRIED, sts=lagging))
    assert (found.answer, against(found)) == (Answer.NO, ["txt-server-differs"])


def test_where_reports_go_is_told_and_decides_nothing():
    silent = Endpoint("https://reports.example.org/", failed("connect-refused"))
    found = judged(seen=seen_of(TRIED, endpoints=(silent,)))
    assert (found.answer, codes(found, Severity.WARNING)) == (Answer.YES, ["tlsrpt-https-silent"])


def plan(wishes, served=TRIED):
    return Plan(NOW, TTL, "", change_steps([served], wishes, TTL, NOW))


def test_a_plan_that_says_otherwise_is_not_fought():
    add = plan(Wishes(add_mx=("mx3.example.org",)))
    found = judged(plan=add)
    assert (found.answer, against(found)) == (Answer.NO, ["advance-plan-otherwise"])


def test_a_plan_for_the_same_step_is_named():
    found = judged(plan=plan(Wishes(Mode.ENFORCE)))
    assert found.answer is Answer.YES
    assert "advance-plan-agrees" in codes(found, Severity.INFO)


def test_a_policy_of_several_domains_goes_on_when_all_of_them_may():
    asked = question(TRIED, None, ClassName("@a"))
    good = advance.case(Facts(DOMAIN, TRIED, reports(week()), network(TRIED)), TTL, NOW)
    joined = history((Policy(Mode.TESTING, 86401, MX[:1]), 90), (TESTING, 2))
    new = advance.case(Facts(DOMAIN, joined, reports(week()), network(joined)), TTL, NOW)
    assert advance.judge(asked, [good, good], NOW).answer is Answer.YES
    assert advance.judge(asked, [good, new], NOW).answer is Answer.UNKNOWN
    assert advance.judge(asked, [good, good], NOW).stopped.total == 1400


def test_without_a_domain_there_is_nobody_to_ask():
    asked = question(TRIED, None, ClassName("@a"))
    found = advance.judge(asked, [], NOW)
    assert (found.answer, against(found)) == (Answer.UNKNOWN, ["advance-domains-none"])


def test_what_fails_under_enforce_shows_the_way_back():
    served = history((TESTING, 100), (policy_of(86401), 40), (policy_of(2592000), 20))
    said = [
        *week(policy_of(2592000), days=range(2, 9)),
        report(1, 9, failure(), policy=policy_of(2592000)),
    ]
    found = judged(served, reports(said))
    assert found.answer is Answer.NO
    assert found.back.policy == TESTING
    assert found.back.kept == ((policy_of(2592000), NOW + 31 * DAY),)


def test_the_way_back_knows_every_policy_that_may_still_be_enforced():
    served = history((LONG, 30), (TESTING, 12), (policy_of(604800), 2))
    found = advance.way_back(served, TTL, NOW)
    assert found.kept == (
        (policy_of(604800), NOW + 8 * DAY),
        (LONG, NOW + (365 + 1 - 12) * DAY),
    )


def test_at_the_top_failures_say_no_and_show_the_way_back():
    served = history((LONG, 500))
    plain = mx_host(MX[1], servers=(("192.0.2.26", server(MX[1], tls=None)),))
    found = judged(served, seen=seen_of(served, mx_hosts=(mx_host(MX[0]), plain)))
    assert (found.answer, found.back.kept) == (Answer.NO, ((LONG, NOW + 366 * DAY),))


@pytest.mark.parametrize("kind", ["sts-webpki-invalid", "tlsa-invalid"])
def test_what_enforcing_does_not_stop_needs_no_way_back(kind):
    served = history((TESTING, 100), (ENFORCE, 20))
    said = [*week(ENFORCE, days=range(2, 9)), report(1, 9, failure(kind), policy=ENFORCE)]
    found = judged(served, reports(said))
    assert (found.answer, found.back) == (Answer.NO, None)


def test_dane_alone_needs_no_way_back():
    served = history((TESTING, 100), (ENFORCE, 20))
    wrong = mx_host(MX[1], tlsa=(TLSA(3, 1, 1, b"x" * 32),), secure=True)
    found = judged(served, seen=seen_of(served, mx_hosts=(mx_host(MX[0]), wrong), mx_secure=True))
    assert "dane-mismatch" in against(found)
    assert (found.answer, found.back) == (Answer.NO, None)


def test_in_testing_there_is_no_way_back():
    found = judged(said=reports([report(1, 9, failure())]))
    assert (found.answer, found.back) == (Answer.NO, None)
