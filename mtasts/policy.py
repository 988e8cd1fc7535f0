"""The policy: read as a sender must, printed as every sender accepts (RFC 8461 section 3.2).

A policy is read line by line into fields. `read` keeps going after a fault, so that a person
hears of all of them at once; `Policy.parse` raises the first. What is legal but unwise is not
this module's business.

The grammar takes every line that is well-formed; what a known field then says counts only in its
first occurrence (all others are ignored, whatever they say), except for mx, where each one does.
"""

import datetime
import enum
import hashlib
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from mtasts.domain import InvalidDomain, MXPattern
from mtasts.finding import MAX_FINDINGS, Finding, InvalidText, finding, limited

MAX_POLICY_BYTES = 64 * 1024  # RFC 8461 section 3.3
MAX_MAX_AGE = 31557600  # seconds; RFC 8461 section 3.2

# sts-policy-ext-name; it also matches the names that the RFC defines.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")
# What sts-policy-ext-value has no room for, once it is decoded and without the blanks around it.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_AGE = re.compile(r"[0-9]{1,10}\Z")  # sts-policy-max-age-value
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
KNOWN_NAMES = ("version", "mode", "mx", "max_age")


class InvalidPolicy(InvalidText):
    """The text is no policy: a sender would act as if the domain had none."""


class Mode(enum.Enum):
    """What a sender does when an MX host fails validation (RFC 8461 section 5)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


_PolicyFields = NamedTuple(
    "_PolicyFields", [("mode", Mode), ("max_age", int), ("mx", Tuple[MXPattern, ...])]
)


class Policy(_PolicyFields):
    """A valid policy; `max_age` in seconds. Raises `InvalidPolicy` for impossible values."""

    __slots__ = ()

    def __new__(cls, mode: Mode, max_age: int, mx: Tuple[str, ...] = ()) -> "Policy":
        """Check the values once and for all."""
        mode = Mode(mode)
        if not 0 <= max_age <= MAX_MAX_AGE:
            code = "policy-max-age-invalid" if max_age < 0 else "policy-max-age-too-large"
            raise InvalidPolicy(finding(code, text=max_age))
        if not mx and mode is not Mode.NONE:
            raise InvalidPolicy(finding("policy-mx-missing"))
        return super().__new__(cls, mode, max_age, tuple(MXPattern(name) for name in mx))

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Return what a sender takes from `data`; raise `InvalidPolicy` if it takes nothing."""
        reading = read(data)
        if reading.policy is None:
            raise InvalidPolicy(reading.faults[0])
        return reading.policy

    def __str__(self) -> str:
        """The form that every known sender accepts: this order, one blank, CRLF throughout."""
        lines = ["version: STSv1", f"mode: {self.mode.value}"]
        lines += [f"mx: {name}" for name in self.mx]
        lines += [f"max_age: {self.max_age}", ""]
        return "\r\n".join(lines)

    def to_bytes(self) -> bytes:
        """The bytes to be served."""
        return str(self).encode("ascii")

    def covers(self, host: str) -> bool:
        """Whether the MX `host` is one that the policy names (RFC 8461 section 4.1)."""
        return any(pattern.covers(host) for pattern in self.mx)


class Field(NamedTuple):
    """A line `name: value` of a policy; `column` is the value's first, counted from 1."""

    line: int
    name: str
    value: str
    column: int


class Reading(NamedTuple):
    """All there is in a text: the policy (None if a sender takes none), its fields, its faults."""

    policy: Optional[Policy]
    fields: Tuple[Field, ...]
    faults: Tuple[Finding, ...]

    @property
    def extensions(self) -> Dict[str, str]:
        """What the fields say that RFC 8461 does not define; of each name the first counts."""
        return {name: field.value for name, field in self.first.items() if name not in KNOWN_NAMES}

    @property
    def first(self) -> Dict[str, Field]:
        """The first field of each name: all but the first are ignored (section 3.2), save mx."""
        first: Dict[str, Field] = {}
        for field in self.fields:
            first.setdefault(field.name, field)
        return first


def read(data: bytes, limit: int = MAX_POLICY_BYTES) -> Reading:
    """Read `data` as RFC 8461 section 3.2 demands; the faults are found, none is raised.

    More than `limit` bytes are not looked at (section 3.3). A fault's column counts characters, but
    no byte order mark, and bytes in a line that is not UTF-8.
    """
    if len(data) > limit:
        return Reading(None, (), (finding("policy-too-large"),))
    if not data:
        return Reading(None, (), (finding("policy-empty"),))
    fields: List[Field] = []
    faults: List[Finding] = []
    for number, line in enumerate(split_lines(data), 1):
        _read_line(number, line, fields, faults)
        if len(faults) > MAX_FINDINGS:
            return Reading(None, tuple(fields), tuple(limited(faults)))
    reading = Reading(None, tuple(fields), ())
    policy, value_faults = _effective(reading)
    faults = sorted(faults + value_faults, key=lambda fault: (not fault.line, fault.line))
    return reading._replace(policy=None if faults else policy, faults=tuple(limited(faults)))


def split_lines(data: bytes) -> List[bytes]:
    """The lines of `data` without their endings, LF or CRLF; the last one's is optional."""
    # Not str.splitlines(): it would also split at VT, FF, U+0085 or U+2028, and so let an mx line
    # hide inside another field.
    lines = data.split(b"\n")
    last = lines.pop()
    lines = [line[:-1] if line.endswith(b"\r") else line for line in lines]
    return lines + [last] if last else lines


def without_mark(data: bytes) -> bytes:
    """`data` without the byte order mark that an editor may have put before it."""
    return data[len(BYTE_ORDER_MARK) :] if data.startswith(BYTE_ORDER_MARK) else data


def _read_line(number: int, line: bytes, fields: List[Field], faults: List[Finding]) -> None:
    """Append what `line` is, a field or a fault."""
    if number == 1 and line.startswith(BYTE_ORDER_MARK):
        faults.append(finding("policy-byte-order-mark", number, 1))
        line = without_mark(line)
    if not line.strip(b" \t"):
        faults.append(finding("policy-line-blank", number, 1))
        return
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        faults.append(finding("policy-not-utf8", number, error.start + 1, line))
        return
    name, colon, rest = text.partition(":")
    value = rest.strip(" \t")
    if not colon or not _NAME.match(name) or not value:
        faults.append(finding("policy-line-malformed", number, 1, text))
        return
    column = len(name) + 2 + len(rest) - len(rest.lstrip(" \t"))
    control = _CONTROL.search(value)
    if control:
        faults.append(finding("policy-value-invalid", number, column + control.start(), value))
        return
    fields.append(Field(number, name, value, column))


def _effective(reading: Reading) -> Tuple[Optional[Policy], List[Finding]]:
    """Return what the fields mean, and the faults in what they say or leave out."""
    first = reading.first
    faults: List[Finding] = []
    _version(first.get("version"), faults)
    mode = _mode(first.get("mode"), faults)
    max_age = _max_age(first.get("max_age"), faults)
    mx = _mx(reading.fields, faults)
    if "mx" not in first and mode not in (None, Mode.NONE):
        faults.append(finding("policy-mx-missing"))
    if faults or mode is None or max_age is None:
        return None, faults
    return Policy(mode, max_age, mx), faults


def _at(code: str, field: Field) -> Finding:
    return finding(code, field.line, field.column, field.value)


def _version(field: Optional[Field], faults: List[Finding]) -> None:
    if field is None:
        faults.append(finding("policy-version-missing"))
    elif field.value != "STSv1":
        faults.append(_at("policy-version-invalid", field))


def _mode(field: Optional[Field], faults: List[Finding]) -> Optional[Mode]:
    if field is None:
        faults.append(finding("policy-mode-missing"))
        return None
    try:
        return Mode(field.value)
    except ValueError:
        faults.append(_at("policy-mode-invalid", field))
        return None


def _max_age(field: Optional[Field], faults: List[Finding]) -> Optional[int]:
    if field is None:
        faults.append(finding("policy-max-age-missing"))
        return None
    # int() alone would also take '+1', '1_0' and the digits of other scripts.
    if not MAX_AGE.match(field.value):
        faults.append(_at("policy-max-age-invalid", field))
        return None
    if int(field.value) > MAX_MAX_AGE:
        faults.append(_at("policy-max-age-too-large", field))
        return None
    return int(field.value)


def _mx(fields: Tuple[Field, ...], faults: List[Finding]) -> Tuple[MXPattern, ...]:
    patterns = []
    for field in fields:
        if field.name != "mx":
            continue
        try:
            patterns.append(MXPattern(field.value))
        except InvalidDomain as error:
            faults.append(_at(error.code, field))
            if len(faults) > MAX_FINDINGS:
                break
    return tuple(patterns)


def policy_id(data: bytes, changed: datetime.datetime) -> str:
    """Return the id for the TXT record of a policy that became `data` at `changed` (aware).

    The time of the change, then the first 8 hex digits of the SHA-256 of the bytes: people see
    when, programs see whether DNS names the policy that is really served. 22 of the 32 letters
    and digits that RFC 8461 section 3.1 allows.
    """
    when = changed.astimezone(datetime.timezone.utc).strftime("%Y%m%d%H%M%S")
    return when + hashlib.sha256(data).hexdigest()[:8]


def is_policy_id(name: str) -> bool:
    """Whether `name` has the shape of the ids that `policy_id` makes."""
    return bool(re.match(r"[0-9]{14}[0-9a-f]{8}\Z", name))


def names_bytes(name: str, data: bytes) -> bool:
    """Whether `name` is an id that `policy_id` makes for these bytes, whenever they came to be."""
    return is_policy_id(name) and name[14:] == hashlib.sha256(data).hexdigest()[:8]
