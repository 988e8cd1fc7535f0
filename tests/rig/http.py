"""Fetching as a mail server, a browser or an attacker would: all of the request is chosen here."""

import http.client
import socket
import ssl
from typing import Dict, Iterable, Optional, Tuple


class Answer:
    """A response: ``status``, ``headers`` (lower-case names), ``body``, the peer's certificate.

    ``certificate`` is in DER, or None over plain HTTP.
    """

    def __init__(self, response: http.client.HTTPResponse, certificate: Optional[bytes]) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()
        self.certificate = certificate

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def __repr__(self) -> str:
        return "<Answer {} {} {!r}>".format(self.status, self.headers, self.body[:200])


def connect(
    server_name: str,
    root: Optional[str] = None,
    address: Tuple[str, int] = ("127.0.0.1", 443),
    tls: bool = True,
    protocols: Iterable[str] = (),
) -> socket.socket:
    """Connect to ``address``; over TLS, send ``server_name`` as SNI.

    With ``root``, a file of CA certificates, the server's certificate is verified for that name
    (ssl.SSLError if it does not hold), else it is not looked at. ``protocols`` are offered by ALPN.
    """
    plain = socket.create_connection(address, timeout=60)
    if not tls:
        return plain
    context = ssl.create_default_context(cafile=root)
    if root is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    try:
        return context.wrap_socket(plain, server_hostname=server_name)
    except BaseException:
        plain.close()
        raise


def exchange(request: bytes, connection: socket.socket, method: str = "GET") -> Answer:
    """Send these bytes and nothing else, and read one response."""
    with connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        der = getattr(connection, "getpeercert", lambda _: None)(True)
        return Answer(response, der)


def fetch(
    host: str,
    path: str = "/.well-known/mta-sts.txt",
    method: str = "GET",
    headers: Optional[Dict[str, str]] = None,
    server_name: Optional[str] = None,
    root: Optional[str] = None,
    address: Tuple[str, int] = ("127.0.0.1", 443),
    tls: bool = True,
) -> Answer:
    """One request for ``path`` with ``host`` as Host header, and as SNI unless ``server_name``."""
    lines = ["{} {} HTTP/1.1".format(method, path), "Host: " + host, "Connection: close"]
    lines += ["{}: {}".format(name, value) for name, value in (headers or {}).items()]
    request = "\r\n".join(lines + ["", ""]).encode("latin-1")
    return exchange(request, connect(server_name or host, root, address, tls), method)


def fetch_plain(host: str, path: str, port: int = 80, **options) -> Answer:
    """The same over plain HTTP."""
    return fetch(host, path, address=("127.0.0.1", port), tls=False, **options)
