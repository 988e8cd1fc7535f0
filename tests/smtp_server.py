"""SMTP servers on loopback that do what MX hosts on the Internet do.

    with smtp_server.running(smtp_server.GOOD, context) as server:
        ...  server.port, server.commands

`context` is TLS as https_server.context makes it; None for a server that has none.
"""

import contextlib
import time
from typing import NamedTuple

import tcp_server


class Behaviour(NamedTuple):
    """What a server says, when it is its turn; b"" hangs up.

    `delay` are the seconds before the greeting. Other commands than these get `other`.
    """

    greeting: bytes = b"220 mx.example.org ESMTP\r\n"
    ehlo: bytes = b"250-mx.example.org\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
    starttls: bytes = b"220 2.0.0 Ready to start TLS\r\n"
    quit: bytes = b"221 2.0.0 Bye\r\n"
    other: bytes = b"500 5.5.2 Error\r\n"
    delay: float = 0


GOOD = Behaviour()
NO_STARTTLS = Behaviour(ehlo=b"250-mx.example.org\r\n250 PIPELINING\r\n")


class SMTPServer:
    """`commands` are those that came, in their order: (what was said, whether within TLS)."""

    def __init__(self, behaviour, context):
        self.behaviour = behaviour
        self.commands = []
        self.port = None
        self._context = context

    def serve(self, connection):
        time.sleep(self.behaviour.delay)
        connection.sendall(self.behaviour.greeting)
        if self.behaviour.greeting and self._talk(connection, False):
            with self._context.wrap_socket(connection, server_side=True) as secured:
                self._talk(secured, True)

    def _talk(self, stream, is_tls):
        """Answer commands; whether TLS is to follow."""
        while True:
            command = _line(stream)
            self.commands.append((command, is_tls))
            verb = command.partition(" ")[0].lower()
            reply = getattr(self.behaviour, verb, self.behaviour.other)
            stream.sendall(reply)
            if verb == "starttls" and reply.startswith(b"220"):
                return True
            if verb == "quit" or not reply:
                return False


def _line(stream):
    line = b""
    while not line.endswith(b"\r\n"):
        octet = stream.recv(1)
        if not octet:
            raise ConnectionResetError
        line += octet
    return line[:-2].decode("latin-1")


@contextlib.contextmanager
def running(behaviour=GOOD, context=None, address="127.0.0.1", port=0):
    server = SMTPServer(behaviour, context)
    with tcp_server.running(server.serve, address, port) as server.port:
        yield server
