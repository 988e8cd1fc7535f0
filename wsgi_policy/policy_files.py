"""Policies ready in memory, and never one that is invalid or half-written.

A domain's file is looked at (one `stat`) when a fetch comes and the last look is LOOK_SECONDS old.
Only when the file changed is it read again, and its bytes are taken only if

* the file stayed the same while it was read and has been left alone for QUIET_SECONDS, because
  the first half of a policy may well be a valid policy, with half of its hosts or a shorter
  max_age: neither grammar nor inode tell an editor's unfinished work from a finished one. Time is
  counted from ctime, which no tool sets back. So a change is visible LOOK_SECONDS + QUIET_SECONDS
  after its last byte at the latest, within the second that the manual promises;
* they are a policy (RFC 8461 section 3.2).

Otherwise the last good bytes stay, and the log says why, once per change. Where there are none,
because the process is new, a fetch waits for the file to come to rest, once: late is better than
lost. Then there is nothing to be served. A domain without a folder is none of ours; but if the
whole policy directory is out of reach, that says nothing about any of its domains.

The bytes kept are bounded: what was looked at least recently goes first, but never the last good
bytes of a policy that is broken now.
"""

import hashlib
import os
import sys
import threading
import time
from collections import OrderedDict
from typing import Callable, NamedTuple, Optional, Tuple

from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.policy import InvalidPolicy, Policy
from mtasts.store import NoPolicy, policy_path, read_bytes

LOOK_SECONDS = 0.25
QUIET_SECONDS = 0.4
MAX_KEPT_BYTES = 12 * 1024 * 1024  # for each process: some ten thousand policies
_ENTRY_BYTES = 1024  # what an entry needs besides its body, roughly

_Signature = Tuple[int, int, int, int, int]


class ServedPolicy:
    """The policy of one domain as it is served; `body` is None while there is nothing good.

    `etag` is made of the SHA-256 of the bytes, whose first digits are also those that end the
    policy's id. `fault` says what is wrong with the file now, "" if nothing is.
    """

    __slots__ = ("body", "etag", "headers", "signature", "fault", "looked")

    def __init__(self, body: Optional[bytes], signature: Optional[_Signature], fault: str) -> None:
        self.body = body
        self.signature = signature
        self.fault = fault
        self.looked = 0.0
        if body is not None:
            self.etag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
            self.headers = [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("ETag", self.etag),
                ("X-Content-Type-Options", "nosniff"),
            ]

    @property
    def cost(self) -> int:
        """Bytes of memory, roughly."""
        return _ENTRY_BYTES + len(self.body or b"")

    @property
    def is_last_copy(self) -> bool:
        """Whether the bytes could not be read again."""
        return bool(self.fault) and self.body is not None


class _Unsettled(Exception):
    """The file is being written."""


class _Reading(NamedTuple):
    signature: Optional[_Signature]
    body: bytes


def _log(line: str) -> None:
    # Apache's error log under mod_wsgi, the terminal or the journal elsewhere.
    print("mtasts: " + line, file=sys.stderr, flush=True)


class PolicyFiles:
    """The policies below `root`, for many threads at once; `clock` and `log` are passed in."""

    def __init__(
        self,
        root: str,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], None] = _log,
    ) -> None:
        self.root = root
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()  # guards the next two, and is never held during I/O
        self._kept = OrderedDict()  # type: OrderedDict[Domain, ServedPolicy]
        self._cost = 0

    def has(self, domain: Domain) -> bool:
        """Whether `domain` is one of ours: it has a folder, with or without a good policy."""
        return os.path.isdir(os.path.join(self.root, domain))

    def find(self, domain: Domain) -> Optional[ServedPolicy]:
        """Return what to serve for `domain`, or None if it is none of ours."""
        kept = self._kept.get(domain)
        # Also looks again when the machine's clock was set back.
        if kept is not None and 0 <= self._clock() - kept.looked < LOOK_SECONDS:
            return kept
        return self._look(domain, kept)

    def _look(self, domain: Domain, kept: Optional[ServedPolicy]) -> Optional[ServedPolicy]:
        looked = self._clock()
        try:
            found = self._reading(domain, kept)
        except NoPolicy as error:
            if self._root_is_there():
                return self._forget(domain)
            found = _with_fault(kept, _text_of(error))
        except _Unsettled:
            found = kept or _with_fault(None, f"{policy_path(self.root, domain)} is being written")
        except MtastsError as error:
            found = _with_fault(kept, _text_of(error))
        found.looked = looked
        return self._keep(domain, kept, found)

    def _reading(self, domain: Domain, kept: Optional[ServedPolicy]) -> ServedPolicy:
        """Return `kept` if its file did not change, else what its file holds now."""
        path = policy_path(self.root, domain)
        if kept is not None and not kept.fault and kept.signature == _signature(path):
            return kept
        try:
            reading = self._settled(domain)
        except _Unsettled:
            if kept is not None and kept.body is not None:
                raise
            time.sleep(QUIET_SECONDS)
            reading = self._settled(domain)
        try:
            Policy.parse(reading.body)
        except InvalidPolicy as error:
            raise InvalidPolicy(error.finding, path) from None
        return ServedPolicy(reading.body, reading.signature, "")

    def _settled(self, domain: Domain) -> _Reading:
        """Read the file; raises `_Unsettled` if somebody may still be writing it."""
        path = policy_path(self.root, domain)
        before = _signature(path)
        body = read_bytes(self.root, domain)
        if before is None or before != _signature(path):
            raise _Unsettled
        changed = before[-1] / 1e9
        if 0 <= self._clock() - changed < QUIET_SECONDS:
            raise _Unsettled
        return _Reading(before, body)

    def _root_is_there(self) -> bool:
        return os.path.isdir(os.path.join(self.root, "."))  # "." also needs leave to search it

    def _forget(self, domain: Domain) -> None:
        with self._lock:
            gone = self._kept.pop(domain, None)
            self._cost -= gone.cost if gone else 0

    def _keep(
        self, domain: Domain, before: Optional[ServedPolicy], found: ServedPolicy
    ) -> ServedPolicy:
        """Put `found` in the place of `before`, unless another thread was faster."""
        with self._lock:
            current = self._kept.get(domain, before)
            if current is not before:
                return current  # type: ignore
            said = before.fault if before else ""
            old = self._kept.pop(domain, None)
            self._cost += found.cost - (old.cost if old else 0)
            self._kept[domain] = found  # at the end: looked at most recently
            self._shrink()
        if found.fault != said:
            self._tell(domain, found)
        return found

    def _shrink(self) -> None:
        victims = []
        for domain, kept in self._kept.items():
            if self._cost <= MAX_KEPT_BYTES:
                break
            if not kept.is_last_copy:
                victims.append(domain)
                self._cost -= kept.cost
        for domain in victims:
            del self._kept[domain]

    def _tell(self, domain: Domain, found: ServedPolicy) -> None:
        if not found.fault:
            self._log(f"{policy_path(self.root, domain)}: good again, and served")
        elif found.body is None:
            self._log(f"{found.fault}; answering 503 for {domain} until this is put right")
        else:
            self._log(f"{found.fault}; the last good policy of {domain} is still served")


def _with_fault(kept: Optional[ServedPolicy], fault: str) -> ServedPolicy:
    return ServedPolicy(kept.body if kept else None, kept.signature if kept else None, fault)


def _text_of(error: MtastsError) -> str:
    return f"{error.message} [{error.code}]"


def _signature(path: str) -> Optional[_Signature]:
    """What changes whenever the file does, ctime in nanoseconds last; None if it is not there."""
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
