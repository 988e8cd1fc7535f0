"""HTTPS servers on loopback that do what policy hosts on the Internet do.

    context = https_server.context(Issued("mta-sts.example.org"), folder)
    with https_server.running(context) as server:
        ...  server.port, server.requests

`server.said` is what is answered: octets, or a function of the request that returns octets or an
iterable of them (endless, or slow). It may be changed at any time.
"""

import contextlib
import ssl
from typing import Dict, NamedTuple

import tcp_server

POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmax_age: 86401\r\n"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n"


class Request(NamedTuple):
    """What a client asked; header names are in lower case."""

    method: str
    target: str
    headers: Dict[str, str]


def answer(status=b"200 OK", headers=TEXT, body=POLICY):
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + headers + length + b"\r\n" + body


def context(certificate, folder, protocol=ssl.PROTOCOL_TLS_SERVER):
    """TLS of a server that presents an `Issued` certificate and what is between it and its root."""
    made = ssl.SSLContext(protocol)
    certificate.configure(made, folder)
    return made


def only_tls_1_1(certificate, folder):
    """TLS of a server that was last updated long ago."""
    made = context(certificate, folder, ssl.PROTOCOL_TLSv1_1)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")  # today's OpenSSL needs to be told that it may
    return made


def only_for(made, *names):
    """Let a server answer other names with the alert unrecognized_name (112)."""

    def choose(_connection, name, _context):
        return None if name in names else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    made.set_servername_callback(choose)
    return made


GOOD = answer()


class HTTPSServer:
    """`requests` are those that came, in their order."""

    def __init__(self, made, said):
        self.said = said
        self.requests = []
        self.port = None
        self._context = made

    def serve(self, connection):
        with self._context.wrap_socket(connection, server_side=True) as secured:
            request = _read(secured)
            self.requests.append(request)
            said = self.said(request) if callable(self.said) else self.said
            for part in [said] if isinstance(said, bytes) else said:
                secured.sendall(part)


def _read(secured):
    head = b""
    while b"\r\n\r\n" not in head:
        data = secured.recv(4096)
        if not data:
            raise ConnectionResetError
        head += data
    first, *lines = head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
    method, target, _ = first.split(" ")
    headers = (line.split(":", 1) for line in lines)
    return Request(method, target, {name.lower(): value.strip() for name, value in headers})


@contextlib.contextmanager
def running(made, said=GOOD, address="127.0.0.1", port=0):
    """A server whose TLS is the context `made`."""
    server = HTTPSServer(made, said)
    with tcp_server.running(server.serve, address, port) as server.port:
        yield server
