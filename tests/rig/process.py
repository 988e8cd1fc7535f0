"""Starting programs, waiting for what they do, and ending exactly those that were started."""

import os
import socket
import subprocess
import time
from typing import Callable, Dict, List, Optional, TypeVar

T = TypeVar("T")


class CommandFailed(AssertionError):
    """A command ended otherwise than the test needs; shows all that it printed."""


class Result:
    """What a finished command left: ``code`` and ``output`` (stdout and stderr as they came)."""

    def __init__(self, argv: List[str], code: int, output: str) -> None:
        self.argv = argv
        self.code = code
        self.output = output

    def __str__(self) -> str:
        return "$ {}\n{}[exit {}]".format(" ".join(self.argv), self.output, self.code)


def run(
    *argv: str,
    check: bool = True,
    env: Optional[Dict[str, str]] = None,
    stdin: str = "",
    timeout: float = 120,
) -> Result:
    """Run a command to its end; ``env`` is added to the environment, ``timeout`` is in seconds.

    Raises CommandFailed if ``check`` and the command does not exit 0.
    """
    done = subprocess.run(
        argv,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env=dict(os.environ, **(env or {})),
        timeout=timeout,
        check=False,
    )
    result = Result(list(argv), done.returncode, done.stdout)
    if check and done.returncode != 0:
        raise CommandFailed(str(result))
    return result


def wait_for(condition: Callable[[], T], what: str, seconds: float = 15) -> T:
    """Ask until the answer is true and return it; AssertionError about ``what`` otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("not within {:g} s: {}".format(seconds, what))
        time.sleep(0.02)


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a TCP connection to the port is accepted now."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


class Daemon:
    """A program in the foreground of its own process; its output goes to the file ``log``."""

    def __init__(self, argv: List[str], log: str, env: Optional[Dict[str, str]] = None) -> None:
        self.argv = argv
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, **(env or {})),
            )

    def wait_until_listening(self, port: int, host: str = "127.0.0.1") -> None:
        """Return once the port answers; raises as `wait_until`."""
        what = "listens on {} port {}".format(host, port)
        self.wait_until(lambda: listens(port, host), what)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Return once it is so; CommandFailed with the log if the program ends before."""

        def ready() -> bool:
            if self.process.poll() is not None:
                raise CommandFailed(str(Result(self.argv, self.process.returncode, self.output())))
            return condition()

        wait_for(ready, "{} {}".format(self.argv[0], what))

    def output(self) -> str:
        """What the program has printed so far."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self) -> None:
        """End the program: politely, then, after five seconds, not."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
