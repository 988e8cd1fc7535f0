"""What holds for all texts and values: grammar, round trips, and no exception but our own."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mtasts import lint, tidy
from mtasts.domain import Domain, InvalidDomain, MXPattern
from mtasts.finding import InvalidText, Severity
from mtasts.policy import InvalidPolicy, Policy, read
from mtasts.record import InvalidRecord, STSRecord, TLSRPTRecord, read_sts, read_tlsrpt
from strategies import DOMAINS, HOSTS, LABEL, PATTERNS, POLICIES, RECORDS, TEXTS, URIS

# The ABNF of RFC 8461 section 3.2 as one expression: the structure, without the known values.
_VCHAR = r"[\x21-\x7e\x80-\U0010ffff]"
_VALUE = rf"{_VCHAR}(?:(?: |{_VCHAR})*{_VCHAR})?"
_FIELD = rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,31}}:[ \t]*{_VALUE}[ \t]*"
POLICY_RECORD = re.compile(rf"{_FIELD}(?:\r?\n{_FIELD})*(?:\r?\n)?\Z")


def by_the_grammar(data):
    """An independent, plain reading of the RFC: the effective values, or None."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not POLICY_RECORD.match(text):
        return None
    pairs = [
        re.match(r"([^:]*):[ \t]*([^\r\n]*?)[ \t]*\r?\Z", line).groups()
        for line in text.split("\n")
        if line
    ]
    first = dict(reversed(pairs))
    mx = [value for name, value in pairs if name == "mx"]
    label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    is_valid = (
        first.get("version") == "STSv1"
        and first.get("mode") in ("enforce", "testing", "none")
        and re.match(r"[0-9]{1,10}\Z", first.get("max_age", ""))
        and int(first["max_age"]) <= 31557600
        and all(re.match(rf"(\*\.)?{label}(\.{label})*\Z", value) for value in mx)
        and not any(re.match(r"(\*\.)?([0-9]+\.){3}[0-9]+\Z", value) for value in mx)
        and (mx or first["mode"] == "none")
    )
    return (
        (first["mode"], int(first["max_age"]), [value.lower() for value in mx])
        if is_valid
        else None
    )


@given(TEXTS)
@example(b"version: STSv1\nmode: none\nmax_age: 0")
def test_policies_are_read_by_the_grammar(data):
    policy = read(data).policy
    found = policy and (policy.mode.value, policy.max_age, list(policy.mx))
    assert found == by_the_grammar(data)


@given(POLICIES)
def test_a_printed_policy_is_read_back(policy):
    assert Policy.parse(policy.to_bytes()) == policy
    assert (
        tidy.careful(policy.to_bytes()) == policy._replace(mx=dict.fromkeys(policy.mx)).to_bytes()
    )


@given(POLICIES)
def test_a_printed_policy_is_in_the_form_that_every_sender_accepts(policy):
    form = {
        "spacing",
        "order",
        "version-not-first",
        "line-endings-mixed",
        "last-line-open",
        "extension",
    }
    codes = {found.code for found in lint.policy(policy.to_bytes())}
    assert not codes & {f"policy-{name}" for name in form | {"max-age-zeros", "field-repeated"}}
    assert "mx-upper-case" not in codes


@given(TEXTS)
def test_policies_raise_our_error_or_none(data):
    reading = read(data)
    assert (reading.policy is None) == bool(reading.faults)
    if reading.policy is None:
        with pytest.raises(InvalidPolicy):
            Policy.parse(data)
    else:
        assert Policy.parse(data) == reading.policy
        assert Policy.parse(reading.policy.to_bytes()) == reading.policy


@given(TEXTS)
def test_findings_point_into_the_text(data):
    lines = data.split(b"\n")
    found = lint.policy(data)
    assert (lint.worst(found) is Severity.ERROR) == (read(data).policy is None)
    for one in found:
        assert 0 <= one.line <= len(lines)
        if one.line:
            assert 1 <= one.column <= len(lines[one.line - 1]) + 1


@given(TEXTS)
def test_the_careful_form_keeps_the_meaning(data):
    try:
        text = tidy.careful(data)
    except InvalidText:
        return
    before, after = read(data).policy, read(text).policy
    assert after is not None
    assert before is None or (before[:2], set(before.mx)) == (after[:2], set(after.mx))
    assert tidy.careful(text) == text


@given(st.from_regex(r"\A[A-Za-z0-9]{1,32}\Z"))
def test_a_printed_sts_record_is_read_back(text):
    record = STSRecord(text)
    assert STSRecord.parse(str(record)) == record
    assert lint.sts_record(str(record)) == ()


@given(st.lists(URIS, min_size=1, max_size=4))
def test_a_printed_tlsrpt_record_is_read_back(uris):
    record = TLSRPTRecord(uris)
    assert TLSRPTRecord.parse(str(record)) == record


# The ABNF of RFC 8461 section 3.1 and RFC 8460 section 3, where a URI is a scheme and characters.
_EXTENSION = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+"
_URI = r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?@$&'()*+=#-]|%[0-9A-Fa-f]{2})*"
_RUA = rf"rua={_URI}(?:[ \t]*,[ \t]*{_URI})*"


def fields_by_the_grammar(version, field, text):
    """The fields of a record, or none if it is no record of the version."""
    delimiter = r"[ \t]*;[ \t]*"
    if not re.match(rf"{version}(?:{delimiter}(?:{field}))+(?:{delimiter})?\Z", text):
        return []
    return [part for part in re.split(delimiter, text)[1:] if part]


@given(RECORDS)
@example("v=STSv1; id=1")
def test_sts_records_are_read_by_the_grammar(text):
    fields = fields_by_the_grammar("v=STSv1", _EXTENSION, text)
    ids = [field[len("id=") :] for field in fields if field.startswith("id=")]
    is_valid = ids and re.match(r"[A-Za-z0-9]{1,32}\Z", ids[0])
    found = read_sts(text).record
    assert (found.id if found else None) == (ids[0] if is_valid else None)


@given(RECORDS)
@example("v=TLSRPTv1; rua=mailto:a@b.example")
def test_tlsrpt_records_are_read_by_the_grammar(text):
    fields = fields_by_the_grammar("v=TLSRPTv1", f"{_RUA}|{_EXTENSION}", text)
    ruas = [field for field in fields if field.startswith("rua=")]
    is_valid = ruas and re.match(_RUA + r"\Z", ruas[0])
    found = read_tlsrpt(text).record
    wanted = re.split(r"[ \t]*,[ \t]*", ruas[0][len("rua=") :]) if is_valid else []
    assert (list(found.rua) if found else []) == wanted


@given(RECORDS)
def test_records_raise_our_error_or_none(text):
    for kind in (STSRecord, TLSRPTRecord):
        try:
            record = kind.parse(text)
        except InvalidRecord:
            continue
        assert kind.parse(str(record)) == record
    for one in lint.record(text):
        assert one.line == 1
        assert one.column <= len(text) + 1


@given(st.text("aA1;=, \n\x00\xe9", max_size=40))
def test_values_that_no_record_may_have_are_refused(text):
    for kind, value in ((STSRecord, text), (TLSRPTRecord, [text]), (TLSRPTRecord, [])):
        try:
            record = kind(value)
        except InvalidRecord:
            continue
        assert kind.parse(str(record)) == record


@given(HOSTS, st.one_of(HOSTS, PATTERNS))
@example("a.example.", "*.example")
@example("*.example", "*.example")
def test_matching_agrees_with_a_comparison_of_labels(host, pattern):
    try:
        is_covered = MXPattern(pattern).covers(host)
    except InvalidDomain:
        is_covered = False
    assert (lint.match(host, pattern).severity is Severity.OK) == is_covered
    labels = (host[:-1] if host.endswith(".") else host).lower().split(".")
    wanted = pattern.lower().split(".")
    if is_covered:
        assert wanted[0] in ("*", labels[0])
        assert wanted[1:] == labels[1:]


@given(DOMAINS, LABEL)
def test_a_wildcard_stands_for_one_label(domain, label):
    host = f"{label}.{domain}"
    assume(not re.match(r"(\d+\.){3}\d+\Z", host))
    pattern = MXPattern(f"*.{domain}")
    assert pattern.covers(host.upper() + ".")
    assert not pattern.covers(domain)
    assert not pattern.covers(f"a.{host}")
    assert not MXPattern(domain).covers(host)


@given(DOMAINS, st.sampled_from(["", ".", ":443", ".:443"]))
def test_a_policy_host_names_its_domain(name, tail):
    domain = Domain(name.upper())
    assert domain == name
    assert Domain.from_policy_host(domain.policy_host.upper() + tail) == domain


@given(HOSTS.map(lambda host: f"mta-sts.{host}"))
def test_hosts_raise_our_error_or_none(host):
    for read_host in (Domain, Domain.from_policy_host, MXPattern):
        try:
            domain = read_host(host)
        except InvalidDomain:
            continue
        assert re.match(r"[a-z0-9.-]+\Z", domain)
