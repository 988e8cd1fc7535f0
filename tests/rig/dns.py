"""The machine's resolver: dnsmasq on 127.0.0.1:53 and [::1]:53, answering from a table.

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
        self._dnsmasq.wait_until_listening(PORT)

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
        self._failing.wait_until_listening(FAILING_PORT)
        url = "http://127.0.0.1:{}/set-servfail".format(FAILING_MANAGEMENT_PORT)
        for name in names:
            body = '{{"host": "{}."}}'.format(name).encode("ascii")
            urllib.request.urlopen(url, data=body, timeout=5).close()


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
