"""What `mtasts watch` has told, and to whom: a file that is replaced when something was delivered.

    {"schema": "mtasts-watch-state/1",
     "told": {WAY: {"troubles": [TROUBLE, ...],
                    "domains": {DOMAIN: [[NUMBER, SINCE, IS_TOLD], ...], ...}}}}

NUMBER counts the TROUBLEs of its WAY from 0: a hundred thousand domains may share what is wrong. A
file that this version did not write is refused and left as it is.
"""

import contextlib
import json
import os
from typing import Any, Dict, Iterator, List, Mapping, Tuple

from mtasts.changes import Known
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.files import lock, replace_file
from mtasts.finding import Severity
from mtasts.history import moment, timestamp
from mtasts.troubles import Trouble

DEFAULT_PATH = "/var/lib/mtasts/watch/state.json"
SCHEMA = "mtasts-watch-state/1"
MAX_BYTES = 256 * 1024 * 1024
PATIENCE = 10  # seconds for another run to end

Told = Dict[Domain, List[Known]]  # domains with nothing wrong are not in it
State = Dict[str, Told]  # by way


class StateUnusable(MtastsError):
    """The state cannot be read or written; it is as it was."""


@contextlib.contextmanager
def held(path: str, patience: float = PATIENCE) -> Iterator[None]:
    """Keep other runs from the state at `path`, after `patience` seconds at most.

    Its folder is made if it is not there. Raises `StateUnusable`.
    """
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        descriptor = lock(folder, patience)
    except TimeoutError as error:
        raise StateUnusable(
            "watch-busy",
            f"another run has {printable(folder, 300)} for itself",
            "Run it again when that one has ended, or name another place with --state.",
        ) from error
    except OSError as error:
        raise _failed(path, error) from error
    try:
        yield
    finally:
        os.close(descriptor)  # the lock goes with it


def read(path: str) -> State:
    """What was told; {} if nothing was yet. Raises `StateUnusable`."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError("too large")
        facts = json.loads(data.decode("ascii"))
        if facts["schema"] != SCHEMA:
            raise ValueError(facts["schema"])
        return {str(way): _told(told) for way, told in facts["told"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _failed(path, error) from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise StateUnusable(
            "watch-state-foreign",
            f"{printable(path, 300)} is not what this version of mtasts watch remembers",
            "Name another file with --state, or move this one away: what is wrong is told anew.",
        ) from error


def write(path: str, state: Mapping[str, Mapping[Domain, List[Known]]]) -> None:
    """Remember `state`; raises `StateUnusable`, and what was remembered before stays.

    What root writes belongs to the owner of the folder, so that a run by hand does not keep the
    timer's account from the state.
    """
    path = os.path.abspath(path)
    facts = {"schema": SCHEMA, "told": {way: _as_json(told) for way, told in state.items()}}
    data = json.dumps(facts).encode("ascii") + b"\n"
    try:
        folder = os.stat(os.path.dirname(path))
        owner = (folder.st_uid, folder.st_gid) if os.geteuid() == 0 else None
        replace_file(path, data, mode=0o600, owner=owner)
    except OSError as error:
        raise _failed(path, error) from error


def _as_json(told: Mapping[Domain, List[Known]]) -> Dict[str, Any]:
    numbers: Dict[Trouble, int] = {}
    domains = {
        domain: [
            [
                numbers.setdefault(one.trouble._replace(remedy=""), len(numbers)),
                timestamp(one.since),
                one.is_told,
            ]
            for one in known
        ]
        for domain, known in told.items()
        if known
    }
    return {"troubles": [_trouble_as_json(one) for one in numbers], "domains": domains}


def _trouble_as_json(trouble: Trouble) -> Dict[str, str]:
    facts = dict(trouble._asdict(), severity=trouble.severity.value)
    del facts["remedy"]  # what is told of an old trouble is that it ended
    return facts


def _told(facts: Dict[str, Any]) -> Told:
    troubles = [_trouble(one) for one in facts["troubles"]]
    return {
        Domain(name): [_known(troubles, *one) for one in known]
        for name, known in facts["domains"].items()
    }


def _known(troubles: List[Trouble], number: int, since: str, is_told: bool) -> Known:
    if not 0 <= number < len(troubles) or not isinstance(is_told, bool):
        raise ValueError(number)
    return Known(troubles[number], moment(since), is_told)


def _trouble(facts: Dict[str, str]) -> Trouble:
    severity = Severity(facts["severity"])
    texts: Tuple[str, ...] = tuple(
        facts[name] for name in ("group", "host", "address", "code", "message")
    )
    if not all(map(str.isprintable, texts)):
        raise ValueError(texts)
    return Trouble(*texts[:4], severity, texts[4])


def _failed(path: str, error: OSError) -> StateUnusable:
    return StateUnusable(
        "watch-state-failed",
        f"{printable(path, 300)} cannot be read or written: {error.strerror}",
        "See to its folder, which the account of the run has to own, or name another file with "
        "--state.",
    )
