"""Authoritative name servers: BIND on an address of the sandbox, as primary or as secondary.

A primary takes updates that are signed with its key and tells nobody of them; a secondary learns of
a change when the test lets it be notified, and not before.
"""

import base64
import hashlib
import os
from typing import Dict, Iterable, List, Optional

import dns.flags
import dns.message
import dns.opcode
import dns.query

from rig.process import Daemon, run

KEY = "mtasts"
SECRET = base64.b64encode(hashlib.sha256(b"a secret for tests").digest()).decode("ascii")
OPTIONS = """
options {{
    directory "{directory}";
    pid-file "named.pid";
    session-keyfile "session.key";
    listen-on {{ {address}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    empty-zones-enable no;
    notify no;
    allow-transfer {{ any; }};
}};
controls {{ }};
key "{key}" {{ algorithm {algorithm}; secret "{secret}"; }};
"""
PRIMARY = 'zone "{name}" {{ type primary; file "{file}"; update-policy {{ {policy} }}; }};\n'
SECONDARY = 'zone "{name}" {{ type secondary; file "{file}"; primaries {{ {primary}; }}; }};\n'
HEAD = "$TTL 300\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n"


class NameServer:
    """BIND on port 53 of `address`; its files go into a folder below `directory`."""

    def __init__(self, directory: str, address: str, algorithm: str = "hmac-sha256") -> None:
        self.address = address
        self.algorithm = algorithm
        self._directory = os.path.join(directory, "named-" + address)
        os.makedirs(self._directory)
        self._zones: Dict[str, str] = {}
        self._daemon: Optional[Daemon] = None

    def primary(self, name: str, *lines: str, grant: str = "zonesub TXT") -> None:
        """Hold a zone: `lines` are its NS and other records; the key may change what `grant` says.

        Without `grant` nobody may change anything.
        """
        path = self._path(name.strip(".") or "root")
        with open(path, "w") as output:
            output.write(HEAD + "\n".join(lines) + "\n")
        policy = f"grant {KEY} {grant};" if grant else "deny * zonesub ANY;"
        self._zones[name] = PRIMARY.format(name=name, file=path, policy=policy)

    def signed(self, name: str, *lines: str) -> List[str]:
        """Hold a zone that is signed; returns its DS records for its parent. Nobody changes it."""
        self.primary(name, *lines, grant="")
        path, keys = self._path(name.strip(".") or "root"), self._directory
        run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K", keys, name)
        sign = ["dnssec-signzone", "-S", "-z", "-K", keys, "-d", keys, "-o", name]
        run(*sign, "-f", path + ".signed", path)
        os.replace(path + ".signed", path)
        with open(os.path.join(keys, "dsset-" + name.rstrip(".") + ".")) as dsset:
            return dsset.read().splitlines()

    def secondary(self, name: str, primary: str) -> None:
        """Copy a zone from the server with the address `primary`."""
        self._zones[name] = SECONDARY.format(name=name, file=self._path(name), primary=primary)

    def start(self) -> None:
        """Return when it answers."""
        run("ip", "address", "replace", self.address + "/32", "dev", "lo")
        configuration = self._path("named.conf")
        facts = {"directory": self._directory, "address": self.address, "algorithm": self.algorithm}
        with open(configuration, "w") as output:
            output.write(OPTIONS.format(key=KEY, secret=SECRET, **facts))
            output.writelines(self._zones.values())
        argv = ["named", "-g", "-n", "1", "-c", configuration]
        self._daemon = Daemon(argv, self._path("log"))
        # It listens before it has read its zones, and answers SERVFAIL until then.
        self._daemon.wait_until(lambda: "all zones loaded" in self.log(), "has its zones")
        self._daemon.wait_until_listening(53, self.address)

    def stop(self) -> None:
        """No server any more."""
        if self._daemon:
            self._daemon.stop()
        self._daemon = None

    def log(self) -> str:
        """What it printed."""
        return self._daemon.output() if self._daemon else ""

    def notify(self, zone: str, source: str) -> None:
        """Let a secondary hear, from its primary at `source`, that the zone has changed."""
        message = dns.message.make_query(zone, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags |= dns.flags.AA
        dns.query.udp(message, self.address, timeout=60, source=source)

    def txt(self, name: str) -> Iterable[str]:
        """The TXT records at `name` as `dig` sees them, sorted."""
        done = run("dig", "+short", "+norecurse", "@" + self.address, name, "TXT")
        return sorted(done.output.splitlines())

    def update(self, *lines: str) -> None:
        """Change a record as somebody else would: lines for nsupdate."""
        key = f"{self.algorithm}:{KEY}:{SECRET}"
        text = "\n".join([f"server {self.address}", *lines, "send", ""])
        run("nsupdate", "-y", key, stdin=text)

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)
