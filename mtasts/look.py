"""All that a sender would look at for a domain, and all of it at once.

Only what needs an answer waits for one: the addresses of an MX host for the MX records, a
connection for the address. How the waiting is done, and who is asked, is in `mtasts.edges`.
"""

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Awaitable, Mapping, Optional, Sequence, Tuple, Union
from urllib.parse import unquote

from mtasts import guesses
from mtasts.dns_view import View
from mtasts.domain import Domain
from mtasts.edges import Calls, Edges, all_secure
from mtasts.errors import MtastsError, printable
from mtasts.facts import Endpoint, MXHost, PolicyHost, Record, Seen, SubDomain
from mtasts.look_servers import ZoneServers
from mtasts.probe import MX, LookupFailed
from mtasts.record import InvalidRecord, STSRecord, TLSRPTRecord, candidates

USER_AGENTS = ("", "Postfix")  # what gateways in use send; firewalls turn some of them away
LOOK_SECONDS = 1800  # where many looks go on, most of it may be waiting for a turn
AT_ONCE = 64  # exchanges under way for one domain
_MAX_ENDPOINTS = 16
_SCHEMES = ("mailto:", "https:")


def look(
    domain: Domain,
    edges: Edges,
    sub_domains: Sequence[Domain] = (),
    pool: Optional[Executor] = None,
    seconds: float = LOOK_SECONDS,
) -> Seen:
    """All that is to be seen of `domain`, and of those `sub_domains` that take mail.

    After `seconds` nothing new is begun, and what was not seen until then is not known. Many looks
    may share the threads of `pool`, but not run in them: it is their exchanges that do. Raises
    `MtastsError` if DNS answers nothing at all.
    """
    with ExitStack() as stack:
        threads = pool or stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        return _seen(_Look(domain, edges, threads, seconds), sub_domains)


def look_alone(domain: Domain, edges: Edges, sub_domains: Sequence[Domain] = ()) -> Seen:
    """The same in this thread alone, one exchange after the other.

    Where many looks go on side by side that is less work: nothing is handed from thread to thread.
    """
    return _seen(_Look(domain, edges, None, LOOK_SECONDS), sub_domains)


def _seen(gathering: "_Look", sub_domains: Sequence[Domain]) -> Seen:
    loop = asyncio.new_event_loop()
    try:
        seen = loop.run_until_complete(gathering.seen(sub_domains))
    finally:
        loop.close()
    gathering.edges.require_dns()
    return seen


class _Look(Calls):
    """A look at one domain."""

    def __init__(
        self, domain: Domain, edges: Edges, pool: Optional[Executor], seconds: float
    ) -> None:
        super().__init__(edges, pool, seconds)
        self._domain = domain
        self._servers = ZoneServers(self)

    async def seen(self, sub_domains: Sequence[Domain]) -> Seen:
        """Everything."""
        texts = {kind: self._texts(kind.owner(self._domain)) for kind in (STSRecord, TLSRPTRecord)}
        sts, tlsrpt, endpoints, misplaced, host, mail, subs, own = await asyncio.gather(
            self._record(STSRecord.owner(self._domain), texts[STSRecord]),
            self._record(TLSRPTRecord.owner(self._domain), texts[TLSRPTRecord]),
            self._endpoints(texts[TLSRPTRecord]),
            self._misplaced(texts),
            self._policy_host(),
            self._mail(),
            asyncio.gather(*map(self._sub_domain, sub_domains)),
            self.attempt(self.edges.own, self._domain),
        )
        policy_host, aliases = host
        mx, mx_hosts, mx_secure = mail
        return Seen(
            domain=self._domain,
            sts=sts,
            tlsrpt=tlsrpt,
            misplaced=misplaced,
            policy_host=policy_host,
            policy_host_aliases=aliases,
            mx=mx,
            mx_hosts=mx_hosts,
            endpoints=endpoints,
            sub_domains=tuple(sub for sub in subs if sub),
            own=own,
            mx_secure=mx_secure,
        )

    def _texts(self, name: str) -> "asyncio.Future[Any]":
        """What the resolver says of the TXT records at `name`, for several to wait for."""
        return asyncio.ensure_future(self.attempt(self.edges.txt, name))

    async def _record(self, name: str, texts: Awaitable[Any]) -> Record:
        view, servers = await asyncio.gather(texts, self._servers.told(name))
        return _record(name, view, servers)

    async def _endpoints(self, view: Awaitable[Any]) -> Tuple[Endpoint, ...]:
        texts = candidates(getattr(await view, "records", ()), TLSRPTRecord.VERSION)
        try:
            (text,) = texts
            uris = tuple(dict.fromkeys(TLSRPTRecord.parse(text).rua))
        except (ValueError, InvalidRecord):  # so nobody sends a report
            return ()
        uris = tuple(uri for uri in uris if uri.lower().startswith(_SCHEMES))  # of others lint says
        if len(uris) > _MAX_ENDPOINTS:
            return (Endpoint(uris[0], _many_endpoints(len(uris))),)
        return tuple(await asyncio.gather(*map(self._endpoint, uris)))

    async def _endpoint(self, uri: str) -> Endpoint:
        if not uri.lower().startswith("mailto:"):
            return Endpoint(uri, await self.attempt(self.edges.options, uri))
        try:
            return Endpoint(uri, await self._mailbox(uri))
        except MtastsError as error:
            return Endpoint(uri, error)

    async def _mailbox(self, uri: str) -> Tuple[MX, ...]:
        """The MX records of the mailbox's domain; raises `MtastsError`."""
        address = unquote(uri[len("mailto:") :].partition("?")[0])
        domain = Domain(address.rpartition("@")[2])
        records = (await self.call(self.edges.mx, domain)).records
        if not records and getattr(await self.addresses(domain), "records", ()):
            return (MX(0, domain),)  # RFC 5321 section 5.1
        return records

    async def _misplaced(self, texts: Mapping[Any, Awaitable[Any]]) -> Tuple[Record, ...]:
        """What looks like our records at names where it does not belong.

        That matters to nobody as long as both `texts` are where they do: then nobody is asked.
        """
        for kind, view in texts.items():
            if not candidates(getattr(await view, "records", ()), kind.VERSION):
                break
        else:
            return ()
        names = guesses.misplaced(self._domain)
        views = await asyncio.gather(*(self.attempt(self.edges.txt, name) for name in names))
        found = []
        for name, view in zip(names, views):
            texts = tuple(filter(guesses.looks_like_ours, getattr(view, "records", ())))
            if texts:
                found.append(_record(name, view._replace(records=texts)))
        return tuple(found)

    async def _policy_host(
        self,
    ) -> Tuple[Union[Tuple[PolicyHost, ...], MtastsError], Tuple[str, ...]]:
        """The policy host at each of its addresses, and its aliases."""
        host = self._domain.policy_host
        view = await self.addresses(host)
        if isinstance(view, MtastsError):
            return view, ()
        if not view.records:
            return _without_address("policy-host-without-address", host), view.aliases
        shown = await asyncio.gather(*map(self._policy_host_at, view.records))
        unknown = [PolicyHost("", view.failure)] if view.failure else []
        return (*shown, *unknown), view.aliases

    async def _policy_host_at(self, address: str) -> PolicyHost:
        fetches = (
            self.attempt(self.edges.fetch, self._domain, address, agent) for agent in USER_AGENTS
        )
        both = await asyncio.gather(*fetches)
        both = [(one, one) if isinstance(one, MtastsError) else one for one in both]
        shown, answers = zip(*both)
        tls = next((one for one in shown if not isinstance(one, MtastsError)), shown[0])
        return PolicyHost(address, tls, answers)

    async def _mail(self) -> Tuple[Any, Tuple[MXHost, ...], Optional[bool]]:
        """The MX records, the hosts to which mail goes, and whether DNSSEC proves the records."""
        view = await self.attempt(self.edges.mx, self._domain)
        if isinstance(view, MtastsError):
            return view, (), None
        if view.records:
            hosts = dict.fromkeys(one.host for one in view.records if one.host)
            shown = tuple(await asyncio.gather(*map(self._mx_host, hosts)))
            return view.records, shown, view.secure
        implicit = await self._mx_host(self._domain)
        has_address = getattr(implicit.servers, "code", "") != "mx-host-without-address"
        return (), (implicit,) if has_address else (), view.secure

    async def _mx_host(self, host: str) -> MXHost:
        """An MX host at all its addresses."""
        (servers, secure), tlsa = await asyncio.gather(
            self._smtp_servers(host), self.attempt(self.edges.tlsa, host)
        )
        if isinstance(tlsa, MtastsError):
            return MXHost(host, servers, tlsa)
        return MXHost(host, servers, tlsa.records, all_secure(secure, tlsa.secure))

    async def _smtp_servers(self, host: str) -> Tuple[Any, Optional[bool]]:
        """What each address showed, and whether DNSSEC proves the addresses."""
        view = await self.addresses(host)
        if isinstance(view, MtastsError):
            return view, None
        if not view.records:
            return _without_address("mx-host-without-address", host), view.secure
        shown = (self.attempt(self.edges.smtp, host, address) for address in view.records)
        unknown = [("", view.failure)] if view.failure else []
        return (*zip(view.records, await asyncio.gather(*shown)), *unknown), view.secure

    async def _sub_domain(self, name: Domain) -> Optional[SubDomain]:
        """A sub-domain, if it has MX records that take mail."""
        mx, record = await asyncio.gather(
            self.attempt(self.edges.mx, name), self.attempt(self.edges.txt, STSRecord.owner(name))
        )
        if not isinstance(record, MtastsError):
            record = bool(candidates(record.records, STSRecord.VERSION))
        if isinstance(mx, MtastsError):
            return SubDomain(name, mx, record)
        takes_mail = any(one.host for one in mx.records)
        return SubDomain(name, mx.records, record) if takes_mail else None


def _record(name: str, view: Union[View, MtastsError], servers: Tuple[Any, ...] = ()) -> Record:
    if isinstance(view, MtastsError):
        return Record(name, view, servers)
    return Record(name, view.records, servers, view.aliases, view.secure)


def _without_address(code: str, host: str) -> LookupFailed:
    return LookupFailed(
        code, f"{printable(host, 300)} has no address", "Publish an A or AAAA record for it."
    )


def _many_endpoints(count: int) -> MtastsError:
    return MtastsError(
        "endpoints-many",
        f"the TLSRPT record names {count} places, and more than {_MAX_ENDPOINTS} are not looked at",
        "Nobody needs so many: name one or two.",
    )
