"""The machine's resolver: one that answers from a table, or one that asks name servers.

`Resolver` is dnsmasq on 127.0.0.1:53 and [::1]:53, `Validating` is unbound on 127.0.0.1:53, which
begins at a root of the test and trusts its key.

A table is a list of lines in the manner of a zone file, names without a final dot:

    mta-sts.example.test  A      127.0.0.1
    example.test          MX     10 mx.example.test
    _mta-sts.example.test TXT    "v=STSv1; id=1;"
    example.test          CAA    0 issue "pebble.letsencrypt.org"
    www.example.test      CNAME  example.test
    broken.test           SERVFAIL
    example.org           ZONE   192.0.2.1   (which that name server answers for)

Whatever is not in the table does not exist (NXDOMAIN).
"""

import os
import shlex
import urllib.request
from typing import Iterable, List, Optional

import dns.exception
import dns.message
import dns.query

from rig.process import Daemon

PORT = 53
FAILING_PORT, FAILING_MANAGEMENT_PORT = 8053, 8055
SETTINGS = [
    "no-resolv",
    "no-hosts",
    "local=/#/",
    "listen-address=127.0.0.1,::1",
    "bind-interfaces",
    "cache-size=0",
]
# It takes the top-level domain of examples for nobody's, unless it is told otherwise.
UNBOUND = """\
remote-control:
  control-enable: no
server:
  interface: 127.0.0.1
  directory: "{directory}"
  pidfile: "{directory}/pid"
  root-hints: "{hints}"
  username: ""
  chroot: ""
  use-syslog: no
  num-threads: 1
  do-ip6: no
  do-not-query-localhost: no
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  local-zone: "test." nodefault"""


class Resolver:
    """dnsmasq with the current table; ``directory`` holds its configuration and log."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._dnsmasq: Optional[Daemon] = None
        self._failing: Optional[Daemon] = None

    def set(self, *table: str) -> None:
        """Answer from this table from now on; a line may hold several lines."""
        self.stop()
        records = [
            shlex.split(line) for text in table for line in text.splitlines() if line.strip()
        ]
        broken = [name for name, kind, *_ in records if kind == "SERVFAIL"]
        if broken:
            self._start_failing(broken)
        configuration = os.path.join(self.directory, "dnsmasq.conf")
        with open(configuration, "w") as output:
            output.write("\n".join(SETTINGS + [_setting(*record) for record in records]) + "\n")
        argv = [
            "dnsmasq",
            "--keep-in-foreground",
            "--log-facility=-",
            "--conf-file=" + configuration,
        ]
        self._dnsmasq = Daemon(argv, os.path.join(self.directory, "dnsmasq.log"))
        self._dnsmasq.wait_until(lambda: _answers(PORT), "answers")

    def stop(self) -> None:
        """No resolver any more."""
        for daemon in (self._dnsmasq, self._failing):
            if daemon:
                daemon.stop()
        self._dnsmasq = self._failing = None

    def _start_failing(self, names: Iterable[str]) -> None:
        # dnsmasq cannot fail on purpose: it asks Pebble's DNS server, which can.
        argv = ["pebble-challtestsrv", "-dns01", "127.0.0.1:{}".format(FAILING_PORT)]
        argv += ["-http01", "", "-https01", "", "-tlsalpn01", ""]
        argv += ["-management", "127.0.0.1:{}".format(FAILING_MANAGEMENT_PORT)]
        self._failing = Daemon(argv, os.path.join(self.directory, "failing.log"))
        self._failing.wait_until_listening(FAILING_MANAGEMENT_PORT)
        self._failing.wait_until(lambda: _answers(FAILING_PORT), "answers")
        url = "http://127.0.0.1:{}/set-servfail".format(FAILING_MANAGEMENT_PORT)
        for name in names:
            body = '{{"host": "{}."}}'.format(name).encode("ascii")
            urllib.request.urlopen(url, data=body, timeout=60).close()


def _answers(port: int) -> bool:
    """Whether somebody answers to a datagram, which a port that takes connections need not."""
    query = dns.message.make_query("ready.invalid", "A")
    try:
        dns.query.udp(query, "127.0.0.1", timeout=0.1, port=port)
    except (OSError, dns.exception.Timeout):
        return False
    return True


class Validating:
    """unbound, which remembers nothing; ``directory`` holds its configuration and log.

    ``root`` is the address of the root's name server, ``anchors`` the DS records of its key.
    """

    def __init__(self, directory: str, root: str, anchors: Iterable[str]) -> None:
        self._directory = os.path.join(directory, "unbound")
        os.makedirs(self._directory)
        hints = self._write("hints", ". 60 IN NS ns.", "ns. 60 IN A " + root)
        lines = UNBOUND.format(directory=self._directory, hints=hints)
        trusted = ("  trust-anchor: '{}'".format(" ".join(one.split())) for one in anchors)
        self._configuration = self._write("unbound.conf", lines, *trusted)
        self._unbound: Optional[Daemon] = None

    def start(self) -> None:
        """Return when it listens."""
        argv = ["unbound", "-d", "-c", self._configuration]
        self._unbound = Daemon(argv, os.path.join(self._directory, "log"))
        self._unbound.wait_until_listening(PORT)

    def stop(self) -> None:
        """No resolver any more."""
        if self._unbound:
            self._unbound.stop()
        self._unbound = None

    def _write(self, name: str, *lines: str) -> str:
        path = os.path.join(self._directory, name)
        with open(path, "w") as output:
            output.write("\n".join(lines) + "\n")
        return path


def _setting(name: str, kind: str, *data: str) -> str:
    """One record as dnsmasq's configuration says it."""
    if kind in ("A", "AAAA"):
        return "host-record={},{}".format(name, *data)
    if kind == "MX":
        preference, exchange = data
        return "mx-host={},{},{}".format(name, exchange, preference)
    if kind == "TXT":
        return "txt-record={},{}".format(name, ",".join(_quoted(data)))
    if kind == "CAA":
        return "caa-record={},{},{},{}".format(name, *data)
    if kind == "CNAME":
        return "cname={},{}".format(name, *data)
    if kind in ("SERVFAIL", "ZONE"):
        servers = data or ("127.0.0.1#{}".format(FAILING_PORT),)
        return "server=/{}/{}".format(name, *servers)
    raise ValueError("no such kind of record here: " + kind)


def _quoted(strings: Iterable[str]) -> List[str]:
    return ['"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"')) for text in strings]
