"""The drop box: takes TLS reports over HTTPS and keeps their bytes, unread, in the spool.

A reporter tries a few times at most, or once and whatever the answer, so a report is taken if it
can be: of any type, compressed or not, chunked or not. It is answered once it would survive a power
cut. Nothing here looks into it; another account takes the spool in.

It stands before the pages and never sees a fetch of a policy. Without a secret, or for a path that
was not made with it, there is nothing to be found here.
"""

import datetime
import hmac
import ipaddress
import re
import sys
import threading
import time
from collections import OrderedDict
from typing import Any, Callable, Dict, Iterable, NamedTuple, Optional, Tuple

from mtasts import drop_address
from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError
from mtasts.spool import Arrival, Spool

MAX_BODY = 10 * 1024 * 1024  # apache/mtasts-pages.inc says the same
MAX_PER_MINUTE = 600  # of one client: a reporter may have one for each of many domains
_MAX_CLIENTS = 4096
_READ_SECONDS = 20  # a reporter waits half as long
_PIECE = 8192  # no more, so that a client that sends slowly is noticed
_RETRY_SECONDS = 300
_DIGITS = re.compile(r"[0-9]{1,18}\Z")

_Environ = Dict[str, Any]
_Headers = Tuple[Tuple[str, str], ...]


class _Answer(NamedTuple):
    status: str
    text: str = ""
    headers: _Headers = ()


class _Refused(Exception):
    """The body is not taken; `answer` says why."""

    def __init__(self, answer: _Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class RateLimit:
    """Each client may come `per_minute` times at once, and again as the minutes go by.

    A client is an IPv4 address, or the /64 that an IPv6 host has to itself. `clock` counts seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._burst = float(per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._left = OrderedDict()  # type: OrderedDict[str, Tuple[float, float]]

    def wait(self, address: str) -> float:
        """Count a visit; return 0.0 if it is within the limit, else the seconds to wait."""
        client, now = _client(address), self._clock()
        with self._lock:
            left, seen = self._left.pop(client, (self._burst, now))
            left = min(self._burst, left + (now - seen) * self._per_second)
            allowed = left >= 1
            self._left[client] = (left - 1 if allowed else left, now)
            if len(self._left) > _MAX_CLIENTS:
                self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_second


class DropBox:
    """The WSGI application of the drop box; `pages` answers whatever is not for it.

    The secret is read at each request that may need it, so that a new one needs no reload.
    """

    def __init__(
        self,
        pages: Callable[..., Iterable[bytes]],
        secret_path: str,
        spool: Spool,
        limit: Optional[RateLimit] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages = pages
        self._secret_path = secret_path
        self._spool = spool
        self._limit = limit or RateLimit(MAX_PER_MINUTE)
        self._clock = clock

    def __call__(self, environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        if path.startswith(drop_address.PATH) and environ["wsgi.url_scheme"] == "https":
            answer = self._answer(environ, path[len(drop_address.PATH) :])
            if answer:
                return _send(answer, environ, start_response)
        return self._pages(environ, start_response)

    def _answer(self, environ: _Environ, token: str) -> Optional[_Answer]:
        """The answer to a request with `token`; None if it is none of ours."""
        try:
            domain = self._addressed(environ, token)
            return domain and self._receive(environ, domain)
        except _Refused as refused:
            return refused.answer
        except MtastsError as error:
            return _unable(error)

    def _addressed(self, environ: _Environ, token: str) -> Optional[Domain]:
        """The domain whose address was asked for; raises `SecretUnusable`."""
        try:
            domain = Domain.from_policy_host(environ.get("HTTP_HOST", ""))
        except InvalidDomain:
            return None
        secret = drop_address.read_secret(self._secret_path)
        if secret is None or not _is_equal(token, drop_address.token(secret, domain)):
            return None
        return domain

    def _receive(self, environ: _Environ, domain: Domain) -> _Answer:
        """Keep what the request brings; raises `_Refused` and `SpoolError`."""
        if environ["REQUEST_METHOD"] != "POST":
            allow = (("Allow", "POST"),)
            raise _Refused(_Answer("405 Method Not Allowed", "Reports are posted here.", allow))
        seconds = self._limit.wait(environ.get("REMOTE_ADDR", ""))
        if seconds:
            raise _Refused(_later("429 Too Many Requests", "That is too often.", int(seconds) + 1))
        body = _Body(environ, self._clock).read()
        now = datetime.datetime.now(datetime.timezone.utc)
        self._spool.put(Arrival(body, now, "https", domain))
        return _Answer("201 Created", "The report is kept.")


class _Body:
    """What a request brings, read in pieces: never more than the limits, and never a part of it."""

    def __init__(self, environ: _Environ, clock: Callable[[], float]) -> None:
        self._input = environ["wsgi.input"]
        self._length = _length(environ)
        # Whether reading ends with the body: mod_wsgi always does so, but Ubuntu 18.04's is silent.
        self._ends = "mod_wsgi.version" in environ or bool(environ.get("wsgi.input_terminated"))
        self._clock = clock

    def read(self) -> bytes:
        """The whole body; raises `_Refused`."""
        if self._length is None and not self._ends:
            raise _Refused(_Answer("411 Length Required", "How long is the report?"))
        if self._length is not None and self._length > MAX_BODY:
            raise _too_large()
        body = bytearray()
        deadline = self._clock() + _READ_SECONDS
        while True:
            piece = self._piece(len(body))
            if not piece:
                break
            body += piece
            if len(body) > MAX_BODY:
                raise _too_large()
            if self._clock() > deadline:
                raise _Refused(_Answer("408 Request Timeout", "That takes too long."))
        if not body or (self._length is not None and len(body) != self._length):
            raise _Refused(_Answer("400 Bad Request", "The report is empty or incomplete."))
        return bytes(body)

    def _piece(self, so_far: int) -> bytes:
        # A server that does not say where the body ends must not be asked for more than there is.
        wanted = _PIECE if self._length is None else min(_PIECE, self._length - so_far)
        try:
            return self._input.read(wanted) if wanted else b""
        except OSError:  # the client has gone, or Apache's own limits cut it
            raise _Refused(_Answer("400 Bad Request", "The report is incomplete.")) from None


def _length(environ: _Environ) -> Optional[int]:
    """What Content-Length says; None without one. Raises `_Refused`."""
    text = environ.get("CONTENT_LENGTH", "")
    if not text:
        return None
    if not _DIGITS.match(text):
        raise _Refused(_Answer("400 Bad Request", "How long is the report?"))
    return int(text)


def _too_large() -> _Refused:
    return _Refused(_Answer("413 Payload Too Large", f"A report has {MAX_BODY} bytes at most."))


def _later(status: str, text: str, seconds: int) -> _Answer:
    return _Answer(status, text, (("Retry-After", str(seconds)),))


def _unable(error: MtastsError) -> _Answer:
    """Ask the reporter to come again, and tell the administrator what to repair."""
    said = f"{error.message} [{error.code}]; {error.remedy}"
    print(f"mtasts: a report was refused: {said}", file=sys.stderr, flush=True)
    return _later("503 Service Unavailable", "No report can be taken now.", _RETRY_SECONDS)


def _is_equal(one: str, other: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("ascii"))


def _client(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip) if ip.version == 4 else ip.exploded[:19]


def _send(
    answer: _Answer, environ: _Environ, start_response: Callable[..., Any]
) -> Iterable[bytes]:
    body = (answer.text + "\n").encode("ascii")
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
        *answer.headers,
    ]
    start_response(answer.status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
