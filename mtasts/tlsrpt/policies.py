"""The policy results of a report: a policy, its sums, its failure details (RFC 8460 section 4.4).

A result that is no object says nothing and is left out; of all others what can be read is kept.
"""

import functools
from typing import Any, List, Optional, Tuple

from mtasts.tlsrpt import fields, quoted_policy
from mtasts.tlsrpt.failures import COMPACT, failures
from mtasts.tlsrpt.fields import is_count
from mtasts.tlsrpt.json_text import NeedsCare
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import PolicyResult

_SUCCESSFUL = "total-successful-session-count"
_FAILED = "total-failure-session-count"
_NOT_QUOTED = quoted_policy.Quoted(), ()
_policy_result = functools.partial(tuple.__new__, PolicyResult)  # see notes.py


def results(value: Any, counters: Optional[int], notes: Notes) -> Tuple[PolicyResult, ...]:
    """What the report says of each policy, in a text that has so many `counters` in all.

    Raises `NeedsCare` if that is not how many there are here: one may have been given twice.
    """
    if type(value) is not list:
        value = _list(value, notes)
    elif not value:
        notes.add("policies-empty")
    found = []
    expected = 0
    for notes.policy, result in enumerate(value):
        if type(result) is dict:
            found.append(_result(result, notes))
            expected += 2 + len(found[-1].failures)
        elif type(result) in COMPACT:
            raise NeedsCare
        else:
            notes.add("policy-result-unreadable")
    notes.policy = None
    if counters is not None and counters != expected:
        raise NeedsCare
    return tuple(found)


def _list(value: Any, notes: Notes) -> List[dict]:
    if isinstance(value, dict):
        notes.add("list-missing", "policies")
        return [value]
    notes.add("policies-missing")
    return []


def _result(members: dict, notes: Notes) -> PolicyResult:
    get = members.get
    policy, summary, details = get("policy"), get("summary"), get("failure-details")
    if type(policy) is not dict or not policy:
        policy = _missing(policy, "policy-missing", notes)
    if type(summary) is not dict or not summary:
        summary = _missing(summary, "summary-missing", notes)
    quoted, noted = quoted_policy.read(policy) if policy else _NOT_QUOTED
    for code, member in noted:
        notes.add(code, "policy." + member)
    successful, failed = summary.get(_SUCCESSFUL), summary.get(_FAILED)
    if summary and not (is_count(successful) and is_count(failed)):
        successful = fields.counter(successful, "summary." + _SUCCESSFUL, notes)
        failed = fields.counter(failed, "summary." + _FAILED, notes)
    found = failures(details, failed, notes) if details else ()
    return _policy_result(quoted + (successful, failed, found))


def _missing(value: Any, code: str, notes: Notes) -> dict:
    """An object with nothing in it, and the note `code`, for what is none."""
    if type(value) in COMPACT:
        raise NeedsCare
    notes.add(code)
    return {}
