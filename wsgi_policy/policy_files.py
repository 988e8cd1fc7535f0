"""Policies ready in memory, and never one that is invalid or half-written.

A fetch finds its policy by the very host it names: while the last look at the file is younger than
LOOK_SECONDS, that is all there is to do. Otherwise the file is looked at (one `stat`); only when it
changed is it read again, and its bytes are taken only if

* the file had been left alone for QUIET_SECONDS before it was read, because the first half of a
  policy may well be a valid policy, with half of its hosts or a shorter max_age: neither grammar
  nor inode tell an editor's unfinished work from a finished one. Time is counted from ctime, which
  no tool sets back. So a change is visible LOOK_SECONDS + QUIET_SECONDS after its last byte at the
  latest, within the second that the manual promises;
* they are a policy (RFC 8461 section 3.2).

Otherwise the last good bytes stay, and the log says why, once per change. Where there are none,
because the process is new, a fetch waits for the file to come to rest, once: late is better than
lost. Then there is nothing to be served. A domain without a folder is none of ours; but if the
whole policy directory is out of reach, that says nothing about any of its domains.

The memory is bounded: what was read first goes first, but never the last good bytes of a policy
that is broken now. No folder is ever listed, so the number of policies costs nothing else.
"""

import hashlib
import os
import sys
import threading
import time
from collections import OrderedDict
from typing import Callable, NamedTuple, Optional, Tuple

from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError
from mtasts.policy import InvalidPolicy, Policy
from mtasts.policy_file import NoPolicy, policy_path, read_file

LOOK_SECONDS = 0.25
QUIET_SECONDS = 0.4
MAX_KEPT_BYTES = 96 * 1024 * 1024  # for each process: a good 100,000 policies of the usual size
_ENTRY_BYTES = 768  # what an entry needs besides its body, roughly

_Signature = Tuple[int, int, int, int]


class ServedPolicy:
    """The policy of one domain as it is served; `body` is None while there is nothing good.

    `etag` is made of the SHA-256 of the bytes, whose first digits are also those that end the
    policy's id. `fault` says what is wrong with the file now, "" if nothing is.
    """

    __slots__ = ("domain", "body", "etag", "signature", "fault", "looked")

    def __init__(
        self,
        domain: Domain,
        body: Optional[bytes],
        signature: Optional[_Signature],
        fault: str,
    ) -> None:
        self.domain = domain
        self.body = body
        self.etag = "" if body is None else '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
        self.signature = signature
        self.fault = fault
        self.looked = 0.0

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
    signature: _Signature
    body: bytes


def _log(line: str) -> None:
    # Apache's error log under mod_wsgi, the terminal or the journal elsewhere.
    print("mtasts: " + line, file=sys.stderr, flush=True)


class PolicyFiles:
    """The policies below `root`, for many threads at once, in `room` bytes of memory.

    `clock` and `log` are passed in.
    """

    def __init__(
        self,
        root: str,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], None] = _log,
        room: int = MAX_KEPT_BYTES,
    ) -> None:
        self.root = root
        self._room = room
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()  # guards changes of the next two; never held during I/O
        self._kept = OrderedDict()  # type: OrderedDict[str, ServedPolicy]  # by policy host
        self._cost = 0

    def domain(self, host: str) -> Optional[Domain]:
        """Return the domain of `host` if it is one of ours: it has a folder, good policy or not."""
        domain = _domain(host)
        return domain if domain and os.path.isdir(os.path.join(self.root, domain)) else None

    def find(self, host: str) -> Optional[ServedPolicy]:
        """Return what to serve at `host`, a Host header in any spelling; None if it is not ours."""
        kept = self._kept.get(host)  # nearly all spell it as we do, and need no second look
        if kept is None:
            domain = _domain(host)
            if domain is None:
                return None
            kept = self._kept.get(domain.policy_host)
            if kept is None:
                return self._look(domain, None)
        now = self._clock()
        # Also looks again when the machine's clock was set back.
        if 0 <= now - kept.looked < LOOK_SECONDS:
            return kept
        if self._is_unchanged(kept):
            kept.looked = now
            return kept
        return self._look(kept.domain, kept)

    def _is_unchanged(self, kept: ServedPolicy) -> bool:
        """Whether what is kept is good, and still what the file holds."""
        try:
            seen = os.stat(policy_path(self.root, kept.domain))
        except OSError:
            return False
        return not kept.fault and kept.signature == _signature(seen)

    def _look(self, domain: Domain, kept: Optional[ServedPolicy]) -> Optional[ServedPolicy]:
        """Read the file, and put what is to be served now in the place of `kept`."""
        looked = self._clock()
        try:
            found = self._reading(domain, kept)
        except NoPolicy as error:
            if self._root_is_there():
                return self._forget(domain)
            found = _with_fault(domain, kept, _text_of(error))
        except _Unsettled:
            fault = f"{policy_path(self.root, domain)} is being written"
            found = kept or _with_fault(domain, None, fault)
        except MtastsError as error:
            found = _with_fault(domain, kept, _text_of(error))
        found.looked = looked
        return self._keep(kept, found)

    def _reading(self, domain: Domain, kept: Optional[ServedPolicy]) -> ServedPolicy:
        """Return what the file holds now; raises why it is not to be served."""
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
            raise InvalidPolicy(error.finding, policy_path(self.root, domain)) from None
        return ServedPolicy(domain, reading.body, reading.signature, "")

    def _settled(self, domain: Domain) -> _Reading:
        """Read the file; raises `_Unsettled` if somebody may still be writing it."""
        started = self._clock()
        body, seen = read_file(self.root, domain)
        # Looked at when it had been read: what was at rest before, nobody wrote meanwhile. A ctime
        # in the future is from before the machine's clock was set back.
        if started - QUIET_SECONDS < seen.st_ctime_ns / 1e9 <= self._clock():
            raise _Unsettled
        return _Reading(_signature(seen), body)

    def _root_is_there(self) -> bool:
        return os.path.isdir(os.path.join(self.root, "."))  # "." also needs leave to search it

    def _forget(self, domain: Domain) -> None:
        with self._lock:
            gone = self._kept.pop(domain.policy_host, None)
            self._cost -= gone.cost if gone else 0

    def _keep(self, before: Optional[ServedPolicy], found: ServedPolicy) -> ServedPolicy:
        """Put `found` in the place of `before`, unless another thread was faster."""
        host = found.domain.policy_host
        with self._lock:
            current = self._kept.get(host, before)
            if current is not before:
                return current  # type: ignore
            said = before.fault if before else ""
            old = self._kept.pop(host, None)
            self._cost += found.cost - (old.cost if old else 0)
            self._kept[host] = found  # at the end: read most recently
            self._shrink()
        if found.fault != said:
            self._tell(found)
        return found

    def _shrink(self) -> None:
        victims = []
        for host, kept in self._kept.items():
            if self._cost <= self._room:
                break
            if not kept.is_last_copy:
                victims.append(host)
                self._cost -= kept.cost
        for host in victims:
            del self._kept[host]

    def _tell(self, found: ServedPolicy) -> None:
        domain = found.domain
        if not found.fault:
            self._log(f"{policy_path(self.root, domain)}: good again, and served")
        elif found.body is None:
            self._log(f"{found.fault}; answering 503 for {domain} until this is put right")
        else:
            self._log(f"{found.fault}; the last good policy of {domain} is still served")


def _domain(host: str) -> Optional[Domain]:
    """The policy domain of a Host header, or None."""
    try:
        return Domain.from_policy_host(host)
    except InvalidDomain:
        return None


def _with_fault(domain: Domain, kept: Optional[ServedPolicy], fault: str) -> ServedPolicy:
    """The last good policy, if there is one, and what is wrong with the file now."""
    if kept is None:
        return ServedPolicy(domain, None, None, fault)
    return ServedPolicy(domain, kept.body, kept.signature, fault)


def _text_of(error: MtastsError) -> str:
    return f"{error.message} [{error.code}]"


def _signature(seen: os.stat_result) -> _Signature:
    """What changes whenever the file does. Not mtime, which tools set, and never without ctime."""
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_ctime_ns
