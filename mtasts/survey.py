"""How domains stand: the facts for `mtasts.status`, from the policy directory and the network.

Every domain is looked at by itself: two members of a class have records and certificates of their
own. What their policy says, and its plan, is read once for all of them.
"""

import datetime
import functools
import os
from typing import Iterable, Iterator, NamedTuple, Optional, Tuple, Union

from mtasts import at_once, plan_store, probe, status, testing_until
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.holder import Holder
from mtasts.plan import Step
from mtasts.policy_file import read_bytes
from mtasts.record import STSRecord
from mtasts.status import Row, Seen
from mtasts.store import Store


class Network(NamedTuple):
    """Whom to ask: a `resolver` instead of the machine's own, roots instead of those trusted."""

    resolver: Optional[str] = None
    ca_file: Optional[str] = None

    def require(self) -> None:
        """Raise `MtastsError` for what would be wrong with every domain."""
        probe.require_dnspython("TXT records cannot be looked up")
        if self.resolver:
            probe.split_address(self.resolver, 53)
        probe.trust(self.ca_file)

    def seen(self, domain: Domain) -> Seen:
        """What senders see of `domain`: its records, and its policy host at its first address."""
        return Seen(self._records(domain), self._certificate(domain))

    def _records(self, domain: Domain) -> Union[Tuple[str, ...], MtastsError]:
        try:
            return probe.txt(STSRecord.owner(domain), self.resolver)
        except probe.LookupFailed as error:
            return error

    def _certificate(self, domain: Domain) -> Union[probe.Certificate, MtastsError]:
        try:
            address = probe.policy_host_addresses(domain, self.resolver)[0]
            return probe.certificate(domain, address, ca_file=self.ca_file)
        except (probe.LookupFailed, probe.FetchFailed) as error:
            return error


def rows(
    store: Store,
    domains: Iterable[Domain],
    now: datetime.datetime,
    network: Optional[Network] = None,
) -> Iterator[Row]:
    """The row of each domain, in any order; without `network` nobody is asked.

    Raises `MtastsError` if the network cannot be asked at all.
    """

    @functools.lru_cache(maxsize=256)
    def next_step(holder: Holder) -> Union[None, Step, MtastsError]:
        try:
            plan = plan_store.read(os.path.join(store.root, holder))
        except MtastsError as error:
            return error
        return plan.dated(now).next if plan else None

    @functools.lru_cache(maxsize=256)
    def until(holder: Holder) -> Optional[datetime.date]:
        return testing_until.of(store.root, holder)

    def row(domain: Domain) -> Row:
        try:
            data, holder = read_bytes(store.root, domain), store.target(domain)
            found = status.row(domain, holder, data, store.history(domain))
            found = status.in_testing(found, until(holder), now)
        except MtastsError as error:
            return status.unreadable(domain, error)
        found = status.planned(found, next_step(holder), now)
        return status.seen(found, data, network.seen(domain), now) if network else found

    if network is None:
        return map(row, domains)
    network.require()
    return at_once.results(row, domains)
