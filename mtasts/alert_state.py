"""What `mtasts report watch` remembers of what it has told (see `told`).

{"schema": "mtasts-report-watch-state/1",
 "told": {WAY: {"digest": TIME, "domains": {DOMAIN: [[CODE, ABOUT, DAY], ...], ...}}}}
"""

import datetime
from typing import Any, Dict, List, NamedTuple, Optional

from mtasts.alerts import Known
from mtasts.domain import Domain
from mtasts.history import moment, timestamp
from mtasts.told import Memory

DEFAULT_PATH = "/var/lib/mtasts/reports/watch/state.json"
SCHEMA = "mtasts-report-watch-state/1"
_DAY = "%Y-%m-%d"


class Told(NamedTuple):
    """When the last digest was told (aware), and the alerts that have not ended, by domain."""

    digest: Optional[datetime.datetime]
    domains: Dict[Domain, List[Known]]


def memory(path: str) -> Memory:
    """What was told, in the file `path`: `Told` by the name of each way."""
    return Memory(path, SCHEMA, "mtasts report watch", _as_json, _told)


def _as_json(told: Told) -> Dict[str, Any]:
    domains = {
        domain: [[one.code, one.about, one.since.strftime(_DAY)] for one in known]
        for domain, known in told.domains.items()
        if known
    }
    return {"digest": told.digest and timestamp(told.digest), "domains": domains}


def _told(facts: Dict[str, Any]) -> Told:
    digest = None if facts["digest"] is None else moment(facts["digest"])
    domains = {
        Domain(name): [_known(*one) for one in known] for name, known in facts["domains"].items()
    }
    return Told(digest, domains)


def _known(code: str, about: str, since: str) -> Known:
    if not (code.isprintable() and about.isprintable()):
        raise ValueError(code)
    return Known(code, about, datetime.datetime.strptime(since, _DAY).date())
