"""Connections to servers that are not there, or do not end."""

import contextlib
import itertools
import socket
import threading
import time

import pytest

import tcp_server
from mtasts.connection import Connection
from mtasts.errors import MtastsError

HOST = "mx.example.org"


def code_of(do):
    with pytest.raises(MtastsError) as caught:
        do()
    assert caught.value.message.startswith(f"{HOST} at ")
    assert caught.value.message.isprintable()
    assert caught.value.remedy
    return caught.value.code


@contextlib.contextmanager
def connected(serve, seconds):
    running = tcp_server.running(serve)
    with running as port, Connection(HOST, "127.0.0.1", port, seconds) as connection:
        yield connection


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_what_is_said_arrives_and_is_answered():
    with connected(lambda plain: plain.sendall(plain.recv(9)), 10) as connection:
        connection.send(b"x")
        assert (connection.receive(), connection.receive()) == (b"x", b"")
        assert connection.own_address() == "127.0.0.1"


def test_where_nothing_listens_it_is_refused():
    assert code_of(lambda: Connection(HOST, "127.0.0.1", free_port(), 10)) == "connect-refused"


@pytest.mark.parametrize("address", ["255.255.255.255", "224.0.0.1"])
def test_an_address_to_which_no_route_leads(address):
    """No TCP goes to those, wherever a test runs."""
    assert code_of(lambda: Connection(HOST, address, 25, 10)) == "connect-no-route"


def test_a_server_that_never_answers_is_a_timeout():
    """What a firewall does that drops packets: here a full queue does."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        port = listener.getsockname()[1]
        assert code_of(lambda: Connection(HOST, "127.0.0.1", port, 0.2)) == "connect-timeout"


def test_a_silent_server_is_left_when_time_is_over():
    with connected(lambda plain: plain.recv(1), 0.2) as connection:
        assert code_of(connection.receive) == "connection-timeout"


def test_a_server_that_says_little_for_ever_is_left_when_time_is_over():
    def serve(plain):
        while True:
            plain.sendall(b"x")
            time.sleep(0.01)

    with connected(serve, 0.2) as connection:
        ever = iter(connection.receive, b"")
        assert code_of(lambda: list(ever)) == "connection-timeout"


def test_who_takes_nothing_is_left_when_time_is_over():
    over = threading.Event()
    with connected(lambda _: over.wait(60), 0.2) as connection:
        lots = itertools.repeat(b"x" * 100000)
        assert code_of(lambda: [connection.send(one) for one in lots]) == "connection-timeout"
        over.set()


def test_more_time_can_be_allowed():
    def serve(plain):
        plain.recv(1)
        plain.sendall(b"y")

    with connected(serve, 0.1) as connection:
        assert code_of(connection.receive) == "connection-timeout"
        connection.allow(10)
        connection.send(b"x")
        assert connection.receive() == b"y"


def test_a_reset_is_an_end_that_comes_too_early():
    def serve(plain):
        plain.recv(1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with connected(serve, 10) as connection:
        connection.send(b"x")
        assert code_of(connection.receive) == "connection-closed"
