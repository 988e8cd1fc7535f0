"""TLS with a stranger: one handshake shows everything, and nothing of it ends the connection.

The standard library keeps a certificate to itself unless it trusts it, so this is OpenSSL by way of
pyOpenSSL: a callback notes OpenSSL's objections to the chain and lets it go on. TLS reads from and
writes to memory; what lies between is a `Connection` with its deadline. The certbot plugin works
without pyOpenSSL, so nothing that it uses may import this module.
"""

import contextlib
import functools
import threading
from typing import Any, Iterable, Optional, Tuple

from mtasts import certificate, probe
from mtasts.connection import AT_ONCE, Connection
from mtasts.errors import MtastsError, printable
from mtasts.facts import Handshake

try:
    from OpenSSL import SSL, crypto
except (ImportError, AttributeError):  # a cryptography too new for it takes it an attribute
    SSL = None

# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's x509_vfy.h
_DATES = (9, 10)
# The same header's numbers of what else is found in practice.
_OBJECTIONS = {
    2: "the issuer of a certificate above it is unknown",
    7: "a signature in its chain is wrong",
    9: "a certificate above it is not valid yet",
    10: "a certificate above it has expired",
    18: "it is signed by itself",
    19: "its chain ends at a root that is not trusted",
    20: "its issuer is neither sent along nor trusted",
    21: "its issuer is neither sent along nor trusted",
    22: "its chain is too long",
    23: "a certificate in its chain is revoked",
    24: "a certificate above it is not that of a CA",
    25: "a CA above it may not issue for so long a chain",
    26: "it or one above it is not meant for servers",
    47: "a CA above it may not issue for its names",
    66: "its key is too weak",
    67: "the key of a certificate above it is too weak",
    68: "a signature in its chain uses a digest that is too weak",
    79: "a certificate above it is not that of a CA",
}
# The reasons by which OpenSSL tells what a person has to know apart, and our codes.
_FAILURES = (
    ("unrecognized name", "tls-unrecognized-name"),
    ("protocol version", "tls-version-unsupported"),
    ("unsupported protocol", "tls-version-unsupported"),
)
_REMEDIES = {
    "tls-unrecognized-name": "The server knows no virtual host of this name: give it one.",
    "tls-version-unsupported": "Let the server speak TLS 1.2 or newer (RFC 8461, RFC 8996).",
    "tls-handshake-failed": "See whether it is TLS that is spoken there, and what its log says.",
}


class TLSFailed(MtastsError):
    """There is no TLS with this server."""


class TLSConnection:
    """TLS on `below` with the server `name` (SNI), to speak on; `handshake` is what it showed.

    Whether it is to be trusted is for others to judge; `context` is what `trust` returned. Raises
    what `Connection` raises, and `TLSFailed`: "tls-unrecognized-name", "tls-version-unsupported",
    "tls-handshake-failed", "certificate-unreadable", and "tls-broken" after the handshake.
    """

    def __init__(self, below: Connection, name: str, context: Any) -> None:
        self._below = below
        self._ssl = SSL.Connection(context, None)
        self._ssl.set_app_data([])
        if not probe.is_address(name):  # which has no place in SNI (RFC 6066 section 3)
            self._ssl.set_tlsext_host_name(name.encode("ascii"))
        self._ssl.set_connect_state()
        self._shake_hands()
        self.handshake = self._seen()

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._ssl.sendall(data)
        except SSL.Error as error:
            raise self._broken(error) from error
        self._flush()

    def receive(self) -> bytes:
        """What the server says next; b"" if it has ended."""
        while True:
            try:
                return bytes(self._ssl.recv(AT_ONCE))
            except SSL.WantReadError:
                if not self._wait():
                    return b""
            except SSL.ZeroReturnError:
                return b""
            except SSL.Error as error:
                raise self._broken(error) from error

    def _shake_hands(self) -> None:
        while True:
            try:
                self._ssl.do_handshake()
                return self._flush()
            except SSL.WantReadError:
                if not self._wait():
                    raise self._below.closed() from None
            except SSL.Error as error:
                with contextlib.suppress(MtastsError):
                    self._flush()  # the alert that says why
                raise _failure(self._below.place, _reasons(error)) from error

    def _wait(self) -> bool:
        """Send what waits, take what comes; whether anything came."""
        self._flush()
        data = self._below.receive()
        if data:
            self._ssl.bio_write(data)
        return bool(data)

    def _flush(self) -> None:
        with contextlib.suppress(SSL.WantReadError):  # nothing waits any more
            while True:
                self._below.send(self._ssl.bio_read(AT_ONCE))

    def _seen(self) -> Handshake:
        chain = tuple(
            crypto.dump_certificate(crypto.FILETYPE_ASN1, one)
            for one in self._ssl.get_peer_cert_chain() or ()
        )
        try:
            own = certificate.read(chain[0] if chain else b"")
        except certificate.Unreadable as error:
            raise TLSFailed(
                "certificate-unreadable",
                f"its certificate cannot be read: {printable(error)}",
                "Let a CA issue a new one.",
                self._below.place,
            ) from error
        version = self._ssl.get_protocol_version_name()
        objections = self._ssl.get_app_data()
        return Handshake(version, *own, _untrusted(objections), chain)

    def _broken(self, error: "SSL.Error") -> TLSFailed:
        return TLSFailed(
            "tls-broken",
            f"TLS broke off: {printable(_reasons(error))}",
            "See what the server's log says about it.",
            self._below.place,
        )


def trust(ca_file: Optional[str]) -> Any:
    """What connections have in common, first of all the roots that they trust.

    Those in `ca_file`, or the machine's. Raises `MtastsError` for a bad `ca_file`
    ("ca-file-unusable"), where pyOpenSSL is not installed ("tls-library-missing"), and where it may
    not have memory that is both written to and executed ("tls-library-forbidden").
    """
    if SSL is None:
        raise TLSFailed(
            "tls-library-missing",
            "certificates cannot be looked at without pyOpenSSL",
            "Install it: apt-get install python3-openssl, or pip install 'mtasts[cli]'.",
        )
    try:
        with _ONE_READS:
            return _context(ca_file)
    except (MemoryError, SystemError) as error:  # of cffi, old and new, for the callback
        raise TLSFailed(
            "tls-library-forbidden",
            "certificates cannot be looked at: this system forbids pyOpenSSL to execute memory that"
            " it has written to",
            "Take MemoryDenyWriteExecute= out of the systemd unit, or let SELinux allow execmem.",
        ) from error


_ONE_READS = threading.Lock()


@functools.lru_cache(maxsize=None)  # to read the machine's roots takes longer than a connection
def _context(ca_file: Optional[str]) -> Any:
    context = SSL.Context(SSL.SSLv23_METHOD)
    for old in (SSL.OP_NO_SSLv2, SSL.OP_NO_SSLv3, SSL.OP_NO_TLSv1, SSL.OP_NO_TLSv1_1):
        context.set_options(old)
    context.set_verify(SSL.VERIFY_PEER, _note)
    if ca_file is None:
        context.set_default_verify_paths()
    else:
        probe.trust(ca_file)  # says what is wrong with it
        context.load_verify_locations(ca_file)
    return context


def _note(connection: Any, _certificate: Any, objection: int, depth: int, is_ok: int) -> bool:
    """Note an objection of OpenSSL's and let it go on."""
    if not is_ok:
        connection.get_app_data().append((objection, depth))
    return True


def _untrusted(objections: Iterable[Tuple[int, int]]) -> str:
    """The first objection to the chain; the dates of the certificate itself are no objection."""
    for objection, depth in objections:
        if depth or objection not in _DATES:
            return _OBJECTIONS.get(objection, f"OpenSSL refuses its chain (error {objection})")
    return ""


def _reasons(error: "SSL.Error") -> str:
    """What OpenSSL says: most often a list of (library, function, reason)."""
    queue = error.args[0] if error.args else ()
    if isinstance(queue, list):
        return "; ".join(str(entry[-1]) for entry in queue)
    return str(error)


def _failure(place: str, reasons: str) -> TLSFailed:
    found = (code for reason, code in _FAILURES if reason in reasons)
    code = next(found, "tls-handshake-failed")
    return TLSFailed(code, f"OpenSSL says '{printable(reasons)}'", _REMEDIES[code], place)
