"""What words of TLS reports mean: every type of RFC 8460, and the reason codes that are in use."""

import glob
import os
import re

import pytest

from mtasts.ingest import NO_REPORT
from mtasts.tlsrpt import explanations
from mtasts.tlsrpt.reasons import REASONS

# RFC 8460 section 4.3
RESULT_TYPES = [
    "starttls-not-supported",
    "certificate-host-mismatch",
    "certificate-expired",
    "certificate-not-trusted",
    "validation-failure",
    "tlsa-invalid",
    "dnssec-invalid",
    "dane-required",
    "sts-policy-fetch-error",
    "sts-policy-invalid",
    "sts-webpki-invalid",
]


@pytest.mark.parametrize("word", RESULT_TYPES)
def test_every_result_type_is_explained(word):
    explanation = explanations.find(word)
    assert explanation.word == word
    assert "RFC 8460" in explanation.source


def test_a_result_type_counts_in_any_letter_case():
    assert explanations.find("STS-Policy-Invalid").word == "sts-policy-invalid"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("MX_HOSTS_MISMATCH", "MX_HOSTS_MISMATCH"),
        ("X509_V_ERR_CERT_HAS_EXPIRED", "X509_V_ERR_CERT_HAS_EXPIRED"),
        (
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
            "X509_V_ERR_CERT_HAS_EXPIRED",
        ),
        (
            "x509: certificate is valid for a.example.org, not mx.example.org",
            "X509_V_ERR_HOSTNAME_MISMATCH",
        ),
        (
            "x509: certificate signed by unknown authority",
            "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        ),
        ("X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN", "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT"),
        ("tls-remote-alert-70", "tls-remote-alert-70"),
        ("remote error: tls: unrecognized name", "tls-remote-alert-112"),
    ],
)
def test_reason_codes_are_known_in_the_words_of_their_libraries(text, word):
    assert explanations.reason(text).word == word


@pytest.mark.parametrize("text", ["", "tls-remote-alert-7", "tls-remote-alert-700", "MX_HOSTS"])
def test_what_is_not_known_is_not_guessed(text):
    assert explanations.find(text) is None


def test_every_explanation_is_found_by_its_word():
    for explanation in explanations.ALL:
        assert explanations.find(explanation.word) == explanation


def test_every_explanation_says_what_to_do():
    for found in explanations.ALL:
        assert found.what
        assert found.remedy
        assert found.end in ("receiving", "sending", "either")
        assert found.certainty in ("sure", "likely", "open")


def test_the_command_explains_words_of_reports_and_notes(mtasts):
    code, out, _ = mtasts(
        "explain", "certificate-expired", "tls-remote-alert-70", "date-range-reversed"
    )
    assert code == 0
    assert "whose end: receiving (sure)" in out
    assert "protocol_version" in out
    assert "a note on a report" in out


def test_every_reason_for_the_quarantine_is_explained(mtasts):
    """Each is in the code, in the manual, and known to the command."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    raised = {NO_REPORT}
    for path in glob.glob(os.path.join(top, "mtasts", "tlsrpt", "*.py")):
        with open(path, encoding="utf-8") as file:
            raised.update(re.findall(r'InvalidReport\(\s*"([a-z-]+)"', file.read()))
    assert raised | {"report-unknown-format"} == set(REASONS)
    with open(os.path.join(top, "docs", "reports.md"), encoding="utf-8") as file:
        manual = file.read()
    assert [code for code in REASONS if f"`{code}`" not in manual] == []
    code, out, _ = mtasts("explain", *REASONS)
    assert code == 0
    assert out.count("why a report could not be read") == len(REASONS)


def test_the_command_lists_what_can_be_explained_and_knows_what_looks_alike(mtasts):
    assert "sts-webpki-invalid" in mtasts("explain")[1]
    code, _, err = mtasts("explain", "sts-webpki-invalidd")
    assert code == 2
    assert "sts-webpki-invalid" in err
