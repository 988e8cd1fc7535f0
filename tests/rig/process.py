"""Starting programs, waiting for what they do, and ending exactly those that were started."""

import contextlib
import os
import signal
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


def wait_for(condition: Callable[[], T], what: str, seconds: float = 60) -> T:
    """Ask until the answer is true and return it; AssertionError about ``what`` otherwise.

    The time is for what hangs: long, because a busy machine is no fault of what is tested.
    """
    deadline = time.monotonic() + seconds
    while True:
        is_over = time.monotonic() > deadline  # asked once more, if all stood still until then
        answer = condition()
        if answer:
            return answer
        if is_over:
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
    """A program in the foreground of its own process; its output goes to the file ``log``.

    It has a process group of its own, so that what it has started can be ended with it.
    """

    def __init__(self, argv: List[str], log: str, env: Optional[Dict[str, str]] = None) -> None:
        self.argv = argv
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, **(env or {})),
                start_new_session=True,
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

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the program by the signal ``how``, and what it leaves by force; after 30 s all of it.

        A child that lives on for a moment keeps the port from the next program.
        """
        self.process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        wait_for(self._is_gone, "all processes of {} have ended".format(self.argv[0]))

    def _is_gone(self) -> bool:
        self.process.poll()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return True
        return False
