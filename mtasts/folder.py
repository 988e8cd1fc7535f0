"""A folder of the policy directory as it is: whose policy it has, its history.

Nothing is changed here, so whoever may read the policy directory can use this.
"""

import os
from typing import List

from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import printable
from mtasts.history import HistoryEntry
from mtasts.holder import ClassName, Holder, InvalidClassName, holder
from mtasts.policy_file import (
    PolicyUnreadable,
    StoreError,
    policy_path,
    read_bytes,
    real_path,
)

HISTORY_FILE = "history.jsonl"


def target_of(root: str, name: Holder) -> Holder:
    """Who holds the policy that `name` has: itself, unless it is an alias or a member.

    Raises `PolicyUnreadable` for a link that leads elsewhere.
    """
    real = real_path(root, name)
    try:
        return holder(os.path.basename(os.path.dirname(real)))
    except (InvalidDomain, InvalidClassName) as error:
        raise PolicyUnreadable(
            "policy-link-astray",
            f"{policy_path(root, name)} leads to {printable(real, 300)}",
            "Let links point to the folder of a domain or class only.",
        ) from error


def require_own(root: str, name: Holder) -> None:
    """Raise `StoreError` if `name` is an alias or a member, whose policy is not its own."""
    require_no_alias(root, name)
    if os.path.islink(policy_path(root, name)):
        raise StoreError(
            "member-not-writable",
            f"{name} has the policy of {target_of(root, name)}",
            f"Change {target_of(root, name)}, or give {name} its own: mtasts detach {name}",
        )


def require_no_alias(root: str, name: Holder) -> None:
    """Raise `StoreError` if the folder of `name` is a link to another one."""
    folder = os.path.join(root, name)
    if os.path.islink(folder):
        raise StoreError(
            "alias-not-writable",
            f"{name} is an alias of {target_of(root, name)}",
            f"Change {target_of(root, name)}, or remove the link {folder} first.",
        )


def check_alias(root: str, new: Domain, target: Domain) -> None:
    """Raise what `alias` would raise; writes nothing."""
    read_bytes(root, target)  # an alias of what cannot be served would be a trap
    link = os.path.join(root, new)
    if os.path.lexists(link):
        raise StoreError(
            "policy-exists",
            f"{new} has a policy already, in {link}",
            "Remove it first, if no sender may have cached it any more.",
        )


def class_of(root: str, domain: Domain) -> ClassName:
    """The class that `domain` is a member of; raises `StoreError` if there is none."""
    read_bytes(root, domain)
    require_no_alias(root, domain)
    target = target_of(root, domain)
    if not isinstance(target, ClassName):
        raise StoreError("member-unknown", f"{domain} is no member of a class")
    return target


def read_history(root: str, name: Holder) -> List[HistoryEntry]:
    """What stands in the history of the folder, oldest first; raises `StoreError`."""
    path = os.path.join(root, name, HISTORY_FILE)
    entries: List[HistoryEntry] = []
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                entries.append(HistoryEntry.from_json(line))
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            "history-damaged",
            f"{path}, line {len(entries) + 1}: not an entry of the history",
            "Repair or remove the line; the entries say how long old policies may be cached.",
        ) from error
    except OSError as error:
        raise StoreError(
            "history-unreadable",
            f"{path} cannot be read: {error.strerror}",
            "Run the command as the owner of the policy directory.",
        ) from error
    return entries
