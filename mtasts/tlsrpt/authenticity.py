"""How sure it is that a report comes from whom it names: a grade, and what a mail's grade rests on.

A report is signed by its reporter's domain (RFC 8460 section 3). The signature counts if it is
aligned with the address in From: the reporters seen sign with that domain, a parent of it or a
sibling, and no one limits a key to this service. Whoever can write a mail can write a From, so a
grade says which domain answers for the mail, not that its report is true.
"""

import enum
import functools

_WEAKEST_FIRST = ("file", "https", "authentication-results", "dkim")


@functools.total_ordering
class Grade(enum.Enum):
    """What proves a report's origin; the stronger proof is the greater grade."""

    FILE = "file"  # none: anybody can have written it
    HTTPS = "https"  # it came to the unguessable address that only the domain's DNS record names
    AUTHENTICATION_RESULTS = "authentication-results"  # our own MTA says that a signature is good
    DKIM = "dkim"  # a signature that we verified, aligned with From

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Grade):
            return NotImplemented
        return _WEAKEST_FIRST.index(self.value) < _WEAKEST_FIRST.index(other.value)
