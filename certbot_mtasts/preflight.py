"""Is this order going to succeed? Asked before the CA is, which counts failures.

For each host: a policy, nobody else serving it, an address, this machine's answer at every address
of both families, and a CAA record set that lets the CA issue. What is certain to fail is told apart
from what cannot be known from here, such as a public address that a router does not lead back: the
first stops an order, the second is only said.

Whether an address leads here is found out as the CA will: over plain HTTP at that address, for a
token file that was put into the challenge folder. It is read to a deadline and a limit, because
whoever the address belongs to may be anybody.
"""

import errno
import functools
import glob
import json
import os
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from certbot_mtasts import caa
from certbot_mtasts.apachectl import Configuration
from certbot_mtasts.challenge import URL_PATH
from certbot_mtasts.deploy import Site
from mtasts import probe
from mtasts.domain import InvalidDomain
from mtasts.errors import MtastsError, printable

_HTTP_PORT = 80
_HTTP_SECONDS = 5
_HTTP_LIMIT = 64 * 1024
_AT_ONCE = 16
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")
_LOCATION = re.compile(rb"^location:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_NO_ROUTE = (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class Problem(NamedTuple):
    """Why an order with `host` will fail, or, if it is not `is_certain`, might."""

    host: str
    why: MtastsError
    is_certain: bool = True


class OrderWouldFail(MtastsError):
    """All that is certain to make an order fail."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        reasons = [f"  - {problem.why}".replace("\n", "\n    ") for problem in problems]
        way_out = "Correct this, or leave such names out by --mtasts-preflight skip."
        super().__init__(
            "preflight-failed",
            "nothing was ordered, because the order would fail",
            "\n".join([*reasons, way_out]),
        )


class Beacon(NamedTuple):
    """A token file of ours in the challenge folder, and what it answers."""

    token: str
    answer: str


class Authority(NamedTuple):
    """The CA at the ACME directory `url`, and where certbot keeps its accounts there."""

    url: str
    verify: bool
    accounts_dir: str

    def identities(self) -> Tuple[str, ...]:
        """The names by which CAA records mean this CA (RFC 8555 section 7.1.1); () if unknown."""
        return _identities(self.url, self.verify)

    def accounts(self) -> Tuple[str, ...]:
        """The URIs of the accounts that certbot has at this CA."""
        uris = []
        for path in glob.glob(os.path.join(glob.escape(self.accounts_dir), "*", "regr.json")):
            try:
                with open(path, encoding="utf-8") as file:
                    uris.append(str(json.load(file)["uri"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return tuple(uris)


class Preflight(NamedTuple):
    """The checks, and what they need to know; a None leaves out the checks that need it."""

    site: Site
    resolver: Optional[str]
    configuration: Optional[Configuration]
    beacon: Optional[Beacon]
    authority: Authority

    def problems(self, hosts: Iterable[str]) -> List[Problem]:
        """All problems of all hosts, in the hosts' order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return [one for found in pool.map(self._of_host, hosts) for one in found]

    def _of_host(self, host: str) -> List[Problem]:
        found = []
        try:
            self.site.check_name(host, self.configuration or Configuration("", ()))
        except InvalidDomain as error:
            return [Problem(host, error)]
        except MtastsError as error:
            found.append(Problem(host, error))
        if self.beacon:
            found += self._addresses(host, self.beacon)
            found += self._caa(host)
        return found

    def _addresses(self, host: str, beacon: Beacon) -> Iterator[Problem]:
        try:
            addresses = probe.addresses(host, self.resolver)
        except probe.LookupFailed as error:
            yield Problem(host, error, False)
            return
        if not addresses:
            yield _problem(
                host,
                "host-without-address",
                "has no address in DNS",
                "Publish an A record (and AAAA, if the machine has IPv6) that leads here.",
            )
        for address in addresses:
            problem = _reach(host, address, beacon)
            if problem:
                yield problem

    def _caa(self, host: str) -> Iterator[Problem]:
        try:
            records = probe.caa(host, self.resolver)
        except probe.LookupFailed as error:
            if error.code != "dns-library-missing":
                yield Problem(host, error, False)
            return
        if not records:
            return
        identities = self.authority.identities()
        if not identities:
            yield _problem(
                host,
                "caa-not-checked",
                "has CAA records, and the CA does not say by which name they mean it",
                "See that they name this CA.",
                False,
            )
            return
        verdict = caa.judge(records, identities, self.authority.accounts())
        shown = "; ".join(printable(f'{one.flags} {one.tag} "{one.value}"') for one in records)
        if verdict is caa.Verdict.FORBIDDEN:
            yield _problem(
                host,
                "caa-forbids",
                f"has CAA records that forbid this order ({shown})",
                f'Publish at the host: CAA 0 issue "{printable(identities[0])}"',
            )
        elif verdict is caa.Verdict.ACCOUNT:
            yield _problem(
                host,
                "caa-account",
                f"has CAA records that allow one account only ({shown})",
                "The new account's address will be another one.",
                False,
            )


def _problem(host: str, code: str, what: str, remedy: str, is_certain: bool = True) -> Problem:
    return Problem(host, MtastsError(code, f"{host} {what}", remedy), is_certain)


@functools.lru_cache(maxsize=None)
def _identities(url: str, verify: bool) -> Tuple[str, ...]:
    import requests  # certbot brings it along

    try:
        meta = requests.get(url, timeout=_HTTP_SECONDS, verify=verify).json()["meta"]
        return tuple(str(name) for name in meta["caaIdentities"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _reach(host: str, address: str, beacon: Beacon) -> Optional[Problem]:
    """Ask `address` for the beacon; None if this machine answered."""
    try:
        answer = _fetch(host, address, URL_PATH + beacon.token)
    except OSError as error:
        return _unreachable(host, address, error)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = _STATUS.match(head)
    code = status.group(1).decode("ascii") if status else "no HTTP status"
    if code == "200" and body.strip() == beacon.answer.encode("ascii"):
        return None
    location = _LOCATION.search(head)
    if code.startswith("3") and location:
        return _problem(
            host,
            "challenge-redirected",
            f"at {address} redirects challenges to {printable(location.group(1))}",
            "The CA will follow; answering on port 80 itself, as zz-mtasts-80 does, is safer.",
            False,
        )
    return _problem(
        host,
        "address-elsewhere",
        f"at {address} answers on port 80 ({code}), but not from this machine's challenge folder",
        "Correct or remove that address in DNS, or enable the site here: a2ensite zz-mtasts-80",
    )


def _unreachable(host: str, address: str, error: OSError) -> Problem:
    """What it means that `address` could not be asked."""
    why = printable(error.strerror or error)
    if error.errno in _NO_ROUTE:
        family = "IPv6" if ":" in address else "IPv4"
        return _problem(
            host,
            "address-family-missing",
            f"has the address {address}, but this machine has no {family} ({why})",
            f"Remove that record from DNS, or give the machine {family}: the CA will try it.",
        )
    if _is_local(address):
        return _problem(
            host,
            "port-80-closed",
            f"at {address} is this machine, but port 80 does not answer ({why})",
            "Start Apache, and let it listen there: the CA asks on port 80.",
        )
    return _problem(
        host,
        "address-not-verified",
        f"at {address} cannot be reached from here ({why})",
        "If that is not this machine behind a router, correct the record in DNS.",
        False,
    )


def _is_local(address: str) -> bool:
    """Whether the address is one of this machine's own."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.bind((address, 0))
    except OSError:
        return False
    return True


def _fetch(host: str, address: str, path: str) -> bytes:
    """The answer to a plain GET, at most `_HTTP_LIMIT` bytes in `_HTTP_SECONDS`; raises OSError."""
    deadline = time.monotonic() + _HTTP_SECONDS
    request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: mtasts\r\n\r\n"
    with socket.create_connection((address, _HTTP_PORT), _HTTP_SECONDS) as connection:
        connection.sendall(request.encode("ascii"))
        answer = b""
        while len(answer) < _HTTP_LIMIT:
            left = deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout(f"no whole answer within {_HTTP_SECONDS} s")
            connection.settimeout(left)
            chunk = connection.recv(4096)
            if not chunk:
                break
            answer += chunk
    return answer
