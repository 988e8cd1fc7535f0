"""The results of checks in a file that a later run continues: a line of JSON for each domain.

A line is written by one call and stands there whole. A run that was killed may leave a last line
without its end: the next run removes it, so that this domain is checked again. Of what is in the
file only the names of the domains are kept in memory, each with its severity.
"""

import errno
import fcntl
import json
import os
import stat
from typing import Any, Dict, Optional

from mtasts.errors import MtastsError, printable
from mtasts.finding import Severity

_MAX_LINE = 16 * 1024 * 1024  # octets


class ResultsUnusable(MtastsError):
    """The file cannot be continued; it is as it was."""


class Results:
    """The file at `path`, made if it is not there, open for more results of `version`.

    Results are documents of `checks.document`; `version`, `domain` and `severity` count here.
    `severities` has the domains whose results are there. A context manager; to make one raises
    `ResultsUnusable`, also while another run has the file.
    """

    def __init__(self, path: str, version: int) -> None:
        self.severities: Dict[str, Severity] = {}
        self._path = path
        self._version = version
        try:
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise self._refused(error.strerror) from error
        try:
            if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                raise self._refused("it is not a file")
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_: object) -> None:
        os.fsync(self._file.fileno())
        self._file.close()  # the lock goes with it

    def add(self, result: Dict[str, Any]) -> None:
        """Write the result of a domain; raises `ResultsUnusable`, and nothing of it is there."""
        line = json.dumps(result).encode("ascii") + b"\n"
        end = self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._file.truncate(end)
            raise self._refused(error.strerror) from error
        self._enter(result)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResultsUnusable(
                "check-output-busy",
                f"another run writes to {printable(self._path, 300)}",
                "Wait for its end, or name another file.",
            ) from error

    def _read(self) -> None:
        """Learn what is there, and remove a last line without its end."""
        with open(self._path, "rb") as file:
            whole = 0
            for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), b""), 1):
                if not line.endswith(b"\n") and len(line) < _MAX_LINE:
                    self._file.truncate(whole)
                    return
                if not self._is_result(line):
                    raise self._foreign(number)
                whole += len(line)

    def _is_result(self, line: bytes) -> bool:
        try:
            result = json.loads(line.decode("ascii"))
            self._enter(result)
            return result["version"] == self._version
        except (ValueError, KeyError, TypeError):
            return False

    def _enter(self, result: Dict[str, Any]) -> None:
        self.severities[result["domain"]] = Severity(result["severity"])

    def _foreign(self, number: int) -> ResultsUnusable:
        return ResultsUnusable(
            "check-output-foreign",
            f"line {number} of {printable(self._path, 300)} is no result of a check, version"
            f" {self._version}",
            "Name a file that is not there yet, or one that this version has begun.",
        )

    def _refused(self, why: Optional[str]) -> ResultsUnusable:
        return ResultsUnusable(
            "check-output-unwritable",
            f"{printable(self._path, 300)} cannot be written: {printable(why, 200)}",
            "See to its permissions and to the room on its disk; the run goes on from there.",
        )
