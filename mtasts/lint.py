"""What is to be said about a policy, a record, or a host under a policy: texts in, findings out.

    >>> from mtasts import lint
    >>> for found in lint.policy(b"version: STSv1\\nmode: enforced\\nmx: mx1.example.org\\n"):
    ...     print(found.line, found.column, found.severity.value, found.code)
    2 7 error policy-mode-invalid
    0 0 error policy-max-age-missing

An error is what no sender has to take; a warning is legal, but unwise, or a sender in use refuses
or misreads it; an info is worth knowing. What is legal is decided where texts are read (`policy`,
`record`); the opinions stand here, one function for each thing to have an opinion on.
"""

import contextlib
from typing import Iterator, List, Set, Tuple

from mtasts import lint_record, near_miss
from mtasts.domain import InvalidDomain, MXPattern, mx_host
from mtasts.finding import Finding, Severity, finding, gravest, limited
from mtasts.policy import (
    BYTE_ORDER_MARK,
    KNOWN_NAMES,
    MAX_AGE,
    MAX_MAX_AGE,
    MAX_POLICY_BYTES,
    Field,
    Mode,
    Reading,
    read,
    split_lines,
)

DAY = 86400
WEEK = 7 * DAY
YEAR = 365 * DAY  # more than this some senders cut to a day, although RFC 8461 allows a bit more

sts_record = lint_record.sts_record
tlsrpt_record = lint_record.tlsrpt_record
record = lint_record.record


def policy(data: bytes, limit: int = MAX_POLICY_BYTES) -> Tuple[Finding, ...]:
    """Everything to be said about the policy `data`, in the order of its lines.

    What concerns no single line (`line` is 0) comes last. Nothing is raised; more than `limit`
    bytes are not looked at.
    """
    reading = read(data, limit)
    faults = [near_miss.remedied(fault) for fault in reading.faults]
    found = faults + limited(list(_advice(reading, data)))
    return tuple(sorted(found, key=lambda one: (not one.line, one.line, one.column)))


def worst(findings: Tuple[Finding, ...]) -> Severity:
    """The gravest severity of `findings`; `OK` if there are none."""
    return gravest(one.severity for one in findings)


def _advice(reading: Reading, data: bytes) -> Iterator[Finding]:
    if not reading.fields:
        return
    yield from _names(reading)
    yield from _order(reading)
    lines = split_lines(data)
    for field in reading.fields:
        yield from _spacing(field, lines[field.line - 1])
    yield from _endings(data)
    first = reading.first
    mode = first["mode"].value if "mode" in first else ""
    if "max_age" in first:
        yield from _max_age(first["max_age"], mode)
    yield from _mx([field for field in reading.fields if field.name == "mx"])
    if mode == Mode.NONE.value and "mx" not in first:
        yield finding("policy-none-without-mx", first["mode"].line, first["mode"].column)


def _names(reading: Reading) -> Iterator[Finding]:
    """Unknown names, names that look like known ones, and names that stand there twice."""
    first = reading.first
    for field in reading.fields:
        name = field.name
        meant = near_miss.policy_name(name)
        if meant:
            yield finding("policy-name-near-miss", field.line, 1, name, meant)
        elif field is not first[name] and name != "mx":
            yield finding("policy-field-repeated", field.line, 1, name)
        elif name not in KNOWN_NAMES:
            yield finding("policy-extension", field.line, 1, name)


def _order(reading: Reading) -> Iterator[Finding]:
    """The version if it is not first, and the first of the others behind its usual place."""
    first = reading.first
    version = first.get("version")
    if version and version is not reading.fields[0]:
        yield finding("policy-version-not-first", version.line, 1)
    highest = 0
    for field in reading.fields:
        counts = field.name == "mx" or field is first[field.name]
        if field is version or field.name not in KNOWN_NAMES or not counts:
            continue
        place = KNOWN_NAMES.index(field.name)
        if place < highest:
            yield finding("policy-order", field.line, 1, field.name)
            return
        highest = place


def _spacing(field: Field, line: bytes) -> Iterator[Finding]:
    plain = f"{field.name}: {field.value}".encode()
    if line not in (plain, BYTE_ORDER_MARK + plain):
        yield finding("policy-spacing", field.line, len(field.name) + 2, field.name)


def _endings(data: bytes) -> Iterator[Finding]:
    """Endings that differ from the first, and the last line's if it has none."""
    *lines, last = data.split(b"\n")
    endings = ["CRLF" if line.endswith(b"\r") else "LF" for line in lines]
    for number, ending in enumerate(endings, 1):
        if ending != endings[0]:
            yield finding(
                "policy-line-endings-mixed",
                number,
                len(lines[number - 1].rstrip(b"\r")) + 1,
                ending,
                endings[0],
            )
            break
    if last:
        yield finding("policy-last-line-open", len(lines) + 1, len(last) + 1)


def _max_age(field: Field, mode: str) -> Iterator[Finding]:
    if not MAX_AGE.match(field.value):
        return
    seconds = int(field.value)
    is_kept = mode != Mode.NONE.value  # a policy that ends MTA-STS is short-lived by design
    codes = (
        ("policy-max-age-zeros", len(field.value) > len(str(seconds))),
        ("policy-max-age-zero", seconds == 0),
        ("policy-max-age-short", 0 < seconds < DAY and is_kept),
        ("policy-max-age-day", seconds == DAY and is_kept),
        ("policy-max-age-brief", DAY < seconds < WEEK and mode == Mode.ENFORCE.value),
        ("policy-max-age-long", YEAR < seconds <= MAX_MAX_AGE),
    )
    for code, applies in codes:
        if applies:
            yield finding(code, field.line, field.column, field.value, seconds)


def _mx(fields: List[Field]) -> Iterator[Finding]:
    patterns = {}
    for field in fields:
        with contextlib.suppress(InvalidDomain):
            patterns[field] = MXPattern(field.value)
    named = set(patterns.values())
    seen: Set[MXPattern] = set()
    for field, pattern in patterns.items():
        covering = "*." + pattern.partition(".")[2]
        codes = (
            ("mx-upper-case", field.value != pattern, pattern),
            ("mx-repeated", pattern in seen, ""),
            ("mx-covered", covering != pattern and covering in named, covering),
        )
        for code, applies, hint in codes:
            if applies:
                yield finding(code, field.line, field.column, field.value, hint)
        if pattern not in seen:
            yield from _mx_name(field, pattern)
        seen.add(pattern)


def _mx_name(field: Field, pattern: MXPattern) -> Iterator[Finding]:
    labels = (pattern[2:] if pattern.is_wildcard else pattern).split(".")
    single = "mx-wildcard-top" if pattern.is_wildcard else "mx-single-label"
    codes = (
        (single, len(labels) == 1),
        ("mx-numeric-top", len(labels) > 1 and labels[-1].isdigit()),
        ("mx-a-label-invalid", not all(_is_label_of_a_name(label) for label in labels)),
    )
    for code, applies in codes:
        if applies:
            yield finding(code, field.line, field.column, field.value)


def _is_label_of_a_name(label: str) -> bool:
    """Whether the label is no A-label, or one that stands for visible characters beyond ASCII."""
    if not label.startswith("xn--"):
        return True
    encoded = label[len("xn--") :].encode("ascii")
    try:
        name = encoded.decode("punycode")
        again = name.encode("punycode")
    except (UnicodeError, OverflowError):  # the latter for numbers beyond all positions
        return False
    return again == encoded and name.isprintable() and any(letter > "\x7f" for letter in name)


def match(host: str, pattern: str) -> Finding:
    """Whether the MX `host` is covered by the `mx` value `pattern`, and why (RFC 8461 section 4.1).

    Its severity is `OK` if it is, `WARNING` if not, and `ERROR` if one of the two is invalid.
    """
    try:
        named = MXPattern(pattern)
    except InvalidDomain as error:
        return near_miss.remedied(error.finding)
    name = mx_host(host)
    if not name:
        return finding("match-host-invalid", text=host)
    if not named.is_wildcard:
        return finding("match-equal" if name == named else "match-different", 0, 0, name, named)
    parent = named[2:]
    if named.covers(name):
        return finding("match-wildcard", text=name, hint=name.partition(".")[0])
    if name == parent:
        return finding("match-wildcard-parent", text=name, hint=parent)
    code = "match-wildcard-depth" if name.endswith(f".{parent}") else "match-different"
    return finding(code, text=name, hint=parent)
