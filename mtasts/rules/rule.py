"""What a rule is, and the sources that most rules have."""

from typing import NamedTuple

GRAMMAR = "RFC 8461 section 3.2"
TXT = "RFC 8461 section 3.1"
TLSRPT = "RFC 8460 section 3"
RECORDS = f"{TXT}, {TLSRPT}"
SENDERS = "practice of senders"
REPORTERS = "practice of reporters"


class Rule(NamedTuple):
    """What a code means: its severity, sentence, source (RFC section) and remedy."""

    severity: str
    message: str
    source: str
    remedy: str
