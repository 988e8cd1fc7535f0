"""Every file in tests/vectors is a case: what it says of its input holds (vectors/README.md)."""

import json

import pytest

from cases import MATCHES, POLICIES, RECORDS, octets
from mtasts import lint, policy, record, rules
from mtasts.domain import InvalidDomain, MXPattern
from mtasts.finding import Severity

LINTED = {**rules.domain.RULES, **rules.policy.RULES, **rules.record.RULES}
GRAMMAR = [f"STS-{number}" for number in (4, 5, 6, 7, 8, 9, 10, 11, 14, 20, 21, 22, 23, 24)]
GRAMMAR += [f"RPT-{number}" for number in (1, 2, 3, 4)]
# Said of a host's name or of the policy host, which no vector is about.
ELSEWHERE = {"domain-not-policy-host"}


KINDS = {"policy": POLICIES, "txt": RECORDS, "match": MATCHES}
ALL = [(kind, name) for kind in KINDS for name in KINDS[kind]]


def codes(findings):
    return [found.code for found in findings]


@pytest.mark.parametrize("name", POLICIES)
def test_policy(name):
    case = POLICIES[name]
    data = octets(case["input"])
    reading = policy.read(data)
    if case["valid"]:
        expected = (case["mode"], case["max_age"], tuple(case["mx"]))
        assert (reading.policy.mode.value,) + reading.policy[1:] == expected
        assert reading.extensions == case["extensions"]
        assert policy.Policy.parse(data) == reading.policy
    else:
        assert reading.policy is None
        with pytest.raises(policy.InvalidPolicy):
            policy.Policy.parse(data)
    findings = lint.policy(data)
    assert codes(findings) == case["findings"]
    assert (lint.worst(findings) is Severity.ERROR) == (not case["valid"])


@pytest.mark.parametrize("name", RECORDS)
def test_txt_record(name):
    case = RECORDS[name]
    text = octets(case["strings"]).decode("utf-8")
    kind = {"sts": record.STSRecord, "tlsrpt": record.TLSRPTRecord}[case["type"]]
    reading = record.read(text)
    if case["valid"]:
        (value,) = reading.record
        assert value == (case["id"] if kind is record.STSRecord else tuple(case["rua"]))
        assert reading.extensions == case["extensions"]
        assert kind.parse(text) == reading.record
    else:
        assert reading.record is None
        with pytest.raises(record.InvalidRecord):
            kind.parse(text)
    findings = lint.record(text)
    assert codes(findings) == case["findings"]
    assert (lint.worst(findings) is Severity.ERROR) == (not case["valid"])


@pytest.mark.parametrize("name", MATCHES)
def test_match(name):
    case = MATCHES[name]
    found = lint.match(case["host"], case["pattern"])
    assert found.code == case["finding"]
    assert (found.severity is Severity.OK) == case["match"]
    try:
        assert MXPattern(case["pattern"]).covers(case["host"]) == case["match"]
    except InvalidDomain:
        assert not case["match"]


def test_no_two_vectors_try_the_same():
    inputs = [("policy", octets(case["input"])) for case in POLICIES.values()]
    inputs += [("txt", json.dumps(case["strings"])) for case in RECORDS.values()]
    inputs += [("match", case["host"], case["pattern"]) for case in MATCHES.values()]
    assert len(set(inputs)) == len(inputs)


def test_there_are_enough_of_each():
    assert len(POLICIES) >= 150
    assert len(RECORDS) >= 60
    assert len(MATCHES) >= 40


@pytest.mark.parametrize("requirement", GRAMMAR)
def test_every_requirement_of_the_grammar_has_a_vector(requirement):
    cases = list(POLICIES.values()) + list(RECORDS.values()) + list(MATCHES.values())
    assert any(case["requirement"] == requirement for case in cases)


@pytest.mark.parametrize("code", sorted(LINTED))
def test_every_rule_has_a_vector(code):
    seen = set(ELSEWHERE)
    for case in list(POLICIES.values()) + list(RECORDS.values()):
        seen.update(case["findings"])
    seen.update(case["finding"] for case in MATCHES.values())
    assert code in seen


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_vector_says_why_and_where_it_is_written(kind, name):
    case = KINDS[kind][name]
    assert case["why"].endswith(".")
    assert case["rfc"].startswith("RFC ")
    assert " section " in case["rfc"]
