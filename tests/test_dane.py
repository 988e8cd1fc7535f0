"""Which TLSA records take which certificates (RFC 7671, RFC 7672)."""

import datetime
import hashlib
import ssl

import pytest

from certificates import Issued
from mtasts import certificate, dane
from mtasts.dane import Fit
from mtasts.facts import TLSA, Handshake

NOW = datetime.datetime.now(datetime.timezone.utc)
MX = "mx.example.org"
ROOT = Issued("root")
BETWEEN = Issued("between", issuer=ROOT)
OWN = Issued(MX, issuer=BETWEEN)


def der(issued):
    return ssl.PEM_cert_to_DER_cert(issued.pem.decode())


def seen(*chain):
    octets = tuple(der(one) for one in chain)
    return Handshake("TLSv1.3", *certificate.read(octets[0]), "it is signed by itself", octets)


CHAIN = seen(OWN, BETWEEN, ROOT)


def record(usage, selector, matching_type, issued):
    octets = certificate.public_key(der(issued)) if selector == 1 else der(issued)
    digest = {1: hashlib.sha256, 2: hashlib.sha512}.get(matching_type)
    return TLSA(usage, selector, matching_type, digest(octets).digest() if digest else octets)


def fit(records, handshake=CHAIN, hosts=(MX,)):
    return dane.fit(records, handshake, hosts, NOW)


@pytest.mark.parametrize("matching_type", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize(("usage", "issued"), [(3, OWN), (2, BETWEEN), (2, ROOT)])
def test_a_record_takes_what_it_names(usage, issued, selector, matching_type):
    own = record(usage, selector, matching_type, issued)
    other = record(usage, selector, matching_type, Issued("other"))
    assert fit([own]) is Fit.MATCHES
    assert fit([other]) is Fit.CONTRADICTS
    assert fit([other, own]) is Fit.MATCHES


def test_usage_3_heeds_neither_names_nor_dates():
    old = Issued("mx.example.net", (-90, -1))
    assert fit([record(3, 1, 1, old)], seen(old)) is Fit.MATCHES


def test_usage_3_is_the_servers_own_certificate_only():
    assert fit([record(3, 1, 1, BETWEEN)]) is Fit.CONTRADICTS


def test_usage_2_is_a_certificate_above_it_only():
    assert fit([record(2, 1, 1, OWN)]) is Fit.CONTRADICTS
    alone = Issued(MX)
    assert fit([record(2, 1, 1, alone)], seen(alone)) is Fit.CONTRADICTS


def test_usage_2_takes_the_name_of_the_host_or_of_the_domain():
    records = [record(2, 0, 1, BETWEEN)]
    assert fit(records, hosts=["mx.example.net", MX]) is Fit.MATCHES
    assert fit(records, hosts=["mx.example.net"]) is Fit.CONTRADICTS


@pytest.mark.parametrize(
    ("own", "between"), [((-90, -1), (-90, 90)), ((1, 90), (-90, 90)), ((-90, 90), (-90, -1))]
)
def test_usage_2_takes_nothing_that_is_not_in_date(own, between):
    above = Issued("between", between, ROOT)
    chain = seen(Issued(MX, own, above), above, ROOT)
    assert fit([record(2, 0, 1, above)], chain) is Fit.CONTRADICTS
    assert fit([record(2, 0, 1, ROOT)], chain) is Fit.CONTRADICTS


def test_usage_2_takes_no_certificate_that_is_only_sent_along():
    stranger = Issued("between", issuer=ROOT)
    assert fit([record(2, 0, 1, stranger)], seen(OWN, stranger)) is Fit.CONTRADICTS
    assert fit([record(2, 0, 1, ROOT)], seen(OWN, ROOT)) is Fit.CONTRADICTS


def test_usage_2_is_a_ca_only():
    """As OpenSSL has it, by which senders go: a server's certificate issues no others."""
    server = Issued("ca.example.org", issuer=ROOT)
    chain = seen(Issued(MX, issuer=server), server, ROOT)
    assert fit([record(2, 0, 1, server)], chain) is Fit.CONTRADICTS
    assert fit([record(2, 0, 1, ROOT)], chain) is Fit.CONTRADICTS


def test_usage_2_needs_its_certificate_in_the_chain():
    assert fit([record(2, 0, 0, ROOT)], seen(OWN, BETWEEN)) is Fit.CONTRADICTS


def test_a_chain_may_be_in_any_order_and_hold_anything():
    chain = seen(OWN, ROOT, Issued("stranger"), BETWEEN, BETWEEN)
    chain = chain._replace(chain=(*chain.chain, b"no certificate"))
    assert fit([record(2, 1, 2, ROOT)], chain) is Fit.MATCHES


@pytest.mark.parametrize(
    "unusable",
    [
        record(0, 0, 1, BETWEEN),
        record(1, 1, 1, OWN),
        record(4, 1, 1, OWN),
        record(255, 1, 1, OWN),
        record(3, 2, 1, OWN),
        TLSA(3, 1, 3, record(3, 1, 1, OWN).data),
        TLSA(3, 1, 1, record(3, 1, 2, OWN).data),
        TLSA(3, 1, 1, record(3, 1, 1, OWN).data[:20]),
        TLSA(3, 1, 1, b""),
        TLSA(3, 0, 0, b""),
    ],
)
def test_what_no_sender_can_use_says_nothing(unusable):
    assert fit([unusable]) is Fit.UNUSABLE
    assert fit([unusable, record(3, 1, 1, OWN)]) is Fit.MATCHES
    assert fit([unusable, record(3, 1, 1, ROOT)]) is Fit.CONTRADICTS


def test_the_stronger_of_two_digests_counts():
    stale, fresh = Issued(MX), OWN
    assert fit([record(3, 1, 2, stale), record(3, 1, 1, fresh)]) is Fit.CONTRADICTS
    assert fit([record(3, 1, 1, stale), record(3, 1, 2, fresh)]) is Fit.MATCHES
    # each usage and selector by itself, and a full one beside any
    assert fit([record(3, 0, 2, stale), record(3, 1, 1, fresh)]) is Fit.MATCHES
    assert fit([record(3, 1, 2, stale), record(3, 1, 0, fresh)]) is Fit.MATCHES


def test_without_records_there_is_nothing_to_use():
    assert fit([]) is Fit.UNUSABLE


def test_a_chain_of_a_hundred_namesakes_is_looked_at_once_each():
    """They name each other as issuer, so that every way leads to all the others."""
    namesakes = [Issued("root", issuer=ROOT) for _ in range(100)]
    chain = seen(OWN, BETWEEN, *namesakes)
    assert fit([record(2, 0, 1, ROOT)], chain) is Fit.CONTRADICTS
