"""What we print, senders that are in use accept with the same meaning: their own parsers say so.

postfix-mta-sts-resolver reads policies for Postfix, tlsrpt-reporter sends TLS reports. Both need a
newer Python than the floor; the stack of today's releases has them.
"""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cases
from mtasts import lint
from mtasts.policy import Policy, read
from mtasts.record import STSRecord, TLSRPTRecord
from strategies import POLICIES, TEXTS, URIS

if sys.version_info < (3, 9):
    pytest.skip("the senders' packages need a newer Python", allow_module_level=True)

from postfix_mta_sts_resolver.utils import parse_mta_sts_policy, parse_mta_sts_record
from tlsrpt_reporter.utility import MalformedTlsrptRecordException, parse_tlsrpt_record

VALID_POLICIES = [name for name, case in cases.POLICIES.items() if case["valid"]]
VALID_RECORDS = {
    kind: [name for name, case in cases.RECORDS.items() if case["valid"] and case["type"] == kind]
    for kind in ("sts", "tlsrpt")
}


def postfix_takes(data):
    """Mode, max_age and mx that postfix-mta-sts-resolver takes from `data`, or None.

    The parser is its own; the conditions are those of its STSResolver.resolve, which keeps them
    among its network code (tests/real/test_senders.py runs that one).
    """
    try:
        fields = parse_mta_sts_policy(data.decode("utf-8"))
        max_age = int(fields.get("max_age", "-1"))
    except ValueError:
        return None
    mode = fields.get("mode")
    is_taken = (
        fields.get("version") == "STSv1"
        and 0 <= max_age <= 31557600
        and (mode == "none" or (mode in ("testing", "enforce") and fields["mx"]))
    )
    return (mode, max_age, fields["mx"]) if is_taken else None


def reporter_takes(text):
    """The URIs that tlsrpt-reporter takes from `text`, or None."""
    try:
        return parse_tlsrpt_record(text)
    except MalformedTlsrptRecordException:
        return None


def ours(policy):
    return policy.mode.value, policy.max_age, list(policy.mx)


def joined(name):
    return cases.octets(cases.RECORDS[name]["strings"]).decode("utf-8")


@given(POLICIES)
def test_postfix_takes_what_we_print(policy):
    assert postfix_takes(policy.to_bytes()) == ours(policy)


@given(TEXTS)
def test_postfix_takes_our_print_of_what_we_read(data):
    policy = read(data).policy
    if policy:
        assert postfix_takes(policy.to_bytes()) == ours(policy)


@pytest.mark.parametrize("name", VALID_POLICIES)
def test_postfix_takes_our_print_of_every_policy(name):
    policy = Policy.parse(cases.octets(cases.POLICIES[name]["input"]))
    assert postfix_takes(policy.to_bytes()) == ours(policy)


@pytest.mark.parametrize("name", VALID_POLICIES)
def test_a_policy_without_warning_is_one_that_postfix_reads_alike(name):
    data = cases.octets(cases.POLICIES[name]["input"])
    is_warned_of = lint.worst(lint.policy(data)) is lint.Severity.WARNING
    assert is_warned_of or postfix_takes(data) == ours(Policy.parse(data))


@given(st.from_regex(r"\A[A-Za-z0-9]{1,32}\Z"))
def test_postfix_takes_our_sts_record(name):
    assert parse_mta_sts_record(str(STSRecord(name))) == {"v": "STSv1", "id": name}


@pytest.mark.parametrize("name", VALID_RECORDS["sts"])
def test_postfix_takes_our_print_of_every_sts_record(name):
    record = STSRecord.parse(joined(name))
    assert parse_mta_sts_record(str(record)) == {"v": "STSv1", "id": record.id}


@pytest.mark.parametrize("name", VALID_RECORDS["sts"])
def test_an_sts_record_without_warning_is_one_that_postfix_reads_alike(name):
    text = joined(name)
    is_warned_of = lint.worst(lint.sts_record(text)) is lint.Severity.WARNING
    assert is_warned_of or parse_mta_sts_record(text) == {
        "v": "STSv1",
        "id": STSRecord.parse(text).id,
    }


@given(st.lists(URIS, min_size=1, max_size=4))
def test_tlsrpt_reporter_takes_our_tlsrpt_record(uris):
    assert reporter_takes(str(TLSRPTRecord(uris))) == uris


@pytest.mark.parametrize("name", VALID_RECORDS["tlsrpt"])
def test_tlsrpt_reporter_takes_our_print_of_every_tlsrpt_record(name):
    record = TLSRPTRecord.parse(joined(name))
    assert reporter_takes(str(record)) == list(record.rua)


@pytest.mark.parametrize("name", VALID_RECORDS["tlsrpt"])
def test_a_tlsrpt_record_without_warning_is_one_that_tlsrpt_reporter_reads_alike(name):
    text = joined(name)
    is_warned_of = lint.worst(lint.tlsrpt_record(text)) is lint.Severity.WARNING
    assert is_warned_of or reporter_takes(text) == list(TLSRPTRecord.parse(text).rua)
