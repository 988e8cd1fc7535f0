"""A folder of an IMAP mailbox over verified TLS (RFC 9051), looked at without a trace.

Unless it is opened to be changed, the folder is only examined and mails stay unread. Mails are
named by their UIDs, which hold as long as the folder's UIDVALIDITY stays the same. Every failure of
server, network and library is one error of ours.
"""

import contextlib
import imaplib
import os
import re
import ssl
import stat
import sys
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from mtasts import probe
from mtasts.errors import MtastsError, printable

PORT = 993
_SECONDS = 60
_MAX_SECRET = 64 * 1024
_HOST = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{1,5}))?\Z")
_QUOTED = re.compile(r"[\x20-\x7e]+\Z")  # RFC 9051 section 4.3, less what nobody names a folder
_UID = re.compile(rb"\bUID ([0-9]+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE ([0-9]+)")


class InboxError(MtastsError):
    """The mailbox cannot do what was asked."""


class Account(NamedTuple):
    """Where a mailbox is and how to get in; a `token` is of OAuth, otherwise it is a password."""

    server: str
    user: str
    secret: str
    is_token: bool = False
    ca_file: Optional[str] = None


class Message(NamedTuple):
    """A mail; `data` is None if it has more bytes than were asked for at most."""

    uid: int
    data: Optional[bytes]


def read_secret(path: str) -> str:
    """The first line of a file that nobody else may read; raises `InboxError`."""
    try:
        with open(path, encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.readline(_MAX_SECRET).rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise InboxError(
            "imap-secret-unreadable",
            f"{printable(path, 300)} cannot be read: {why}",
            "Let it belong to the account that runs this: chown ACCOUNT FILE",
        ) from error
    if mode & stat.S_IRWXO or not secret:
        raise InboxError(
            "imap-secret-open",
            f"{printable(path, 300)} is empty, or every account of this machine may read it",
            "Write the password or token on its first line, and keep it private: chmod o= FILE",
        )
    return secret


class Inbox:
    """An open folder; `uid_validity` says for how long its UIDs hold."""

    def __init__(self, client: Any, uid_validity: int, capabilities: Iterable[str]) -> None:
        self._client = client
        self._capabilities = frozenset(capabilities)
        self.uid_validity = uid_validity

    def after(self, uid: int) -> Tuple[int, ...]:
        """The UIDs above `uid`, the smallest first; raises `InboxError`."""
        # SEARCH would give all of them in one line, and imaplib takes none of more than a megabyte.
        said = self._ask("FETCH", f"{uid + 1}:*", "(UID)")
        found = {_number(_UID, one) for one in said if isinstance(one, bytes)}
        # The last mail is always among them, whatever its UID (RFC 9051 section 6.4.8).
        return tuple(sorted(number for number in found if number > uid))

    def read(self, uid: int, limit: int) -> Optional[Message]:
        """The mail, of at most `limit` bytes; None if it has gone. Raises `InboxError`."""
        wanted = f"(UID RFC822.SIZE BODY.PEEK[]<0.{limit}>)"
        for answer in self._ask("FETCH", str(uid), wanted):
            if isinstance(answer, tuple) and _number(_UID, answer[0]) == uid:
                size = _number(_SIZE, answer[0])
                is_whole = size <= limit and len(answer[1]) <= limit
                return Message(uid, answer[1] if is_whole else None)
        return None

    def move(self, uids: Iterable[int], folder: str) -> None:
        """Move mails to another folder; raises `InboxError`."""
        if "MOVE" in self._capabilities:
            self._ask("MOVE", _set(uids), _quoted(folder))
        else:
            self._ask("COPY", _set(uids), _quoted(folder))
            self.delete(uids)

    def delete(self, uids: Iterable[int]) -> None:
        """Remove mails, and no others that somebody has marked; raises `InboxError`."""
        self._ask("STORE", _set(uids), "+FLAGS.SILENT", r"(\Deleted)")
        self._ask("EXPUNGE", _set(uids))

    def require_change(self) -> None:
        """Raise `InboxError` if the server cannot move or remove single mails."""
        if "UIDPLUS" not in self._capabilities:
            raise InboxError(
                "imap-uidplus-missing",
                "the server cannot remove single mails (UIDPLUS, RFC 4315)",
                "Leave the mails where they are: without --move and --delete.",
            )

    def _ask(self, command: str, *arguments: str) -> List[Any]:
        with _errors(f"the answer to {command}"):
            status, answers = self._client.uid(command, *arguments)
            if status != "OK":
                raise InboxError(
                    "imap-refused",
                    f"the server refuses {command}: {printable(answers[0], 200)}",
                    "See whether the account may do that in this folder.",
                )
            return [answer for answer in answers if answer is not None] or [b""]


@contextlib.contextmanager
def opened(account: Account, folder: str, to_change: bool = False) -> Iterator[Inbox]:
    """The folder, until the block ends; raises `InboxError`."""
    client = _connect(account)
    try:
        _log_in(client, account)
        inbox = _select(client, folder, to_change)
        if to_change:
            inbox.require_change()
        yield inbox
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            client.logout()


def _connect(account: Account) -> Any:
    match = _HOST.match(account.server)
    if not match or not 0 < int(match.group("port") or PORT) < 65536:
        raise InboxError(
            "imap-server-invalid",
            f"'{printable(account.server)}' is no host with or without a port",
            "Write imap.example.org or imap.example.org:993.",
        )
    host, port = match.group("host").strip("[]"), int(match.group("port") or PORT)
    context = probe.trust(account.ca_file)
    patience = {"timeout": _SECONDS} if sys.version_info >= (3, 9) else {}
    with _errors(f"a connection to {host} port {port}"):
        client = imaplib.IMAP4_SSL(host, port, ssl_context=context, **patience)
        client.socket().settimeout(_SECONDS)
        return client


def _log_in(client: Any, account: Account) -> None:
    user, secret = account.user, account.secret
    if account.is_token:
        way, said = "XOAUTH2", f"user={user}\x01auth=Bearer {secret}\x01\x01"
    else:
        way, said = "PLAIN", f"\0{user}\0{secret}"
    with _errors("an answer to the login"):
        try:
            # What the server asks after the first answer is an error to be acknowledged.
            answers = iter([said.encode("utf-8")])
            client.authenticate(way, lambda _asked: next(answers, b""))
        except (imaplib.IMAP4.abort, imaplib.IMAP4.readonly):
            raise
        except imaplib.IMAP4.error as error:
            raise InboxError(
                "imap-login-refused",
                f"the server does not let {printable(user)} in by {way}: {printable(error, 200)}",
                "Check the account, and the file with the password or token.",
            ) from error


def _select(client: Any, folder: str, to_change: bool) -> Inbox:
    with _errors("an answer about the folder"):
        status, answers = client.select(_quoted(folder), readonly=not to_change)
        if status != "OK":
            raise InboxError(
                "imap-folder-refused",
                f"the server does not open {printable(folder)}: {printable(answers[0], 200)}",
                "Name the folder as the server does, for example INBOX or INBOX.Reports.",
            )
        _, validity = client.response("UIDVALIDITY")
        _, capabilities = client.capability()  # others than before the login
        return Inbox(client, int(validity[0]), capabilities[-1].decode("ascii").upper().split())


@contextlib.contextmanager
def _errors(what: str) -> Iterator[None]:
    try:
        yield
    # ssl.CertificateError is a ValueError on Python 3.6; TypeError and the like are for answers
    # that imaplib, or nobody, understands.
    except (
        imaplib.IMAP4.error,
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ) as error:
        is_tls = isinstance(error, (ssl.SSLError, ssl.CertificateError))
        raise InboxError(
            "imap-tls-failed" if is_tls else "imap-failed",
            f"the IMAP server gave no good answer ({what}): {printable(error, 200)}",
            "Check the server's name and certificate, or name its CA with --ca." if is_tls else "",
        ) from error


def _quoted(name: str) -> str:
    if not _QUOTED.match(name):
        raise InboxError(
            "imap-folder-invalid",
            f"'{printable(name)}' is no name of a folder as IMAP has them",
            "Write other letters than ASCII's as the server does, in modified UTF-7.",
        )
    return '"' + name.replace("\\", r"\\").replace('"', r"\"") + '"'


def _set(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


def _number(pattern: Any, text: bytes) -> int:
    match = pattern.search(text)
    return int(match.group(1)) if match else -1
