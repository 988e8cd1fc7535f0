"""The reader of TLS reports: hostile JSON, and that it never raises but its own error."""

import datetime
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies  # noqa: F401 - its profile
import tlsrpt_samples as samples
from mtasts.tlsrpt import counting, failures, json_text, reader
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import Failure, InvalidReport, Report

NAMES = (
    ["organization-name", "date-range", "start-datetime", "end-datetime", "contact-info"]
    + ["report-id", "policies", "policy", "summary", "failure-details", "policy-type"]
    + ["policy-string", "policy-domain", "mx-host", "mx-host-pattern", "result-type"]
    + ["total-successful-session-count", "total-failure-session-count"]
    + ["sending-mta-ip", "receiving-mx-hostname", "receiving-mx-host-name", "receiving-mx-helo"]
    + ["receiving-ip", "failed-session-count", "additional-information", "additional-info-uri"]
    + ["failure-reason-code"]
)
WORDS = ["sts", "tlsa", "no-policy-found", "certificate-expired", "2026-03-01T00:00:00", "12"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=9),
    st.sampled_from([*WORDS, "mx1.example.org", "EXAMPLE.org.", "192.0.2.1", "2001:db8::1", ""]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=8,
)


def nearly(**members):
    """Objects with these members, of which each may be missing or anything else."""
    choices = {
        name: st.one_of(*[value] * 8, st.just(MISSING), ANYTHING) for name, value in members.items()
    }
    return st.fixed_dictionaries(choices).map(
        lambda drawn: {name: value for name, value in drawn.items() if value is not MISSING}
    )


MISSING = object()
COUNTS = st.integers(0, 9)
HOSTS = st.sampled_from(["mx1.example.org", "a.example", "MX1.example.org.", "no name", "", None])
ADDRESSES = st.sampled_from(["192.0.2.1", "2001:db8::1", "192.0.2.x", "fe80::1%eth0", "", None])
REASONS = st.sampled_from(["expired", "", None])
DETAILS = nearly(
    **{
        "result-type": st.sampled_from(["certificate-expired", "tlsa-invalid"]),
        "failed-session-count": COUNTS,
        "sending-mta-ip": ADDRESSES,
        "receiving-ip": ADDRESSES,
        "receiving-mx-hostname": HOSTS,
        "receiving-mx-host-name": HOSTS,
        "receiving-mx-helo": st.sampled_from(["mx1.example.org", "a\r\nb", "\n", None]),
        "additional-information": REASONS,
        "additional-info-uri": REASONS,
        "failure-reason-code": REASONS,
    }
)
USUAL_DETAILS = st.fixed_dictionaries(
    {
        "result-type": st.sampled_from(["certificate-expired", "tlsa-invalid"]),
        "failed-session-count": COUNTS,
        "sending-mta-ip": st.sampled_from(["192.0.2.1", "2001:db8::1", ""]),
        "receiving-ip": st.sampled_from(["192.0.2.1", "2001:db8::1", None]),
        "receiving-mx-hostname": st.sampled_from(["mx1.example.org", "a.example", ""]),
        "failure-reason-code": st.sampled_from(["expired", "", None]),
    }
)
TEXTS = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.sampled_from([["mx: a.example"]]))
POLICIES = nearly(
    **dict.fromkeys(("policy-string", "mx-host", "mx-host-pattern"), TEXTS),
    **{"policy-type": st.sampled_from(["sts", "tlsa", "no-policy-found", "STS"])},
    **{"policy-domain": HOSTS},
)
SUMMARIES = nearly(
    **{"total-successful-session-count": COUNTS, "total-failure-session-count": COUNTS}
)
RESULTS = nearly(
    policy=POLICIES, summary=SUMMARIES, **{"failure-details": st.lists(DETAILS, max_size=2)}
)
REPORTS = nearly(
    **dict.fromkeys(("organization-name", "contact-info", "report-id"), SCALARS),
    **{"date-range": nearly(**{"start-datetime": SCALARS, "end-datetime": SCALARS})},
    policies=st.lists(RESULTS, max_size=2),
)


def texts(value):
    """All texts within tuples."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from texts(one)


def check(data):
    """Read `data`; whatever it is, what comes out is a report as its types say."""
    try:
        found = reader.read(data)
    except InvalidReport:
        return
    assert isinstance(found, Report)
    assert all(isinstance(text, str) for text in (found.organization_name, found.report_id))
    assert all(
        time is None or time.tzinfo is datetime.timezone.utc for time in (found.start, found.end)
    )
    for result in found.policies:
        for counter in (result.successful, result.failed):
            assert counter is None or (type(counter) is int and counter >= 0)
        for failure in result.failures:
            assert type(failure.sessions) in (int, type(None))
            assert all(text is None or isinstance(text, str) for text in failure[2:])
    for effective in counting.effective(found).values():
        for counter in effective.sessions + effective.plain:
            assert counter is None or type(counter) is int
    for text in texts(found):
        text.encode("utf-8")  # as every database wants it


@settings(max_examples=100)
@given(st.one_of(REPORTS, REPORTS, ANYTHING), st.booleans())
def test_any_json_is_read_or_refused(value, is_ascii):
    check(json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data):
    check(data)
    check(b'{"organization-name": "' + data + b'", "policies": []}')


@settings(max_examples=100)
@given(st.one_of(USUAL_DETAILS, DETAILS))
def test_the_fast_way_says_what_the_careful_one_says(members):
    members = json.loads(json.dumps(members))
    fast = failures.compact(members)
    if isinstance(fast, Failure):
        notes = Notes()
        assert failures.failures([members], fast.sessions, notes) == (fast,)
        assert not notes


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value", ["null", "true", "-1", "1e999", "NaN", '"\\ud800"', "[]", "{}", "[[{}]]", "9" * 5000]
)
def test_wrong_types_in_every_position(name, value):
    text = samples.report(samples.result(details=1)).decode("ascii")
    start = text.find(f'"{name}": ')
    if start < 0:  # a member that the sample does not have
        text = text.replace('"result-type"', f'"{name}": {value}, "result-type"')
    else:
        start += len(f'"{name}": ')
        _, size = json.JSONDecoder().raw_decode(text[start:])
        text = text[:start] + value + text[start + size :]
    check(text.encode("ascii"))


def test_very_many_details_are_read():
    found = reader.read(samples.report(samples.result(details=50000)))
    assert found.notes == ()
    assert len(found.policies[0].failures) == 50000


def test_notes_of_very_many_details_are_few():
    bad = samples.result()
    bad["failure-details"] = [samples.detail(**{"result-type": "x"})] * 20000
    found = reader.read(samples.report(bad))
    assert len(found.policies[0].failures) == 20000
    assert 0 < len(found.notes) < 100
    assert found.notes[0].where == "policies[0].failure-details[0]"


def test_huge_texts_are_kept():
    text = "x" * 5000000
    found = reader.read(samples.report(organization_name=text, report_id=text))
    assert found.organization_name == found.report_id == text


def test_more_values_than_any_report_has_are_refused():
    data = b'{"policies": [' + b"[]," * json_text.MAX_VALUES + b"[]]}"
    with pytest.raises(InvalidReport) as caught:
        reader.read(data)
    assert caught.value.code == "report-too-many-values"


def test_an_integer_of_a_million_digits_takes_no_time():
    found = reader.read(samples.report().replace(b": 100", b": " + b"9" * 1000000))
    assert found.policies[0].successful is None


def test_memory_of_what_was_seen_does_not_change_what_is_read():
    for domain in ("example.org", "EXAMPLE.org", "example.org", True, 1, "", None):
        first = reader.read(samples.report(samples.result(**{"policy-domain": domain})))
        assert first == reader.read(samples.report(samples.result(**{"policy-domain": domain})))


def test_very_many_different_names_are_read():
    results = [
        samples.result(
            **{"policy-domain": f"d{number}.example", "mx-host": [f"mx{number}.example"]}
        )
        for number in range(10000)
    ]
    found = reader.read(samples.report(*results))
    assert found.notes == ()
    assert len(counting.effective(found)) == 10000


def test_places_of_notes_are_named():
    bad = samples.result(details=2)
    bad["failure-details"][1]["sending-mta-ip"] = "masked"
    bad["summary"]["total-successful-session-count"] = "5"
    found = reader.read(samples.report(samples.result(), bad))
    assert {note.code: note.where for note in found.notes} == {
        "counter-text": "policies[1].summary.total-successful-session-count",
        "address-unreadable": "policies[1].failure-details[1].sending-mta-ip",
    }


def test_the_reader_imports_nothing_heavy():
    code = "import sys, mtasts.tlsrpt.container; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, universal_newlines=True, check=True
    )
    heavy = {"click", "flask", "dns", "sqlalchemy", "email.message", "zipfile", "idna", "socket"}
    assert not heavy & set(done.stdout.split())
