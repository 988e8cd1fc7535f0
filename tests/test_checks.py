"""What is judged of what was seen: a healthy domain with one thing wrong for each trap.

`wrong` has all that is not ok, so a finding too many fails a case as well.
"""

import hashlib
import re

import pytest

from mtasts import lint
from mtasts.checks import Group, judge
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.facts import TLSA, TOO_LATE, Endpoint, Own, PolicyHost, SubDomain
from mtasts.finding import MAX_FINDINGS, Severity
from mtasts.policy import Mode
from mtasts.probe import MX
from sights import (
    ADDRESSES,
    DAY,
    ID,
    NOW,
    POLICY,
    SERVERS,
    STS,
    TESTING,
    TLSRPT,
    answers,
    failure,
    handshake,
    healthy,
    mx_host,
    policy_hosts,
    record,
    server,
    sts,
    tlsrpt,
)

NO_ANSWER = failure("dns-lookup-failed")
LATE = failure(TOO_LATE)
NO_ADDRESS = failure("policy-host-without-address")


def findings(seen):
    return judge(seen, NOW).findings


def codes(seen, *severities):
    """The codes of the findings of these severities (all if there are none), each once."""
    found = (one.code for one in findings(seen) if not severities or one.severity in severities)
    return list(dict.fromkeys(found))


def wrong(seen):
    """The codes of whatever is not ok, each with its severity."""
    return {one.code: one.severity.value for one in findings(seen) if one.severity.value != "ok"}


def only(seen, code):
    """The one finding of that code."""
    (found,) = [one for one in findings(seen) if one.code == code]
    return found


def test_a_healthy_domain_is_ok_and_says_what_was_looked_at():
    verdict = judge(healthy(), NOW)
    assert verdict.severity is Severity.OK
    assert {one.severity for one in verdict.findings} == {Severity.OK}
    assert {one.group for one in verdict.findings} == set(Group) - {Group.SUB_DOMAINS}
    assert {
        "txt-taken",
        "txt-servers-agree",
        "txt-secure",
        "sts-id-proves",
        "policy-host-certificate-valid",
        "fetch-taken",
        "policy-host-same",
        "policy-host-own",
        "policy-taken",
        "mx-host-covered",
        "mx-host-certificate-valid",
        "tlsrpt-address-taken",
    } == {one.code for one in verdict.findings}


def test_the_verdict_has_what_a_sender_takes_and_the_figures():
    soon = handshake("mx2.example.org", days=20)
    hosts = (
        mx_host("mx1.example.org"),
        mx_host("mx2.example.org", servers=(("192.0.2.26", server("mx2.example.org", tls=soon)),)),
    )
    slow = policy_hosts(answers=answers(seconds=3.5))
    verdict = judge(healthy(mx_hosts=hosts, policy_host=slow), NOW)
    assert (verdict.domain, verdict.checked, verdict.id) == ("example.org", NOW, ID)
    assert verdict.policy.mode is Mode.ENFORCE
    assert verdict.policy_host_end == NOW + 60 * DAY
    assert verdict.mx_end == NOW + 20 * DAY
    assert verdict.seconds == 3.5


@pytest.mark.parametrize(
    "seen",
    [
        healthy(sts=sts()),
        healthy(sts=sts(STS, STS.replace("id=", "id=1"))),
        healthy(policy_host=NO_ANSWER),
        healthy(policy_host=policy_hosts(answers=answers(status=404))),
        healthy(policy_host=policy_hosts(answers=answers(body=b"<html>"))),
        healthy(policy_host=policy_hosts(tls=handshake("mta-sts.example.org", days=-1))),
        healthy(policy_host=policy_hosts(tls=handshake("www.example.org"))),
        healthy(policy_host=policy_hosts(tls=handshake("mta-sts.example.org", untrusted="why"))),
    ],
)
def test_without_record_or_policy_a_sender_takes_nothing(seen):
    assert judge(seen, NOW).policy is None


def test_from_a_certificate_that_nobody_trusts_no_policy_is_taken_but_cached_ones_count():
    expired = policy_hosts(tls=handshake("mta-sts.example.org", days=-1))
    seen = healthy(policy_host=expired, mx=(MX(10, "other.example.net"),), own=None)
    assert "policy-taken" not in codes(seen)
    assert only(seen, "mx-host-uncovered").severity is Severity.ERROR
    # One address with a good certificate is enough, wherever it stands.
    mixed = (expired[0]._replace(answers=answers(body=TESTING)), policy_hosts()[1])
    assert judge(healthy(policy_host=mixed), NOW).policy.mode is Mode.ENFORCE
    assert only(healthy(policy_host=mixed), "policy-taken").address == ADDRESSES[1]


# TXT


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), {"sts-record-missing": "error"}),
        ((STS, "v=STSv1; id=1;"), {"txt-several": "error"}),
        (("v=STSv1; id=a-b;",), {"record-id-invalid": "error"}),
        (("v=STSv1 id=1",), {"sts-record-missing": "error", "record-version": "error"}),
        (('"v=STSv1; id=1;"',), {"sts-record-missing": "error", "record-version": "error"}),
        (("v=STSv1; id=1; ttl=1;",), {"record-extension": "warning"}),
        ((STS, "v=spf1 -all"), {"txt-beside": "warning"}),
        (
            ("version: STSv1 mode: enforce",),
            {"sts-record-missing": "error", "record-version": "error"},
        ),
        (("v=STSv1; id=20260101000000deadbeef;",), {"sts-id-behind": "warning"}),
        (("v=STSv1; id=anothershape;",), {}),
    ],
)
def test_the_texts_of_the_record(texts, expected):
    assert wrong(healthy(sts=sts(*texts))) == expected


def test_a_domain_without_mta_sts_is_told_so_once():
    seen = healthy(sts=sts(), policy_host=NO_ADDRESS, own=None)
    assert wrong(seen) == {"sts-absent": "warning", "tlsrpt-only": "info"}
    dane = seen._replace(mx_hosts=with_tlsa(MATCHING).mx_hosts)
    assert "tlsrpt-only" not in codes(dane)
    insecure = tuple(one._replace(secure=False) for one in dane.mx_hosts)
    assert "tlsrpt-only" in codes(dane._replace(mx_hosts=insecure))


def test_for_a_domain_of_ours_a_missing_record_and_host_are_errors():
    seen = healthy(sts=sts(), policy_host=NO_ADDRESS)
    assert wrong(seen) == {"sts-record-missing": "error", "policy-host-missing": "error"}


def test_what_dns_does_not_tell_is_unknown():
    seen = healthy(sts=sts(texts=NO_ANSWER, servers=()))
    assert wrong(seen) == {"txt-unknown": "unknown"}
    assert wrong(healthy(mx=NO_ANSWER)) == {"mx-records-unknown": "unknown"}
    assert wrong(healthy(policy_host=NO_ANSWER)) == {"policy-host-unknown": "unknown"}
    assert judge(seen, NOW).severity is Severity.UNKNOWN


def test_a_zone_whose_signatures_are_wrong_is_an_error():
    assert wrong(healthy(sts=sts(texts=failure("dnssec-bogus"), servers=()))) == {
        "txt-bogus": "error"
    }


def test_every_authoritative_server_has_to_agree():
    said = ((SERVERS[0], (STS,)), (SERVERS[1], ("v=STSv1; id=old;",)))
    seen = healthy(sts=sts(STS, servers=said))
    assert wrong(seen) == {"txt-server-differs": "warning"}
    assert only(seen, "txt-server-differs").address == SERVERS[1]
    assert "txt-servers-agree" not in codes(healthy(sts=sts(STS, servers=said), tlsrpt=tlsrpt()))


def test_servers_disagree_although_the_resolver_gives_no_answer():
    said = ((SERVERS[0], (STS,)), (SERVERS[1], ()))
    seen = healthy(sts=sts(texts=NO_ANSWER, servers=said))
    assert wrong(seen) == {"txt-unknown": "unknown", "txt-server-differs": "warning"}


def test_other_txt_records_of_the_name_do_not_make_servers_differ():
    said = ((SERVERS[0], (STS, "a=b")), (SERVERS[1], (STS,)))
    assert wrong(healthy(sts=sts(STS, servers=said))) == {}


def test_an_authoritative_server_that_is_silent_is_named():
    seen = healthy(sts=sts(STS, servers=((SERVERS[0], (STS,)), (SERVERS[1], NO_ANSWER))))
    assert wrong(seen) == {"txt-server-silent": "unknown"}
    assert only(seen, "txt-server-silent").address == SERVERS[1]


@pytest.mark.parametrize(
    ("secure", "code"),
    [(True, "txt-secure"), (False, "txt-insecure"), (None, "txt-dnssec-unknown")],
)
def test_the_state_of_dnssec_is_shown(secure, code):
    seen = healthy(sts=sts(STS, secure=secure))
    assert code in codes(seen)
    assert judge(seen, NOW).severity in (Severity.OK, Severity.INFO)


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("_mta_sts.example.org", "v=STSv1; id=1;", "_mta-sts.example.org"),
        ("example.org", "v=STSv1; id=1;", "_mta-sts.example.org"),
        ("_smtp-tlsrpt.example.org", "v=TLSRPTv1; rua=mailto:a@b.test", "_smtp._tls.example.org"),
    ],
)
def test_a_record_at_a_wrong_name_is_found(name, text, right):
    seen = healthy(misplaced=(record(name, text),))
    assert wrong(seen) == {"txt-misplaced": "warning"}
    found = only(seen, "txt-misplaced")
    assert found.host == name
    assert right in found.finding.remedy


@pytest.mark.parametrize("texts", [("v=spf1 -all", "site-verification=1"), (STS,), (TLSRPT,)])
def test_other_records_and_those_of_a_wildcard_are_not_misplaced(texts):
    assert wrong(healthy(misplaced=(record("_mta_sts.example.org", *texts),))) == {}


def test_both_halves_of_a_delegation():
    alias = sts(STS, aliases=("_mta-sts.host.example.net",))
    target = ("mta-sts.host.example.net",)
    assert "delegation-both" in codes(healthy(sts=alias, policy_host_aliases=target))
    assert wrong(healthy(sts=alias)) == {"delegation-record-only": "warning"}
    assert wrong(healthy(policy_host_aliases=target, own=None)) == {"delegation-host-only": "info"}


@pytest.mark.parametrize(
    "seen",
    [
        healthy(policy_host_aliases=("web.example.org",), own=None),
        healthy(policy_host_aliases=("web.example.net",)),
    ],
)
def test_an_alias_to_a_web_server_of_ours_is_no_half_delegation(seen):
    assert wrong(seen) == {}


# The policy host


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        (failure("connect-refused"), {"policy-host-silent": "error"}),
        (failure("connect-timeout"), {"policy-host-silent": "error"}),
        (failure("connect-no-route"), {"policy-host-unreachable": "unknown"}),
        (failure("connection-closed"), {"policy-host-tls-failed": "error"}),
        (failure("tls-handshake-failed"), {"policy-host-tls-failed": "error"}),
        (failure("tls-unrecognized-name"), {"policy-host-tls-name": "error"}),
        (failure("tls-version-unsupported"), {"policy-host-tls-old": "error"}),
    ],
)
def test_one_dead_address_of_two(tls, expected):
    alive, dead = policy_hosts()
    seen = healthy(policy_host=(alive, PolicyHost(dead.address, tls, (tls, tls))))
    assert wrong(seen) == expected
    assert only(seen, *expected).address == ADDRESSES[1]


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        (handshake("*.example.org"), {}),
        (handshake("other.example.org", "mta-sts.example.org"), {}),
        (handshake("*.org"), {"policy-host-certificate-name": "error"}),
        (handshake("*.sub.example.org"), {"policy-host-certificate-name": "error"}),
        (handshake("example.org"), {"policy-host-certificate-name": "error"}),
        (handshake(), {"policy-host-certificate-nameless": "error"}),
        (
            handshake("mta-sts.example.org", untrusted="it is signed by itself"),
            {"policy-host-certificate-untrusted": "error"},
        ),
        (handshake("mta-sts.example.org", days=-1), {"policy-host-certificate-expired": "error"}),
        (
            handshake("mta-sts.example.org", age=-1, days=9),
            {"policy-host-certificate-early": "error"},
        ),
        (handshake("mta-sts.example.org", days=9), {"policy-host-certificate-ends": "warning"}),
        (handshake("mta-sts.example.org", days=2, age=4), {}),
        (
            handshake("*.org", days=-1, untrusted="it is signed by itself"),
            {
                "policy-host-certificate-untrusted": "error",
                "policy-host-certificate-name": "error",
                "policy-host-certificate-expired": "error",
            },
        ),
    ],
)
def test_the_certificate_of_the_policy_host(tls, expected):
    seen = healthy(policy_host=policy_hosts(tls=tls))
    assert wrong(seen) == expected
    is_valid = "policy-host-certificate-valid" in codes(seen)
    assert is_valid is (not expected or "policy-host-certificate-ends" in expected)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 404}, {"fetch-status": "error"}),
        ({"status": 202}, {"fetch-status": "error"}),
        (
            {"status": 301, "location": "https://www.example.org/", "content_type": "text/html"},
            {"fetch-redirect": "error"},
        ),
        ({"status": 304}, {"fetch-status": "error"}),
        ({"content_type": ""}, {"fetch-content-type": "error"}),
        ({"content_type": "text/html"}, {"fetch-content-type": "error"}),
        ({"content_type": "TEXT/PLAIN"}, {}),
        ({"seconds": 12.5}, {"fetch-slow": "warning"}),
    ],
)
def test_the_answers_of_the_policy_host(answer, expected):
    assert wrong(healthy(policy_host=policy_hosts(answers=answers(**answer)))) == expected


def test_an_answer_that_breaks_off_is_told_once_for_all_user_agents():
    broken = failure("connection-timeout")
    seen = healthy(policy_host=policy_hosts(answers=(broken, broken))[:1])
    assert [one.code for one in findings(seen)].count("fetch-failed") == 1
    assert wrong(seen) == {"fetch-failed": "error"}


def test_every_user_agent_has_to_be_answered_alike():
    unnamed, postfix = answers()
    refused = unnamed._replace(status=403, content_type="text/html", body=b"")
    seen = healthy(policy_host=policy_hosts(answers=(refused, postfix))[:1])
    assert wrong(seen) == {"fetch-user-agent": "error"}
    assert "status 403" in only(seen, "fetch-user-agent").finding.message
    assert "fetch-taken" not in codes(seen)


def test_another_media_type_for_another_user_agent():
    unnamed, postfix = answers()
    page = unnamed._replace(content_type="text/html")
    seen = healthy(policy_host=policy_hosts(answers=(page, postfix))[:1])
    assert wrong(seen) == {"fetch-user-agent": "error"}
    assert "as 'text/html'" in only(seen, "fetch-user-agent").finding.message


@pytest.mark.parametrize(
    ("content_type", "said"),
    [
        ("", "the policy is served without a media type, not as text/plain"),
        ("text/html", "the policy is served as 'text/html', not as text/plain"),
    ],
)
def test_how_the_policy_is_served_is_said(content_type, said):
    seen = healthy(policy_host=policy_hosts(answers=answers(content_type=content_type))[:1])
    assert only(seen, "fetch-content-type").finding.message == said


def test_another_body_for_another_user_agent():
    unnamed, postfix = answers()
    seen = healthy(policy_host=policy_hosts(answers=(unnamed, postfix._replace(body=TESTING)))[:1])
    assert wrong(seen) == {"fetch-user-agent": "error"}
    assert "'Postfix'" in only(seen, "fetch-user-agent").finding.message


def test_all_addresses_have_to_serve_the_same():
    first, second = policy_hosts()
    seen = healthy(policy_host=(first, second._replace(answers=answers(body=TESTING))), own=None)
    assert wrong(seen) == {"policy-host-differs": "error"}
    assert only(seen, "policy-host-differs").address == ADDRESSES[1]
    assert "policy-host-same" not in codes(seen)


def test_what_is_served_is_what_the_policy_directory_holds():
    expected = {"fetch-body": "error"}
    assert wrong(healthy(own=Own(TESTING))) == expected
    assert "policy-host-own" in codes(healthy())
    assert not {"policy-host-own", "fetch-body"} & set(codes(healthy(own=None)))


def test_a_policy_directory_that_cannot_be_read_leaves_it_unknown():
    assert wrong(healthy(own=failure("policy-unreadable"))) == {
        "policy-directory-unreadable": "unknown"
    }


def served(body):
    """A domain of somebody else that serves `body`, and has an id that proves nothing."""
    hosts = policy_hosts(answers=answers(body=body))
    return healthy(policy_host=hosts, own=None, sts=sts("v=STSv1; id=1;"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (POLICY.replace(b"enforce", b"enforced"), {"policy-mode-invalid": "error"}),
        (POLICY.replace(b"max_age", b"max-age"), None),
        (b"", {"policy-empty": "error"}),
        (b"x" * (64 * 1024 + 1), {"policy-too-large": "error"}),
        (POLICY.replace(b"2592000", b"0"), {"policy-max-age-zero": "warning"}),
    ],
    ids=["mode", "name", "nothing", "too much", "max_age"],
)
def test_lint_says_what_is_wrong_with_the_policy(body, expected):
    seen = served(body)
    if expected is None:
        expected = {one.code: one.severity.value for one in lint.policy(body)}
    assert wrong(seen) == expected


def test_a_line_of_the_policy_is_named():
    found = only(served(POLICY.replace(b"enforce", b"strict")), "policy-mode-invalid")
    assert (found.finding.line, found.address) == (2, ADDRESSES[0])


def test_mode_none_is_told():
    assert wrong(served(POLICY.replace(b"enforce", b"none"))) == {"policy-none": "info"}


def in_testing(until):
    hosts = policy_hosts(answers=answers(body=TESTING))
    own = Own(TESTING, until)
    return healthy(policy_host=hosts, own=own, sts=sts("v=STSv1; id=1;"))


def test_testing_is_intended_until_the_date_that_the_operator_set():
    today = NOW.date()
    assert wrong(in_testing(None)) == {"policy-testing": "info"}
    assert wrong(in_testing(today)) == {}
    assert wrong(in_testing(today - DAY)) == {"policy-testing-overdue": "warning"}
    assert "policy-testing-intended" in codes(in_testing(today + DAY))


# MX


def test_an_mx_that_no_line_covers_and_a_line_that_covers_none():
    mx = (MX(10, "mx1.example.org"), MX(20, "new.example.net"))
    seen = healthy(mx=mx)
    assert wrong(seen) == {"mx-host-uncovered": "error", "mx-line-idle": "info"}
    assert only(seen, "mx-host-uncovered").host == "new.example.net"
    assert "mx2.example.org" in only(seen, "mx-line-idle").finding.message


@pytest.mark.parametrize(
    ("line", "host", "why"),
    [
        (b"*.example.net", "a.b.example.net", "exactly one label"),
        (b"*.example.net", "example.net", "exactly one label"),
        (b"mx.example.net", "mx.example.com", "mx.example.net"),
    ],
)
def test_why_an_mx_is_not_covered(line, host, why):
    seen = served(b"version: STSv1\nmode: enforce\nmx: " + line + b"\nmax_age: 2592000\n")
    found = only(seen._replace(mx=(MX(10, host),)), "mx-host-uncovered")
    assert why in found.finding.message


@pytest.mark.parametrize(
    ("mode", "severity"), [("enforce", "error"), ("testing", "warning"), ("none", "info")]
)
def test_the_mode_makes_what_is_wrong_with_an_mx_grave(mode, severity):
    seen = served(POLICY.replace(b"enforce", mode.encode()))
    hosts = tuple(
        mx_host(one.host, servers=(("192.0.2.25", server(one.host, tls=None)),)) for one in seen.mx
    )
    assert only(seen._replace(mx_hosts=hosts[:1]), "mx-host-no-starttls").severity.value == severity
    away = (MX(10, "mx.example.com"),)
    assert only(seen._replace(mx=away), "mx-host-uncovered").severity.value == severity


def test_without_a_policy_an_mx_is_judged_as_in_testing():
    bad = mx_host("mx1.example.org", servers=(("192.0.2.25", server("x", tls=None)),))
    seen = healthy(sts=sts(), policy_host=NO_ADDRESS, own=None, mx_hosts=(bad,))
    assert only(seen, "mx-host-no-starttls").severity is Severity.WARNING


def at_mx(*servers):
    """The healthy domain, whose first MX shows these at its addresses."""
    addresses = tuple((f"192.0.2.{number}", one) for number, one in enumerate(servers, 25))
    hosts = (mx_host("mx1.example.org", servers=addresses), mx_host("mx2.example.org"))
    return healthy(mx_hosts=hosts)


GOOD = server("mx1.example.org")


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ({"tls": None}, {"mx-host-no-starttls": "error"}),
        ({"tls": failure("starttls-refused")}, {"mx-host-tls-failed": "error"}),
        ({"tls": failure("tls-handshake-failed")}, {"mx-host-tls-failed": "error"}),
        ({"tls": failure("tls-version-unsupported")}, {"mx-host-tls-old": "error"}),
        ({"tls": failure("tls-unrecognized-name")}, {"mx-host-tls-name": "error"}),
        ({"tls": handshake("mx2.example.org")}, {"mx-host-certificate-name": "error"}),
        ({"tls": handshake("*.example.org")}, {}),
        ({"tls": handshake()}, {"mx-host-certificate-nameless": "error"}),
        (
            {"tls": handshake("mx1.example.org", untrusted="why")},
            {"mx-host-certificate-untrusted": "error"},
        ),
        (
            {"tls": handshake("mx1.example.org", days=-1)},
            {"mx-host-certificate-expired": "error"},
        ),
        (
            {"tls": handshake("mx1.example.org", age=-2)},
            {"mx-host-certificate-early": "error"},
        ),
        ({"tls": handshake("mx1.example.org", days=9)}, {"mx-host-certificate-ends": "warning"}),
        ({"seconds": 25.0}, {"mx-host-slow": "info"}),
    ],
)
def test_one_bad_address_of_several(bad, expected):
    seen = at_mx(GOOD, GOOD._replace(**bad))
    assert wrong(seen) == expected
    if expected:
        found = only(seen, *expected)
        assert (found.host, found.address) == ("mx1.example.org", "192.0.2.26")


def test_while_nobody_serves_a_policy_of_ours_its_mode_still_counts():
    down = tuple(PolicyHost(one, failure("connect-refused")) for one in ADDRESSES)
    plain = mx_host("mx1.example.org", servers=(("192.0.2.25", server("mx", tls=None)),))
    seen = healthy(policy_host=down, mx_hosts=(plain,), mx=(MX(10, "mx9.example.org"),))
    assert {wrong(seen)[code] for code in ("mx-host-no-starttls", "mx-host-uncovered")} == {"error"}
    assert wrong(seen._replace(own=None))["mx-host-no-starttls"] == "warning"
    broken = seen._replace(policy_host=policy_hosts(answers=answers(body=b"mode enforce")))
    assert wrong(broken)["mx-host-no-starttls"] == "error"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("connect-timeout", "mx-host-unreachable"),
        ("connect-refused", "mx-host-unreachable"),
        ("connection-timeout", "mx-host-unreachable"),
        ("smtp-refused", "mx-host-refuses"),
        ("smtp-answer-broken", "mx-host-refuses"),
    ],
)
def test_an_mx_that_cannot_be_reached_is_unknown(error, code):
    assert wrong(at_mx(failure(error))) == {code: "unknown"}


def test_a_network_that_blocks_port_25_is_told_once():
    blocked = (
        ("192.0.2.25", failure("connect-timeout")),
        ("2001:db8::25", failure("connect-no-route")),
    )
    hosts = tuple(mx_host(name, servers=blocked) for name in ("mx1.example.org", "mx2.example.org"))
    seen = healthy(mx_hosts=hosts)
    assert wrong(seen) == {"mx-hosts-unreachable": "unknown"}
    assert [one.code for one in findings(seen)].count("mx-hosts-unreachable") == 1


NO_IPV6 = failure("connect-no-ipv6")
UNASKED = ("ns1.example.net (2001:db8::53)", failure("dns-server-no-ipv6"))


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (
            healthy(sts=sts(STS, servers=(("ns1.example.net", (STS,)), UNASKED))),
            "txt-server-unseen",
        ),
        (
            healthy(
                policy_host=(
                    policy_hosts()[0],
                    PolicyHost("2001:db8::1", NO_IPV6, (NO_IPV6, NO_IPV6)),
                )
            ),
            "policy-host-unseen",
        ),
        (
            healthy(
                mx_hosts=(
                    mx_host(
                        "mx1.example.org",
                        servers=(
                            ("192.0.2.25", server("mx1.example.org")),
                            ("2001:db8::25", NO_IPV6),
                        ),
                    ),
                )
            ),
            "mx-host-unseen",
        ),
    ],
)
def test_from_a_machine_without_ipv6_a_healthy_domain_is_in_order(seen, code):
    assert wrong(seen) == {code: "info"}
    assert "2001:db8::" in only(seen, code).address
    if code == "txt-server-unseen":
        assert "txt-servers-agree" in codes(seen)


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (healthy(sts=sts(STS, servers=(UNASKED,))), "txt-server-silent"),
        (
            healthy(policy_host=policy_hosts(tls=NO_IPV6, answers=(NO_IPV6, NO_IPV6))),
            "policy-host-unreachable",
        ),
        (
            healthy(
                mx_hosts=(
                    mx_host("mx1.example.org"),
                    mx_host("mx2.example.org", servers=(("2001:db8::25", NO_IPV6),)),
                )
            ),
            "mx-host-unreachable",
        ),
    ],
)
def test_what_has_no_other_address_is_unknown_without_ipv6(seen, code):
    assert wrong(seen)[code] == "unknown"


def test_the_reason_does_not_repeat_the_place_that_the_finding_names():
    place = "mx1.example.org at 192.0.2.25 port 25"
    timeout = MtastsError("connect-timeout", "no answer within 10 s", "", place)
    beside = (("192.0.2.24", server("mx1.example.org")), ("192.0.2.25", timeout))
    seen = healthy(mx_hosts=(mx_host("mx1.example.org", servers=beside),))
    found = only(seen, "mx-host-unreachable")
    assert (found.host, found.address) == ("mx1.example.org", "192.0.2.25")
    assert found.finding.message == "it could not be reached on port 25: no answer within 10 s"
    seen = healthy(mx_hosts=(mx_host("mx1.example.org", servers=beside[1:]),))
    assert place in only(seen, "mx-hosts-unreachable").finding.message


def test_mx_hosts_whose_addresses_are_not_known_or_not_there():
    nowhere = mx_host("mx2.example.org", servers=failure("mx-host-without-address"))
    beside = (mx_host("mx1.example.org"), nowhere)
    assert wrong(healthy(mx_hosts=beside)) == {"mx-host-without-address": "warning"}
    assert wrong(healthy(mx_hosts=(nowhere,))) == {
        "mx-hosts-without-address": "error",
        "mx-host-without-address": "warning",
    }
    unknown = mx_host("mx2.example.org", servers=NO_ANSWER)
    assert wrong(healthy(mx_hosts=(unknown,))) == {"mx-host-addresses-unknown": "unknown"}


def test_a_domain_that_takes_no_mail():
    null = {"mx": (MX(0, ""),), "mx_hosts": ()}
    assert wrong(healthy(**null)) == {"mx-records-null": "info"}
    nothing = healthy(sts=sts(), tlsrpt=tlsrpt(), policy_host=NO_ADDRESS, own=None, **null)
    assert wrong(nothing) == {"mx-records-null": "info"}
    assert wrong(nothing._replace(mx=())) == {"mx-records-nowhere": "info"}


def test_addresses_of_one_kind_are_judged_although_those_of_the_other_are_not_known():
    expired = server("mx1.example.org", tls=handshake("mx1.example.org", days=-1))
    servers = (("192.0.2.25", expired), ("", NO_ANSWER))
    seen = healthy(
        mx_hosts=(mx_host("mx1.example.org", servers=servers),),
        policy_host=(policy_hosts()[0], PolicyHost("", NO_ANSWER)),
    )
    assert wrong(seen) == {
        "policy-host-unknown": "unknown",
        "mx-host-certificate-expired": "error",
        "mx-host-addresses-unknown": "unknown",
    }
    blocked = mx_host("mx1.example.org", servers=(("192.0.2.25", failure("connect-timeout")),))
    seen = healthy(mx_hosts=(blocked._replace(servers=(*blocked.servers, ("", NO_ANSWER))),))
    assert wrong(seen)["mx-hosts-unreachable"] == "unknown"


def test_without_mx_records_the_domain_itself_is_its_mx():
    body = b"version: STSv1\nmode: enforce\nmx: example.org\nmax_age: 2592000\n"
    seen = served(body)._replace(mx=(), mx_hosts=(mx_host("example.org"),))
    assert wrong(seen) == {"mx-records-none": "info"}
    assert only(seen, "mx-host-covered").host == "example.org"


# DANE

MATCHING = TLSA(3, 0, 1, hashlib.sha256(b"").digest())
OTHER = TLSA(3, 0, 1, hashlib.sha256(b"another certificate").digest())
PKIX = TLSA(1, 0, 1, hashlib.sha256(b"").digest())
VALID = server("mx1.example.org")
SELF_SIGNED = server("mx1.example.org", tls=handshake("mx1.example.org", untrusted="why"))


def with_tlsa(*records, shown=VALID, secure=True, mx_secure=True):
    host = mx_host("mx1.example.org", servers=(("192.0.2.25", shown),), tlsa=records, secure=secure)
    return healthy(mx_hosts=(host,), mx_secure=mx_secure)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (with_tlsa(MATCHING), {}),
        (with_tlsa(OTHER, MATCHING), {}),
        (with_tlsa(OTHER), {"dane-mismatch": "error"}),
        (
            with_tlsa(MATCHING, shown=SELF_SIGNED),
            {"mx-host-certificate-untrusted": "error", "dane-contradicts": "warning"},
        ),
        (with_tlsa(PKIX), {"dane-unusable": "warning"}),
        (with_tlsa(OTHER, secure=False), {"dane-insecure": "info"}),
        (with_tlsa(MATCHING, mx_secure=False), {"dane-mx-insecure": "info"}),
        (
            with_tlsa(OTHER, mx_secure=False),
            {"dane-mx-insecure": "info", "dane-mismatch": "error"},
        ),
        (with_tlsa(OTHER, secure=None), {"dane-unproved": "info"}),
        (
            with_tlsa(MATCHING, shown=VALID._replace(tls=None)),
            {"mx-host-no-starttls": "error", "dane-without-tls": "error"},
        ),
        (with_tlsa(MATCHING, shown=failure("smtp-refused")), {"mx-host-refuses": "unknown"}),
    ],
)
def test_dane_beside_mta_sts(seen, expected):
    assert wrong(seen) == expected
    assert ("dane-matches" in codes(seen)) is (
        not expected or list(expected)[-1] in ("dane-contradicts", "dane-mx-insecure")
    )


def test_dane_counts_whatever_the_mode():
    seen = with_tlsa(OTHER)._replace(policy_host=policy_hosts(answers=answers(body=TESTING)))
    found = only(seen, "dane-mismatch")
    assert found.severity is Severity.ERROR
    assert "which MTA-STS takes" in found.finding.message


def test_tlsa_records_that_dns_does_not_tell_are_unknown():
    host = mx_host("mx1.example.org", tlsa=NO_ANSWER)
    assert wrong(healthy(mx_hosts=(host,))) == {"dane-unknown": "unknown"}


# Reports


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), {"tlsrpt-missing": "warning"}),
        ((TLSRPT, "v=TLSRPTv1; rua=mailto:b@example.org"), {"txt-several": "error"}),
        (("v=TLSRPTv1; rua=postmaster",), {"record-rua-invalid": "error"}),
        (("v=TLSRPTv1; rua=mailto:postmaster",), {"record-rua-no-target": "warning"}),
        (("v=TLSRPTv1; rua=https://r.example.org/",), {"record-rua-no-mailto": "warning"}),
        (("v=TLSRPTv1;rua=mailto:a@example.org",), {"record-form": "info"}),
    ],
)
def test_the_record_for_reports(texts, expected):
    seen = healthy(tlsrpt=tlsrpt(*texts))
    assert wrong(seen) == expected
    assert {one.group for one in findings(seen) if one.code in expected} == {Group.REPORTING}


def test_servers_have_to_agree_on_where_reports_go():
    said = ((SERVERS[0], (TLSRPT,)), (SERVERS[1], ()))
    seen = healthy(tlsrpt=tlsrpt(TLSRPT, servers=said))
    assert wrong(seen) == {"txt-server-differs": "warning"}
    assert only(seen, "txt-server-differs").group is Group.REPORTING


@pytest.mark.parametrize(
    ("uri", "answer", "expected"),
    [
        ("mailto:a@example.net", (), {"tlsrpt-mailto-no-mx": "error"}),
        ("mailto:a@example.net", (MX(0, ""),), {"tlsrpt-mailto-null": "error"}),
        ("mailto:a@example.net", NO_ANSWER, {"tlsrpt-address-unknown": "unknown"}),
        ("https://example.net/r", 200, {}),
        ("https://example.net/r", 405, {}),
        ("https://example.net/r", 404, {"tlsrpt-https-status": "warning"}),
        ("https://example.net/r", 502, {"tlsrpt-https-status": "warning"}),
        ("https://example.net/r", failure("connect-refused"), {"tlsrpt-https-silent": "error"}),
        ("https://example.net/r", NO_ANSWER, {"tlsrpt-address-unknown": "unknown"}),
    ],
)
def test_where_reports_go(uri, answer, expected):
    assert wrong(healthy(endpoints=(Endpoint(uri, answer),))) == expected


# Sub-domains


@pytest.mark.parametrize(
    ("mx", "has_record", "code"),
    [
        ((MX(10, "mx1.example.org"),), False, "sub-domain-uncovered"),
        ((MX(10, "mx1.example.org"),), True, "sub-domain-taken"),
        (NO_ANSWER, False, "sub-domain-unknown"),
        ((MX(10, "mx1.example.org"),), NO_ANSWER, "sub-domain-unknown"),
    ],
)
def test_sub_domains(mx, has_record, code):
    name = Domain("lists.example.org")
    found = only(healthy(sub_domains=(SubDomain(name, mx, has_record),)), code)
    assert (found.group, found.host) == (Group.SUB_DOMAINS, name)


# Strangers


def test_a_stranger_makes_no_endless_list():
    texts = tuple(f"text {number}" for number in range(1000))
    found = findings(healthy(sts=sts(STS, *texts)))
    assert len(found) < 2 * MAX_FINDINGS
    assert [one.group for one in found if one.code == "findings-more"] == [Group.TXT]


def test_no_crowd_of_lesser_findings_hides_what_is_wrong():
    hosts = tuple(f"mx{number}.example.org" for number in range(MAX_FINDINGS))
    bare = mx_host(hosts[-1], servers=(("192.0.2.9", server(hosts[-1], tls=None)),))
    every = POLICY.replace(b"mx: mx1.example.org", b"mx: *.example.org")
    seen = healthy(
        mx=tuple(MX(10, host) for host in hosts),
        mx_hosts=(*map(mx_host, hosts[:-1]), bare),
        policy_host=policy_hosts(answers=answers(body=every)),
    )
    found = [one for one in findings(seen) if one.group is Group.MX]
    assert len(found) == MAX_FINDINGS + 1
    assert [one.host for one in found if one.code == "mx-host-no-starttls"] == [hosts[-1]]


def test_a_policy_that_nobody_takes_is_an_error_however_much_else_it_says():
    repeated = b"mode: enforce\r\n" * 2 * MAX_FINDINGS
    data = POLICY.replace(b"max_age: 2592000\r\n", repeated + b"max_age: no\r\n")
    seen = healthy(policy_host=policy_hosts(answers=answers(body=data)), own=None)
    assert "policy-max-age-invalid" in [one.code for one in findings(seen)]
    assert judge(seen, NOW).severity is Severity.ERROR


@pytest.mark.parametrize(
    "unseen",
    [
        {"policy_host": policy_hosts(tls=LATE, answers=(LATE, LATE))},
        {"policy_host": LATE},
        {"mx_hosts": (mx_host("mx1.example.org", servers=(("192.0.2.1", LATE),), tlsa=LATE),)},
        {"endpoints": (Endpoint("https://tls.example.org", LATE),)},
        {"sts": sts(STS, servers=(("ns1.example.net", LATE),))},
        {"mx": LATE, "mx_hosts": ()},
        {"own": LATE},
    ],
)
def test_what_there_was_no_time_for_is_unknown(unseen):
    assert judge(healthy(**unseen), NOW).severity is Severity.UNKNOWN


def test_what_strangers_write_is_printable():
    hostile = "v=spf1\x1b[2J\r\n\u202e{text}"
    seen = healthy(
        sts=sts(STS, hostile),
        policy_host=policy_hosts(tls=handshake("\x1b[31m.example.org")),
        misplaced=(record("_mta_sts.\x1b.example.org", "v=STSv1;\x1b"),),
        mx=(MX(10, "\x1b[2J.example.org"),),
    )
    for found in findings(seen):
        shown = found.host + found.address + found.finding.message + found.finding.remedy
        assert re.match(r"[\x20-\x7e]*\Z", shown), found
