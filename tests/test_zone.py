"""Records as text for a zone file and for Terraform, read back by whoever reads them."""

import json

import dns.rdatatype
import dns.zone
import pytest

from mtasts import zone
from mtasts.accounts import account_uris
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.record import STSRecord, TLSRPTRecord, candidates, reports_to

ORG = Domain("example.org")
HOSTER = Domain("hoster.example.net")
POLICY = STSRecord("20260101000000abcdef01")
REPORTS = TLSRPTRecord(("mailto:tls@example.org",))
ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/1234"


def read_back(records):
    """What a DNS server takes from the zone file: (owner, type) -> data."""
    text = "@ 3600 IN SOA ns. admin. 1 1 1 1 1\n@ 3600 IN NS ns.\n" + zone.zone_file(records) + "\n"
    read = dns.zone.from_text(text, origin="example.org.", relativize=False)
    found = {}
    for name, _, rdata in read.iterate_rdatas():
        key = (name.to_text(omit_final_dot=True), dns.rdatatype.to_text(rdata.rdtype))
        found.setdefault(key, []).append(rdata)
    return found


def test_a_server_reads_what_a_domain_needs():
    records = zone.own_records(ORG, POLICY, REPORTS, ["192.0.2.1", "2001:db8::1"])
    found = read_back(records)
    assert [b"".join(one.strings) for one in found["_mta-sts.example.org", "TXT"]] == [
        b"v=STSv1; id=20260101000000abcdef01;"
    ]
    assert [b"".join(one.strings) for one in found["_smtp._tls.example.org", "TXT"]] == [
        b"v=TLSRPTv1; rua=mailto:tls@example.org"
    ]
    assert [one.address for one in found["mta-sts.example.org", "A"]] == ["192.0.2.1"]
    assert [one.address for one in found["mta-sts.example.org", "AAAA"]] == ["2001:db8::1"]


@pytest.mark.parametrize("length", [0, 1, 255, 256, 510, 511])
def test_strings_are_short_enough_and_joined_the_same(length):
    parts = zone.strings("x" * length)
    assert "".join(parts) == "x" * length
    assert all(len(part) <= 255 for part in parts)
    assert len(parts) == max(1, -(-length // 255))


def test_a_long_record_is_several_strings_that_join_to_the_record():
    reports = reports_to(ORG, [f"https://reports.example.org/{'x' * 90}/{n}" for n in range(9)])
    (record,) = read_back(zone.own_records(ORG, POLICY, reports))["_smtp._tls.example.org", "TXT"]
    assert len(record.strings) > 1
    joined = b"".join(record.strings).decode("ascii")
    assert candidates([joined], TLSRPTRecord.VERSION) == [str(reports)]


def test_nothing_in_a_text_ends_its_quotes():
    hostile = 'x" ; \\" ${evil} %{if} \\'
    written = zone.zone_file([zone.ZoneRecord("example.org", "TXT", hostile)])
    (record,) = read_back([zone.ZoneRecord("example.org", "TXT", hostile)])["example.org", "TXT"]
    assert record.strings[0].decode("ascii") == hostile
    assert len(written.splitlines()) == 1
    block = zone.terraform("org", [zone.ZoneRecord("example.org", "TXT", hostile)])
    assert r'txt = ["x\" ; \\\" $${evil} %%{if} \\"]' in block


def test_a_delegated_domain_is_an_alias_in_both_places_and_has_its_own_reports():
    found = read_back(zone.delegated_records(ORG, HOSTER, REPORTS))
    (policy,) = found["_mta-sts.example.org", "CNAME"]
    (host,) = found["mta-sts.example.org", "CNAME"]
    assert policy.target.to_text() == "_mta-sts.hoster.example.net."
    assert host.target.to_text() == "mta-sts.hoster.example.net."
    assert ("_smtp._tls.example.org", "TXT") in found


def test_no_domain_is_delegated_to_itself():
    with pytest.raises(MtastsError) as caught:
        zone.delegated_records(ORG, ORG, REPORTS)
    assert caught.value.code == "delegation-to-itself"


def test_caa_advice_names_the_account_and_is_a_comment():
    advice = zone.caa_record(ORG.policy_host, ACCOUNT)
    line = zone.zone_file([advice])
    assert line.startswith("; mta-sts.example.org. 3600 IN CAA ")
    (record,) = read_back([advice._replace(optional=False)])["mta-sts.example.org", "CAA"]
    assert record.value.decode("ascii") == f"letsencrypt.org; accounturi={ACCOUNT}"
    assert zone.terraform(ORG, [advice]).startswith("# mta-sts.example.org. ")


@pytest.mark.parametrize(
    "account",
    [
        "",
        "acct/1",
        "http://acme-v02.api.letsencrypt.org/acme/acct/1",
        "https://ca.example.org/acct/1",
        'https://acme-v02.api.letsencrypt.org/"; issue ";',
        "https://acme-v02.api.letsencrypt.org/a\nb",
        "https://acme-v02.api.letsencrypt.org/;validationmethods=x",
        "https://[",
    ],
)
def test_what_is_no_account_gives_no_advice(account):
    with pytest.raises(MtastsError) as caught:
        zone.caa_record(ORG.policy_host, account)
    assert caught.value.code == "account-unknown"


def test_terraform_has_one_resource_for_all_addresses_of_a_kind():
    records = zone.own_records(ORG, POLICY, REPORTS, ["192.0.2.1", "192.0.2.2"])
    text = zone.terraform(ORG, records)
    assert 'resource "dns_a_record_set" "mta-sts_example_org" {' in text
    assert '  addresses = ["192.0.2.1", "192.0.2.2"]' in text
    assert '  zone = "example.org."\n  name = "_mta-sts"\n' in text
    assert text.count("resource ") == 3


def test_terraform_has_a_name_of_its_own_for_every_resource():
    text = zone.terraform(ORG, zone.delegated_records(ORG, HOSTER, REPORTS))
    heads = [line for line in text.splitlines() if line.startswith("resource ")]
    assert len(heads) == len(set(heads)) == 3
    assert '  cname = "mta-sts.hoster.example.net."' in text


@pytest.mark.parametrize("text", ["", "localhost", "192.0.2.1:443", "192.0.2.256"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(MtastsError) as caught:
        zone.own_records(ORG, POLICY, REPORTS, [text])
    assert caught.value.code == "address-invalid"


def test_accounts_are_found_where_certbot_keeps_them(tmp_path):
    folder = tmp_path / "acme-v02.api.letsencrypt.org" / "directory"
    for name, text in [
        ("a", json.dumps({"body": {}, "uri": ACCOUNT})),
        ("b", "{"),
        ("c", "[]"),
        ("d", json.dumps({"uri": 5})),
    ]:
        (folder / name).mkdir(parents=True)
        (folder / name / "regr.json").write_text(text)
    assert account_uris(str(tmp_path)) == (ACCOUNT,)
    assert account_uris(str(tmp_path / "missing")) == ()
