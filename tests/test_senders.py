"""What we print, senders that are in use accept with the same meaning: their own parsers say so.

postfix-mta-sts-resolver reads policies for Postfix, tlsrpt-reporter sends TLS reports. Both need a
newer Python than the floor; the stack of today's releases has them.
"""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtasts import lint
from mtasts.policy import Policy, read
from mtasts.record import STSRecord, TLSRPTRecord
from strategies import POLICIES, TEXTS, URIS
from test_vectors import POLICIES as VECTORS
from test_vectors import octets

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 9), reason="the senders' packages need a newer Python"
)


def postfix_takes(data):
    """Mode, max_age and mx that postfix-mta-sts-resolver takes from `data`, or None.

    The parser is its own; the conditions are those of its STSResolver.resolve, which keeps them
    among its network code (tests/real/test_senders.py runs that one).
    """
    from postfix_mta_sts_resolver.utils import parse_mta_sts_policy

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


def ours(policy):
    return policy.mode.value, policy.max_age, list(policy.mx)


@given(POLICIES)
def test_postfix_takes_what_we_print(policy):
    assert postfix_takes(policy.to_bytes()) == ours(policy)


@given(TEXTS)
def test_postfix_takes_our_print_of_what_we_read(data):
    policy = read(data).policy
    if policy:
        assert postfix_takes(policy.to_bytes()) == ours(policy)


@pytest.mark.parametrize("name", [name for name, case in VECTORS.items() if case["valid"]])
def test_postfix_takes_our_print_of_every_vector(name):
    policy = Policy.parse(octets(VECTORS[name]["input"]))
    assert postfix_takes(policy.to_bytes()) == ours(policy)


@pytest.mark.parametrize("name", [name for name, case in VECTORS.items() if case["valid"]])
def test_we_warn_of_what_postfix_reads_otherwise(name):
    data = octets(VECTORS[name]["input"])
    taken = postfix_takes(data)
    if taken != ours(Policy.parse(data)):
        assert lint.worst(lint.policy(data)) is lint.Severity.WARNING


@given(st.from_regex(r"\A[A-Za-z0-9]{1,32}\Z"))
def test_postfix_takes_our_sts_record(name):
    from postfix_mta_sts_resolver.utils import parse_mta_sts_record

    assert parse_mta_sts_record(str(STSRecord(name))) == {"v": "STSv1", "id": name}


@given(st.lists(URIS, min_size=1, max_size=4))
def test_tlsrpt_reporter_takes_our_tlsrpt_record(uris):
    from tlsrpt_reporter.utility import parse_tlsrpt_record

    assert parse_tlsrpt_record(str(TLSRPTRecord(uris))) == uris


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("v=TLSRPTv1 ; rua=mailto:a@example.org", "record-blank-before-semicolon"),
        ("v=TLSRPTv1; a=b; rua=mailto:a@example.org", "record-rua-not-first"),
        ("v=TLSRPTv1; rua=mailto:a@example.org , mailto:b@example.org", "record-rua-blanks"),
    ],
)
def test_we_warn_of_what_tlsrpt_reporter_does_not_take(text, code):
    from tlsrpt_reporter.utility import MalformedTlsrptRecordException, parse_tlsrpt_record

    try:
        taken = parse_tlsrpt_record(text)
    except MalformedTlsrptRecordException:
        taken = []
    assert taken != list(TLSRPTRecord.parse(text).rua)
    assert code in [found.code for found in lint.tlsrpt_record(text)]
