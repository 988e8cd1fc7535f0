"""One request over HTTPS to one address, as a sender asks for a policy: what came, whatever it is.

HTTP is the standard library's, over a TLS connection of ours that does not end because of a bad
certificate. No redirect is followed (RFC 8461 section 3.3). How much is read and how long it may
take is limited: `MAX_POLICY_BYTES` and one more of the body, `FETCH_SECONDS` for everything.
"""

import http.client
import io
import re
import time
import urllib.parse
from typing import Any, List, NamedTuple, Optional, Tuple, Union

from mtasts import probe, tls
from mtasts.connection import Connection
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.facts import Answer, Handshake
from mtasts.policy import MAX_POLICY_BYTES

_PORT = 443
_VISIBLE = re.compile(r"[!-~]*\Z")  # what is not, has to be percent-encoded (RFC 3986 section 2)
FETCH_SECONDS = 60  # RFC 8461 section 3.3
# Octets, of which a body in chunks of one octet each takes six times its size, and a head the rest.
_MOST = 8 * MAX_POLICY_BYTES


class AnswerFailed(MtastsError):
    """There is no answer in HTTP."""


class _Request(NamedTuple):
    """What is asked of whom: `host` as in the header, `target` as in RFC 9112 section 3.2."""

    method: str
    host: str
    target: str
    user_agent: str


def fetch(
    domain: Domain,
    address: str,
    user_agent: str,
    ca_file: Optional[str] = None,
    port: int = _PORT,
) -> Tuple[Union[Handshake, MtastsError], Union[Answer, MtastsError]]:
    """What the policy host of `domain` shows at one address, and what it answers `user_agent`.

    It is asked also if its certificate is not to be trusted. If there is no TLS, both are the error
    that says why. `ca_file` replaces the machine's trusted roots; raises what `tls.trust` does.
    """
    context = tls.trust(ca_file)
    request = _Request("GET", domain.policy_host, probe.POLICY_URL_PATH, user_agent)
    try:
        with Connection(request.host, address, port, FETCH_SECONDS) as below:
            secured = tls.TLSConnection(below, request.host, context)
            return secured.handshake, _answer_or_error(secured, below, request)
    except MtastsError as error:
        return error, error


def options(
    uri: str,
    ca_file: Optional[str] = None,
    server: Optional[str] = None,
    seconds: float = FETCH_SECONDS,
) -> int:
    """The status with which the `https:` endpoint `uri` answers OPTIONS (RFC 9110 section 9.3.7).

    Its certificate is not judged, because those who report do not either (RFC 8460 section 5.4).
    The host may be an address (RFC 3986 section 3.2.2). `server` is the resolver, as in
    `probe.addresses`. Raises `MtastsError`; if none of its addresses answers, that of the first,
    which is an IPv4 address if there is one: of IPv6 this machine may have none. After `seconds` no
    further address is asked: a stranger's host may have thousands.
    """
    context = tls.trust(ca_file)
    host, port, target = _parts(uri)
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port == _PORT else f"{shown}:{port}"
    request = _Request("OPTIONS", authority, target, "mtasts")
    failures: List[MtastsError] = []
    end = time.monotonic() + seconds
    for address in (host,) if probe.is_address(host) else probe.addresses(host, server):
        try:
            with Connection(host, address, port, FETCH_SECONDS) as below:
                return _answer(tls.TLSConnection(below, host, context), below, request).status
        except MtastsError as error:
            failures.append(error)
            if time.monotonic() >= end:
                break
    without_address = AnswerFailed(
        "endpoint-without-address",
        f"{host} has no address",
        "Publish an A or AAAA record for it, or let reports go to another host.",
    )
    raise next(iter(failures), without_address)


def _parts(uri: str) -> Tuple[str, int, str]:
    """Host or address, port, and what is to be asked for there; raises `MtastsError`."""
    try:
        parts = urllib.parse.urlsplit(uri)
        port = parts.port or _PORT
        if parts.scheme != "https" or not _VISIBLE.match(uri):
            raise ValueError(uri)
    except ValueError as error:
        raise AnswerFailed(
            "endpoint-uri-invalid",
            f"'{printable(uri)}' is no https: URI",
            "Write 'https://host/path'.",
        ) from error
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    host = parts.hostname or ""
    return host if probe.is_address(host) else Domain(host), port, target


def _answer_or_error(
    secured: tls.TLSConnection, below: Connection, request: _Request
) -> Union[Answer, MtastsError]:
    try:
        return _answer(secured, below, request)
    except MtastsError as error:
        return error


def _answer(secured: tls.TLSConnection, below: Connection, request: _Request) -> Answer:
    connection: Any = http.client.HTTPConnection(request.host)
    connection.sock = _Socket(secured, below.place)
    headers = {"Host": request.host, "User-Agent": request.user_agent}
    try:
        connection.request(request.method, request.target, headers=headers)
        response = connection.getresponse()
        body = response.read(MAX_POLICY_BYTES + 1)
        if response.length and len(body) <= MAX_POLICY_BYTES:
            raise http.client.IncompleteRead(body, response.length)
    except (http.client.HTTPException, ValueError) as error:
        raise _broken(below.place, _in_words(error)) from error
    return Answer(
        request.user_agent,
        response.status,
        response.getheader("Content-Type") or "",
        response.getheader("Location") or "",
        body,
        below.seconds(),
    )


def _in_words(error: Exception) -> str:
    """What http.client found wrong with the answer."""
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without an answer"
    if isinstance(error, http.client.IncompleteRead):
        if not error.expected:
            return "the body breaks off"
        come = len(error.partial)
        return f"the body ends after {come} of {come + error.expected} octets"
    if isinstance(error, http.client.BadStatusLine):
        return f"what the server says is no HTTP: {error.line.strip()}"
    return f"what the server says is no HTTP: {error}"


def _broken(place: str, why: str) -> AnswerFailed:
    return AnswerFailed(
        "answer-broken",
        printable(why, 200),
        "See which server listens there, and what its error log says.",
        place,
    )


class _Socket:
    """What http.client needs of a socket. It is closed by who opened the connection."""

    def __init__(self, secured: tls.TLSConnection, place: str) -> None:
        self.sendall = secured.send
        self._secured = secured
        self._place = place

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the server says, to be read."""
        return io.BufferedReader(_Reader(self._secured, self._place))

    def close(self) -> None:
        """Called after the answer; nothing is left to do."""


class _Reader(io.RawIOBase):
    """What comes over a connection, `_MOST` octets at most."""

    def __init__(self, secured: tls.TLSConnection, place: str) -> None:
        self._secured = secured
        self._place = place
        self._waiting = b""
        self._left = _MOST

    def readable(self) -> bool:
        """Yes, it is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what has come, and wait if that is nothing; 0 at the end."""
        data = self._waiting or self._secured.receive()
        taken = min(len(data), len(buffer))
        buffer[:taken], self._waiting = data[:taken], data[taken:]
        self._left -= taken
        if self._left < 0:
            raise _broken(self._place, f"the answer is longer than {_MOST} octets")
        return taken
