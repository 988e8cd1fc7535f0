"""A TCP connection to one address, with a deadline for all that is said on it.

The other side is a stranger's server: dead, slow, or endless. Each way in which it fails has a code
of its own, because they mean different things to whoever judges: a server that refuses is down,
one that never answers may only be behind a firewall that this machine has to pass.
"""

import contextlib
import errno
import socket
import time
from typing import Iterator

from mtasts.errors import MtastsError, printable

CONNECT_SECONDS = 10
AT_ONCE = 16384  # octets: the most that one record of TLS holds
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class ConnectionFailed(MtastsError):
    """There is no connection, or it ended before all was said."""


class Connection:
    """A connection to `address`, on which all together may last `seconds`; close it, or use `with`.

    All methods raise `ConnectionFailed`: "connect-refused", "connect-no-route", "connect-no-ipv6",
    "connect-timeout" or "connect-failed" if it does not come about, and "connection-timeout" or
    "connection-closed" after that.
    """

    def __init__(self, host: str, address: str, port: int, seconds: float) -> None:
        self.place = f"{printable(host)} at {address} port {port}"
        self.begin = time.monotonic()
        self.allow(seconds)
        self._socket = self._connected(address, port, min(seconds, CONNECT_SECONDS))

    def __enter__(self) -> "Connection":
        """Nothing is left to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, whatever happened."""
        self._socket.close()

    def allow(self, seconds: float) -> None:
        """What follows may last `seconds` from now."""
        self._end = time.monotonic() + seconds

    def seconds(self) -> float:
        """The seconds since it was begun."""
        return time.monotonic() - self.begin

    def own_address(self) -> str:
        """The address of this machine on it."""
        with self._failures():
            return str(self._socket.getsockname()[0])

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        with self._failures():
            self._socket.sendall(data)

    def receive(self) -> bytes:
        """What the other side says next; b"" if it has ended."""
        with self._failures():
            return self._socket.recv(AT_ONCE)

    def closed(self) -> ConnectionFailed:
        """The error for an end that comes too early."""
        return ConnectionFailed(
            "connection-closed",
            "the server closed the connection before all was said",
            "See what its log says about it, and whether a firewall cuts connections.",
            self.place,
        )

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        left = self._end - time.monotonic()
        try:
            if left <= 0:
                raise socket.timeout
            self._socket.settimeout(left)
            yield
        except socket.timeout as error:
            raise ConnectionFailed(
                "connection-timeout",
                f"the server took too long, {self.seconds():.0f} s until now",
                "See what keeps it busy; senders do not wait much longer either.",
                self.place,
            ) from error
        except OSError as error:
            raise self.closed() from error

    def _connected(self, address: str, port: int, seconds: float) -> socket.socket:
        try:
            return socket.create_connection((address, port), seconds)
        except (socket.timeout, TimeoutError) as error:
            raise ConnectionFailed(
                "connect-timeout",
                f"no answer within {seconds:g} s",
                "A firewall on the way drops what is sent there, or the address is wrong.",
                self.place,
            ) from error
        except ConnectionRefusedError as error:
            raise ConnectionFailed(
                "connect-refused",
                "nothing listens there",
                "Start the server, or let it listen at this address, too.",
                self.place,
            ) from error
        except OSError as error:
            raise ConnectionFailed(
                _failure(error, address),
                printable(error.strerror or error),
                "Check the address, and whether this machine reaches others of its kind (IPv6?).",
                self.place,
            ) from error


def _failure(error: OSError, address: str) -> str:
    """The code: is it this machine that has no way there, or somebody on the way?"""
    if error.errno not in _NO_ROUTE:
        return "connect-failed"
    return "connect-no-route" if ":" not in address or _has_route(address) else "connect-no-ipv6"


def _has_route(address: str) -> bool:
    """Whether this machine has a way to an IPv6 address; nothing is sent to find that out."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            asking.connect((address, 9))  # any port
    except OSError:
        return False
    return True
