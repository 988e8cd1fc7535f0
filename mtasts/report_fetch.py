"""Reports out of an IMAP mailbox into the ledger: each mail once, and other mails stay untouched.

A file remembers for each folder the last UID that the ledger has heard of, and the mails whose
signatures wait for a name server. It is written when the ledger has committed; if this is stopped
before that, the same mails are fetched again, and the ledger knows them.
"""

import contextlib
import datetime
import json
import os
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
    Union,
)

from mtasts.errors import LookupFailed, MtastsError, printable
from mtasts.files import heir, lock, make_folder, replace_file
from mtasts.inbox import Account, Inbox, InboxError, opened
from mtasts.ingest import PATIENCE, Taken, batches
from mtasts.ledger.database import Database
from mtasts.ledger.entry import IMAP, Named
from mtasts.spool import Arrival
from mtasts.tlsrpt import container
from mtasts.tlsrpt.authenticity import Grade

DEFAULT_STATE = "/var/lib/mtasts/reports/imap/state.json"  # a folder of its own, to be locked
MAX_MAIL = 25 * 1024 * 1024
_LOCK_SECONDS = 5
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_UTC = datetime.timezone.utc


class Source(NamedTuple):
    """Which mails: all in `folder` of `account`; and what is done with those the ledger has.

    `move_to` is another folder, `delete` removes them; without either, nothing is changed. No mail
    expands to more than `limit` bytes.
    """

    account: Account
    folder: str = "INBOX"
    move_to: Optional[str] = None
    delete: bool = False
    limit: int = container.LIMIT

    @property
    def key(self) -> str:
        """What it is called in the file of states."""
        return f"{self.account.user}@{self.account.server}/{self.folder}"


class State(NamedTuple):
    """How far a folder has been read, and since when its mails wait for name servers."""

    uid_validity: int = 0
    uid: int = 0
    waiting: Tuple[Tuple[int, datetime.datetime], ...] = ()


class _Run:
    """One run over an open folder."""

    def __init__(
        self, inbox: Inbox, state: State, grader: Callable[[bytes], Grade], now: datetime.datetime
    ) -> None:
        self._inbox, self._grader, self._now = inbox, grader, now
        is_same = state.uid_validity == inbox.uid_validity
        self._state = state if is_same else State(inbox.uid_validity)
        self._since = dict(self._state.waiting)
        self._given: List[int] = []  # for the batch that is filled now, the last one read just now
        self.left: List[InboxError] = []

    def arrivals(self) -> Iterator[Named]:
        """The mails that have not been looked at, or not to the end."""
        for uid in [*self._since, *self._inbox.after(self._state.uid)]:
            message = self._inbox.read(uid, MAX_MAIL)
            if message is None:
                self._since.pop(uid, None)
            elif message.data is None:
                self.left.append(_too_large(uid))
            else:
                self._given.append(uid)
                yield Named(Arrival(message.data, self._now, IMAP))
            self._state = self._state._replace(uid=max(uid, self._state.uid))

    def grade(self, mail: bytes) -> Grade:
        """The grade of the mail given last; raises `LookupFailed` while there is hope."""
        try:
            return self._grader(mail)
        except LookupFailed:
            if self._now - self._since.get(self._given[-1], self._now) < PATIENCE:
                raise
            return Grade.FILE

    def committed(self, batch: List[Taken]) -> List[int]:
        """Note what became of a batch; return the UIDs of what the ledger has."""
        held = []
        for uid, taken in zip(self._given, batch):
            if taken.postponed:
                self._since.setdefault(uid, self._now)
            else:
                self._since.pop(uid, None)
            if taken.added is not None:
                held.append(uid)
        self._given.clear()
        return held

    @property
    def state(self) -> State:
        """How far it has come."""
        return self._state._replace(waiting=tuple(sorted(self._since.items())))


def fetch(
    database: Database,
    source: Source,
    state_path: str,
    grader: Callable[[bytes], Grade],
    now: datetime.datetime,
) -> Iterator[Union[Taken, MtastsError]]:
    """Take the new mails of `source` into the ledger; what is yielded is in it, or says why not.

    Raises `InboxError`, `LedgerError`, and `MtastsError` for a file of states that cannot be used.
    """
    to_change = source.delete or source.move_to is not None
    with _alone(state_path), opened(source.account, source.folder, to_change) as inbox:
        states = _load(state_path)
        run = _Run(inbox, states.get(source.key, State()), grader, now)
        for batch in batches(database, run.arrivals(), run.grade, source.limit):
            _tidy(inbox, source, run.committed(batch))
            states[source.key] = run.state
            _save(state_path, states)
            for taken in batch:
                yield taken.postponed or taken
        states[source.key] = run.state
        _save(state_path, states)
        yield from run.left


def _tidy(inbox: Inbox, source: Source, held: List[int]) -> None:
    """Move or remove the mails that the ledger has."""
    if held and source.move_to is not None:
        inbox.move(held, source.move_to)
    elif held and source.delete:
        inbox.delete(held)


def _too_large(uid: int) -> InboxError:
    return InboxError(
        "imap-mail-too-large", f"the mail with the UID {uid} has more than {MAX_MAIL} bytes"
    )


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Keep a second run away for as long as this one takes."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(os.path.dirname(folder), 0o750, exist_ok=True)
        make_folder(folder)
        descriptor = lock(folder, _LOCK_SECONDS)
    except TimeoutError as error:
        raise InboxError(
            "imap-busy", f"another run has the states in {printable(folder, 300)}", "Wait for it."
        ) from error
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _load(path: str) -> Dict[str, State]:
    try:
        with open(path, encoding="utf-8") as file:
            return {key: _state(said) for key, said in json.load(file).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unusable(path, error) from error


def _state(said: Dict[str, Any]) -> State:
    waiting = tuple((int(uid), _time(since)) for uid, since in said["waiting"].items())
    return State(int(said["uid_validity"]), int(said["uid"]), waiting)


def _save(path: str, states: Dict[str, State]) -> None:
    said = {
        key: {
            "uid_validity": state.uid_validity,
            "uid": state.uid,
            "waiting": {str(uid): since.strftime(_TIME) for uid, since in state.waiting},
        }
        for key, state in states.items()
    }
    try:
        path = os.path.abspath(path)
        data = json.dumps(said, indent=1).encode("ascii")
        replace_file(path, data, 0o600, heir(os.path.dirname(path)))
    except OSError as error:
        raise _unusable(path, error) from error


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.strptime(text, _TIME).replace(tzinfo=_UTC)


def _unusable(path: str, error: Exception) -> MtastsError:
    return InboxError(
        "imap-state-unusable",
        f"{printable(path, 300)} cannot be used: {printable(error, 200)}",
        "Remove it if it is damaged: all mails are fetched once more, and the ledger knows them.",
    )
