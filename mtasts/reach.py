"""Whom a change of a policy would hurt: the domains whose live MX it would no longer cover.

The question is put to the live MX records of every domain that has the policy, many at a time. Who
looks them up is passed in.
"""

from typing import Callable, Iterable, Iterator, NamedTuple, Optional, Sequence, Tuple

from mtasts import at_once
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.policy import Mode, Policy

STRICTNESS = (Mode.NONE, Mode.TESTING, Mode.ENFORCE)


class Outcome(NamedTuple):
    """What a change means for a domain: the MX hosts it would lose, or why this is unknown."""

    domain: Domain
    hosts: Tuple[str, ...]
    unknown: str


def is_narrower(old: Optional[Policy], new: Policy) -> bool:
    """Whether `new` may cover less than `old`, or is stricter about what it does not cover."""
    if new.mode is Mode.NONE:
        return False
    return old is None or _is_stricter(old, new) or not set(old.mx) <= set(new.mx)


def _is_stricter(old: Policy, new: Policy) -> bool:
    return STRICTNESS.index(new.mode) > STRICTNESS.index(old.mode)


def lost(
    domain: Domain, old: Optional[Policy], new: Policy, hosts: Sequence[str]
) -> Tuple[str, ...]:
    """Those of the live MX `hosts` that `new` does not cover, unless that is nothing new.

    A domain without MX records is its own MX (RFC 5321 section 5.1); a null MX, "", takes no mail.
    """
    if not is_narrower(old, new):
        return ()
    live = [host for host in hosts or (domain,) if host]
    bare = [host for host in live if not new.covers(host)]
    if old and not _is_stricter(old, new):
        bare = [host for host in bare if old.covers(host)]
    return tuple(bare)


def survey(
    domains: Iterable[Tuple[Domain, Optional[Policy]]],
    new: Policy,
    live_mx: Callable[[Domain], Sequence[str]],
) -> Iterator[Outcome]:
    """What `new` means for each domain and the policy it has now (None: none), as answers come.

    Domains that the change takes nothing from are passed over. `live_mx` gives a domain's MX hosts
    and is called from several threads; the `MtastsError` that it raises makes the outcome unknown.
    """

    def outcome(asked: Tuple[Domain, Optional[Policy]]) -> Outcome:
        domain, old = asked
        try:
            return Outcome(domain, lost(domain, old, new, live_mx(domain)), "")
        except MtastsError as error:
            return Outcome(domain, (), error.message)

    return at_once.results(outcome, (asked for asked in domains if is_narrower(asked[1], new)))
