"""A policy made known to the world, in the only order that is safe (RFC 8461 section 8.1).

    policy    it stands in the policy directory, and is valid
    served    every address of the policy host serves it, byte for byte
    record    the TXT records say so where the zone is kept, or a person is told to see to that
    verified  every authoritative server has them
    recorded  that it is published is noted beside the policy

Each step looks first at what is done already, so whoever is interrupted begins again and comes to
the same end. Nothing is printed here: the steps come out as they happen.
"""

import datetime
import time
from typing import Callable, Iterator, List

from mtasts import checks, probe, publications
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import Finding
from mtasts.policy import names_bytes
from mtasts.policy_file import read_bytes
from mtasts.publications import Publication
from mtasts.publish_record import Options, RecordOnItsWay
from mtasts.record import STSRecord, TLSRPTRecord, reports_to
from mtasts.steps import State, Step, failed, waiting
from mtasts.store import Store

# Seconds that the policy host has to notice a change, which takes it less than one.
_SETTLING = 3

Clock = Callable[[], datetime.datetime]


def publish(store: Store, domain: Domain, clock: Clock, options: Options) -> Iterator[Step]:
    """Carry the policy of `domain` out into the world, and yield each step.

    `clock` gives the time (aware). Raises `NoPolicy`, `PolicyUnreadable`, `InvalidPolicy` or
    `InvalidRecord` before anything is done; whatever goes wrong later is a step.
    """
    run = _Run(store, domain, clock, options)
    yield Step("policy", State.DONE, f"mode {run.entry.mode}, id {run.entry.id}")
    for name, work in (
        ("served", run.served),
        ("record", run.changed),
        ("verified", run.verified),
        ("recorded", run.recorded),
    ):
        ends = []
        try:
            for step in work():
                if step.state.is_end:
                    ends.append(step)
                else:
                    yield step
        except MtastsError as error:
            ends.append(failed(name, error, run.again))
        if ends:  # said last: this is what there is to do
            yield from ends
            return


def rollback(store: Store, domain: Domain, clock: Clock, dry_run: bool = False) -> Step:
    """Put the policy that was published before this one in its place, with its id.

    A change that was never published is taken back; a rollback that was interrupted is left as it
    is. To make it known is for `publish`. Raises `MtastsError`.
    """
    entry = store.current(domain)
    data = read_bytes(store.root, domain)
    past = publications.read(store.root, domain)
    is_new = bool(past) and past[-1].policy != data
    if is_new and entry.id in {one.id for one in past}:
        return Step("rollback", State.DONE, f"done already: the policy with id {entry.id} is back")
    earlier = [one for one in past if one.policy != data]
    if not earlier:
        raise MtastsError(
            "nothing-to-roll-back",
            f"no other policy of {domain} was ever published by this command",
            f"Change the policy instead, then: mtasts publish {domain}",
        )
    target = earlier[-1]
    said = f"the policy published on {target.published:%Y-%m-%d %H:%M} UTC, id {target.id}"
    if dry_run:
        return Step("rollback", State.PLANNED, f"would put back {said}")
    store.write(domain, target.policy, clock(), target.id)
    return Step("rollback", State.DONE, f"put back {said}")


class _Run:
    """One run of `publish`: what was found out so far, and a method for each step."""

    def __init__(self, store: Store, domain: Domain, clock: Clock, options: Options) -> None:
        self.entry = store.current(domain)
        self.again = f"mtasts publish {domain}"
        self._store, self._domain, self._clock, self._options = store, domain, clock, options
        self._data = read_bytes(store.root, domain)
        policy = STSRecord(self.entry.id)
        self._policy = RecordOnItsWay(domain, policy, self._names_policy, self._adopt, options)
        self._reports = reports_to(domain, options.rua)
        reports = RecordOnItsWay(domain, self._reports, self._will_do, None, options)
        self._records = (self._policy, reports)

    def served(self) -> Iterator[Step]:
        """Fetch the policy by every address, as senders do."""
        host = self._domain.policy_host
        addresses = probe.addresses(host, self._options.resolver)
        if not addresses:
            yield waiting(
                "served",
                f"{host} has no address",
                "policy-host-without-address",
                "Publish an A or AAAA record (or a CNAME) for it.",
                self.again,
            )
        for address in addresses:
            yield self._served_by(address)

    def _served_by(self, address: str) -> Step:
        deadline = time.monotonic() + _SETTLING
        try:
            found, is_last = self._fetched(address), False
            while found and not is_last:
                is_last = time.monotonic() > deadline  # before the look, so that none is too early
                time.sleep(_SETTLING / 10)
                found = self._fetched(address)
        except probe.FetchFailed as error:
            return waiting("served", error.message, error.code, error.remedy, self.again)
        for one in found:
            return waiting("served", f"{address}: {one.message}", one.code, one.remedy, self.again)
        return Step("served", State.DONE, f"{address} serves it, {len(self._data)} bytes")

    def _fetched(self, address: str) -> List[Finding]:
        answer = probe.fetch_policy(self._domain, address, ca_file=self._options.ca_file)
        return checks.served(answer, self._data)

    def changed(self) -> Iterator[Step]:
        """Bring both TXT records where the zone is kept."""
        for record in self._records:
            yield from record.change()

    def verified(self) -> Iterator[Step]:
        """Wait until every authoritative server has both."""
        for record in self._records:
            for step in record.verify():
                yield step
                if step.state.is_end:  # waited long enough
                    return

    def recorded(self) -> Iterator[Step]:
        """Note that the policy is published, once."""
        name = self._policy.found.id if self._policy.found else self.entry.id
        past = publications.read(self._store.root, self._domain)
        if past and (past[-1].id, past[-1].policy) == (name, self._data):
            said = f"published since {past[-1].published:%Y-%m-%d %H:%M} UTC"
            yield Step("recorded", State.DONE, said)
        elif self._options.dry_run:
            yield Step("recorded", State.PLANNED, "would note that it is published")
        else:
            now = self._clock()
            publication = Publication(self._domain, name, now, self._data)
            publications.add(self._store.root, publication)
            yield Step("recorded", State.DONE, f"published, {now:%Y-%m-%d %H:%M} UTC")

    def _names_policy(self, found: STSRecord) -> bool:
        return found.id == self.entry.id or names_bytes(found.id, self._data)

    def _adopt(self, found: STSRecord) -> None:
        self.entry = self._store.adopt(self._domain, found.id, self._clock())

    def _will_do(self, found: TLSRPTRecord) -> bool:
        """Where reports go now stays as it is, unless this run says otherwise."""
        return not self._options.moves_reports or found == self._reports
