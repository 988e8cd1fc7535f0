"""The policy results of a report: a policy, its sums, its failure details (RFC 8460 section 4.4).

A result that is no object says nothing and is left out; of all others what can be read is kept.
"""

import functools
from typing import Any, List, Tuple

from mtasts.tlsrpt import fields, quoted_policy
from mtasts.tlsrpt.failures import failures
from mtasts.tlsrpt.json_text import NeedsCare
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import Failure, PolicyResult

_SUCCESSFUL = "total-successful-session-count"
_FAILED = "total-failure-session-count"
_policy_result = functools.partial(tuple.__new__, PolicyResult)  # see failures.py


def results(value: Any, notes: Notes) -> Tuple[PolicyResult, ...]:
    """What the report says of each policy; raises `NeedsCare`."""
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


def _list(value: Any, notes: Notes) -> List[dict]:
    if isinstance(value, dict):
        notes.add("list-missing", "policies")
        return [value]
    notes.add("policies-missing")
    return []


def _result(members: dict, where: str, notes: Notes) -> PolicyResult:
    policy, summary = members.get("policy"), members.get("summary")
    quoted = quoted_policy.UNKNOWN
    if _is_object(policy, "policy-missing", where, notes):
        quoted, noted = quoted_policy.read(policy)
        for code, member in noted:
            notes.add(code, f"{where}.policy.{member}")
    successful = failed = None
    if _is_object(summary, "summary-missing", where, notes):
        successful, failed = summary.get(_SUCCESSFUL), summary.get(_FAILED)
        if not (fields.is_count(successful) and fields.is_count(failed)):
            place = where + ".summary"
            successful = fields.counter(summary, _SUCCESSFUL, place, notes)
            failed = fields.counter(summary, _FAILED, place, notes)
    details = members.get("failure-details") or ()
    if details != ():
        details = failures(details, failed, where, notes)
    return _policy_result((*quoted, successful, failed, details))


def _is_object(value: Any, code: str, where: str, notes: Notes) -> bool:
    """Whether the value is an object with anything in it, else note `code`."""
    if type(value) is dict and value:
        return True
    if type(value) is Failure:
        raise NeedsCare
    notes.add(code, where)
    return False
