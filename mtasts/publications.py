"""What was published: beside a policy a line for each time that DNS told the world of it.

    <root>/example.org/published.jsonl   {"domain": ..., "id": ..., "published": ..., "policy": ...}

The history says what was served; this says by which id all name servers named it, and keeps the
policy's bytes, so that there is something to go back to. The policies of aliases lie in one folder,
so a line names its domain.
"""

import datetime
import json
import os
from typing import List, NamedTuple, Optional, Sequence

from mtasts.domain import Domain
from mtasts.files import locked, replace_file
from mtasts.history import HistoryEntry, moment, timestamp
from mtasts.policy_file import StoreError

PUBLISHED_FILE = "published.jsonl"


class Publication(NamedTuple):
    """A policy and the id by which all name servers named it at `published` (aware)."""

    domain: str
    id: str
    published: datetime.datetime
    policy: bytes


def read(root: str, domain: Domain) -> List[Publication]:
    """All publications for `domain`, oldest first; raises `StoreError`."""
    return [one for one in _all(_path(root, domain)) if one.domain == domain]


def is_published(root: str, domain: Domain, entry: HistoryEntry) -> bool:
    """Whether `entry` is what was last published for `domain`; raises `StoreError`."""
    past = read(root, domain)
    return bool(past) and past[-1].id == entry.id and entry.is_of(past[-1].policy)


def first_times(
    entries: Sequence[HistoryEntry], past: Sequence[Publication]
) -> List[Optional[datetime.datetime]]:
    """For each of a history's entries when it was first published while it was served, if ever."""
    ends = [entry.first for entry in entries[1:]] + [None]
    found = []
    for entry, end in zip(entries, ends):
        times = [one.published for one in past if entry.is_of(one.policy)]
        served = [time for time in times if time >= entry.first and (not end or time <= end)]
        found.append(min(served, default=None))
    return found


def add(root: str, publication: Publication) -> None:
    """Append a publication; raises `StoreError`, and nothing is written then."""
    path = _path(root, Domain(publication.domain))
    try:
        with locked(os.path.dirname(path)):
            lines = [_to_json(one) + "\n" for one in [*_all(path), publication]]
            replace_file(path, "".join(lines).encode("ascii"))
    except OSError as error:
        raise StoreError(
            "store-write-failed",
            f"{path} cannot be written: {error.strerror}",
            "Check the disk's free space and the owner of the policy directory.",
        ) from error


def _path(root: str, domain: Domain) -> str:
    return os.path.join(root, domain, PUBLISHED_FILE)


def _all(path: str) -> List[Publication]:
    found: List[Publication] = []
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                found.append(_from_json(line))
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            "publications-damaged",
            f"{path}, line {len(found) + 1}: not an entry of what was published",
            "Repair or remove the line; it serves to go back to an earlier policy.",
        ) from error
    except OSError as error:
        raise StoreError(
            "publications-unreadable",
            f"{path} cannot be read: {error.strerror}",
            "Run the command as the owner of the policy directory.",
        ) from error
    return found


def _to_json(publication: Publication) -> str:
    facts = dict(publication._asdict(), policy=publication.policy.decode("latin-1"))
    return json.dumps(dict(facts, published=timestamp(publication.published)))


def _from_json(line: str) -> Publication:
    facts = json.loads(line)
    published, policy = moment(facts["published"]), facts["policy"].encode("latin-1")
    return Publication(facts["domain"], facts["id"], published, policy)
