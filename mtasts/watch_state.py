"""What `mtasts watch` remembers of what it has told (see `told`).

    {"schema": "mtasts-watch-state/1",
     "told": {WAY: {"troubles": [TROUBLE, ...],
                    "domains": {DOMAIN: [[NUMBER, SINCE, IS_TOLD], ...], ...}}}}

NUMBER counts the TROUBLEs of its WAY from 0: a hundred thousand domains may share what is wrong.
"""

from typing import Any, Dict, List, Mapping, Tuple

from mtasts.changes import Known
from mtasts.domain import Domain
from mtasts.finding import Severity
from mtasts.history import moment, timestamp
from mtasts.told import Memory
from mtasts.troubles import Trouble

DEFAULT_PATH = "/var/lib/mtasts/watch/state.json"
SCHEMA = "mtasts-watch-state/1"

Told = Dict[Domain, List[Known]]  # domains with nothing wrong are not in it


def memory(path: str) -> Memory:
    """What was told, in the file `path`: `Told` by the name of each way."""
    return Memory(path, SCHEMA, "mtasts watch", _as_json, _told)


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
