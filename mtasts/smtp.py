"""An MX host at one address as a sender finds it, until there is TLS (RFC 5321, RFC 3207); no mail.

Greeting, EHLO, STARTTLS, the handshake, QUIT. RFC 5321 section 4.5.3.2 lets a client wait five
minutes for the greeting. Who looks at thousands of hosts cannot: here it is `GREETING_SECONDS`,
which is longer than servers that let clients wait on purpose usually do, and then
`DIALOGUE_SECONDS` for all the rest.
"""

import contextlib
import re
import socket
from typing import Any, List, NamedTuple, Optional, Tuple, Union

from mtasts import tls
from mtasts.connection import Connection
from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError, printable
from mtasts.facts import Handshake, SMTPServer

GREETING_SECONDS = 30
DIALOGUE_SECONDS = 30
_QUIT_SECONDS = 5
_MOST_OCTETS = 2048  # of a line; RFC 5321 section 4.5.3.1.5 allows 512
_MOST_LINES = 100  # of a reply
# Reply-line of RFC 5321 section 4.2
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]{0,%d}))?\r?\n\Z" % _MOST_OCTETS)
_NOT_IMPLEMENTED = (500, 502)


class SMTPFailed(MtastsError):
    """The server did not let the dialogue come to its end."""


class _Reply(NamedTuple):
    """A reply (RFC 5321 section 4.2): its code, and the text of each of its lines."""

    code: int
    lines: Tuple[str, ...]

    def __str__(self) -> str:
        return printable(f"{self.code} {self.lines[0]}", 200)


def look(host: str, address: str, ca_file: Optional[str] = None, port: int = 25) -> SMTPServer:
    """What the MX host shows at one address.

    `ca_file` replaces the machine's trusted roots. Raises what `tls.trust` and `Connection` raise,
    and `SMTPFailed` for a server that does not greet ("smtp-refused", "smtp-refused-for-now",
    "smtp-answer-broken"). What goes wrong after the server has offered STARTTLS is no error: it is
    the server's `tls`; "starttls-refused" and "starttls-injection" are among its codes.
    """
    context = tls.trust(ca_file)
    with Connection(host, address, port, GREETING_SECONDS) as connection:
        dialogue = _Dialogue(connection)
        greeting = dialogue.reply()
        dialogue.require(greeting, 220)
        connection.allow(DIALOGUE_SECONDS)
        shown = _starttls(dialogue, host, context) if _offers_starttls(dialogue) else None
        seconds = connection.seconds()
        connection.allow(_QUIT_SECONDS)
        dialogue.quit()
        return SMTPServer(greeting.lines[0], shown, seconds)


def _offers_starttls(dialogue: "_Dialogue") -> bool:
    reply = dialogue.command("EHLO " + _own_name(dialogue.own_address()))
    if reply.code in _NOT_IMPLEMENTED:  # a server older than extensions
        return False
    dialogue.require(reply, 250)
    # The first line is the server's name, the others are a keyword each, with parameters.
    return "STARTTLS" in (line.upper().partition(" ")[0] for line in reply.lines[1:])


def _starttls(dialogue: "_Dialogue", host: str, context: Any) -> Union[Handshake, MtastsError]:
    try:
        reply = dialogue.command("STARTTLS")
        if reply.code != 220:
            raise SMTPFailed(
                "starttls-refused",
                f"the server answers STARTTLS with {reply}",
                "See what the server's log says: often it cannot read its key or certificate.",
                dialogue.place,
            )
        return dialogue.secure(host, context)
    except MtastsError as error:
        return error


def _own_name(address: str) -> str:
    """What to say in EHLO: this machine's name, or its address if it has none in DNS's sense."""
    name = socket.gethostname()
    with contextlib.suppress(InvalidDomain):
        if "." in name:
            return Domain(name)
    kind = "IPv6:" if ":" in address else ""
    return f"[{kind}{address}]"  # address-literal of RFC 5321 section 4.1.3


class _Dialogue:
    """Commands and replies over a connection, with TLS on it from `secure` on."""

    def __init__(self, connection: Connection) -> None:
        self.place = connection.place
        self.own_address = connection.own_address
        self._connection = connection
        self._stream: Union[None, Connection, tls.TLSConnection] = connection
        self._waiting = b""

    def command(self, line: str) -> _Reply:
        """The reply to a command."""
        self._stream.send(line.encode("ascii") + b"\r\n")
        return self.reply()

    def reply(self) -> _Reply:
        """The next reply, which may have several lines."""
        lines: List[str] = []
        while len(lines) < _MOST_LINES:
            line = self._line()
            parts = _REPLY_LINE.match(line)
            if not parts:
                raise self._broken(line)
            code, separator, text = parts.groups()
            lines.append((text or b"").decode("latin-1"))
            if separator != b"-":
                return _Reply(int(code), tuple(lines))
        raise self._broken(f"a reply of more than {_MOST_LINES} lines")

    def require(self, reply: _Reply, code: int) -> None:
        """Raise `SMTPFailed` for any other reply."""
        if reply.code == code:
            return
        if reply.code < 400:
            raise self._broken(reply)
        raise SMTPFailed(
            "smtp-refused-for-now" if reply.code < 500 else "smtp-refused",
            f"the server answers {reply}",
            "It may dislike this machine's address (a blocklist, no name in DNS): try another one.",
            self.place,
        )

    def secure(self, host: str, context: Any) -> Handshake:
        """Start TLS; what comes and goes afterwards is inside of it."""
        self._stream = None  # there is nothing to be said any more if it fails
        if self._waiting:
            raise SMTPFailed(
                "starttls-injection",
                "text follows the answer to STARTTLS before there is TLS:"
                f" {printable(self._waiting)}",
                "The server, or somebody between, mixes plain text into TLS: update the server.",
                self.place,
            )
        secured = tls.TLSConnection(self._connection, host, context)
        self._stream = secured
        return secured.handshake

    def quit(self) -> None:
        """Take leave; how the server takes it does not matter."""
        if self._stream:
            with contextlib.suppress(MtastsError):
                self.command("QUIT")

    def _line(self) -> bytes:
        while b"\n" not in self._waiting and len(self._waiting) < _MOST_OCTETS:
            data = self._stream.receive()
            if not data:
                raise self._connection.closed()
            self._waiting += data
        line, end, self._waiting = self._waiting.partition(b"\n")
        return line + end

    def _broken(self, seen: object) -> SMTPFailed:
        return SMTPFailed(
            "smtp-answer-broken",
            f"what the server says is no SMTP: {printable(seen)}",
            "See which program listens there.",
            self.place,
        )
