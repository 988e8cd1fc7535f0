"""Asking for a policy as a sender does, from policy hosts that do what hosts on the Internet do."""

import itertools
import time

import pytest

import https_server
from certificates import Issued
from https_server import POLICY, TEXT, answer
from mtasts import https
from mtasts.domain import Domain
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
