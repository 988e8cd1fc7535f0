"""A policy rewritten to the form that every sender accepts, with the meaning that it has.

What a sender takes stays as it is; what it ignores is left out. Of texts that are no policy, those
are repaired that can be meant in one way only: blank lines, blanks before a name or its colon, a
byte order mark, final dots. All else is left to a person, and so is a text beyond the limit: what
is not looked at must not get lost.
"""

import re

from mtasts import near_miss
from mtasts.finding import InvalidText, finding
from mtasts.policy import MAX_POLICY_BYTES, Policy, Reading, read, split_lines, without_mark


class Undecided(InvalidText):
    """What the text is to mean has to be decided by a person; `finding` says what to decide."""


def careful(data: bytes) -> bytes:
    """Return the careful form of the policy `data`; its lines end in LF if all of `data` do.

    Raises `Undecided` for what has no meaning, or has a field that may be meant as another one.
    """
    reading = read(data)
    if reading.policy is None and len(data) <= MAX_POLICY_BYTES:
        reading = read(_repaired(data))
        _refuse_contradictions(reading)
    if reading.policy is None:
        raise Undecided(near_miss.remedied(reading.faults[0]))
    for field in reading.fields:
        meant = near_miss.policy_name(field.name)
        if meant:
            raise Undecided(finding("policy-name-near-miss", field.line, 1, field.name, meant))
    mode, max_age, mx = reading.policy
    text = Policy(mode, max_age, tuple(dict.fromkeys(mx))).to_bytes()
    has_lf_only = b"\n" in data and b"\r\n" not in data
    return text.replace(b"\r\n", b"\n") if has_lf_only else text


def _refuse_contradictions(reading: Reading) -> None:
    """Raise `Undecided` for a repeated field: no sender has taken the first one so far."""
    first = reading.first
    for field in reading.fields:
        if field.name != "mx" and field.value != first[field.name].value:
            raise Undecided(finding("policy-field-repeated", field.line, 1, field.name))


def _repaired(data: bytes) -> bytes:
    lines = [_repaired_line(line) for line in split_lines(without_mark(data))]
    return b"".join(line + b"\n" for line in lines if line)


def _repaired_line(line: bytes) -> bytes:
    name, colon, value = line.strip(b" \t").partition(b":")
    name = name.rstrip(b" \t")
    if name == b"mx":
        value = re.sub(rb"(?<=[^.])\.[ \t]*\Z", b"", value)
    return name + colon + value
