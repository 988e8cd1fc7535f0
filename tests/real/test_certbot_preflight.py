"""The checks before an order, with a real resolver and servers on this machine's addresses."""

import contextlib
import http.server
import json
import threading

import pytest

from certbot_mtasts import challenge
from certbot_mtasts.apachectl import Apache as Control
from certbot_mtasts.deploy import Site
from certbot_mtasts.preflight import Authority, Beacon, Preflight
from rig.apache import ETC, write
from rig.policy_host import POLICIES, POLICY, VHOSTS, WEBROOT, kept, presented
from rig.process import run

HOST = "mta-sts.example.test"
HERE = HOST + " A 127.0.0.1"
BEACON = Beacon("beacon", "an answer that only this machine gives")
ISSUER = "ca.example.net"


@contextlib.contextmanager
def server(address, port, status, headers=(), body=b""):
    """A web server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    running = http.server.HTTPServer((address, port), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.fixture
def listening_on_loopback(policy_hosts):
    """Apache on 127.0.0.1 and ::1 only, so that 192.0.2.1 is free for another server."""
    policy_hosts.apache.stop()
    ports = "".join("Listen {}\n".format(one) for one in ("127.0.0.1:80", "[::1]:80", "443"))
    write(ETC + "/ports.conf", ports)
    policy_hosts.start()
    return policy_hosts


def problems(*hosts, directory="", accounts_dir="/nonexistent"):
    """(code, whether it is certain) of everything that is found."""
    site = Site(VHOSTS, POLICIES, Control())
    challenge.write(challenge.token_path(WEBROOT, BEACON.token), BEACON.answer)
    checks = Preflight(
        site, None, site.apache.test(), BEACON, Authority(directory, True, accounts_dir)
    )
    return [(one.why.code, one.is_certain) for one in checks.problems(hosts or [HOST])]


@pytest.mark.parametrize(
    "records",
    [
        [HERE],
        [HERE, HOST + " AAAA ::1"],
        ["host.example.test A 127.0.0.1", HOST + " CNAME host.example.test"],
    ],
)
def test_nothing_is_said_when_all_is_well(policy_hosts, resolver, records):
    resolver.set(*records)
    assert problems() == []


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([], ("host-without-address", True)),
        ([HOST + " SERVFAIL"], ("dns-lookup-failed", False)),
        ([HERE, HOST + " AAAA 2001:db8:ffff::1"], ("address-family-missing", True)),
        ([HERE, HOST + " A 192.0.2.2"], ("port-80-closed", True)),
        ([HERE, HOST + " AAAA 2001:db8::1"], ("port-80-closed", True)),
    ],
)
def test_addresses_that_will_not_do_are_told(listening_on_loopback, resolver, records, found):
    resolver.set(*records)
    assert set(problems()) == {found}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((200, (), b"welcome"), ("address-elsewhere", True)),
        ((404, ()), ("address-elsewhere", True)),
        ((301, [("Location", "https://elsewhere.example/")]), ("challenge-redirected", False)),
        ((200, (), BEACON.answer.encode()), None),
    ],
)
def test_another_server_is_told_from_this_one(listening_on_loopback, resolver, answer, found):
    resolver.set(HERE, HOST + " A 192.0.2.1")
    with server("192.0.2.1", 80, *answer):
        assert problems() == ([found] if found else [])


def test_an_address_behind_a_router_is_only_doubtful(policy_hosts, resolver):
    run("ip", "route", "add", "unreachable", "198.51.100.7")
    try:
        resolver.set(HOST + " A 198.51.100.7")
        assert problems() == [("address-not-verified", False)]
    finally:
        run("ip", "route", "del", "unreachable", "198.51.100.7")


def test_policy_that_no_sender_takes_counts_as_none(policy_hosts):
    write(POLICIES + "/example.test/mta-sts.txt", POLICY.replace("testing", "tseting"))
    assert problems() == [("policy-mode-invalid", True)]


def test_all_problems_of_all_names_are_found_at_once(policy_hosts, resolver):
    resolver.set(HERE)
    assert problems("www.example.test", HOST, "mta-sts.example2.test", "mta-sts.other.test") == [
        ("domain-not-policy-host", True),
        ("host-without-address", True),
        ("policy-unknown", True),
        ("host-without-address", True),
    ]


FORBIDS, ALLOWS = '0 issue "other.example"', '0 issue "{}"'.format(ISSUER)


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([HOST + " CAA " + ALLOWS], []),
        ([HOST + " CAA " + FORBIDS], [("caa-forbids", True)]),
        (["example.test CAA " + FORBIDS], [("caa-forbids", True)]),
        (["test CAA " + FORBIDS], [("caa-forbids", True)]),
        ([HOST + " CAA " + ALLOWS, "example.test CAA " + FORBIDS], []),
    ],
)
def test_caa_is_judged_at_the_closest_name_that_has_it(policy_hosts, resolver, records, found):
    resolver.set(HERE, *records)
    directory = json.dumps({"meta": {"caaIdentities": [ISSUER]}}).encode()
    with server("127.0.0.1", 8888, 200, body=directory):
        assert problems(directory="http://127.0.0.1:8888/") == found


def test_account_that_certbot_has_at_the_ca_is_known(policy_hosts, resolver, tmp_path):
    account = "https://ca.example.net/acct/1"
    write(str(tmp_path / "id" / "regr.json"), json.dumps({"uri": account}))
    resolver.set(HERE, '{} CAA 0 issue "{}; accounturi={}"'.format(HOST, ISSUER, account))
    directory = json.dumps({"meta": {"caaIdentities": [ISSUER]}}).encode()
    with server("127.0.0.1", 8888, 200, body=directory):
        assert problems(directory="http://127.0.0.1:8888/", accounts_dir=str(tmp_path)) == []
        assert problems(directory="http://127.0.0.1:8888/2") == [("caa-account", False)]


def test_order_goes_on_in_doubt_and_says_so(certbot_of_both_ends, policy_hosts, resolver):
    resolver.set(HERE, HOST + " CAA " + FORBIDS)
    order = certbot_of_both_ends("--mtasts", "-d", HOST)
    if certbot_of_both_ends.version == "newest":  # the other one has no dnspython
        assert "caa-not-checked" in order.output
    assert presented(HOST) == kept(HOST)


def test_order_stops_at_an_address_that_leads_elsewhere(
    certbot_of_both_ends, listening_on_loopback, resolver
):
    resolver.set(HERE, HOST + " AAAA 2001:db8:ffff::1")
    failed = certbot_of_both_ends("--mtasts", "-d", HOST, check=False)
    assert failed.code == 1
    assert "address-family-missing" in failed.output
    assert "Traceback" not in failed.output
    assert not listening_on_loopback.tokens()


def test_what_the_ca_could_not_fetch_is_explained(certbot_of_both_ends, policy_hosts, resolver):
    run("ip", "route", "add", "unreachable", "198.51.100.7")
    try:
        resolver.set(HOST + " A 198.51.100.7")
        failed = certbot_of_both_ends("--mtasts", "-d", HOST, check=False)
    finally:
        run("ip", "route", "del", "unreachable", "198.51.100.7")
    assert failed.code == 1
    assert "Not sure whether this order will succeed" in failed.output
    if certbot_of_both_ends.version == "newest":  # the other one asks no plugin for a hint
        assert "the site zz-mtasts-80 is enabled" in " ".join(failed.output.split())
    assert not policy_hosts.tokens()


def test_renewal_is_not_held_back(certbot_of_both_ends, policy_hosts, resolver):
    certbot = certbot_of_both_ends
    certbot("--mtasts", "-d", HOST)
    first = kept(HOST)
    run("rm", "-r", POLICIES + "/example.test")
    resolver.set(HERE, HOST + " CAA " + FORBIDS)
    certbot("renew", "--force-renewal")
    assert first != kept(HOST) == presented(HOST)
