"""A real Apache in Debian's layout, run through apache2ctl as an administrator does."""

import glob
import os
import signal
from typing import FrozenSet, Optional

from rig import stacks
from rig.process import Result, listens, run, wait_for

ETC = "/etc/apache2"
PID_FILE = "/run/apache2/apache2.pid"
ERROR_LOG = "/var/log/apache2/error.log"


class Apache:
    """The machine's Apache with the mod_wsgi of one stack (see stacks.WSGI_STACKS) and one MPM."""

    def __init__(self, wsgi: str = "system", mpm: str = "event") -> None:
        self.wsgi = wsgi
        self.mpm = mpm

    def prepare(self) -> None:
        """Choose MPM and mod_wsgi; Apache must not run."""
        if self.mpm != "event":
            self.disable("mod", "mpm_event")
            self.enable("mod", "mpm_" + self.mpm)
        if self.wsgi != "system":
            home = stacks.directory(self.wsgi)
            (module,) = glob.glob(
                home + "/lib/python3.*/site-packages/mod_wsgi/server/mod_wsgi*.so"
            )
            write(ETC + "/mods-available/wsgi.load", "LoadModule wsgi_module {}\n".format(module))
            write(ETC + "/mods-available/wsgi.conf", "WSGIPythonHome {}\n".format(home))

    def enable(self, kind: str, *names: str) -> Result:
        """``kind`` is mod, conf or site, as in a2enmod, a2enconf, a2ensite."""
        return run("a2en" + kind, "--quiet", *names)

    def disable(self, kind: str, *names: str) -> Result:
        """The opposite of enable."""
        return run("a2dis" + kind, "--quiet", *names)

    def add_site(self, name: str, text: str) -> None:
        """Write sites-available/<name>.conf and enable it."""
        write("{}/sites-available/{}.conf".format(ETC, name), text)
        self.enable("site", name)

    def add_configuration(self, name: str, text: str) -> None:
        """Write conf-available/<name>.conf and enable it."""
        write("{}/conf-available/{}.conf".format(ETC, name), text)
        self.enable("conf", name)

    def configtest(self, check: bool = True) -> Result:
        """What ``apache2ctl configtest`` says."""
        return run("apache2ctl", "configtest", check=check)

    def start(self, *ports: int) -> None:
        """Return when Apache answers on port 80, and on ``ports``."""
        run("apache2ctl", "start")
        # It listens before it writes its process id down, without which nobody can stop it.
        wait_for(self.pid, "Apache has written down its process id")
        for port in (80,) + ports:
            wait_for(lambda port=port: listens(port), "Apache listens on {}".format(port))

    def graceful(self) -> None:
        """Reload and return when the new configuration has taken over; it must be a good one.

        A child of the generation before may take a connection until it has ended.
        """
        pid = self.pid()
        old = _children(pid)
        before = self.error_log().count("resuming normal operations")
        run("apache2ctl", "graceful")

        def resumed() -> bool:
            return self.error_log().count("resuming normal operations") > before

        wait_for(resumed, "Apache has reloaded")
        wait_for(lambda: not old & _children(pid), "the children of before have ended")

    def stop(self) -> None:
        """End Apache, if it runs, by the process it wrote down."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not _exists(pid), "Apache has ended")

    def pid(self) -> Optional[int]:
        """Process id of the parent, or None if Apache does not run."""
        try:
            with open(PID_FILE) as source:
                pid = int(source.read())
        except FileNotFoundError:
            return None
        return pid if _exists(pid) else None

    def error_log(self) -> str:
        """The text of error.log, "" before the first line."""
        try:
            with open(ERROR_LOG, encoding="utf-8", errors="replace") as source:
                return source.read()
        except FileNotFoundError:
            return ""


def write(path: str, text: str) -> None:
    """Write a text file, directories included."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as output:
        output.write(text)


def _children(pid: int) -> FrozenSet[str]:
    with open("/proc/{0}/task/{0}/children".format(pid)) as source:
        return frozenset(source.read().split())


def _exists(pid: int) -> bool:
    try:
        with open("/proc/{}/stat".format(pid)) as source:
            return source.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
