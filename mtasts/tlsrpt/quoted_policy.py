"""The policy that a result is about, as the report quotes it (RFC 8460 section 4.4).

Senders quote the same policy day after day, each in its own form, so what they said last of a
domain's policy is remembered, together with what it means and the notes about it.
"""

from typing import Any, NamedTuple, Tuple

from mtasts.tlsrpt import fields, policy_string
from mtasts.tlsrpt.memory import Memory
from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import NO_POLICY, STS, TLSA, Note

_TYPES = (STS, TLSA, NO_POLICY)
_MEMORY = Memory()
_FORMS = 8  # of one policy, that are remembered
_LONGEST = 1000  # characters of a policy that is worth to be remembered


class Quoted(NamedTuple):
    """What the report says of the policy; the first fields of a `PolicyResult`."""

    policy_type: str = ""
    policy_domain: str = ""
    policy_string: Tuple[str, ...] = ()
    mx_host: Tuple[str, ...] = ()


def read(policy: dict) -> Tuple[Quoted, Tuple[Note, ...]]:
    """What the object `policy` says, whatever it is, and notes that name the member."""
    get = policy.get
    key = get("policy-type"), get("policy-domain")
    said = get("policy-string"), get("mx-host"), get("mx-host-pattern")
    try:
        for remembered, found in _MEMORY.get(key, ()):
            if remembered == said:
                return found
    except TypeError:  # a list or an object where a text belongs
        return _read(policy)
    found = _read(policy)
    if len(repr((key, said))) <= _LONGEST:
        _MEMORY.remember(key, ((said, found), *_MEMORY.get(key, ())[: _FORMS - 1]))
    return found


def _read(policy: dict) -> Tuple[Quoted, Tuple[Note, ...]]:
    notes = Notes()
    lines = policy_string.lines(policy.get("policy-string"), "policy-string", notes)
    quoted = Quoted(
        _type(policy.get("policy-type"), "policy-type", notes),
        _domain(policy.get("policy-domain"), "policy-domain", notes),
        lines,
        _mx_host(policy, lines, "mx-host", notes),
    )
    return quoted, notes.as_tuple()


def _type(value: Any, where: str, notes: Notes) -> str:
    """The word; an unknown one, also in other letter case, is kept."""
    word = fields.word(value)
    if word not in _TYPES:
        notes.add("policy-type-unknown" if word else "policy-type-missing", where)
    return word


def _domain(value: Any, where: str, notes: Notes) -> str:
    domain = fields.name(fields.word(value), where, notes)
    if not domain:
        notes.add("policy-domain-missing", where)
    return domain or ""


def _mx_host(policy: dict, lines: Tuple[str, ...], where: str, notes: Notes) -> Tuple[str, ...]:
    """The MX patterns of the policy, from wherever the sender has put them."""
    value = policy.get("mx-host")
    if not value and policy.get("mx-host-pattern"):
        notes.add("mx-host-pattern", where)
        value = policy["mx-host-pattern"]
    if value and isinstance(value, str):
        notes.add("mx-host-text", where)
        value = [value]
    if not value:
        value = policy_string.mx(lines)
        if value:
            notes.add("mx-host-from-policy-string", where)
    elif type(value) is not list:
        notes.add("mx-host-unreadable", where)
        return ()
    names = [fields.name(host, where, notes) for host in value if isinstance(host, str)]
    if len(names) < len(value):
        notes.add("mx-host-unreadable", where)
    return tuple(name for name in names if name)
