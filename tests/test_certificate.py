"""What is read in certificates, and who issued them."""

import ssl

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import serialization

from certificates import Issued
from mtasts import certificate

ROOT = Issued("root")
BETWEEN = Issued("between", issuer=ROOT)
OWN = Issued("mx.example.org", (-30, 60), BETWEEN)


def der(pem):
    return ssl.PEM_cert_to_DER_cert(pem.decode())


def test_names_and_dates_are_read():
    found = certificate.read(der(OWN.pem))
    assert (found.names, found.end) == (("mx.example.org",), OWN.end)
    assert certificate.read(der(ROOT.pem)).names == ()


@pytest.mark.parametrize("octets", [b"", b"x", b"\x30", b"\x30\x84", b"\x30\x80" * 1000])
def test_what_is_no_certificate_is_refused(octets):
    with pytest.raises(certificate.Unreadable):
        certificate.read(octets)
    assert certificate.public_key(octets) == b""
    assert not certificate.is_issued_by(octets, der(ROOT.pem))
    assert not certificate.is_issued_by(der(ROOT.pem), octets)


@pytest.mark.parametrize("end", range(0, 400, 7))
def test_half_a_certificate_is_refused(end):
    half = der(OWN.pem)[:end]
    with pytest.raises(certificate.Unreadable):
        certificate.read(half)
    assert not certificate.is_issued_by(half, der(BETWEEN.pem))


def test_the_public_key_is_that_of_the_certificate():
    for pem in (OWN.pem, ROOT.pem, trustme.CA().cert_pem.bytes()):
        key = x509.load_pem_x509_certificate(pem, default_backend()).public_key()
        octets = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        assert certificate.public_key(der(pem)) == octets


def test_who_issued_it_is_known_by_the_signature():
    impostor = Issued("between", issuer=ROOT)
    assert certificate.is_issued_by(der(OWN.pem), der(BETWEEN.pem))
    assert certificate.is_issued_by(der(ROOT.pem), der(ROOT.pem))
    assert not certificate.is_issued_by(der(OWN.pem), der(impostor.pem))
    assert not certificate.is_issued_by(der(OWN.pem), der(ROOT.pem))
    assert not certificate.is_issued_by(der(BETWEEN.pem), der(OWN.pem))


def test_keys_of_both_kinds_sign():
    """trustme signs by RSA in its old versions, and by ECDSA in the new ones."""
    ca = trustme.CA()
    own = ca.issue_cert("mx.example.org").cert_chain_pems[0].bytes()
    assert certificate.is_issued_by(der(own), der(ca.cert_pem.bytes()))
    assert not certificate.is_issued_by(der(own), der(trustme.CA().cert_pem.bytes()))
