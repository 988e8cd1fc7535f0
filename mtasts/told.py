"""What a program has told, and to whom: a file that is replaced when something was delivered.

    {"schema": SCHEMA, "told": {WAY: ..., ...}}

A file that this version did not write is refused and left as it is.
"""

import contextlib
import json
import os
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple

from mtasts.errors import MtastsError, printable
from mtasts.files import heir, lock, make_folder, replace_file

MAX_BYTES = 256 * 1024 * 1024
PATIENCE = 10  # seconds for another run to end


class StateUnusable(MtastsError):
    """The state cannot be read or written; it is as it was."""


class Memory(NamedTuple):
    """The file at `path`, in which `program` remembers by the name of each way what was told there.

    `encode` makes JSON of that, `decode` reads it back and may raise ValueError, KeyError,
    TypeError, IndexError or AttributeError.
    """

    path: str
    schema: str
    program: str
    encode: Callable[[Any], Dict[str, Any]]
    decode: Callable[[Dict[str, Any]], Any]

    @contextlib.contextmanager
    def held(self, patience: float = PATIENCE) -> Iterator[None]:
        """Keep other runs from it, after `patience` seconds at most.

        Its folder is made if it is not there. Raises `StateUnusable`.
        """
        folder = os.path.dirname(os.path.abspath(self.path))
        try:
            make_folder(folder)
            descriptor = lock(folder, patience)
        except TimeoutError as error:
            raise StateUnusable(
                "watch-busy",
                f"another run has {printable(folder, 300)} for itself",
                "Run it again when that one has ended, or name another place with --state.",
            ) from error
        except OSError as error:
            raise self._failed(error) from error
        try:
            yield
        finally:
            os.close(descriptor)  # the lock goes with it

    def read(self) -> Dict[str, Any]:
        """What was told, by way; {} if nothing was yet. Raises `StateUnusable`."""
        try:
            with open(self.path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise ValueError("too large")
            facts = json.loads(data.decode("ascii"))
            if facts["schema"] != self.schema:
                raise ValueError(facts["schema"])
            return {str(way): self.decode(told) for way, told in facts["told"].items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._failed(error) from error
        except (
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            AttributeError,
            RecursionError,
        ) as error:
            raise StateUnusable(
                "watch-state-foreign",
                f"{printable(self.path, 300)} is not what this version of {self.program} remembers",
                "Name another file with --state, or move this one away: what is wrong is told "
                "anew.",
            ) from error

    def write(self, told: Mapping[str, Any]) -> None:
        """Remember what was `told`; raises `StateUnusable`, and what was remembered before stays.

        What root writes belongs to the owner of the folder, so that a run by hand does not keep the
        timer's account from the state.
        """
        path = os.path.abspath(self.path)
        by_way = {way: self.encode(one) for way, one in told.items()}
        data = json.dumps({"schema": self.schema, "told": by_way}).encode("ascii") + b"\n"
        try:
            replace_file(path, data, mode=0o600, owner=heir(os.path.dirname(path)))
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> StateUnusable:
        return StateUnusable(
            "watch-state-failed",
            f"{printable(self.path, 300)} cannot be read or written: {error.strerror}",
            "See to its folder, which the account of the run has to own, or name another file with "
            "--state.",
        )
