"""Asking for a policy as a sender does, from policy hosts that do what hosts on the Internet do."""

import itertools
import time

import pytest

import https_server
from certificates import Issued
from https_server import POLICY, TEXT, answer
from mtasts import https
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.facts import Answer, Handshake

ORG = Domain("example.org")
HOST = "mta-sts.example.org"
ROOT = Issued("root")


@pytest.fixture
def root(tmp_path):
    return ROOT.write(str(tmp_path / "root.pem"))


@pytest.fixture
def context(tmp_path):
    return https_server.context(Issued(HOST, issuer=ROOT), str(tmp_path))


def fetched(context, said, root, user_agent="Postfix"):
    with https_server.running(context, said) as server:
        tls, got = https.fetch(ORG, "127.0.0.1", user_agent, root, server.port)
    assert isinstance(tls, Handshake)
    return got


@pytest.mark.parametrize("user_agent", ["", "Postfix"])
def test_the_policy_is_asked_for_by_its_hosts_name(context, root, user_agent):
    with https_server.running(https_server.only_for(context, HOST)) as server:
        tls, got = https.fetch(ORG, "127.0.0.1", user_agent, root, server.port)
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/.well-known/mta-sts.txt")
    assert (request.headers["host"], request.headers["user-agent"]) == (HOST, user_agent)
    assert (tls.names, tls.untrusted) == ((HOST,), "")
    assert got[:5] == Answer(user_agent, 200, "text/plain; charset=utf-8", "", POLICY, 0)[:5]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (answer(b"301 Moved", TEXT + b"Location: https://example.org/\r\n"), (301, POLICY)),
        (answer(b"202 Accepted"), (202, POLICY)),
        (answer(b"404 Not Found"), (404, POLICY)),
        (answer(b"403 \xff\x1b[2J"), (403, POLICY)),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", (200, b"until the end")),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), (200, POLICY)),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            (200, b"abc"),
        ),
    ],
)
def test_an_answer_is_what_it_is(context, root, said, seen):
    got = fetched(context, said, root)
    assert (got.status, got.body) == seen


@pytest.mark.parametrize(
    ("headers", "content_type", "location"),
    [
        (b"", "", ""),
        (b"Content-Type: text/html\r\n", "text/html", ""),
        (b"Content-Type: text/plain\r\nContent-Type: x\r\n", "text/plain, x", ""),
        (b"Content-Type: \x1b[2J\xff\r\n", "\x1b[2J\xff", ""),
        (TEXT + b"Location: //x\r\n", "text/plain; charset=utf-8", "//x"),
    ],
)
def test_type_and_location_are_as_sent(context, root, headers, content_type, location):
    got = fetched(context, answer(headers=headers), root)
    assert (got.content_type, got.location) == (content_type, location)


def test_a_slow_answer_is_waited_for_and_timed(context, root):
    def slow(_request):
        yield answer()[:-10]
        time.sleep(0.3)
        yield answer()[-10:]

    got = fetched(context, slow, root)
    assert got.body == POLICY
    assert got.seconds >= 0.3


@pytest.mark.parametrize(
    "body",
    [POLICY + b"x" * 65536, b"x" * 65537],
)
def test_more_than_a_policy_may_be_is_not_read_but_seen(context, root, body):
    assert fetched(context, answer(body=body), root).body == body[: 65536 + 1]


def endless(head, part):
    return lambda _request: itertools.chain([head], itertools.repeat(part))


def test_an_endless_body_is_left(context, root):
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    assert len(fetched(context, endless(head, b"x" * 1000), root).body) == 65536 + 1


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        answer()[:-10],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        endless(b"HTTP/1.1 ", b"2" * 1000),
        endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 60000 + b"\r\n"),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        endless(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1;" + b"x" * 60000 + b"\r\nx\r\n",
        ),
    ],
    ids=[
        "nothing",
        "not HTTP",
        "no status",
        "hangs up in the body",
        "broken chunk",
        "endless status line",
        "endless headers",
        "large headers",
        "endless 100",
        "endless chunk extensions",
    ],
)
def test_what_is_no_answer_is_an_error_with_the_place(context, root, said):
    with https_server.running(context, said) as server:
        tls, error = https.fetch(ORG, "127.0.0.1", "", root, server.port)
    assert tls.names == (HOST,)
    assert error.code == "answer-broken"
    assert f"{HOST} at 127.0.0.1 port {server.port}" in error.message
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "the server closed the connection without an answer"),
        (b"SSH-2.0-\x1b\r\n\r\n", r"what the server says is no HTTP: SSH-2.0-\x1b"),
        (answer()[:-10], "the body ends after 57 of 67 octets"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "the body breaks off",
        ),
    ],
)
def test_why_there_is_no_answer_is_said_in_words(context, root, said, why):
    with https_server.running(context, said) as server:
        _, error = https.fetch(ORG, "127.0.0.1", "", root, server.port)
    assert error.said == why
    assert error.message == f"{HOST} at 127.0.0.1 port {server.port}: {why}"


@pytest.mark.parametrize("name", ["example.org", "*.org", "mx.example.org"])
def test_a_policy_is_asked_for_also_behind_a_certificate_of_no_worth(tmp_path, root, name):
    """What is wrong with it is for others to say, and with the policy, too."""
    context = https_server.context(Issued(name), str(tmp_path))
    with https_server.running(context) as server:
        tls, got = https.fetch(ORG, "127.0.0.1", "", root, server.port)
    assert (tls.names, tls.untrusted) == ((name,), "it is signed by itself")
    assert got.body == POLICY


def both(address, root, port):
    """The error that stands in both places."""
    tls, got = https.fetch(ORG, address, "", root, port)
    assert tls is got
    return tls.code


def test_without_tls_both_are_the_error_that_says_why(tmp_path, root):
    context = https_server.only_tls_1_1(Issued(HOST), str(tmp_path))
    with https_server.running(context) as server:
        assert both("127.0.0.1", root, server.port) == "tls-version-unsupported"
    assert both("127.0.0.1", root, server.port) == "connect-refused"


def test_one_bad_address_of_several_does_not_spoil_the_others(context, root):
    with https_server.running(context) as server:
        found = [
            https.fetch(ORG, address, "", root, server.port)[1]
            for address in ("127.0.0.2", "127.0.0.1")
        ]
    assert found[0].code == "connect-refused"
    assert found[1].body == POLICY


@pytest.mark.parametrize("port", [443, 1])
def test_a_bad_ca_file_is_the_callers_error(tmp_path, port):
    with pytest.raises(MtastsError) as caught:
        https.fetch(ORG, "127.0.0.1", "", str(tmp_path / "none.pem"), port)
    assert caught.value.code == "ca-file-unusable"


def test_an_answer_that_takes_too_long_is_an_error(context, root, monkeypatch):
    monkeypatch.setattr(https, "FETCH_SECONDS", 0.5)

    def drip(_request):
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            time.sleep(0.01)
            yield b"x"

    assert fetched(context, drip, root).code == "connection-timeout"


@pytest.fixture
def endpoint(tmp_path, context, dns_table):
    """Where reports go: what it answers may be changed; `asked` looks at it."""
    dns_table.table[HOST] = ["127.0.0.1"]
    with https_server.running(context, answer(b"405 Method Not Allowed")) as server:
        server.resolver = dns_table.address
        server.uri = f"https://{HOST}:{server.port}"
        yield server


def test_an_endpoint_is_asked_without_delivering_anything(endpoint, root):
    uri = endpoint.uri + "/v1/tls%20rpt?key=1#x"
    assert https.options(uri, root, endpoint.resolver) == 405
    (request,) = endpoint.requests
    assert (request.method, request.target) == ("OPTIONS", "/v1/tls%20rpt?key=1")
    assert request.headers["host"] == f"{HOST}:{endpoint.port}"


def test_an_endpoint_without_path_is_asked_for_its_root(endpoint, root):
    assert https.options(endpoint.uri, root, endpoint.resolver) == 405
    assert endpoint.requests[0].target == "/"


def test_the_next_address_of_an_endpoint_is_asked_if_one_is_dead(endpoint, dns_table, root):
    dns_table.table[HOST] = ["127.0.0.2", "127.0.0.1"]
    assert https.options(endpoint.uri, root, endpoint.resolver) == 405
    dns_table.table[HOST] = ["127.0.0.2", "127.0.0.3"]
    assert options_fail(endpoint.uri, root, endpoint.resolver) == "connect-refused"


def test_an_endpoint_that_is_dead_is_dead_also_for_a_machine_without_ipv6(
    endpoint, dns_table, root
):
    dns_table.table[HOST] = {"A": ["127.0.0.2"], "AAAA": ["ff02::1"]}  # to which no TCP goes
    assert options_fail(endpoint.uri, root, endpoint.resolver) == "connect-refused"


def test_not_all_of_very_many_addresses_of_an_endpoint_are_waited_for(endpoint, dns_table, root):
    dns_table.table[HOST] = {"A": ["127.0.0.2"], "AAAA": ["::ffff:127.0.0.1"]}  # in this order
    assert https.options(endpoint.uri, root, endpoint.resolver) == 405
    with pytest.raises(MtastsError) as caught:
        https.options(endpoint.uri, root, endpoint.resolver, seconds=0)
    assert caught.value.code == "connect-refused"


@pytest.mark.parametrize(("address", "host"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_an_endpoint_may_be_an_address(context, root, address, host):
    names = []
    context.set_servername_callback(lambda _connection, name, _context: names.append(name))
    with https_server.running(context, answer(b"204 No Content"), address) as server:
        uri = f"https://{host}:{server.port}/v1"
        assert https.options(uri, root, "127.0.0.1:1") == 204
    assert server.requests[0].headers["host"] == f"{host}:{server.port}"
    assert names == [None]


def options_fail(uri, root, resolver):
    with pytest.raises(MtastsError) as caught:
        https.options(uri, root, resolver)
    assert caught.value.message.isprintable()
    return caught.value.code


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("http://mta-sts.example.org/", "endpoint-uri-invalid"),
        ("mailto:tls@example.org", "endpoint-uri-invalid"),
        ("https://mta-sts.example.org:99999/", "endpoint-uri-invalid"),
        ("https://mta-sts.example.org:x/", "endpoint-uri-invalid"),
        ("https://[::1/", "endpoint-uri-invalid"),
        ("https:///path", "domain-empty"),
        ("https://\x1b[2J/", "endpoint-uri-invalid"),
        ("https://m\u00fcnchen.example/", "endpoint-uri-invalid"),
        ("https://mta-sts.example.org/a b", "endpoint-uri-invalid"),
        ("https://mta-sts.example.org/a\r\nX-Injected: 1", "endpoint-uri-invalid"),
        ("https://mta-sts.example.org/\u00fc", "endpoint-uri-invalid"),
        ("https://mta-sts.example.org/\x7f", "endpoint-uri-invalid"),
        ("https://mta_sts.example.org/", "domain-label-invalid"),
        ("https://mta-sts.example.net/", "endpoint-without-address"),
    ],
)
def test_a_uri_that_leads_nowhere_is_an_error(endpoint, root, uri, code):
    assert options_fail(uri, root, endpoint.resolver) == code


def test_a_resolver_that_fails_is_an_error(endpoint, dns_table, root):
    dns_table.table[HOST] = None
    assert options_fail(endpoint.uri, root, endpoint.resolver) == "dns-lookup-failed"
