"""`mtasts check` as an operator runs it: BIND, an HTTPS server, Postfix, whole and with faults."""

import http.server
import json
import ssl
import threading

import pytest
import trustme

from prometheus_text import series
from rig.command import mtasts
from rig.named import NameServer
from rig.postfix import Postfix

ADDRESS = "192.0.2.1"
MX = "mx.example.test"
POLICY = f"version: STSv1\r\nmode: enforce\r\nmx: {MX}\r\nmax_age: 2592000\r\n"
ZONE = [
    "@ NS ns1",
    f"ns1 A {ADDRESS}",
    "@ MX 10 mx",
    "mx A 127.0.0.1",
    "mta-sts A 127.0.0.1",
    "lists MX 10 mx",
    '_mta-sts TXT "v=STSv1; id=20260101000000;"',
    '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@example.test"',
]


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.policy` to programs, and turns away those that do not say who they are."""

    def do_GET(self):
        is_welcome = self.headers["User-Agent"] or not self.server.is_suspicious
        self.send_response(200 if is_welcome else 403)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(self.server.policy.encode("ascii"))

    def log_message(self, *_):
        """The test says what was seen."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    ca = trustme.CA()
    ca.root = str(tmp_path_factory.mktemp("ca") / "root.pem")
    ca.cert_pem.write_to_path(ca.root)
    return ca


@pytest.fixture
def policy_host(authority):
    """A policy host on port 443 of 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mta-sts.example.test").configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 443), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.policy, server.is_suspicious = POLICY, False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def postfix(authority, tmp_path):
    """Postfix with a certificate for its name."""
    chain = str(tmp_path / "mx.pem")
    authority.issue_cert(MX).private_key_and_cert_chain_pem.write_to_path(chain)
    postfix = Postfix(MX, str(tmp_path))
    postfix.start({"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": chain})
    yield postfix
    postfix.stop()


@pytest.fixture
def zone():
    """What is published of example.test."""
    return ZONE


@pytest.fixture
def check(authority, tmp_path, zone):
    """Run the command about example.test; its exit code and what it printed."""
    dns = NameServer(str(tmp_path), ADDRESS)
    dns.primary("example.test", *zone)
    dns.start()

    def check(*options):
        words = ["check", "example.test", "--resolver", ADDRESS, "--ca", authority.root, *options]
        done = mtasts(*words)
        assert done.stderr == ""
        return done.returncode, done.stdout

    yield check
    dns.stop()


def wrong(out):
    return {
        one["code"]: one["severity"]
        for one in json.loads(out)["findings"]
        if one["severity"] not in ("ok", "info")
    }


def test_a_domain_in_order(check, policy_host, postfix):
    code, out = check("--json")
    assert (code, wrong(out)) == (0, {})
    said = {one["code"] for one in json.loads(out)["findings"]}
    assert {
        "txt-servers-agree",
        "policy-host-certificate-valid",
        "fetch-taken",
        "policy-taken",
        "mx-host-covered",
        "mx-host-certificate-valid",
        "tlsrpt-address-taken",
    } <= said
    code, out = check()
    assert code == 0
    assert out.startswith("example.test: ")
    assert "senders enforce the policy" in out.splitlines()[0]


@pytest.mark.parametrize(
    "zone", [[*ZONE, *(f"{name} AAAA 2001:db8::99" for name in ("ns1", "mta-sts", "mx"))]]
)
def test_a_machine_without_ipv6_judges_by_what_it_sees(check, policy_host, postfix):
    """No route leads to that address, as none to any on such a machine."""
    code, out = check("--json")
    assert (code, wrong(out)) == (0, {})
    said = [one["code"] for one in json.loads(out)["findings"]]
    assert {"policy-host-unseen", "mx-host-unseen", "txt-servers-agree"} <= set(said)
    assert said.count("txt-server-unseen") == 2  # asked for both records


def test_what_is_wrong_is_found(check, policy_host, postfix):
    policy_host.is_suspicious = True
    policy_host.policy = POLICY.replace(f"mx: {MX}", "mx: other.example.test")
    code, out = check("--json", "--subdomain", "*")
    assert code == 2
    assert wrong(out) == {
        "fetch-user-agent": "error",
        "mx-host-uncovered": "error",
        "sub-domain-uncovered": "warning",
    }


def test_an_mx_host_that_is_down_is_unknown(check, policy_host):
    code, out = check("--nagios")
    assert code == 3
    assert out.startswith("MTA-STS UNKNOWN - example.test: mode enforce, mx-host-unreachable | ")


def test_a_policy_host_that_is_down_is_an_error(check, postfix):
    code, out = check("--openmetrics", "-")
    assert code == 2
    finding = '{code="policy-host-silent",domain="example.test",severity="error"}'
    assert series(out)[f"mtasts_check_findings{finding}"] == 1
