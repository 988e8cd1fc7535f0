"""Which hosts the DNS-IDs of a certificate cover (RFC 9525 section 6.3)."""

import pytest

from mtasts import dns_id

HOST = "mta-sts.example.org"


@pytest.mark.parametrize("name", [HOST, "MTA-STS.Example.ORG", "*.example.org", "*.EXAMPLE.org"])
def test_a_name_covers_its_host(name):
    assert dns_id.covers(["example.net", name], HOST)
    assert dns_id.covers([name], HOST.upper())


@pytest.mark.parametrize(
    "name",
    [
        "example.org",
        "mta-sts.example.org.",
        "mta-sts.example.org\0.example.net",
        " mta-sts.example.org",
        "x.mta-sts.example.org",
        "*.org",
        "*",
        "*.",
        "*.*.org",
        "mta-sts.*.org",
        "*.mta-sts.example.org",
        "**.example.org",
        "mta*.example.org",
        "*-sts.example.org",
        "m*s.example.org",
        "",
    ],
)
def test_a_name_covers_nothing_else(name):
    assert not dns_id.covers([name], HOST)


def test_a_wildcard_stands_for_exactly_one_label():
    assert dns_id.covers(["*.mx.example.net"], "x.mx.example.net")
    assert not dns_id.covers(["*.mx.example.net"], "mx.example.net")
    assert not dns_id.covers(["*.mx.example.net"], ".mx.example.net")
    assert not dns_id.covers(["*.mx.example.net"], "x.y.mx.example.net")


def test_letters_beyond_ascii_are_no_other_letters():
    assert not dns_id.covers(["\u212a.example.org"], "k.example.org")
    assert not dns_id.covers(["k.example.org"], "\u212a.example.org")


def test_without_dns_ids_nothing_is_covered():
    assert not dns_id.covers([], HOST)
