"""A policy in the policy directory, read with care: what the policy host needs of the store.

Apart from `folder` and `store`, because every child of Apache imports this and none ever writes.
"""

import errno
import os
import stat
from typing import Tuple

from mtasts.errors import MtastsError, printable
from mtasts.policy import MAX_POLICY_BYTES

DEFAULT_ROOT = "/var/lib/mtasts/policies"
POLICY_FILE = "mta-sts.txt"
_ATTEMPTS = 10


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


def policy_path(root: str, name: str) -> str:
    """Where the policy of a `Domain` or `ClassName` stands."""
    return f"{root}/{name}/{POLICY_FILE}"


def read_bytes(root: str, name: str) -> bytes:
    """Return the policy's bytes, valid or not; raises what `read_file` raises."""
    return read_file(root, name)[0]


def read_file(root: str, name: str) -> Tuple[bytes, os.stat_result]:
    """Return the policy's bytes, valid or not, and what the file was once they had been read.

    Raises `NoPolicy` if the domain has no folder, and `PolicyUnreadable` if there is no regular
    file of at most 64 KiB in it, or a link leads out of `root`. Few calls of the system, because
    at each one another thread of a busy server may take its turn.
    """
    path = policy_path(root, name)
    try:
        data, seen = _read(_open(root, name), MAX_POLICY_BYTES + 1)
    except OSError as error:
        if not os.path.isdir(os.path.join(root, name)):
            raise NoPolicy(root, name) from None
        raise PolicyUnreadable(
            "policy-unreadable",
            f"{path} cannot be read: {error.strerror}",
            "Put the file back, readable for all: it holds what the world reads.",
        ) from error
    if not stat.S_ISREG(seen.st_mode):
        raise PolicyUnreadable("policy-not-a-file", f"{path} is not a regular file")
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyUnreadable("policy-too-large", f"{path} is larger than 64 KiB")
    return data, seen


def _open(root: str, name: str) -> int:
    # Not blocking, because a FIFO would make the server wait for a writer.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
    for _ in range(_ATTEMPTS):
        try:
            return os.open(real_path(root, name), flags)
        except OSError as error:
            # A link since it was looked at: its domain has joined a class just now.
            if error.errno != errno.ELOOP:
                raise
    return os.open(real_path(root, name), flags)


def _read(descriptor: int, size: int) -> Tuple[bytes, os.stat_result]:
    """Read `size` bytes, which a regular file gives at once if it has them, then look at it."""
    try:
        return os.read(descriptor, size), os.fstat(descriptor)
    finally:
        os.close(descriptor)


def real_path(root: str, name: str) -> str:
    """Where the policy really is; raises `PolicyUnreadable` for a link that leads out of `root`."""
    folder, path = f"{root}/{name}", policy_path(root, name)
    # Only a link can lead elsewhere; realpath() costs more than all the rest of a fetch.
    if not os.path.islink(folder) and not os.path.islink(path):
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
