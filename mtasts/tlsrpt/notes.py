"""What a reader repairs or finds odd in a report, code by code, and how the notes are gathered."""

import functools
from typing import Tuple

from mtasts.tlsrpt.report import Note

_note = functools.partial(tuple.__new__, Note)  # a third of the time of calling the class
_PLACES = 10  # of one code; a report of 10,000s of details may say the same of each of them

NOTES = {
    "additional-info-uri": "`additional-info-uri` is read as `additional-information`",
    "address-unreadable": "an IP address is masked or no address: kept as text",
    "byte-order-mark": "a byte order mark stands before the report: ignored",
    "contact-info-unreadable": "`contact-info` is no text: unknown",
    "control-character": "control characters stand in a text without being escaped: accepted",
    "counter-missing": "a number of sessions is missing: unknown",
    "counter-repeated": "a number of sessions is given twice: unknown",
    "counter-text": "a number of sessions is given as text: taken as the number",
    "counter-unreadable": "a number of sessions is no whole number from 0 to 2^53-1: unknown",
    "date-range-missing": "the time that the report covers is missing: unknown",
    "date-range-reversed": "the report ends before it starts: kept as it is",
    "details-differ": "the failure details do not add up to the total: the total counts",
    "detail-unreadable": "a failure detail is no object: left out",
    "detail-text-unreadable": "a member of a failure detail is no text: unknown",
    "encoding-not-utf8": "the report is in UTF-16 or UTF-32 instead of UTF-8",
    "encoding-repaired": "some bytes are no UTF-8: U+FFFD stands for them",
    "failure-details-unreadable": "`failure-details` is no list: left out",
    "helo-lines": "`receiving-mx-helo` has several lines: the first one counts",
    "list-missing": "one value stands where a list belongs: taken as a list of one",
    "mx-host-from-policy-string": "`mx-host` is missing: the mx lines of `policy-string` are taken",
    "mx-host-pattern": "`mx-host-pattern` is read as `mx-host`",
    "mx-host-text": "`mx-host` is one text instead of a list: taken as a list of one",
    "mx-host-unreadable": "`mx-host` holds something that is no text: left out",
    "name-changed": "a name is put into lower-case A-labels without a final dot",
    "name-unreadable": "a name is none that DNS could have: kept as it is",
    "organization-name-missing": "`organization-name` is missing or no text",
    "policies-empty": "there are no policies",
    "policies-missing": "`policies` is missing or no list",
    "policy-domain-missing": "`policy-domain` is missing: unknown",
    "policy-missing": "a policy result does not say which policy it is about: kept",
    "policy-result-unreadable": "a policy result is no object: left out",
    "policy-string-nested": "`policy-string` is JSON within a text: unwrapped",
    "policy-string-text": "`policy-string` is one text instead of a list: taken as its lines",
    "policy-string-unreadable": "`policy-string` holds something that is no text: left out",
    "policy-type-missing": "`policy-type` is missing or no text",
    "policy-type-unknown": "`policy-type` is not a word of RFC 8460: kept as it is",
    "receiving-mx-host-name": "`receiving-mx-host-name` is read as `receiving-mx-hostname`",
    "report-id-differs": "the mail's subject has another report id: the report's own counts",
    "report-id-missing": "`report-id` is missing or no text",
    "report-id-number": "`report-id` is a number: taken as text",
    "result-type-missing": "`result-type` is missing or no text: unknown",
    "result-type-unknown": "`result-type` is not a word of RFC 8460: kept as it is",
    "summary-missing": "`summary` is missing or no object: its numbers are unknown",
    "surrogate-repaired": "half a character (a lone surrogate): U+FFFD stands for it",
    "time-fraction": "a time has fractions of a second",
    "time-offset": "a time is not written in UTC: converted",
    "time-unreadable": "a time is no date-time of RFC 3339: unknown",
    "time-zone-missing": "a time has no time zone: UTC assumed",
}


class Notes(dict):
    """Gathers notes: each code with the first places where it applies.

    While `policy` is set, places are within the policy result of this index, and while `detail` is,
    within this failure detail of it.
    """

    __slots__ = ("detail", "policy")

    def add(self, code: str, member: str = "") -> None:
        """Note `code` about a member, unless it has been noted often enough."""
        places = self.setdefault(code, [])
        if len(places) < _PLACES:
            where = self._where(member)
            if where not in places:
                places.append(where)

    def _where(self, member: str) -> str:
        policy = getattr(self, "policy", None)
        if policy is None:
            return member
        detail = getattr(self, "detail", None)
        if detail is not None:
            member = f"failure-details[{detail}].{member}".rstrip(".")
        return f"policies[{policy}].{member}" if member else f"policies[{policy}]"

    def as_tuple(self) -> Tuple[Note, ...]:
        """The notes, codes in the order in which they came up."""
        return tuple([_note((code, where)) for code in self for where in self[code]])
