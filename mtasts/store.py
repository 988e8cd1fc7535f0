"""The policy directory: the only state that serves the world.

    <root>/example.org/mta-sts.txt      the exact bytes to be served
    <root>/example.org/history.jsonl    a line for every policy that was served
    <root>/example.net -> example.org   an alias: the same policy for another domain

`ls`, `cat`, an editor and git work on it. Whatever this module writes appears whole or not at
all: a new domain's folder is made ready aside and renamed, a changed policy is a temporary file,
synced and renamed. The history is appended to after the file it tells of; what somebody else
changed by hand is entered by the next writer, so its lines are never wrong, at worst late. Writers
take turns by a lock on the root.
"""

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file, sync_folder
from mtasts.policy import MAX_POLICY_BYTES, InvalidPolicy, Policy, policy_id

DEFAULT_ROOT = "/var/lib/mtasts/policies"
POLICY_FILE = "mta-sts.txt"
HISTORY_FILE = "history.jsonl"
_UTC = datetime.timezone.utc
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class StoreError(MtastsError):
    """The policy directory cannot do what was asked; nothing was changed."""


class NoPolicy(StoreError):
    """The domain is not in the policy directory."""

    def __init__(self, root: str, domain: str) -> None:
        super().__init__(
            "policy-unknown",
            f"there is no policy for {printable(domain)} in {root}",
            f"Make one with: mtasts new {printable(domain)}",
        )


class PolicyUnreadable(StoreError):
    """The domain is in the policy directory, but its policy cannot be read."""


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
        digest = hashlib.sha256(data).hexdigest()
        name = adopted or policy_id(data, changed)
        return cls(changed, name, digest, policy.mode.value, policy.max_age, policy.mx)

    @classmethod
    def from_json(cls, line: str) -> "HistoryEntry":
        """Read a line of the history back; raises ValueError, KeyError or TypeError."""
        facts = json.loads(line)
        first = datetime.datetime.strptime(facts["first"], _TIME).replace(tzinfo=_UTC)
        mx = tuple(facts["mx"])
        return cls(first, facts["id"], facts["sha256"], facts["mode"], facts["max_age"], mx)

    def to_json(self) -> str:
        """One line of the history, without its ending."""
        facts = self._asdict()
        facts["first"] = self.first.astimezone(_UTC).strftime(_TIME)
        return json.dumps(facts)


def policy_path(root: str, domain: Domain) -> str:
    """Where the policy of `domain` stands."""
    return os.path.join(root, domain, POLICY_FILE)


def read_bytes(root: str, domain: Domain) -> bytes:
    """Return the policy's bytes, valid or not.

    Raises `NoPolicy` if the domain has no folder, and `PolicyUnreadable` if there is no regular
    file of at most 64 KiB in it, or a link leads out of `root`.
    """
    if not os.path.isdir(os.path.join(root, domain)):
        raise NoPolicy(root, domain)
    path = policy_path(root, domain)
    is_link = os.path.islink(os.path.join(root, domain)) or os.path.islink(path)
    # Only a link can lead elsewhere; realpath() costs more than all the rest of a fetch.
    real = os.path.realpath(path) if is_link else path
    if is_link and not real.startswith(os.path.join(os.path.realpath(root), "")):
        raise PolicyUnreadable(
            "policy-outside-root",
            f"{path} leads out of the policy directory",
            "Let links point to folders inside the policy directory only.",
        )
    try:
        # Not blocking, because a FIFO would make the server wait for a writer.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
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


class Store:
    """A policy directory, to be read and written. Times are aware, and given by the caller.

    A writer waits `patience` seconds at most for another one to finish.
    """

    def __init__(self, root: str = DEFAULT_ROOT, patience: float = 10) -> None:
        self.root = root
        self.patience = patience

    def domains(self) -> Iterator[Domain]:
        """All domains with a folder, aliases too, in alphabetical order."""
        try:
            names = sorted(os.listdir(self.root))
        except OSError as error:
            raise self._unreadable(error) from error
        for name in names:
            with contextlib.suppress(InvalidDomain):
                if Domain(name) == name and os.path.isdir(os.path.join(self.root, name)):
                    yield Domain(name)

    def read(self, domain: Domain) -> Policy:
        """The policy of `domain`; raises `NoPolicy`, `PolicyUnreadable` or `InvalidPolicy`."""
        data = read_bytes(self.root, domain)
        try:
            return Policy.parse(data)
        except InvalidPolicy as error:
            raise InvalidPolicy(error.finding, policy_path(self.root, domain)) from None

    def target(self, domain: Domain) -> Domain:
        """The domain whose policy `domain` has: itself, unless it is an alias."""
        return Domain(os.path.basename(os.path.realpath(os.path.join(self.root, domain))))

    def history(self, domain: Domain) -> List[HistoryEntry]:
        """Every policy that was served for `domain`, oldest first; raises `StoreError`."""
        path = os.path.join(self.root, domain, HISTORY_FILE)
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

    def current(self, domain: Domain) -> HistoryEntry:
        """The entry of the policy that is served now, entered first if it was changed by hand.

        Raises `NoPolicy`, `PolicyUnreadable`, `InvalidPolicy` or `StoreError`.
        """
        with self._locked():
            return self._entered(domain)

    def write(
        self,
        domain: Domain,
        data: bytes,
        now: datetime.datetime,
        adopted: Optional[str] = None,
    ) -> HistoryEntry:
        """Serve `data` for `domain` from now on, byte for byte, and enter it in the history.

        `adopted` is the id by which DNS names these bytes already, if it does. Raises
        `InvalidPolicy` for what a sender would not take and `StoreError` for an alias; the same
        bytes again change nothing.
        """
        return self.update(domain, lambda _: data, now, adopted)

    def update(
        self,
        domain: Domain,
        change: Callable[[Optional[bytes]], bytes],
        now: datetime.datetime,
        adopted: Optional[str] = None,
    ) -> HistoryEntry:
        """Replace the policy's bytes by `change(bytes)`; None stands for a new domain.

        No other writer comes between the reading and the writing. Raises as `write` does.
        """
        with self._locked():
            folder = os.path.join(self.root, domain)
            if os.path.islink(folder):
                raise StoreError(
                    "alias-not-writable",
                    f"{domain} is an alias of {self.target(domain)}",
                    f"Change {self.target(domain)}, or remove the link {folder} first.",
                )
            is_new = not os.path.isdir(folder)
            if not is_new:
                with contextlib.suppress(InvalidPolicy, PolicyUnreadable):
                    self._entered(domain)
            old = None if is_new else self._bytes_or_none(domain)
            data = change(old)
            entry = HistoryEntry.of(data, now, adopted)
            with _failing_as_store_error(folder):
                if is_new:
                    self._create(domain, data, entry)
                elif data != old:
                    replace_file(os.path.join(folder, POLICY_FILE), data)
                    _append(folder, entry)
            return self._entered(domain)

    def alias(self, new: Domain, target: Domain) -> None:
        """Let `new` have the policy of `target`, now and after every change.

        Raises `NoPolicy` or `PolicyUnreadable` for `target`, `StoreError` if `new` is there.
        """
        with self._locked():
            read_bytes(self.root, target)  # an alias of what cannot be served would be a trap
            link = os.path.join(self.root, new)
            if os.path.lexists(link):
                raise StoreError(
                    "policy-exists",
                    f"{new} has a policy already, in {link}",
                    "Remove it first, if no sender may have cached it any more.",
                )
            with _failing_as_store_error(link):
                os.symlink(self.target(target), link)
                sync_folder(self.root)

    def _bytes_or_none(self, domain: Domain) -> Optional[bytes]:
        try:
            return read_bytes(self.root, domain)
        except PolicyUnreadable:
            return None

    def _entered(self, domain: Domain) -> HistoryEntry:
        """Return the last entry; make it first if the bytes that are there are not in it."""
        data = read_bytes(self.root, domain)
        path = policy_path(self.root, domain)
        entries = self.history(domain)
        if entries and entries[-1].sha256 == hashlib.sha256(data).hexdigest():
            return entries[-1]
        changed = datetime.datetime.fromtimestamp(int(os.stat(path).st_mtime), _UTC)
        try:
            entry = HistoryEntry.of(data, changed)
        except InvalidPolicy as error:
            raise InvalidPolicy(error.finding, path) from None
        with _failing_as_store_error(path):
            _append(os.path.dirname(path), entry)
        return entry

    def _create(self, domain: Domain, data: bytes, entry: HistoryEntry) -> None:
        """Make the folder of a new domain aside, then let it appear at once."""
        aside = tempfile.mkdtemp(prefix=".new-", dir=self.root)
        try:
            os.chmod(aside, 0o755)  # noqa: S103 - Apache and people read it
            replace_file(os.path.join(aside, POLICY_FILE), data)
            _append(aside, entry)
            os.rename(aside, os.path.join(self.root, domain))
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        sync_folder(self.root)

    def _unreadable(self, error: OSError) -> StoreError:
        return StoreError(
            "policy-directory-unreadable",
            f"the policy directory {self.root} cannot be read: {error.strerror}",
            "Make it, or name another one with --policy-dir.",
        )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the store for one writer; raises `StoreError` if it stays taken."""
        try:
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            deadline = time.monotonic() + self.patience
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise StoreError(
                        "store-busy",
                        f"another program has been writing in {self.root} for {self.patience} s",
                        "Try again when it has finished.",
                    )
                time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)  # the lock goes with it


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _failing_as_store_error(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            "store-write-failed",
            f"{error.filename or path} cannot be written: {error.strerror}",
            "Check the disk's free space and the owner of the policy directory.",
        ) from error


def _append(folder: str, entry: HistoryEntry) -> None:
    """Add a line to the folder's history, by replacing the file: a torn line would be a lie."""
    path = os.path.join(folder, HISTORY_FILE)
    try:
        with open(path, "rb") as file:
            before = file.read()
    except FileNotFoundError:
        before = b""
    replace_file(path, before + entry.to_json().encode("ascii") + b"\n")
