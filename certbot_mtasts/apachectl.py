"""Apache's control program: test the configuration, read what it says, reload without a gap.

Everything goes through one program (apache2ctl on Debian, httpd elsewhere), so a wrapper can stand
in its place. A stopped Apache stays stopped: Apache's own `graceful` would start it, so it is asked
for only while the process of the PID file lives. A reload is asynchronous and reads the
configuration again; it is over when Apache has new children, and it went wrong if the parent died.
"""

import itertools
import os
import re
import shutil
import subprocess
import time
from typing import FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

from mtasts.errors import MtastsError, printable

TLS_PORT = 443
_PROGRAMS = ("apache2ctl", "httpd", "apachectl")
# cron's PATH leaves out where Apache lives.
_SEARCH_PATH = ":/usr/local/sbin:/usr/sbin:/sbin"
_TEST_SECONDS = 120
_RELOAD_SECONDS = 60
_PID_FILE = re.compile(r'^PidFile: "(.*)"$', re.MULTILINE)
# The listing of -D DUMP_VHOSTS: an address with one virtual host, or with several below it.
_SINGLE = re.compile(r"\S+:(\S+) +(\S+) \((.+):([0-9]+)\)\Z")
_NAMED = re.compile(r" +port (\S+) namevhost (\S+) \((.+):([0-9]+)\)\Z")
_ALIAS = re.compile(r" +alias (\S+)\Z")
_SERVER_ALIAS = re.compile(r"\s*ServerAlias\s+(.*)", re.IGNORECASE)
_END = re.compile(r"\s*</VirtualHost>", re.IGNORECASE)


class ApacheError(MtastsError):
    """Apache does not do what was asked; its own words stand before the remedy."""


class NoApache(ApacheError):
    """There is no control program."""


class VirtualHost(NamedTuple):
    """A virtual host as Apache lists it: its port ("*" for any), names, file and line."""

    port: str
    names: Tuple[str, ...]
    file: str
    line: int


class Configuration(NamedTuple):
    """What a configuration that passed the test says."""

    pid_file: str
    vhosts: Tuple[VirtualHost, ...]

    def pid(self) -> Optional[int]:
        """The process number of the running Apache, or None if it is stopped."""
        try:
            with open(self.pid_file, encoding="ascii") as file:
                number = int(file.read())
        except (OSError, ValueError):
            return None
        return number if _is_alive(number) else None


class Apache:
    """The Apache that `program` controls; None means the first one found on this machine."""

    def __init__(self, program: Optional[str] = None) -> None:
        self._wanted = program

    @property
    def program(self) -> str:
        """Path of the control program; raises `NoApache`."""
        path = os.environ.get("PATH", os.defpath) + _SEARCH_PATH
        for name in [self._wanted] if self._wanted else _PROGRAMS:
            found = shutil.which(name, path=path)
            if found:
                return found
        wanted = self._wanted or ", ".join(_PROGRAMS)
        raise NoApache(
            "apache-not-found",
            f"Apache's control program is not on this machine ({printable(wanted)})",
            "Install Apache with apache/setup, or name its control program with --mtasts-ctl.",
        )

    def test(self) -> Configuration:
        """Test the configuration and return what it says; raises `ApacheError`."""
        code, output = self._run("-t", "-D", "DUMP_VHOSTS", "-D", "DUMP_RUN_CFG")
        if code != 0:
            raise ApacheError(
                "apache-configuration-broken",
                "Apache does not accept its configuration",
                f"{_quoted(output)}\n"
                "Correct what Apache names. Nothing was reloaded, so what ran keeps running.",
            )
        pid_file = _PID_FILE.search(output)
        return Configuration(pid_file.group(1) if pid_file else "", _vhosts(output))

    def reload(self, pid: int) -> None:
        """Let the running Apache `pid` read its configuration, and return when it has done so.

        No request is lost. Raises `ApacheError` if Apache refuses, or died of what it read.
        """
        before = _children(pid)
        code, output = self._run("-k", "graceful")
        if code != 0:
            raise ApacheError(
                "apache-reload-failed",
                "Apache was not reloaded, so it serves what it served before",
                f"{_quoted(output)}\nSee also Apache's error log.",
            )
        deadline = time.monotonic() + _RELOAD_SECONDS
        while before and not _children(pid) - before:
            if not _is_alive(pid):
                raise ApacheError(
                    "apache-died",
                    "Apache stopped while it was reloading, although its configuration had passed",
                    "See Apache's error log, then start it: systemctl start apache2.",
                )
            if time.monotonic() > deadline:
                raise ApacheError(
                    "apache-reload-slow",
                    f"Apache did not finish reloading within {_RELOAD_SECONDS} s",
                    "See Apache's error log; the reload may still be going on.",
                )
            time.sleep(0.02)

    def _run(self, *arguments: str) -> Tuple[int, str]:
        """Run the control program and return its exit code and all that it printed."""
        argv = [self.program] + list(arguments)
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_TEST_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return 1, f"{' '.join(argv)}: {error}"
        return done.returncode, done.stdout.decode("utf-8", "replace")


def _is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _children(pid: int) -> FrozenSet[str]:
    """The process numbers of Apache's children; none if the kernel does not tell."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return frozenset(file.read().split())
    except OSError:
        return frozenset()


def _quoted(output: str) -> str:
    """Apache's words, indented, safe for a terminal."""
    return "\n".join(f"    {printable(line, 500)}" for line in output.splitlines())


def _vhosts(listing: str) -> Tuple[VirtualHost, ...]:
    """Read the listing of the virtual hosts. Aliases follow the one that has them.

    Of an address with a single one Apache does not list the aliases; then they are read from its
    file.
    """
    found: List[VirtualHost] = []
    for line in listing.splitlines():
        single = _SINGLE.match(line)
        host = single or _NAMED.match(line)
        alias = _ALIAS.match(line)
        if host:
            port, name, file, number = host.groups()
            names = (name.lower(), *(_aliases(file, int(number)) if single else ()))
            found.append(VirtualHost(port, names, file, int(number)))
        elif alias and found:
            last = found[-1]
            found[-1] = last._replace(names=last.names + (alias.group(1).lower(),))
    return tuple(found)


def _aliases(path: str, number: int) -> Iterator[str]:
    """The ServerAlias names of the virtual host that begins at that line of a file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in itertools.islice(file, number, None):
                if _END.match(line):
                    return
                alias = _SERVER_ALIAS.match(line)
                if alias:
                    yield from alias.group(1).lower().replace('"', " ").split()
    except OSError:
        return
