"""The policy directory: the only state that serves the world.

    <root>/example.org/mta-sts.txt      the exact bytes to be served
    <root>/example.org/history.jsonl    a line for every policy that was served
    <root>/example.net -> example.org   an alias: the same policy for another domain
    <root>/@cluster-a/mta-sts.txt       the policy of a class, which no host is asked for
    <root>/example.com/mta-sts.txt -> ../@cluster-a/mta-sts.txt    a member of that class
    <root>/.retired/example.org-20260101T000000Z/   what was served until then, with its history

`ls`, `cat`, an editor and git work on it. Whatever this module writes appears whole or not at
all: a new domain's folder is made ready aside and renamed, a changed policy is a temporary file,
synced and renamed. The history is appended to after the file it tells of; what somebody else
changed by hand is entered by the next writer, so its lines are never wrong, at worst late. Writers
take turns by a lock on the root.
"""

import contextlib
import datetime
import os
import shutil
import tempfile
from typing import Callable, Iterator, List, Optional

from mtasts import testing_until
from mtasts.domain import Domain, InvalidDomain
from mtasts.files import lock, replace_file, replace_link, sync_folder
from mtasts.folder import (
    HISTORY_FILE,
    check_alias,
    class_of,
    read_history,
    require_no_alias,
    require_own,
    target_of,
)
from mtasts.history import HistoryEntry, joined, to_bytes
from mtasts.holder import ClassName, Holder, InvalidClassName
from mtasts.policy import InvalidPolicy, Mode, Policy
from mtasts.policy_file import (
    DEFAULT_ROOT,
    POLICY_FILE,
    PolicyUnreadable,
    StoreError,
    policy_path,
    read_bytes,
)
from mtasts.testing_until import Until

RETIRED = ".retired"  # no domain, so nobody can ask a policy host for it


class Store:
    """A policy directory, to be read and written. Times are aware, and given by the caller.

    A writer waits `patience` seconds at most for another one to finish.
    """

    def __init__(self, root: str = DEFAULT_ROOT, patience: float = 10) -> None:
        self.root = root
        self.patience = patience

    def domains(self) -> Iterator[Domain]:
        """All domains with a folder, aliases too, in alphabetical order."""
        for name in self._names():
            with contextlib.suppress(InvalidDomain):
                if Domain(name) == name and os.path.isdir(os.path.join(self.root, name)):
                    yield Domain(name)

    def classes(self) -> Iterator[ClassName]:
        """All policy classes, in alphabetical order."""
        for name in self._names():
            with contextlib.suppress(InvalidClassName):
                if os.path.isdir(os.path.join(self.root, ClassName(name))):
                    yield ClassName(name)

    def _names(self) -> List[str]:
        try:
            return sorted(os.listdir(self.root))
        except OSError as error:
            raise self._unreadable(error) from error

    def target(self, name: Holder) -> Holder:
        """Who holds the policy that `name` has: itself, unless it is an alias or a member.

        Raises `PolicyUnreadable` for a link that leads elsewhere.
        """
        return target_of(self.root, name)

    def sharers(self, target: Holder) -> Iterator[Domain]:
        """The domains that have the policy of `target`, itself included if it is a domain."""
        for domain in self.domains():
            with contextlib.suppress(PolicyUnreadable):
                if self.target(domain) == target:
                    yield domain

    def read(self, name: Holder) -> Policy:
        """The policy of `name`; raises `NoPolicy`, `PolicyUnreadable` or `InvalidPolicy`."""
        data = read_bytes(self.root, name)
        try:
            return Policy.parse(data)
        except InvalidPolicy as error:
            raise InvalidPolicy(error.finding, policy_path(self.root, name)) from None

    def history(self, name: Holder) -> List[HistoryEntry]:
        """Every policy that was served for `name`, oldest first; raises `StoreError`."""
        entries = read_history(self.root, name)
        target = self.target(name)
        if isinstance(target, ClassName) and target != name:
            return joined(entries, read_history(self.root, target))
        return entries

    def history_until_now(self, name: Holder) -> List[HistoryEntry]:
        """The history, and at its end what was changed by hand since; raises as `history`."""
        try:
            return self.known(name)
        except (InvalidPolicy, PolicyUnreadable):  # so nobody is served anything newer
            return self.history(name)

    def known(self, name: Holder) -> List[HistoryEntry]:
        """The history up to the policy that is there now, also if nobody has entered that yet.

        Raises as `current` does, but writes nothing.
        """
        entries = self.history(name)
        last = self._last(name, entries)
        return entries if last in entries[-1:] else [*entries, last]

    def last(self, name: Holder) -> HistoryEntry:
        """The entry of the policy that is there now, also if nobody has entered it yet.

        Its time is then the file's. Raises as `current` does, but writes nothing.
        """
        return self._last(name, self.history(name))

    def current(self, name: Holder) -> HistoryEntry:
        """The entry of the policy that is served now, entered first if it was changed by hand.

        Raises `NoPolicy`, `PolicyUnreadable`, `InvalidPolicy` or `StoreError`.
        """
        with self._locked():
            return self._entered(name)

    def write(
        self,
        name: Holder,
        data: bytes,
        now: datetime.datetime,
        adopted: Optional[str] = None,
    ) -> HistoryEntry:
        """Serve `data` for `name` from now on, byte for byte, and enter it in the history.

        `adopted` is the id by which DNS names these bytes already, if it does. Raises
        `InvalidPolicy` for what a sender would not take and `StoreError` for an alias; the same
        bytes again change nothing.
        """
        return self.update(name, lambda _: data, now, adopted)

    def replace(
        self, name: Holder, old: Optional[bytes], new: bytes, now: datetime.datetime
    ) -> HistoryEntry:
        """Serve `new` in place of `old`, which a person has seen; None stands for a new policy.

        Raises `StoreError` if the policy is no longer `old`, and as `write` does.
        """

        def change(current: Optional[bytes]) -> bytes:
            if current != old:
                raise StoreError(
                    "policy-changed-meanwhile",
                    f"somebody else has just changed the policy of {name}",
                    "Look at it, then do this again.",
                )
            return new

        return self.update(name, change, now)

    def update(
        self,
        name: Holder,
        change: Callable[[Optional[bytes]], bytes],
        now: datetime.datetime,
        adopted: Optional[str] = None,
    ) -> HistoryEntry:
        """Replace the policy's bytes by `change(bytes)`; None stands for a new policy.

        No other writer comes between the reading and the writing. Raises as `write` does.
        """
        with self._locked():
            require_own(self.root, name)
            folder = os.path.join(self.root, name)
            is_new = not os.path.isdir(folder)
            if not is_new:
                with contextlib.suppress(InvalidPolicy, PolicyUnreadable):
                    self._entered(name)
            old = None if is_new else self._bytes_or_none(name)
            data = change(old)
            entry = HistoryEntry.of(data, now, adopted)
            with _failing_as_store_error(folder):
                if is_new:
                    self._create(name, [entry], lambda path: replace_file(path, data))
                elif data != old:
                    replace_file(os.path.join(folder, POLICY_FILE), data)
                    self._append(name, [entry])
                if entry.mode != Mode.TESTING.value:
                    testing_until.write(folder, Until(None))
            return self._entered(name)

    def set_testing_until(self, name: Holder, until: Until) -> None:
        """Set the last day on which the policy of `name` is to be in mode testing, or none.

        Raises `StoreError`, also for a policy of another mode, and as `read` does.
        """
        with self._locked():
            require_own(self.root, name)
            until.require(name, self.read(name).mode)
            with _failing_as_store_error(os.path.join(self.root, name, testing_until.FILE)):
                testing_until.write(os.path.join(self.root, name), until)

    def adopt(self, name: Holder, known: str, now: datetime.datetime) -> HistoryEntry:
        """Let the policy have the id `known`, by which DNS names it already. Raises as `write`."""
        with self._locked():
            require_own(self.root, name)
            entry = self._entered(name)
            if entry.id != known:
                with _failing_as_store_error(os.path.join(self.root, name)):
                    self._append(name, [entry._replace(first=now, id=known)])
            return self._entered(name)

    def alias(self, new: Domain, target: Domain) -> None:
        """Let `new` have the policy of `target`, now and after every change.

        Raises `NoPolicy` or `PolicyUnreadable` for `target`, `StoreError` if `new` is there.
        """
        with self._locked():
            check_alias(self.root, new, target)
            link = os.path.join(self.root, new)
            with _failing_as_store_error(link):
                # Where an alias leads to, not the class that this may be a member of.
                folder = os.path.realpath(os.path.join(self.root, target))
                os.symlink(os.path.basename(folder), link)
                sync_folder(self.root)

    def assign(self, domain: Domain, target: ClassName, now: datetime.datetime) -> None:
        """Let `domain` have the policy of a class, now and after every change of it.

        A domain that is not there yet is made; one that is keeps its history. Raises `NoPolicy`,
        `PolicyUnreadable` or `InvalidPolicy` for the class, `StoreError` for an alias.
        """
        with self._locked():
            entry = self._entered(target)._replace(first=now)
            folder = os.path.join(self.root, domain)
            link = os.path.join(os.pardir, target, POLICY_FILE)
            require_no_alias(self.root, domain)
            with _failing_as_store_error(folder):
                if not os.path.isdir(folder):
                    self._create(domain, [entry], lambda path: os.symlink(link, path))
                elif self.target(domain) != target:
                    with contextlib.suppress(InvalidPolicy, PolicyUnreadable):
                        self._entered(domain)
                    # The history first: what is interrupted here is put right by doing it again.
                    self._append(domain, self._continued(domain) + [entry])
                    replace_link(policy_path(self.root, domain), link)
                    testing_until.write(folder, Until(None))

    def detach(self, domain: Domain) -> None:
        """Give a member of a class the same policy as its own, so that it can be changed alone.

        Raises `StoreError` if it is no member, `NoPolicy` or `PolicyUnreadable`.
        """
        with self._locked():
            target = class_of(self.root, domain)
            self._entered(domain)
            path = policy_path(self.root, domain)
            until = Until(testing_until.read(os.path.join(self.root, target)))
            with _failing_as_store_error(path):
                testing_until.write(os.path.join(self.root, domain), until)
                self._append(domain, self._continued(domain))
                replace_file(path, read_bytes(self.root, domain))

    def retire(self, domain: Domain, now: datetime.datetime) -> str:
        """Stop serving the policy of `domain`, to its aliases too; return where it is kept.

        Whether a sender may still need it is for the caller to know. Raises `NoPolicy`, and
        `StoreError` for an alias or a member.
        """
        with self._locked():
            read_bytes(self.root, domain)
            require_own(self.root, domain)
            tombstone = os.path.join(self.root, RETIRED, f"{domain}-{now:%Y%m%dT%H%M%SZ}")
            aliases = self._aliases(domain)
            with _failing_as_store_error(tombstone):
                os.makedirs(os.path.dirname(tombstone), exist_ok=True)
                for alias in aliases:
                    os.unlink(os.path.join(self.root, alias))
                os.rename(os.path.join(self.root, domain), tombstone)
                sync_folder(os.path.dirname(tombstone))
                sync_folder(self.root)
        return tombstone

    def _aliases(self, domain: Domain) -> List[Domain]:
        """The other domains with the policy of `domain`; raises `StoreError` if one is no alias."""
        aliases = [one for one in self.sharers(domain) if one != domain]
        for alias in aliases:
            if not os.path.islink(os.path.join(self.root, alias)):
                raise StoreError(
                    "policy-shared",
                    f"{policy_path(self.root, alias)} leads to the policy of {domain}",
                    f"Give {alias} a policy of its own first.",
                )
        return aliases

    def _bytes_or_none(self, name: Holder) -> Optional[bytes]:
        try:
            return read_bytes(self.root, name)
        except PolicyUnreadable:
            return None

    def _last(self, name: Holder, entries: List[HistoryEntry]) -> HistoryEntry:
        data = read_bytes(self.root, name)
        if entries and entries[-1].is_of(data):
            return entries[-1]
        path = policy_path(self.root, name)
        changed = datetime.datetime.fromtimestamp(
            int(os.stat(path).st_mtime), datetime.timezone.utc
        )
        try:
            return HistoryEntry.of(data, changed)
        except InvalidPolicy as error:
            raise InvalidPolicy(error.finding, path) from None

    def _entered(self, name: Holder) -> HistoryEntry:
        """Return the last entry; make it first if the bytes that are there are not in it."""
        read_bytes(self.root, name)  # a domain that is not there has nobody's policy
        target = self.target(name)
        entries = self.history(target)
        entry = self._last(target, entries)
        if entry not in entries[-1:]:
            with _failing_as_store_error(policy_path(self.root, target)):
                self._append(target, [entry])
        return entry

    def _continued(self, domain: Domain) -> List[HistoryEntry]:
        """What a member was served by its class since it joined; [] for all others."""
        return self.history(domain)[len(read_history(self.root, domain)) :]

    def _append(self, name: Holder, entries: List[HistoryEntry]) -> None:
        """Add lines to the history, by replacing the file: a torn line would be a lie."""
        path = os.path.join(self.root, name, HISTORY_FILE)
        before = b""
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            before = file.read()
        if before and not before.endswith(b"\n"):
            before += b"\n"
        replace_file(path, before + to_bytes(entries))

    def _create(
        self, name: Holder, entries: List[HistoryEntry], make: Callable[[str], None]
    ) -> None:
        """Make a new folder aside, `make` its policy file, then let it appear at once."""
        aside = tempfile.mkdtemp(prefix=".new-", dir=self.root)
        try:
            os.chmod(aside, 0o755)  # noqa: S103 - Apache and people read it
            make(os.path.join(aside, POLICY_FILE))
            replace_file(os.path.join(aside, HISTORY_FILE), to_bytes(entries))
            os.rename(aside, os.path.join(self.root, name))
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
            descriptor = lock(self.root, self.patience)
        except TimeoutError as error:
            raise StoreError(
                "store-busy",
                f"another program has been writing in {self.root} for {self.patience} s",
                "Try again when it has finished.",
            ) from error
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            yield
        finally:
            os.close(descriptor)  # the lock goes with it


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
