"""One TXT record on its way into DNS: changed where its zone is kept, then seen everywhere.

Whether a record that is there already will do is for the caller to say. What else stands at its
name is left alone, and so is everything behind an alias: that belongs to another name.
"""

import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from mtasts import authority, zone
from mtasts.authority import Server, ServerFailed, TXTSet
from mtasts.dns_settings import Zones
from mtasts.dns_update import Updater, updater
from mtasts.dns_view import MAX_ALIASES, Resolver
from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError, printable
from mtasts.record import InvalidRecord, Record, candidates
from mtasts.steps import State, Step, waiting

_SHOWN = 5  # records in a sentence
_MAX_PAUSE = 30  # seconds between two looks at a name server

Faults = Dict[Server, Tuple[str, str]]


class Options(NamedTuple):
    """What holds for the whole of a run.

    `zones` says who may change which zone; in those it leaves out, a person does. `resolver` is
    asked instead of the machine's own, `ca_file` replaces the trusted roots, `wait` is how many
    seconds name servers have to agree. `adopt` keeps a valid id that DNS has, because it names
    these very bytes. Reports are to go to `rua` if they go nowhere yet, or `moves_reports`.
    """

    zones: Zones = Zones({})
    resolver: Optional[str] = None
    ca_file: Optional[str] = None
    rua: Tuple[str, ...] = ()
    wait: float = 300
    adopt: bool = False
    dry_run: bool = False
    moves_reports: bool = False


class RecordOnItsWay:
    """The record of `domain` that is to be published.

    `accepts` says whether a record of its kind will do, `adopt` makes one do that is there already
    (None: it cannot). `found` is the record that does, once there is one.
    """

    def __init__(
        self,
        domain: Domain,
        record: Record,
        accepts: Callable[[Any], bool],
        adopt: Optional[Callable[[Any], None]],
        options: Options,
    ) -> None:
        self.found: Optional[Record] = None
        self._domain, self._record = domain, record
        self._accepts, self._adopt = accepts, adopt
        self._options = options
        self._name = self._owner = record.owner(domain)
        self._again = f"mtasts publish {domain}"

    def change(self) -> Iterator[Step]:
        """Bring the record where its zone is kept, or say what a person is to do there.

        Raises `MtastsError`; nothing is changed then.
        """
        place = updater(self._options.zones, self._owner, self._options.resolver)
        seen = [place.read(self._owner)] if place else self._seen()
        alias = next((one.alias for one in seen if one.alias), "")
        if alias:
            yield self._delegated(alias)
            return
        yield from self._foreign(seen[0])
        if any(self._is_published(one) for one in seen):
            yield Step("record", State.DONE, f"{self._name} has it already")
        else:
            yield self._changed(seen[0], place)

    def verify(self) -> Iterator[Step]:
        """Wait until every authoritative server has the record; raises `MtastsError`."""
        servers = self._servers()
        deadline = time.monotonic() + (0 if self._options.dry_run else self._options.wait)
        pause = 1.0
        faults = self._faults(servers)
        while faults and time.monotonic() < deadline:
            yield Step("verified", State.PROGRESS, _said(faults), _code(faults))
            time.sleep(max(0, min(pause, deadline - time.monotonic())))
            pause = min(pause * 2, _MAX_PAUSE)
            faults = self._faults(tuple(faults))
        if faults:
            said = f"{self._name} is not published everywhere: {_said(faults)}"
            remedy = "See to these name servers and to their zone transfers."
            yield waiting("verified", said, _code(faults), remedy, self._again)
        else:
            names = ", ".join(map(str, servers))
            yield Step("verified", State.DONE, f"{self._name} is published at {names}")

    def _changed(self, present: TXTSet, place: Optional[Updater]) -> Step:
        own = self._own(present)
        if len(own) > 1:
            raise self._several(own)
        old = f"'{printable(own[0])}'" if own else "nothing"
        adopted = self._adoptable(own) if self._options.adopt else None
        if adopted and self._options.dry_run:
            return Step("record", State.PLANNED, f"would adopt {old} at {self._name}")
        if adopted and self._adopt:
            self._adopt(adopted)
            return Step("record", State.DONE, f"{old} at {self._name} is adopted")
        if not place:
            return self._by_hand(own)
        said = f"'{self._record}' in place of {old} at {self._name}, {place}"
        if self._options.dry_run:
            return Step("record", State.PLANNED, f"would put {said}")
        records = [one for one in present.records if one.text in own]
        place.replace(self._owner, present, records[0] if records else None, str(self._record))
        return Step("record", State.DONE, f"put {said}")

    def _several(self, own: List[str]) -> MtastsError:
        return MtastsError(
            "record-several",
            f"{self._name} has {len(own)} records that begin with {self._record.VERSION}, so "
            f"senders act as if there were none: {_shown(own)}",
            "Remove all but one by hand.",
        )

    def _adoptable(self, own: List[str]) -> Optional[Record]:
        """The valid record that is there, if it is of the kind that can be adopted."""
        try:
            return type(self._record).parse(own[0]) if own and self._adopt else None
        except InvalidRecord:
            return None

    def _by_hand(self, own: List[str]) -> Step:
        line = zone.zone_file([zone.ZoneRecord(self._owner, "TXT", str(self._record))])
        old = f" in place of '{printable(own[0])}'" if own else ""
        said = f"{self._name} is yours to publish, for no way to change its zone is configured"
        remedy = f"Put this into the zone{old}:\n{line}"
        return waiting("record", said, "record-unpublished", remedy, self._again)

    def _foreign(self, present: TXTSet) -> Iterator[Step]:
        own = self._own(present)
        foreign = [text for text in present.texts if text not in own]
        if foreign:
            said = f"{self._name} has other TXT records: {_shown(foreign)}"
            remedy = "They are left alone. Some senders join all records there: move them away."
            yield Step("record", State.NOTICE, said, "record-foreign", remedy)

    def _delegated(self, alias: str) -> Step:
        """Look behind the alias (RFC 8461 section 8.2), and change nothing there."""
        seen: List[TXTSet] = []
        for _ in range(MAX_ALIASES):
            self._owner = alias
            seen = self._seen()
            alias = next((one.alias for one in seen if one.alias), "")
            if not alias:
                break
        said = f"{self._name} is an alias of {printable(self._owner)}"
        if any(self._is_published(one) for one in seen):
            return Step("record", State.DONE, f"{said}, which has it already")
        domain = self._domain_of(self._owner)
        if domain:
            remedy = f"Do it for the domain that has it: mtasts publish {domain}"
        else:
            remedy = f"Have '{self._record}' published at {printable(self._owner)}."
        said = f"{said}, where the record does not fit yet"
        return waiting("record", said, "record-delegated", remedy, self._again)

    def _domain_of(self, owner: str) -> Optional[Domain]:
        """The domain whose record of this kind is at `owner`, a name from strangers, if any."""
        prefix = self._name[: -len(self._domain)]
        try:
            return Domain(owner[len(prefix) :]) if owner.startswith(prefix) else None
        except InvalidDomain:
            return None

    def _seen(self) -> List[TXTSet]:
        """The TXT records as those authoritative servers have them that answer; at least one."""
        seen, faults = [], []
        for server in self._servers():
            try:
                seen.append(authority.ask(server, self._owner))
            except ServerFailed as error:
                faults.append(error)
        if not seen:
            raise faults[0]
        return seen

    def _servers(self) -> Tuple[Server, ...]:
        resolver = self._options.resolver
        return authority.servers(Resolver(resolver).zone_of(self._owner), resolver)

    def _faults(self, servers: Tuple[Server, ...]) -> Faults:
        """What is wrong at which server: code and sentence."""
        faults: Faults = {}
        unseen: Faults = {}
        for server in servers:
            try:
                present = authority.ask(server, self._owner)
            except ServerFailed as error:
                # A machine without IPv6 cannot judge servers that have it, but the others it can.
                is_unseen = error.code == "dns-server-no-ipv6"
                (unseen if is_unseen else faults)[server] = (error.code, error.message)
                continue
            if not self._is_published(present):
                has = _shown(present.texts) or "no record"
                faults[server] = ("record-not-everywhere", f"{server} has {has}")
        return faults if len(unseen) < len(servers) else unseen

    def _own(self, present: TXTSet) -> List[str]:
        return candidates(present.texts, self._record.VERSION)

    def _is_published(self, present: TXTSet) -> bool:
        """Whether a sender takes from these records what it should."""
        own = self._own(present)
        if len(own) != 1:
            return False
        try:
            found = type(self._record).parse(own[0])
        except InvalidRecord:
            return False
        if not self._accepts(found):
            return False
        self.found = found
        return True


def _shown(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(f"'{printable(text)}'" for text in texts[:_SHOWN]) + more


def _said(faults: Faults) -> str:
    return "; ".join(said for _, said in faults.values())


def _code(faults: Faults) -> str:
    return next(iter(faults.values()))[0]
