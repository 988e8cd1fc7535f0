"""The network as it is now: what DNS says, what a policy host serves. Facts, no judgement.

DNS is asked through dnspython where it is installed. The certbot plugin must work without it:
then the C library gives addresses, and other types cannot be looked up.
"""

import datetime
import functools
import http.client
import ipaddress
import re
import socket
import ssl
import time
from typing import Any, List, NamedTuple, Optional, Tuple

from mtasts.domain import Domain
from mtasts.errors import LookupFailed, MtastsError, printable
from mtasts.policy import MAX_POLICY_BYTES

try:
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.resolver
except ImportError:
    dns = None
else:
    # dnspython 1.15 imports what reads a type when the first such record comes; two threads to
    # which that happens at once find it half imported.
    _KINDS = "A AAAA CAA CNAME DNAME DNSKEY DS MX NS NSEC NSEC3 OPT PTR RRSIG SOA TLSA TXT"
    for _kind in _KINDS.split():
        dns.rdata.get_rdata_class(dns.rdataclass.IN, dns.rdatatype.from_text(_kind))

POLICY_URL_PATH = "/.well-known/mta-sts.txt"
_DNS_SECONDS = 10
_CONNECT_SECONDS = 10
_FETCH_SECONDS = 60  # RFC 8461 section 3.3
_UTC = datetime.timezone.utc
_NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which ssl has no name


class FetchFailed(MtastsError):
    """The policy host gave no answer over verified TLS."""


class MX(NamedTuple):
    """An MX record; the host is in lower case without final dot, "" for a null MX (RFC 7505)."""

    preference: int
    host: str


class CAA(NamedTuple):
    """A CAA record (RFC 8659 section 4.1)."""

    flags: int
    tag: str
    value: str


class Fetch(NamedTuple):
    """What a policy host answered: status, media type, body, and the TLS version it spoke."""

    address: str
    status: int
    content_type: str
    body: bytes
    tls: str


class Certificate(NamedTuple):
    """From when until when the certificate of a policy host is valid (aware)."""

    begin: datetime.datetime
    end: datetime.datetime


def addresses(host: str, server: Optional[str] = None) -> Tuple[str, ...]:
    """All addresses of `host`, IPv4 first; none if it has none. Raises `LookupFailed`.

    `server` is the resolver to ask, as `ADDRESS` or `ADDRESS:PORT`; None means the machine's own.
    """
    if dns is None:
        return _system_addresses(host)
    found = _lookup(host, "A", server) + _lookup(host, "AAAA", server)
    return tuple(record.address for record in found)


def policy_host_addresses(domain: Domain, server: Optional[str] = None) -> Tuple[str, ...]:
    """All addresses of the policy host of `domain`; raises `LookupFailed`, also if it has none."""
    found = addresses(domain.policy_host, server)
    if not found:
        raise LookupFailed(
            "policy-host-without-address",
            f"{domain.policy_host} has no address",
            "Publish an A or AAAA record (or a CNAME) for it.",
        )
    return found


def mx(domain: str, server: Optional[str] = None, seconds: float = _DNS_SECONDS) -> Tuple[MX, ...]:
    """The MX records of `domain`, most preferred first. Raises `LookupFailed`.

    An answer that takes longer than `seconds` is not waited for.
    """
    found = [
        MX(record.preference, record.exchange.to_text(omit_final_dot=True).lower())
        for record in _lookup(domain, "MX", server, seconds)
    ]
    # dnspython writes the root, which is what a null MX names, as "@" or "."
    return tuple(sorted(MX(one.preference, one.host.strip("@.")) for one in found))


def caa(host: str, server: Optional[str] = None) -> Tuple[CAA, ...]:
    """The CAA records that hold for `host`: its own, or its closest parent's (RFC 8659 section 3).

    Raises `LookupFailed`.
    """
    labels = host.split(".")
    for start in range(len(labels)):
        found = _lookup(".".join(labels[start:]), "CAA", server)
        if found:
            return tuple(
                CAA(record.flags, record.tag.decode("ascii"), record.value.decode("latin-1"))
                for record in found
            )
    return ()


def txt(name: str, server: Optional[str] = None) -> Tuple[str, ...]:
    """The TXT records at `name`, each with its strings joined (RFC 8461 section 3.1).

    Raises `LookupFailed`.
    """
    return tuple(
        b"".join(record.strings).decode("latin-1") for record in _lookup(name, "TXT", server)
    )


def name_servers(zone: str, server: Optional[str] = None) -> Tuple[str, ...]:
    """The hosts of the NS records of `zone`, in alphabetical order. Raises `LookupFailed`."""
    found = _lookup(zone, "NS", server)
    return tuple(sorted(record.target.to_text(omit_final_dot=True).lower() for record in found))


def require_dnspython(what: str) -> None:
    """Raise `LookupFailed` where dnspython is not installed; `what` cannot be done then."""
    if dns is None:
        raise LookupFailed(
            "dns-library-missing",
            f"{what} without dnspython",
            "Install it: apt-get install python3-dnspython, or pip install 'mtasts[cli]'.",
        )


def _system_addresses(host: str) -> Tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)):
            return ()
        raise lookup_failed(host, "A and AAAA", error.strerror) from error
    return tuple(sorted({str(entry[4][0]) for entry in found}, key=lambda text: ":" in text))


def _lookup(
    name: str, kind: str, server: Optional[str], seconds: float = _DNS_SECONDS
) -> List[Any]:
    """Ask for the records of one type; [] if the name or the type is not there."""
    return list(_answer(name, kind, server, seconds) or ())


def _answer(name: str, kind: str, server: Optional[str], seconds: float = _DNS_SECONDS) -> Any:
    """The resolver's answer, at the end of all aliases; None if name or type is not there."""
    require_dnspython(f"{kind} records cannot be looked up")
    try:
        resolver = _resolver(server)
        resolver.lifetime = seconds
        # dnspython 2 renamed it; Ubuntu 18.04 has 1.15.
        ask = getattr(resolver, "resolve", None) or resolver.query
        return ask(dns.name.from_text(name), kind)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except dns.exception.DNSException as error:
        raise lookup_failed(name, kind, type(error).__name__) from error


def lookup_failed(name: str, kind: str, why: Optional[str]) -> LookupFailed:
    """The error of a look-up of `kind` records at `name` that got no answer, and why."""
    return LookupFailed(
        "dns-lookup-failed",
        f"DNS gave no answer for the {kind} records of {printable(name)} ({printable(why, 200)})",
        "Check the resolver, and the domain's name servers, then try again.",
    )


def _resolver(server: Optional[str]) -> Any:
    resolver = dns.resolver.Resolver(configure=server is None)
    if server is not None:
        address, port = split_address(server, 53)
        resolver.nameservers, resolver.port = [address], port
    return resolver


def is_address(text: str) -> bool:
    """Whether `text` is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def split_address(text: str, default_port: int) -> Tuple[str, int]:
    """Split `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1` or `[2001:db8::1]:53`.

    Raises `MtastsError` for anything else.
    """
    bracketed = re.match(r"\[([^\]]*)\](?::([0-9]+))?\Z", text)
    plain = re.match(r"([^:]*)(?::([0-9]+))?\Z", text)
    parts = bracketed or plain
    host, port = parts.groups() if parts else (text, None)
    try:
        number = default_port if port is None else int(port)
        if not 0 < number < 65536:
            raise ValueError(port)
        return str(ipaddress.ip_address(host)), number
    except ValueError as error:
        raise MtastsError(
            "address-invalid",
            f"'{printable(text)}' is not an IP address with or without a port",
            "Write 192.0.2.1, 192.0.2.1:53, 2001:db8::1 or [2001:db8::1]:53.",
        ) from error


def fetch_policy(
    domain: Domain, address: str, port: int = 443, ca_file: Optional[str] = None
) -> Fetch:
    """Fetch the policy of `domain` from one address, as a sender does (RFC 8461 section 3.3).

    SNI and certificate name are the policy host's; no redirect is followed. `ca_file` replaces the
    machine's trusted roots. Raises `FetchFailed`.
    """
    place = f"{domain.policy_host} at {address} port {port}"
    with _connect(domain, address, port, trust(ca_file), place) as tls:
        try:
            return _request(domain, address, tls)
        except (OSError, http.client.HTTPException) as error:
            raise FetchFailed(
                "answer-broken",
                f"{place}: there is no answer in HTTP: {printable(error)}",
                "See which server listens there, and what its error log says.",
            ) from error


def certificate(
    domain: Domain, address: str, port: int = 443, ca_file: Optional[str] = None
) -> Certificate:
    """The certificate of the policy host of `domain` at one address, valid or expired.

    It is verified as for `fetch_policy`, and all that is wrong but its end raises `FetchFailed`.
    """
    place = f"{domain.policy_host} at {address} port {port}"
    try:
        with _connect(domain, address, port, trust(ca_file), place) as tls:
            return _presented(tls)
    except FetchFailed as error:
        if error.code != "tls-failed":
            raise
        # Is it only the time? Python tells nothing of a certificate that it does not trust.
        try:
            with _connect(domain, address, port, trust(ca_file, False), place) as tls:
                found = _presented(tls)
        except FetchFailed:
            raise error from None
        if found.end.timestamp() > time.time():  # so another one of its chain is out of date
            raise
        return found


def _presented(tls: ssl.SSLSocket) -> Certificate:
    facts: Any = tls.getpeercert()
    ends = (ssl.cert_time_to_seconds(facts[name]) for name in ("notBefore", "notAfter"))
    return Certificate(*(datetime.datetime.fromtimestamp(end, _UTC) for end in ends))


@functools.lru_cache(maxsize=None)  # to read the machine's roots takes longer than a connection
def trust(ca_file: Optional[str], checks_time: bool = True) -> ssl.SSLContext:
    """What a connection has to show to be trusted; raises `FetchFailed` for a bad `ca_file`."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one, too
        raise FetchFailed(
            "ca-file-unusable",
            f"the roots in {printable(ca_file, 300)} cannot be read:"
            f" {printable(error.strerror or error)}",
            "Name a file of certificates in PEM.",
        ) from error
    if not checks_time:
        context.verify_flags |= _NO_CHECK_TIME
    return context


def _connect(
    domain: Domain, address: str, port: int, context: ssl.SSLContext, place: str
) -> ssl.SSLSocket:
    """Open a connection whose certificate names the policy host; raises `FetchFailed`."""
    try:
        # Wrapping takes the descriptor over, so that nothing is left open if it fails.
        with socket.create_connection((address, port), _CONNECT_SECONDS) as plain:
            return context.wrap_socket(plain, server_hostname=domain.policy_host)
    except (ssl.SSLError, ssl.CertificateError) as error:
        raise FetchFailed(
            "tls-failed",
            f"{place}: TLS failed: {printable(getattr(error, 'verify_message', None) or error)}",
            "The certificate must name the policy host, be in date and chain to a trusted root.",
        ) from error
    except OSError as error:
        raise FetchFailed(
            "connect-failed",
            f"{place}: {printable(error.strerror or error)}",
            "Check that Apache runs and that a firewall lets port 443 through.",
        ) from error


def _request(domain: Domain, address: str, tls: ssl.SSLSocket) -> Fetch:
    """Ask for the policy over a connection that is open."""
    connection = http.client.HTTPConnection(domain.policy_host)
    connection.sock = tls
    connection.request("GET", POLICY_URL_PATH, headers={"User-Agent": "mtasts"})
    response = connection.getresponse()
    body = b""
    deadline = time.monotonic() + _FETCH_SECONDS
    while len(body) <= MAX_POLICY_BYTES:
        if time.monotonic() > deadline:
            raise socket.timeout(f"the answer took longer than {_FETCH_SECONDS} s")
        chunk = response.read1(MAX_POLICY_BYTES)
        if not chunk:
            break
        body += chunk
    content_type = response.getheader("Content-Type") or ""
    return Fetch(address, response.status, content_type, body, tls.version() or "")
