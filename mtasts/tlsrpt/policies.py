"""The policies of a report, each with its sums and failure details (RFC 8460 section 4.4).

A result that is no object says nothing and is left out; of all others what can be read is kept.
"""

from typing import Any, Tuple

from mtasts.tlsrpt import fields, policy_string
from mtasts.tlsrpt.failures import failures
from mtasts.tlsrpt.json_text import NeedsCare
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import NO_POLICY, STS, TLSA, Failure, PolicyResult

_TYPES = (STS, TLSA, NO_POLICY)
_SUCCESSFUL = "total-successful-session-count"
_FAILED = "total-failure-session-count"


def results(value: Any, notes: Notes) -> Tuple[PolicyResult, ...]:
    """What the report says of each policy."""
    if type(value) is not list:
        value = _list(value, notes)
    elif not value:
        notes.add("policies-empty")
    found = []
    for index, result in enumerate(value):
        where = f"policies[{index}]"
        if type(result) is dict:
            found.append(_result(result, where, notes))
        elif type(result) is Failure:
            raise NeedsCare
        else:
            notes.add("policy-result-unreadable", where)
    return tuple(found)


def _list(value: Any, notes: Notes) -> list:
    if isinstance(value, dict):
        notes.add("list-missing", "policies")
        return [value]
    notes.add("policies-missing")
    return []


def _object(members: dict, member: str, code: str, where: str, notes: Notes) -> dict:
    """The object that `member` is, {} if it is none."""
    value = members.get(member)
    if type(value) is dict:
        return value
    if type(value) is Failure:
        raise NeedsCare
    notes.add(code, where)
    return {}


def _result(members: dict, where: str, notes: Notes) -> PolicyResult:
    policy = _object(members, "policy", "policy-missing", where, notes)
    summary = _object(members, "summary", "summary-missing", where, notes)
    successful = failed = None
    if summary:
        successful = fields.counter(summary, _SUCCESSFUL, where + ".summary", notes)
        failed = fields.counter(summary, _FAILED, where + ".summary", notes)
    place = where + ".policy"
    policy_type = policy_domain = ""
    if policy:
        policy_type = _type(policy.get("policy-type"), place, notes)
        policy_domain = _domain(policy.get("policy-domain"), place, notes)
    quoted = policy_string.lines(policy.get("policy-string"), place + ".policy-string", notes)
    mx_host = _mx_host(policy, quoted, place + ".mx-host", notes)
    details = failures(members.get("failure-details"), failed, where, notes)
    return PolicyResult(policy_type, policy_domain, quoted, mx_host, successful, failed, details)


def _type(value: Any, where: str, notes: Notes) -> str:
    """The word; an unknown one, also in other letter case, is kept."""
    word = fields.word(value)
    if word not in _TYPES:
        notes.add("policy-type-unknown" if word else "policy-type-missing", where)
    return word


def _domain(value: Any, where: str, notes: Notes) -> str:
    domain = fields.name(fields.word(value), where + ".policy-domain", notes)
    if not domain:
        notes.add("policy-domain-missing", where)
    return domain or ""


def _mx_host(policy: dict, quoted: Tuple[str, ...], where: str, notes: Notes) -> Tuple[str, ...]:
    """The MX patterns of the policy, from wherever the sender has put them."""
    value = policy.get("mx-host")
    if not value and policy.get("mx-host-pattern"):
        notes.add("mx-host-pattern", where)
        value = policy["mx-host-pattern"]
    if isinstance(value, str) and value:
        notes.add("mx-host-text", where)
        value = [value]
    if not value and quoted:
        value = policy_string.mx(quoted)
        if value:
            notes.add("mx-host-from-policy-string", where)
    elif value is not None and type(value) is not list:
        notes.add("mx-host-unreadable", where)
        return ()
    names = [fields.name(host, where, notes) for host in value or () if isinstance(host, str)]
    if len(names) < len(value or ()):
        notes.add("mx-host-unreadable", where)
    return tuple(name for name in names if name)
