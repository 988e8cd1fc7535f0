"""Sub-domains that take mail: no policy of their parent covers them (RFC 8461 section 3.4)."""

from typing import Iterator

from mtasts.checks.check_finding import CheckFinding, Group, Place
from mtasts.errors import MtastsError
from mtasts.facts import Seen


def sub_domains(seen: Seen) -> Iterator[CheckFinding]:
    """What is to be said of each sub-domain that was looked at."""
    for one in seen.sub_domains:
        place = Place(Group.SUB_DOMAINS, one.name)
        unknown = next((fact for fact in one if isinstance(fact, MtastsError)), None)
        if unknown:
            yield place.finding("sub-domain-unknown", hint=unknown)
        elif one.has_record:
            yield place.finding("sub-domain-taken")
        else:
            yield place.finding("sub-domain-uncovered", seen.domain)
