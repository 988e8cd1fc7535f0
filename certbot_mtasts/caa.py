"""May this CA issue for this host? What a CAA record set says (RFC 8659, RFC 8657)."""

import enum
import re
from typing import Dict, Iterable, NamedTuple, Optional, Tuple

from mtasts.probe import CAA

_CRITICAL = 128  # RFC 8659 section 4.1
_KNOWN_TAGS = ("issue", "issuewild", "iodef")
# issue-value of RFC 8659 section 4.2: [issuer-domain-name] [; parameters]
_ISSUE = re.compile(r"[ \t]*([A-Za-z0-9.-]*)[ \t]*(?:;(.*))?\Z", re.DOTALL)


class Verdict(enum.Enum):
    """Whether the CA may issue; `ACCOUNT`: only for an account that is not known here."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    ACCOUNT = "account"


class Issue(NamedTuple):
    """An `issue` property: the CA's domain ("" for nobody) and its parameters."""

    issuer: str
    parameters: Dict[str, str]


def judge(
    records: Iterable[CAA], issuers: Iterable[str], accounts: Iterable[str], method: str = "http-01"
) -> Verdict:
    """Judge the record set that holds for a host.

    `issuers` are the names by which the CA recognises itself, `accounts` the URIs of the accounts
    that might order, `method` the kind of challenge that will be answered.
    """
    records = tuple(records)
    tags = [(record.flags & _CRITICAL, record.tag.lower()) for record in records]
    if any(critical and tag not in _KNOWN_TAGS for critical, tag in tags):
        return Verdict.FORBIDDEN  # no CA may pass over what it does not understand
    issues = [parse(record.value) for record in records if record.tag.lower() == "issue"]
    if not issues:
        return Verdict.ALLOWED
    accounts = tuple(accounts)
    known = {name.lower() for name in issuers}
    verdicts = [
        _one(issue, accounts, method) for issue in issues if issue and issue.issuer in known
    ]
    for verdict in (Verdict.ALLOWED, Verdict.ACCOUNT):
        if verdict in verdicts:
            return verdict
    return Verdict.FORBIDDEN


def parse(value: str) -> Optional[Issue]:
    """Read the value of an `issue` property; None if it is malformed, which allows nobody."""
    found = _ISSUE.match(value)
    if not found:
        return None
    parameters = {}
    for parameter in (found.group(2) or "").split(";"):
        name, equals, content = parameter.partition("=")
        if equals:
            parameters[name.strip(" \t").lower()] = content.strip(" \t")
        elif name.strip(" \t"):
            return None
    return Issue(found.group(1).lower(), parameters)


def _one(issue: Issue, accounts: Tuple[str, ...], method: str) -> Verdict:
    """Judge a property that names our CA by its parameters (RFC 8657 sections 3 and 4)."""
    methods = issue.parameters.get("validationmethods")
    if methods is not None and method not in [one.strip() for one in methods.split(",")]:
        return Verdict.FORBIDDEN
    account = issue.parameters.get("accounturi")
    if account is None or account in accounts:
        return Verdict.ALLOWED
    # certbot registers a new account where it has none.
    return Verdict.FORBIDDEN if accounts else Verdict.ACCOUNT
