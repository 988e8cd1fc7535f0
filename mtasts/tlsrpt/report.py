"""A TLS report as its sender meant it (RFC 8460 section 4.4), with a note for every repair.

None is what the report does not say or what cannot be read: unknown, never zero. Text is as it
came and hostile (control characters, NUL, any length; no lone surrogates); whoever prints it
escapes it for its medium. Domains are in lower case, as A-labels, without a final dot, wherever
they can be read as one.
"""

import datetime
from typing import Iterator, NamedTuple, Optional, Tuple

from mtasts.errors import MtastsError

STS = "sts"
TLSA = "tlsa"
NO_POLICY = "no-policy-found"


class InvalidReport(MtastsError):
    """What should be a report cannot be read: `code` says why, `source` which file or part."""

    def __init__(self, code: str, message: str, remedy: str = "", source: str = "") -> None:
        super().__init__(code, message, remedy)
        self.source = source


class Note(NamedTuple):
    """What was repaired or odd: a stable code (`notes.NOTES` has a sentence for each), and where
    in the report (a path such as `policies[0].summary`)."""

    code: str
    where: str = ""


class Hint(NamedTuple):
    """What is said beside the report: `name` is `policy-domain`, `submitter` or `report-id`.

    `source` says where: `header`, `subject`, `file-name` or `report-id`. Nothing of it is proven,
    and nothing of it replaces what the report says.
    """

    name: str
    source: str
    value: str


class Failure(NamedTuple):
    """One of `failure-details`: so many `sessions` failed in this way (sections 4.3 and 4.4).

    `result_type` is the word of the report, "" if there is none. Where an address is no address
    (some senders mask it), it is None and `..._text` is what the report has.
    """

    result_type: str
    sessions: Optional[int]
    sending_mta_ip: Optional[str] = None
    receiving_mx_hostname: Optional[str] = None
    receiving_mx_helo: Optional[str] = None
    receiving_ip: Optional[str] = None
    additional_information: Optional[str] = None
    reason_code: Optional[str] = None
    sending_mta_ip_text: Optional[str] = None
    receiving_ip_text: Optional[str] = None


class Failures(tuple):
    """A tuple of `Failure`, made of their bare members.

    A report may have 10,000s, and to make a `Failure` takes as long as to check its members: each
    is made when somebody looks at it.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[Failure]:
        return map(Failure._make, super().__iter__())

    def __getitem__(self, position: int) -> Failure:
        return Failure._make(super().__getitem__(position))


class PolicyResult(NamedTuple):
    """What happened under one policy; `policy_domain` is "" where it is unknown.

    `policy_type` is the word of the report, "" if there is none; `policy_string` its lines as they
    came.
    """

    policy_type: str
    policy_domain: str
    policy_string: Tuple[str, ...]
    mx_host: Tuple[str, ...]
    successful: Optional[int]
    failed: Optional[int]
    failures: Tuple[Failure, ...]


class Report(NamedTuple):
    """One report. Times are aware and in UTC; text that is missing is ""."""

    organization_name: str
    report_id: str
    start: Optional[datetime.datetime]
    end: Optional[datetime.datetime]
    contact_info: Optional[str]
    policies: Tuple[PolicyResult, ...]
    notes: Tuple[Note, ...]
    hints: Tuple[Hint, ...] = ()
