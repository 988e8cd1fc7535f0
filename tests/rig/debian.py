"""A newly installed Debian or Ubuntu to set up, break and throw away; tests/debian makes it.

It is a directory to chroot into, in the network of the sandbox: what is started in it listens on
the sandbox's ports, and ends with it. Its apt installs from a directory inside. A copy of the clone
lies in /root/mtasts.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from typing import Dict, Iterator, List, Optional

from rig import stacks
from rig.process import Result, run, wait_for

SUITES = ("bookworm", "trixie", "bionic")
CLONE = "/root/mtasts"
ENVIRONMENT = [
    "HOME=/root",
    "LANG=C.UTF-8",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
]


class Debian:
    """One such machine; a context manager."""

    def __init__(self, suite: str) -> None:
        script = os.path.join(stacks.TESTS, "debian")
        self._base = subprocess.check_output([script, suite], universal_newlines=True).strip()
        self._layers = "/run/debian-" + suite
        self.root = self._layers + "/root"
        #: how a command gets there; rig.systemd has another way
        self.enter = ["chroot", self.root]

    def __enter__(self) -> "Debian":
        for layer in ("root", "upper", "work"):
            os.makedirs(os.path.join(self._layers, layer))
        options = "lowerdir={},upperdir={}/upper,workdir={}/work"
        options = options.format(self._base, self._layers, self._layers)
        run("mount", "-t", "overlay", "overlay", "-o", options, self.root)
        run("mount", "-t", "proc", "proc", self.path("/proc"))
        run("mount", "--rbind", "/dev", self.path("/dev"))
        shutil.copy("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        ignored = shutil.ignore_patterns(".git", ".*_cache", "__pycache__")
        shutil.copytree(stacks.CLONE, self.path(CLONE), ignore=ignored)
        return self

    def __exit__(self, *_: object) -> None:
        wait_for(self._is_killed, "all processes of the machine have ended")
        run("umount", "--recursive", self.root)
        shutil.rmtree(self._layers)

    def path(self, path: str) -> str:
        """Where this path of the machine is for the test."""
        return self.root + path

    def run(
        self,
        *argv: str,
        check: bool = True,
        env: Optional[Dict[str, str]] = None,
        stdin: str = "",
        timeout: float = 300,
    ) -> Result:
        """Run a command there, in the clone, with nothing of the environment but ``env``."""
        return run(*self.command(*argv, env=env), check=check, stdin=stdin, timeout=timeout)

    def command(self, *argv: str, env: Optional[Dict[str, str]] = None) -> List[str]:
        """What ``run`` runs, to start it in another way."""
        command = [*self.enter, "env", "--ignore-environment", "--chdir=" + CLONE]
        command += ENVIRONMENT + ["{}={}".format(*item) for item in (env or {}).items()]
        return command + list(argv)

    def _is_killed(self) -> bool:
        """Kill all that runs there, and what was started meanwhile; whether nothing did."""
        pids = list(self._processes())
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    def _processes(self) -> Iterator[int]:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink("/proc/{}/root".format(pid)) == self.root:
                    yield int(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
