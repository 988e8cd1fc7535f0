"""What a rule is, and the sources that most rules have."""

from typing import NamedTuple

GRAMMAR = "RFC 8461 section 3.2"
TXT = "RFC 8461 section 3.1"
FETCH = "RFC 8461 section 3.3"
MATCH = "RFC 8461 section 4.1"
MX_TLS = "RFC 8461 section 4.2"
DANE = "RFC 7672 section 2.2"
TLSRPT = "RFC 8460 section 3"
RECORDS = f"{TXT}, {TLSRPT}"
SENDERS = "practice of senders"
REPORTERS = "practice of reporters"


class Rule(NamedTuple):
    """What a code means: its severity, sentence, source (RFC section) and remedy.

    `why` is what follows from it, where the sentence does not say so. A rule of MX hosts has its
    severity in mode enforce, and `by_mode` less in others: mail is delivered there anyway.
    """

    severity: str
    message: str
    source: str
    remedy: str
    why: str = ""
    by_mode: bool = False
