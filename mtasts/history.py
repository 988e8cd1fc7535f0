"""The history of a policy: every text that was served, when from, and under which id.

It says how long an earlier policy may still be applied by a sender, so nothing is left out of it
and nothing in it is guessed.
"""

import datetime
import hashlib
import json
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

from mtasts.policy import Mode, Policy, policy_id

_UTC = datetime.timezone.utc
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class HistoryEntry(NamedTuple):
    """A policy that was served: from `first` on, until the next entry's `first`."""

    first: datetime.datetime
    id: str
    sha256: str
    mode: str
    max_age: int
    mx: Tuple[str, ...]

    @classmethod
    def of(
        cls, data: bytes, changed: datetime.datetime, adopted: Optional[str] = None
    ) -> "HistoryEntry":
        """The entry for a policy that became `data` at `changed`; raises `InvalidPolicy`.

        Its id is made from both, unless DNS names the policy already by the id `adopted`.
        """
        policy = Policy.parse(data)
        name = adopted or policy_id(data, changed)
        return cls(changed, name, _digest(data), policy.mode.value, policy.max_age, policy.mx)

    @classmethod
    def from_json(cls, line: str) -> "HistoryEntry":
        """Read a line of the history back; raises ValueError, KeyError or TypeError."""
        facts = json.loads(line)
        first = moment(facts["first"])
        policy = Policy(Mode(facts["mode"]), facts["max_age"], tuple(facts["mx"]))
        values = (policy.mode.value, policy.max_age, policy.mx)
        return cls(first, str(facts["id"]), str(facts["sha256"]), *values)

    def to_json(self) -> str:
        """One line of the history, without its ending."""
        facts = self._asdict()
        facts["first"] = timestamp(self.first)
        return json.dumps(facts)

    def is_of(self, data: bytes) -> bool:
        """Whether this is the entry of the bytes `data`."""
        return self.sha256 == _digest(data)

    @property
    def policy(self) -> Policy:
        """What a sender took from it."""
        return Policy(Mode(self.mode), self.max_age, self.mx)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def timestamp(when: datetime.datetime) -> str:
    """`when` (aware) as it stands in the history and in our JSON: UTC, to the second."""
    return when.astimezone(_UTC).strftime(_TIME)


def moment(text: str) -> datetime.datetime:
    """The time (aware) that `timestamp` wrote; raises ValueError or TypeError."""
    return datetime.datetime.strptime(text, _TIME).replace(tzinfo=_UTC)


def to_bytes(entries: Iterable[HistoryEntry]) -> bytes:
    """The file that holds `entries`, a line each."""
    return "".join(entry.to_json() + "\n" for entry in entries).encode("ascii")


def joined(own: Sequence[HistoryEntry], shared: Sequence[HistoryEntry]) -> List[HistoryEntry]:
    """The history of a member of a class: its `own`, then what the class has had since.

    The last of `own` is the class's policy at the time when the domain joined.
    """
    names = [entry.id for entry in shared]
    if own and own[-1].id in names:
        place = len(names) - names[::-1].index(own[-1].id)
        return list(own) + list(shared[place:])
    return list(own) + [entry for entry in shared if not own or entry.first > own[-1].first]
