"""What lint says beside its codes (those are in test_vectors.py), and the careful form."""

import doctest
import re

import pytest

from cases import CAREFUL, instead, with_line
from mtasts import lint, near_miss, tidy
from mtasts.finding import MAX_FINDINGS, Finding, Severity
from mtasts.rules import RULES

VISIBLE = re.compile(r"[\x20-\x7e]*\Z")


def test_the_example_in_the_module_is_true():
    assert doctest.testmod(lint).attempted
    assert not doctest.testmod(lint).failed


# What is said


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_complete(code):
    rule = RULES[code]
    Severity(rule.severity)
    assert re.match(r"[a-z0-9]+(-[a-z0-9]+)+\Z", code)
    assert VISIBLE.match(rule.message + rule.source + rule.remedy + rule.why)
    assert not rule.message.endswith(".")
    assert rule.remedy.endswith(".") or rule.severity == "ok"
    assert rule.source
    assert not rule.why or rule.why.endswith(".")
    for sentence in (rule.message, rule.remedy):
        assert set(re.findall(r"\{.*?\}", sentence)) <= {"{text}", "{hint}"}


@pytest.mark.parametrize(
    ("data", "code", "remedy"),
    [
        (instead(b"enforce", b"enforced"), "policy-mode-invalid", "'mode: enforce'"),
        (instead(b"enforce", b"ENFORCE"), "policy-mode-invalid", "'mode: enforce'"),
        (instead(b"enforce", b"report"), "policy-mode-invalid", "'mode: testing'"),
        (instead(b"enforce", b"off"), "policy-mode-invalid", "'mode: none'"),
        (instead(b"enforce", b"banana"), "policy-mode-invalid", "in lower case"),
        (instead(b"mode:", b"mode :"), "policy-line-malformed", "'mode: enforce'"),
        (instead(b"mode:", b"  mode:"), "policy-line-malformed", "'mode: enforce'"),
        (instead(b"mode:", b"mode"), "policy-line-malformed", "'mode: enforce'"),
        (instead(b"mode: ", b"mode="), "policy-line-malformed", "'mode: enforce'"),
        (instead(b"max_age", b"max age"), "policy-line-malformed", "'max_age: 2592000'"),
        (with_line(b"# made by hand"), "policy-line-malformed", "no comments"),
        (b'{"version": "STSv1"}', "policy-line-malformed", "no JSON"),
        (b"<!DOCTYPE html>", "policy-line-malformed", "HTML"),
        (with_line(b"something else"), "policy-line-malformed", "Begin the line with the key"),
        (CAREFUL.replace(b"\r\n", b"\r"), "policy-value-invalid", "A CR stands alone"),
        (with_line(b"note: a\tb"), "policy-value-invalid", "tabs"),
        (with_line(b"note: a\0b"), "policy-value-invalid", "UTF-16"),
        (with_line(b"note: a\x01b"), "policy-value-invalid", "visible text"),
        (CAREFUL.decode().encode("utf-16"), "policy-not-utf8", "UTF-16"),
        (with_line(b"note: \xfc"), "policy-not-utf8", "nothing but extensions"),
        (instead(b"mx1", b"10 mx1"), "domain-label-invalid", "'mx: mx1.example.org'"),
        (instead(b"mx1", b"a, mx1"), "domain-label-invalid", "for every host"),
        (instead(b"mx1", b"user@mx1"), "domain-label-invalid", "not a mail address"),
        (instead(b"mx1", b"smtp://mx1"), "domain-label-invalid", "without scheme"),
        (instead(b"org", b"org:25"), "domain-label-invalid", "without the port"),
        (instead(b"mx1.example.org", b"[192.0.2.1]"), "domain-label-invalid", "host's name"),
        (instead(b"mx1.example.org", b"2001:db8::1"), "domain-label-invalid", "host's name"),
        (instead(b"mx1.example.org", b"192.0.2.1"), "domain-address", "host's name"),
        (instead(b"mx1", b"mx_1"), "domain-label-invalid", "letters, digits and hyphens"),
        (instead(b"mx1.example.org", b"10 MX1.Example.org"), "domain-label-invalid", "'mx: mx1.e"),
        (instead(b"mx1.", b"."), "domain-label-length", "'mx: *.example.org'"),
        (instead(b"org", b"org."), "domain-label-length", "'mx: mx1.example.org'"),
    ],
)
def test_the_remedy_names_the_cure(data, code, remedy):
    (found,) = [found for found in lint.policy(data) if found.code == code][:1]
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('"v=STSv1; id=1;"', "quotes"),
        ("version: STSv1 mode: enforce", "policy host serves"),
        ("v=spf1 mx -all", "SPF"),
        ("v=DMARC1; p=none", "Another protocol"),
        ("v=STSv1", "behind the version"),
        ("v=stsv1; id=1;", "'v=STSv1;'"),
        ("V = STSv1; id=1;", "'v=STSv1;'"),
        ("v=TLSRPT1; rua=mailto:a@example.org", "'v=TLSRPTv1;'"),
        ("v=STSv1; id=2026-01-01;", "'id=20260101'"),
        ("v=STSv1; id=" + "1" * 33, "letters and digits only"),
        ("v=TLSRPTv1; rua=a@example.org", "'mailto:a@example.org'"),
        ("v=TLSRPTv1; rua=mailto:a@example.org!10m", "DMARC"),
        ("v=TLSRPTv1; rua=nowhere", "percent-encoded"),
    ],
)
def test_the_remedy_names_the_cure_of_a_record(text, remedy):
    assert remedy in lint.record(text)[0].remedy


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nmx", "mx"),
        ("mxs", "mx"),
        ("MX", "mx"),
        ("mx2", "mx"),
        ("max-age", "max_age"),
        ("maxage", "max_age"),
        ("max_ag", "max_age"),
        ("Max_Age", "max_age"),
        ("maxAge", "max_age"),
        ("verison", "version"),
        ("Version", "version"),
        ("mod", "mode"),
        ("modes", "mode"),
        ("mode", None),
        ("mx", None),
        ("note", None),
        ("policy_id", None),
        ("x" * 5000, None),
    ],
)
def test_near_miss_names(name, meant):
    assert near_miss.policy_name(name) == meant


def test_records_are_judged_by_their_version():
    assert lint.record("v=TLSRPTv1; rua=nowhere") == lint.tlsrpt_record("v=TLSRPTv1; rua=nowhere")
    assert lint.record("v=STSv1; id=-;") == lint.sts_record("v=STSv1; id=-;")


@pytest.mark.parametrize(
    "data",
    [b"\n" * 65536, b"a\n" * 32768, b"a:b\n" * 16384, b"mx:-\n" * 13107, b"mode:x\n" * 9362],
    ids=["blank", "malformed", "extension", "mx", "repeated"],
)
def test_a_hostile_policy_gets_a_limited_answer(data):
    found = lint.policy(data)
    assert len(found) <= 2 * MAX_FINDINGS + 10
    assert "findings-more" in [one.code for one in found]


def test_a_hostile_record_gets_a_limited_answer():
    assert len(lint.record("v=STSv1;" + ";" * 65000)) <= MAX_FINDINGS + 1
    assert len(lint.record("v=TLSRPTv1; rua=" + "," * 65000)) <= MAX_FINDINGS + 1


def test_findings_can_be_printed_whatever_the_text():
    evil = "\x1b[31m\u202e\r\n\x00\udcff"
    for line in (f"mode: {evil}", f"{evil}: a", f"mx: {evil}"):
        for found in lint.policy(line.encode("utf-8", "surrogatepass")):
            assert all(VISIBLE.match(str(member)) for member in found)
    for found in lint.record(evil) + (lint.match(evil, "*.example.org"), lint.match("a", evil)):
        assert all(VISIBLE.match(str(member)) for member in found)


# The careful form


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + CAREFUL,
        CAREFUL + b"\r\n",
        b"\r\n" + CAREFUL.replace(b"mode", b"\t mode"),
        CAREFUL.replace(b": ", b" :\t") + b" \r\n",
        CAREFUL.replace(b"example.org", b"Example.ORG. "),
        CAREFUL[:-2],
        with_line(b"note: a"),
        with_line(b"mode: none"),
        with_line(b"mx: MX1.example.org"),
        b"max_age: 0002592000\r\nmx: mx1.example.org\r\nmode:enforce\r\nversion: STSv1\r\n",
    ],
)
def test_careful_form(data):
    assert tidy.careful(data) == CAREFUL


def test_a_policy_in_lf_stays_in_lf():
    unix = CAREFUL.replace(b"\r\n", b"\n")
    assert tidy.careful(unix) == unix
    assert tidy.careful(unix + b"note: a\n") == unix
    assert tidy.careful(b"\n" + CAREFUL) == CAREFUL


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "policy-empty"),
        (instead(b"enforce", b"enforced"), "policy-mode-invalid"),
        (instead(b"2592000", b"30d"), "policy-max-age-invalid"),
        (instead(b"mx1.example.org", b"192.0.2.1"), "domain-address"),
        (instead(b"org", b"org.."), "domain-label-length"),
        (with_line(b"nmx: mx2.example.org"), "policy-name-near-miss"),
        (with_line(b"note: a\rb"), "policy-value-invalid"),
        (CAREFUL.replace(b"mode:", b"mode :") + b"mode: testing\r\n", "policy-field-repeated"),
        (with_line(b"") + b"mode: testing\r\n", "policy-field-repeated"),
        (with_line(b"\r\n" * 40000 + b"mx: mx2.example.org"), "policy-too-large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_person_has_to_decide_is_not_rewritten(data, code):
    with pytest.raises(tidy.Undecided) as caught:
        tidy.careful(data)
    assert caught.value.code == code


def test_findings_are_values():
    assert isinstance(lint.policy(CAREFUL), tuple)
    assert all(isinstance(found, Finding) for found in lint.policy(b""))
