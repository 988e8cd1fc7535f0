"""The authoritative name servers of a zone, asked one by one and without recursion.

Resolvers cache and hide which server said what. Whether a record is published is for all of the
zone's own servers to say, each by itself.
"""

import errno
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Tuple

from mtasts import probe
from mtasts.errors import MtastsError, printable

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.tsig
except ImportError:  # probe says so, and everything here begins with what probe finds
    dns = None

_SECONDS = 5  # for an answer
_FIRST_SECONDS = 2  # after which a question is put again, because a datagram may be lost
_MAX_SERVERS = 64  # the root has 26
_NO_ROUTE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class ServerFailed(MtastsError):
    """A name server gave no answer that could be used."""


class Server(NamedTuple):
    """A name server at one of its addresses; without `address` it has none."""

    host: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        port = "" if self.port == 53 else f" port {self.port}"
        if self.host == self.address:
            return self.address + port
        return f"{printable(self.host)} ({self.address or 'no address'}{port})"


class TXT(NamedTuple):
    """A TXT record as it is in DNS, cut into character-strings."""

    strings: Tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The strings joined without a space (RFC 8461 section 3.1)."""
        return b"".join(self.strings).decode("latin-1")


class TXTSet(NamedTuple):
    """All TXT records at a name with their TTL, or where the name is an alias, what it leads to."""

    records: Tuple[TXT, ...] = ()
    ttl: int = 0
    alias: str = ""

    @property
    def texts(self) -> Tuple[str, ...]:
        """What the records say."""
        return tuple(record.text for record in self.records)


def servers(zone: str, resolver: Optional[str] = None) -> Tuple[Server, ...]:
    """All name servers of `zone`, at each of their addresses.

    Raises `LookupFailed` if the resolver gives no answer, or none are known.
    """
    hosts = probe.name_servers(zone, resolver)
    return located(zone, ((host, probe.addresses(host, resolver)) for host in hosts))


def located(zone: str, hosts: Iterable[Tuple[str, Tuple[str, ...]]]) -> Tuple[Server, ...]:
    """The name servers of `zone`, made of its NS records' hosts and their addresses.

    Raises `LookupFailed` if there are none, or very many.
    """
    found: List[Server] = []
    for host, addresses in hosts:
        found += [Server(host, address) for address in addresses or ("",)]
        if len(found) > _MAX_SERVERS:
            raise probe.LookupFailed(
                "zone-servers-many",
                f"the zone {printable(zone)} has more than {_MAX_SERVERS} name servers",
                "Nobody needs so many: check the zone's NS records.",
            )
    if not found:
        raise probe.LookupFailed(
            "zone-without-servers",
            f"DNS names no name servers for the zone {printable(zone)}",
            "Check the zone's NS records, and the resolver.",
        )
    return tuple(found)


def ask(server: Server, name: str, sign: Optional[Callable[[Any], None]] = None) -> TXTSet:
    """The TXT records at `name` as `server` has them; `sign` may add TSIG to the query.

    Raises `ServerFailed`.
    """
    query = dns.message.make_query(name, "TXT")
    query.flags &= ~dns.flags.RD
    if sign:
        sign(query)
    answer = _answer(query, server)
    code = answer.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise ServerFailed(
            "dns-server-refused",
            f"it answers {dns.rcode.to_text(code)} when asked for {printable(name)}",
            "See the log of that name server.",
            str(server),
        )
    if not answer.flags & dns.flags.AA:
        raise ServerFailed(
            "dns-server-lame",
            f"it is named for the zone, but knows nothing of {printable(name)}",
            "Let it serve the zone, or take it from the zone's NS records.",
            str(server),
        )
    return _txt_set(answer, dns.name.from_text(name))


def _answer(query: Any, server: Server) -> Any:
    try:
        return exchange(query, server, seconds=_FIRST_SECONDS)
    except ServerFailed as error:
        if error.code != "dns-server-timeout":
            raise
    return exchange(query, server)


def exchange(message: Any, server: Server, tcp: bool = False, seconds: float = _SECONDS) -> Any:
    """Send `message` and return the answer, whatever its code. Raises `ServerFailed`."""
    if not server.address:
        raise ServerFailed(
            "dns-server-without-address",
            f"the name server {printable(server.host)} has no address",
            "Publish its A or AAAA record, or take it from the zone's NS records.",
        )
    try:
        if not tcp:
            answer = dns.query.udp(message, server.address, seconds, server.port)
            if not answer.flags & dns.flags.TC:
                return answer
        return dns.query.tcp(message, server.address, seconds, server.port)
    except dns.exception.Timeout as error:
        raise ServerFailed(
            "dns-server-timeout",
            f"no answer within {seconds} s",
            "Check that it runs and that no firewall stops port 53, UDP and TCP.",
            str(server),
        ) from error
    except _tsig_faults() as error:
        raise ServerFailed(
            "tsig-refused",
            f"it and this machine do not agree on the key: {type(error).__name__}",
            "Compare the key's name, algorithm and secret; for BadTime, both machines' clocks.",
            str(server),
        ) from error
    except dns.exception.DNSException as error:
        raise ServerFailed(
            "dns-answer-broken",
            f"its answer is none: {type(error).__name__}",
            "See which program listens there.",
            str(server),
        ) from error
    except (OSError, EOFError) as error:
        no_ipv6 = ":" in server.address and getattr(error, "errno", None) in _NO_ROUTE
        raise ServerFailed(
            "dns-server-no-ipv6" if no_ipv6 else "dns-server-unreachable",
            printable(getattr(error, "strerror", None) or "it hangs up"),
            "Check that it runs and that no firewall stops port 53, UDP and TCP.",
            str(server),
        ) from error


def _tsig_faults() -> Tuple[Any, ...]:
    return (
        dns.tsig.PeerError,
        dns.tsig.BadTime,
        dns.tsig.BadSignature,
        dns.message.UnknownTSIGKey,
    )


def _txt_set(answer: Any, name: Any) -> TXTSet:
    found = {}
    for rrset in answer.answer:
        if rrset.name == name and rrset.rdclass == dns.rdataclass.IN:
            found[rrset.rdtype] = rrset
    alias, txt = found.get(dns.rdatatype.CNAME), found.get(dns.rdatatype.TXT)
    if alias:
        return TXTSet(alias=alias[0].target.to_text(omit_final_dot=True).lower())
    if txt:
        return TXTSet(tuple(TXT(tuple(record.strings)) for record in txt), txt.ttl)
    return TXTSet()
