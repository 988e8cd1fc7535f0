"""apache/setup on a machine of its own: run it, answer it, kill it; what a machine consists of."""

import contextlib
import glob
import hashlib
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import subprocess
import time
from typing import Dict, List, Optional, Tuple

from rig import http
from rig.acme import Pebble
from rig.apache import write
from rig.debian import Debian
from rig.process import Result

DOMAIN, OTHER = "example.test", "example2.test"

REPORT = json.dumps(
    {
        "organization-name": "Example",
        "date-range": {
            "start-datetime": "2026-03-01T00:00:00Z",
            "end-datetime": "2026-03-01T23:59:59Z",
        },
        "report-id": "1",
        "policies": [
            {
                "policy": {"policy-type": "no-policy-found", "policy-domain": "example.test"},
                "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
            }
        ],
    }
)

# What OLD_CERTBOT in certbot.py does, for a certbot that is part of its machine.
KNOWS_VALID = r"""s/^    def answer_challenge.*/&\
        if challb.status == messages.STATUS_VALID:\
            return/"""

# What may differ between two looks at a machine on which nothing was changed for good, and why.
IGNORED = {
    "/dev": "the kernel's",
    "/proc": "the kernel's",
    "/var/lib/apt/lists": "a cache: the lists of packages, which are fetched at need",
    "/var/cache/apt": "a cache: apt's index of these lists",
    "/var/cache/ldconfig": "a cache",
    "/var/cache/debconf": "backups of the last-but-one answers, beside databases that are the same",
    "/var/lib/dpkg/status": "the same packages in another order: see `packages`",
    "/var/lib/dpkg/status-old": "dpkg's own backup",
    "/var/lib/dpkg/diversions-old": "the same",
    "/var/lib/apt/extended_states": "packages that came by themselves; empty is as good as missing",
    "/var/log/apt": "apt tells of every package that came and went",
    "/var/log/dpkg.log": "dpkg does, too",
    "/var/log/alternatives.log": "and so do the alternatives",
    "/etc/passwd-": "the backup that every change of accounts writes",
    "/etc/group-": "the same",
    "/etc/shadow-": "the same",
    "/etc/gshadow-": "the same",
}


def tree(machine: Debian) -> Dict[str, str]:
    """Every path with its kind, mode, owner and content, but for what is IGNORED."""
    found = {}
    for folder, folders, files in os.walk(machine.root):
        inside = folder[len(machine.root) :]
        folders[:] = [name for name in folders if inside + "/" + name not in IGNORED]
        for name in folders + files:
            if inside + "/" + name not in IGNORED:
                found[inside + "/" + name] = _described(folder + "/" + name)
    return found


def _described(path: str) -> str:
    state = os.lstat(path)
    text = "{:o} {}:{}".format(state.st_mode, state.st_uid, state.st_gid)
    if stat.S_ISLNK(state.st_mode):
        return text + " -> " + os.readlink(path)
    if stat.S_ISREG(state.st_mode):
        with open(path, "rb") as file:
            return text + " " + hashlib.sha256(file.read()).hexdigest()
    return text


def packages(machine: Debian) -> List[str]:
    """The installed packages, with versions."""
    listing = machine.run(
        "dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Status}\n"
    )
    return sorted(listing.output.splitlines())


def processes(machine: Debian) -> List[str]:
    """The programs that run there."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink("/proc/{}/root".format(pid)) == machine.root:
                with open("/proc/{}/comm".format(pid)) as comm:
                    found.append(comm.read().strip())
    return sorted(found)


def difference(before: Dict[str, str], after: Dict[str, str], but: str = "") -> List[str]:
    """What to show when two trees should be the same, ``but`` for paths with that ending."""
    return [
        "{}: {} => {}".format(path, before.get(path), after.get(path))
        for path in sorted(set(before) | set(after))
        if before.get(path) != after.get(path) and not (but and path.endswith(but))
    ]


def kill_at(machine: Debian, marker: str, *argv: str, env: Optional[Dict[str, str]] = None) -> str:
    """Run a command, kill all of it the moment that it prints ``marker``, and return its output."""
    process = subprocess.Popen(
        machine.command(*argv, env=env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        start_new_session=True,
    )
    output = ""
    for line in process.stdout:
        output += line
        if marker in line:
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert marker in output, output
    return output


def converse(
    machine: Debian, answers: Dict[str, str], *argv: str, env: Optional[Dict[str, str]] = None
) -> Result:
    """Run a command on a terminal; whenever it asks a question of ``answers``, type the answer."""
    command = machine.command(*argv, env=env)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)  # noqa: S606
    waiting, output, deadline = dict(answers), "", time.monotonic() + 240
    with contextlib.suppress(OSError):  # Linux says EIO when the other end is closed
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            output += os.read(terminal, 4096).decode("utf-8", "replace")
            for question in [one for one in waiting if one in output]:
                os.write(terminal, waiting.pop(question).encode("ascii") + b"\n")
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return Result(command, os.WEXITSTATUS(status), output)


class Host:
    """A newly installed machine that will serve policies, with certificates of ``pebble``."""

    def __init__(self, machine: Debian, pebble: Pebble) -> None:
        self.machine = machine
        self.pebble = pebble
        shutil.copy(pebble.api_ca, machine.path("/root/api-ca.pem"))
        shutil.copy(pebble.root, machine.path("/root/root.pem"))
        self.env = {"REQUESTS_CA_BUNDLE": "/root/api-ca.pem", "SSL_CERT_FILE": "/root/root.pem"}
        self.env["TERM"] = "dumb"
        write(machine.path("/etc/hosts"), "127.0.0.1 localhost\n")
        if os.path.exists(machine.path("/etc/lsb-release")):  # see tests/debian
            machine.run("sh", "-c", "apt-get update -qq && apt-get install -y -qq python3-pip")
            machine.run("sh", "-c", "pip3 install --no-deps --no-index /srv/packages/acme-*.whl")
            machine.run(
                "sed", "-i", KNOWS_VALID, "/usr/local/lib/python3.6/dist-packages/acme/client.py"
            )

    def command(self, *arguments: str) -> Tuple[str, ...]:
        """What sets this machine up, for `converse` and `kill_at`."""
        return ("apache/setup", *arguments, "--server", self.pebble.url)

    def setup(self, *arguments: str, check: bool = True) -> Result:
        """Run apache/setup with nobody to answer."""
        return self.machine.run(*self.command(*arguments), env=self.env, check=check)

    def setup_quietly(self, *arguments: str, check: bool = True) -> Result:
        """Run apache/setup, which need not ask anything."""
        return self.setup(*arguments, "--agree-tos", "--yes", check=check)

    def fails(self, code: str, *arguments: str) -> str:
        """Assert that apache/setup ends with this error, and return all that it said."""
        result = self.setup_quietly(*arguments, check=False)
        assert (result.code, "error [{}]".format(code) in result.output) == (1, True), result
        assert "What to do: " in result.output
        return result.output

    def file(self, path: str) -> str:
        """The content of a file there, with its line ends."""
        with open(self.machine.path(path), newline="") as file:
            return file.read()

    def served(self, domain: str = DOMAIN) -> Tuple[str, bytes]:
        """The policy and the certificate that a sender gets, over verified TLS."""
        path = "/.well-known/mta-sts.txt"
        answer = http.fetch("mta-sts." + domain, path, root=self.pebble.root)
        assert answer.status == 200
        return answer.text, answer.certificate

    def policy(self, domain: str = DOMAIN) -> str:
        """The policy that a sender gets."""
        return self.served(domain)[0]

    def post(self, output: str, report: str) -> http.Answer:
        """Post a report as reporters do, to the address for DOMAIN that apache/setup printed."""
        host = "mta-sts." + DOMAIN
        (path,) = re.findall(
            r"rua=\S*https://{}(/tlsrpt/[0-9a-f]{{32}})".format(re.escape(host)), output
        )
        lines = ["POST {} HTTP/1.1".format(path), "Host: " + host, "Connection: close"]
        request = "\r\n".join([*lines, "Content-Length: {}".format(len(report)), "", report])
        return http.exchange(request.encode("ascii"), http.connect(host, self.pebble.root), "POST")

    def lineage(self) -> str:
        """The name of certbot's certificate in the virtual host of DOMAIN."""
        vhosts = glob.glob(self.machine.path("/etc/*/mtasts/*.conf"))
        texts = {path: self.file(path[len(self.machine.root) :]) for path in vhosts}
        (found,) = [path for path, text in texts.items() if " mta-sts.{}\n".format(DOMAIN) in text]
        return os.path.basename(found)[: -len(".conf")]

    def assert_renews(self) -> None:
        """Renewal works without any option, and Apache presents the new certificate."""
        before = self.served()[1]
        renew = ["certbot", "renew", "--force-renewal", "--cert-name", self.lineage()]
        if "0.27.0" not in self.machine.run("certbot", "--version").output:
            renew.append("--no-random-sleep-on-renew")  # 0.27 neither knows it nor sleeps
        self.machine.run(*renew, env=self.env)
        assert self.served()[1] != before
