"""How grave it is that a session with an MX host fails: the mode of the policy says it.

In mode enforce mail is not delivered, in testing it is reported, in none nobody cares.
"""

from mtasts.finding import Finding, Severity
from mtasts.policy import Mode
from mtasts.rules import RULES

_GRAVITY = {
    Mode.ENFORCE: Severity.ERROR,
    Mode.TESTING: Severity.WARNING,
    Mode.NONE: Severity.INFO,
}


def weighed(found: Finding, mode: Mode) -> Finding:
    """The finding, as grave as `mode` makes it, if its rule says that the mode does."""
    return found._replace(severity=_GRAVITY[mode]) if RULES[found.code].by_mode else found
