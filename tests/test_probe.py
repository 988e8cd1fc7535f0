"""Fetching a policy as a sender does, from policy hosts that do what hosts on the Internet do."""

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import threading

import pytest
import trustme

from certificates import ALWAYS, Issued
from mtasts import checks, probe
from mtasts.domain import Domain
from mtasts.errors import MtastsError

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ORG = Domain("example.org")
POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmax_age: 86401\r\n"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n"


def answer(status=b"200 OK", headers=TEXT, body=POLICY):
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + headers + length + b"\r\n" + body


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def root(authority, tmp_path):
    path = str(tmp_path / "root.pem")
    authority.cert_pem.write_to_path(path)
    return path


@contextlib.contextmanager
def policy_host(configure, said=b"", clients=1):
    """A TLS server on loopback that says `said` to its clients; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    configure(context)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        requests = []

        def serve():
            for _ in range(clients):
                connection, _ = server.accept()
                with contextlib.suppress(OSError), connection:
                    tls = context.wrap_socket(connection, server_side=True)
                    requests.append(tls.recv(4096))
                    tls.sendall(said)
                    tls.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], requests
        thread.join(10)


def fetched(certificate, said, root):
    with policy_host(certificate.configure_cert, said) as (port, requests):
        result = probe.fetch_policy(ORG, "127.0.0.1", port, root)
    return result, requests[0]


def refused(certificate, said, root):
    """The error with which fetching from such a host ends, and the host's port."""
    host, failure = policy_host(certificate.configure_cert, said), pytest.raises(probe.FetchFailed)
    with host as (port, _), failure as caught:
        probe.fetch_policy(ORG, "127.0.0.1", port, root)
    assert f"mta-sts.example.org at 127.0.0.1 port {port}" in caught.value.message
    return caught.value


def test_a_policy_is_fetched_by_the_name_of_its_host(authority, root):
    certificate = authority.issue_cert("mta-sts.example.org")
    result, request = fetched(certificate, answer(), root)
    assert request.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
    assert b"\r\nHost: mta-sts.example.org\r\n" in request
    assert (result.status, result.body) == (200, POLICY)
    assert result.tls in ("TLSv1.2", "TLSv1.3")
    assert checks.served(result, POLICY) == []


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (answer(b"301 Moved", TEXT + b"Location: https://example.org/\r\n"), ["fetch-status"]),
        (answer(b"202 Accepted"), ["fetch-status"]),
        (answer(headers=b"Content-Type: text/html\r\n"), ["fetch-content-type"]),
        (answer(headers=b""), ["fetch-content-type"]),
        (answer(body=POLICY[:-2] + b"\n"), ["fetch-body"]),
        (answer(body=POLICY + b"x" * 100000), ["fetch-body"]),
        (answer(headers=b"Content-Type: \x1b[2J\r\n"), ["fetch-content-type"]),
    ],
    ids=["redirect", "202", "html", "no type", "other bytes", "too large", "hostile type"],
)
def test_what_a_sender_would_refuse_is_found(authority, root, said, codes):
    result, _ = fetched(authority.issue_cert("mta-sts.example.org"), said, root)
    found = checks.served(result, POLICY)
    assert [one.code for one in found] == codes
    assert all(one.message.isprintable() for one in found)


def test_more_than_a_sender_reads_is_not_read(authority, root):
    result, _ = fetched(
        authority.issue_cert("mta-sts.example.org"), answer(body=b"x" * 1000000), root
    )
    assert len(result.body) < 200000


@pytest.mark.parametrize("name", ["mta-sts.example.net", "example.org", "*.org"])
def test_a_certificate_of_another_name_is_refused(authority, root, name):
    assert refused(authority.issue_cert(name), answer(), root).code == "tls-failed"


def test_a_certificate_of_an_unknown_authority_is_refused(root):
    stranger = trustme.CA().issue_cert("mta-sts.example.org")
    assert refused(stranger, answer(), root).code == "tls-failed"


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_an_error_with_the_place(authority, root, said):
    certificate = authority.issue_cert("mta-sts.example.org")
    assert refused(certificate, said, root).code == "answer-broken"


def looked_at(certificate, folder, root, clients):
    """What probe says of a policy host that presents `certificate`, to one that trusts `root`."""
    host = policy_host(lambda context: certificate.configure(context, folder), clients=clients)
    with host as (port, _):
        return probe.certificate(ORG, "127.0.0.1", port, root.write(folder + "/root.pem"))


@pytest.mark.parametrize(("ends", "clients"), [((-30, 60), 1), ((-90, -1), 2)])
def test_a_certificate_has_its_end_also_if_that_is_past(tmp_path, ends, clients):
    root = Issued("root")
    issued = Issued("mta-sts.example.org", ends, Issued("between", issuer=root))
    found = looked_at(issued, str(tmp_path), root, clients)
    assert found.end == issued.end
    assert (found.end - found.begin).days == ends[1] - ends[0]


@pytest.mark.parametrize(
    ("name", "ends", "of_issuer"),
    [
        ("mta-sts.example.net", (-90, -1), ALWAYS),
        ("mta-sts.example.org", (-30, 60), (-90, -1)),
        ("mta-sts.example.org", (1, 60), ALWAYS),
    ],
    ids=["expired, and of another name", "issued by what expired", "not valid yet"],
)
def test_what_else_is_wrong_with_a_certificate_is_an_error(tmp_path, name, ends, of_issuer):
    root = Issued("root")
    issued = Issued(name, ends, Issued("between", of_issuer, root))
    with pytest.raises(probe.FetchFailed) as caught:
        looked_at(issued, str(tmp_path), root, clients=2)
    assert caught.value.code == "tls-failed"


def test_a_certificate_of_which_nobody_knows_the_issuer_is_an_error(tmp_path):
    issued = Issued("mta-sts.example.org", (-90, -1), Issued("stranger"))
    with pytest.raises(probe.FetchFailed) as caught:
        looked_at(issued, str(tmp_path), Issued("root"), clients=2)
    assert caught.value.code == "tls-failed"


def test_no_certificate_where_nobody_answers(root):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(probe.FetchFailed) as caught:
            probe.certificate(ORG, "127.0.0.1", closed.getsockname()[1], root)
    assert caught.value.code == "connect-failed"


@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
def test_roots_that_cannot_be_read_are_named(tmp_path, content):
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(probe.FetchFailed) as caught:
        probe.certificate(ORG, "127.0.0.1", 1, str(path))
    assert caught.value.code == "ca-file-unusable"
    assert str(path)[:20] in caught.value.message


def test_what_reads_records_is_imported_before_several_threads_need_it():
    """Half imported by one thread, it is an AttributeError in another (dnspython 1.15)."""
    code = "import sys, mtasts.probe; print(*(name for name in sys.modules if 'rdtypes' in name))"
    names = subprocess.check_output([sys.executable, "-c", code], cwd=TOP, universal_newlines=True)
    assert {"dns.rdtypes.IN.A", "dns.rdtypes.IN.AAAA"} <= set(names.split())
    assert {"dns.rdtypes.ANY.MX", "dns.rdtypes.ANY.TXT"} <= set(names.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_addresses_with_and_without_port(text, expected):
    assert probe.split_address(text, 53) == expected


@pytest.mark.parametrize(
    "text", ["", "example.org", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "[::1]x", "[::1"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(MtastsError) as caught:
        probe.split_address(text, 53)
    assert caught.value.code == "address-invalid"
