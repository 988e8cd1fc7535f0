"""A folder of the policy directory as it is: its policy, its history. Nothing is changed here.

Whoever may read the policy directory can use this; the policy host does, for every fetch.
"""

import errno
import os
import stat
from typing import List

from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError, printable
from mtasts.history import HistoryEntry
from mtasts.holder import ClassName, Holder, InvalidClassName, holder
from mtasts.policy import MAX_POLICY_BYTES

POLICY_FILE = "mta-sts.txt"
HISTORY_FILE = "history.jsonl"


class StoreError(MtastsError):
    """The policy directory cannot do what was asked; nothing was changed."""


class NoPolicy(StoreError):
    """The domain or class is not in the policy directory."""

    def __init__(self, root: str, name: str) -> None:
        super().__init__(
            "policy-unknown",
            f"there is no policy for {printable(name)} in {root}",
            f"Make one with: mtasts new {printable(name)}",
        )


class PolicyUnreadable(StoreError):
    """The domain is in the policy directory, but its policy cannot be read."""


def policy_path(root: str, name: Holder) -> str:
    """Where the policy of a domain or class stands."""
    return os.path.join(root, name, POLICY_FILE)


def read_bytes(root: str, name: Holder) -> bytes:
    """Return the policy's bytes, valid or not.

    Raises `NoPolicy` if the domain has no folder, and `PolicyUnreadable` if there is no regular
    file of at most 64 KiB in it, or a link leads out of `root`.
    """
    if not os.path.isdir(os.path.join(root, name)):
        raise NoPolicy(root, name)
    path = policy_path(root, name)
    try:
        descriptor = _open(root, name)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PolicyUnreadable("policy-not-a-file", f"{path} is not a regular file")
            data = file.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        raise PolicyUnreadable(
            "policy-unreadable",
            f"{path} cannot be read: {error.strerror}",
            "Put the file back, readable for all: it holds what the world reads.",
        ) from error
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyUnreadable("policy-too-large", f"{path} is larger than 64 KiB")
    return data


def _open(root: str, name: Holder) -> int:
    # Not blocking, because a FIFO would make the server wait for a writer.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
    for _ in range(9):
        try:
            return os.open(real_path(root, name), flags)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        # The file has become a link since it was looked at: its domain joined a class just now.
    return os.open(real_path(root, name), flags)


def real_path(root: str, name: Holder) -> str:
    """Where the policy really is; raises `PolicyUnreadable` for a link that leads out of `root`."""
    path = policy_path(root, name)
    # Only a link can lead elsewhere; realpath() costs more than all the rest of a fetch.
    if not os.path.islink(os.path.join(root, name)) and not os.path.islink(path):
        return path
    try:
        real = os.path.realpath(path)
    except OSError:  # up to Python 3.9, if it is no link any more
        return path
    if not real.startswith(os.path.join(os.path.realpath(root), "")):
        raise PolicyUnreadable(
            "policy-outside-root",
            f"{path} leads out of the policy directory",
            "Let links point to folders inside the policy directory only.",
        )
    return real


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
