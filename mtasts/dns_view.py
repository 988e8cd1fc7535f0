"""DNS as a resolver tells it, with all that it tells: aliases, DNSSEC, and why it gives no answer.

`probe` asks for what is at the end of all aliases. A check wants to know the way there as well, and
whether DNSSEC proves it. So every query has DO and AD set (RFC 6840 section 5.7), and what fails is
asked again with CD set: an answer that comes only then is one whose proof is bogus.
"""

import threading
from typing import Any, List, NamedTuple, Optional, Tuple

from mtasts import authority, probe
from mtasts.authority import Server, ServerFailed
from mtasts.errors import MtastsError, printable
from mtasts.facts import TLSA
from mtasts.probe import MX, LookupFailed

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.resolver
except ImportError:  # View says so
    dns = None

MAX_ALIASES = 8
_MAX_RECORDS = {"A": 32, "AAAA": 32, "MX": 64, "NS": 32, "PTR": 32, "TLSA": 64, "TXT": 512}
# How long each try waits: a datagram may be lost, and a resolver may have far to go.
_TRIES = (2, 8)  # seconds
# Names in a row without an answer after which it is no longer likely that they are to blame.
_MANY = 32


class View(NamedTuple):
    """The records of one type at a name, at the end of all `aliases`.

    They are sorted, because servers give them in another order each time. `secure` says whether
    DNSSEC proves them, or that there are none; None: nobody can tell. `failure` says why there may
    be more of them, where only some are known.
    """

    records: Tuple[Any, ...]
    aliases: Tuple[str, ...] = ()
    secure: Optional[bool] = None
    failure: Optional[MtastsError] = None


class Resolver:
    """The resolver at `server` (`ADDRESS` or `ADDRESS:PORT`), or the machine's own; thread-safe.

    Raises `MtastsError` for a `server` that is no address, and where dnspython or the machine's
    configuration is missing.
    """

    def __init__(self, server: Optional[str] = None) -> None:
        probe.require_dnspython("a domain cannot be checked")
        self.server = server
        self._servers = _servers(server)
        self._lock = threading.Lock()
        self._doubting = threading.Lock()
        self._validates: Optional[bool] = None
        self._failed = _MANY  # in a row; until it has answered once, one is enough
        self._useless: Optional[LookupFailed] = None

    def require(self) -> None:
        """Raise `LookupFailed` once it has turned out that nobody gets an answer there.

        One name without an answer says nothing of that: most often its own servers are dead.
        """
        if self._useless:
            raise self._useless.with_traceback(None)  # it is raised for many

    def txt(self, name: str) -> View:
        """The TXT records at `name`, each with its strings joined; raises `LookupFailed`."""
        view = self._view(name, "TXT")
        texts = (b"".join(record.strings).decode("latin-1") for record in view.records)
        return view._replace(records=tuple(sorted(texts)))

    def addresses(self, host: str, kind: str) -> View:
        """The addresses of `host` of one kind, "A" or "AAAA"; raises `LookupFailed`."""
        view = self._view(host, kind)
        return view._replace(records=tuple(sorted(record.address for record in view.records)))

    def mx(self, domain: str) -> View:
        """The MX records of `domain`, most preferred first; raises `LookupFailed`."""
        view = self._view(domain, "MX")
        # dnspython writes the root, which is what a null MX names, as "@" or "."
        found = (MX(one.preference, _text(one.exchange).strip("@.")) for one in view.records)
        return view._replace(records=tuple(sorted(found)))

    def tlsa(self, host: str) -> View:
        """The TLSA records for SMTP at `host` (RFC 7672 section 2.2.3); raises `LookupFailed`."""
        view = self._view(f"_25._tcp.{host}", "TLSA")
        found = (TLSA(one.usage, one.selector, one.mtype, one.cert) for one in view.records)
        return view._replace(records=tuple(sorted(found)))

    def name_servers(self, zone: str) -> Tuple[str, ...]:
        """The hosts of the NS records of `zone`, in alphabetical order; raises `LookupFailed`."""
        return tuple(sorted({_text(one.target) for one in self._view(zone, "NS").records}))

    def pointers(self, name: str) -> View:
        """The names that PTR records at `name`, a reverse name, give; raises `LookupFailed`."""
        view = self._view(name, "PTR")
        return view._replace(records=tuple(sorted(_text(one.target) for one in view.records)))

    def zone_of(self, name: str) -> str:
        """The closest zone that holds `name`, by its SOA record; raises `LookupFailed`.

        A top-level domain counts as none: then there is no zone that an operator could publish in.
        Mostly one query will do: who answers that there is no SOA record at a name tells that of
        its zone (RFC 2308 section 3).
        """
        owner = _name(name, "SOA")
        while len(owner) > 2:  # the root counts as a label
            response = self._answer(owner, "SOA")
            for rrset in response.answer + response.authority:
                is_soa = rrset.rdtype == dns.rdatatype.SOA
                # Where an alias leads, there is another zone.
                if is_soa and len(rrset.name) > 2 and owner.is_subdomain(rrset.name):
                    return _text(rrset.name)
            owner = owner.parent()
        raise LookupFailed(
            "zone-missing",
            f"DNS knows no zone that holds {printable(name)}",
            "Check the domain's name, its delegation, and the resolver.",
        )

    def validates(self) -> bool:
        """Whether the resolver proves by DNSSEC what can be proved: the root's own records can."""
        with self._lock:
            if self._validates is None:
                try:
                    response = self._response(dns.name.root, "SOA", tries=_TRIES[:1])
                    self._validates = bool(response.flags & dns.flags.AD)
                except LookupFailed:
                    self._validates = False
            return self._validates

    def _view(self, name: str, kind: str) -> View:
        owner = _name(name, kind)
        response = self._answer(owner, kind)
        aliases, end = _followed(response, owner)
        records = _records(response, end, dns.rdatatype.from_text(kind))
        if len(records) > _MAX_RECORDS[kind]:
            raise LookupFailed(
                "dns-records-many",
                f"{printable(name)} has {len(records)} {kind} records, and more than"
                f" {_MAX_RECORDS[kind]} are not looked at",
                "Nobody needs so many: remove those that are not.",
            )
        return View(records, aliases, self._secure(response))

    def _secure(self, response: Any) -> Optional[bool]:
        if response.flags & dns.flags.AD:
            return True
        signed = any(
            rrset.rdtype == dns.rdatatype.RRSIG for rrset in response.answer + response.authority
        )
        # Who returns DO would have passed signatures on (RFC 4035 section 3.2.1).
        is_plain = bool(response.ednsflags & dns.flags.DO) and not signed
        return False if is_plain or (signed and self.validates()) else None

    def _answer(self, owner: Any, kind: str) -> Any:
        self.require()
        try:
            response = self._response(owner, kind)
        except _Failed as failed:
            is_bogus = failed.is_servfail and self._is_bogus(owner, kind)
            self._doubt()
            if not is_bogus:
                raise
            raise LookupFailed(
                "dnssec-bogus",
                f"the {kind} records of {_shown(owner)} do not pass DNSSEC:"
                " the resolver has them, and refuses to give them",
                "See to the zone's signatures, keys and the DS records of its parent zone.",
            ) from failed
        self._failed = 0
        return response

    def _doubt(self) -> None:
        """Count a failure, and after many of them see whether the root fails, too: it never does.

        Raises what `require` does.
        """
        with self._doubting:
            self._failed += 1
            if self._failed > _MANY and not self._useless:
                try:
                    self._response(dns.name.root, "SOA")
                    self._failed = 0
                except _Failed as failed:
                    self._useless = _useless(failed)
        self.require()

    def _is_bogus(self, owner: Any, kind: str) -> bool:
        try:
            self._response(owner, kind, dns.flags.CD)
        except LookupFailed:
            return False
        return True

    def _response(
        self, owner: Any, kind: str, flags: int = 0, tries: Tuple[float, ...] = _TRIES
    ) -> Any:
        """The first answer that says something, be it that there is nothing; raises `_Failed`."""
        why: List[str] = []
        is_servfail = False
        for seconds in tries:
            for server in self._servers:
                query = dns.message.make_query(owner, kind, use_edns=0, want_dnssec=True)
                query.flags |= dns.flags.AD | flags
                try:
                    response = authority.exchange(query, server, seconds=seconds)
                except ServerFailed as error:
                    why.append(error.message)
                    continue
                code = response.rcode()
                if code in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                    return response
                why.append(f"{server}: it answers {dns.rcode.to_text(code)}")
                is_servfail = is_servfail or code == dns.rcode.SERVFAIL
            if is_servfail:  # a resolver that says so has tried for itself
                break
        raise _Failed(owner, kind, why[-1], is_servfail)


class _Failed(LookupFailed):
    def __init__(self, owner: Any, kind: str, why: str, is_servfail: bool) -> None:
        error = probe.lookup_failed(_text(owner), kind, why)
        super().__init__(error.code, error.message, error.remedy)
        self.why = why
        self.is_servfail = is_servfail


def _useless(error: _Failed) -> LookupFailed:
    return LookupFailed(
        "dns-resolver-useless",
        f"DNS gives no answer at all, not even for the root: {error.why}",
        "See that the resolver runs, reaches the Internet, has the right time (for DNSSEC), and"
        " answers this machine; or name another one with --resolver.",
    )


def _servers(server: Optional[str]) -> Tuple[Server, ...]:
    if server is not None:
        address, port = probe.split_address(server, 53)
        return (Server(address, address, port),)
    try:
        found = dns.resolver.Resolver().nameservers
    except dns.exception.DNSException as error:
        raise LookupFailed(
            "dns-resolver-missing",
            "this machine names no resolver in /etc/resolv.conf",
            "Name one there, or with --resolver.",
        ) from error
    return tuple(Server(str(address), str(address)) for address in found)


def _name(name: str, kind: str) -> Any:
    try:
        return dns.name.from_text(name)
    except dns.exception.DNSException as error:
        raise probe.lookup_failed(name, kind, type(error).__name__) from error


def _text(name: Any) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _shown(name: Any) -> str:
    return printable(_text(name), 300)


def _records(response: Any, owner: Any, kind: int) -> Tuple[Any, ...]:
    for rrset in response.answer:
        if (rrset.name, rrset.rdclass, rrset.rdtype) == (owner, dns.rdataclass.IN, kind):
            return tuple(rrset)
    return ()


def _followed(response: Any, owner: Any) -> Tuple[Tuple[str, ...], Any]:
    """The names that CNAMEs lead to from `owner`, and the last of them; raises `LookupFailed`."""
    end, seen = owner, [owner]
    while True:
        found = _records(response, end, dns.rdatatype.CNAME)
        if not found:
            return tuple(_text(name) for name in seen[1:]), end
        end = found[0].target
        if end in seen:
            raise alias_error("dns-alias-loop", _text(owner))
        if len(seen) > MAX_ALIASES:
            raise alias_error("dns-alias-many", _text(owner))
        seen.append(end)


def alias_error(code: str, name: str) -> MtastsError:
    """What is wrong with the aliases that begin at `name`."""
    said, remedy = _ALIAS_FAULTS[code]
    return LookupFailed(code, f"{printable(name, 300)} is an alias {said}", remedy)


_ALIAS_FAULTS = {
    "dns-alias-loop": (
        "that leads back to itself",
        "Let one of the CNAME records point to a name that has records.",
    ),
    "dns-alias-many": (
        f"that leads on over more than {MAX_ALIASES} others",
        "Point the CNAME record at the name that has the records.",
    ),
}
