"""How sure it is that a report comes from whom it names: a grade, and what a mail's grade rests on.

A report is signed by its reporter's domain (RFC 8460 section 3). The signature counts if it is
aligned with the address in From: the reporters seen sign with that domain, a parent of it or a
sibling, and no one limits a key to this service. Whoever can write a mail can write a From, so a
grade says which domain answers for the mail, not that its report is true.
"""

import datetime
import email.parser
import email.utils
import enum
import functools
import re
from typing import FrozenSet, Iterable, List, Optional, Tuple

from mtasts import public_suffix
from mtasts.domain import Domain, InvalidDomain

MAX_HEADER = 64 * 1024  # of a mail, in bytes; whatever has more of it proves nothing
_MAX_FIELDS = 500
_MAX_FIELD = 8192
_MAX_DATE = 200  # characters
_MAX_NESTING = 20
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_BARE_RETURN = re.compile(rb"\r(?!\n)")
_PHRASE = r'(?:"(?:[^"\\]|\\.)*"\s*|[^"<>@]*)'
_LOCAL_PART = r'[^\s"<>@(),;:]+'
# mailbox of RFC 5322 section 3.4; whatever else could be read in two ways, and is not read at all
_FROM = re.compile(
    rf"(?:{_PHRASE}<{_LOCAL_PART}@(?P<named>[^\s<>@]+)>|{_LOCAL_PART}@(?P<bare>[^\s<>@(),;]+))"
    r"\s*(?:\([^()@]*\))?\Z",
    re.DOTALL,
)
# Tokens of RFC 8601 section 2.2, once the comments are gone.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[;=]|[^\s;="]+', re.DOTALL)
_Field = Tuple[str, str]

_WEAKEST_FIRST = ("file", "https", "authentication-results", "dkim")


@functools.total_ordering
class Grade(enum.Enum):
    """What proves a report's origin; the stronger proof is the greater grade."""

    FILE = "file"  # none: anybody can have written it
    HTTPS = "https"  # it came to the unguessable address that only the domain's DNS record names
    AUTHENTICATION_RESULTS = "authentication-results"  # our own MTA says that a signature is good
    DKIM = "dkim"  # a signature that we verified, aligned with From

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Grade):
            return NotImplemented
        return _WEAKEST_FIRST.index(self.value) < _WEAKEST_FIRST.index(other.value)


def header_of(mail: bytes) -> Tuple[_Field, ...]:
    """The fields of the header, names in lower case.

    There are none if they are more than any mail needs, or not everybody ends a line where we do.
    """
    head = mail[: MAX_HEADER + 1]
    end = _BLANK_LINE.search(head)
    head = head[: end.end()] if end else head
    if len(head) > MAX_HEADER or _BARE_RETURN.search(head):
        return ()
    fields = email.parser.BytesHeaderParser().parsebytes(head).raw_items()
    found = tuple((name.lower(), value) for name, value in fields)
    return found if len(found) <= _MAX_FIELDS else ()


def author_domain(header: Iterable[_Field]) -> Optional[Domain]:
    """The domain of the address in From; None unless there is exactly one, beyond doubt."""
    values = [value for name, value in header if name == "from"]
    match = _FROM.match(values[0].strip()) if len(values) == 1 and _is_short(values[0]) else None
    return _domain(match.group("named") or match.group("bare")) if match else None


def received(header: Iterable[_Field]) -> Optional[datetime.datetime]:
    """When the last mail server took the mail, by its Received field (RFC 5321 section 4.4).

    None if it does not say so; all fields but the top one may be forged.
    """
    top = next((value for name, value in header if name == "received"), "")
    try:
        when = email.utils.parsedate_to_datetime(top[-_MAX_DATE:].rpartition(";")[2])
    except (TypeError, ValueError, OverflowError, LookupError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)


def is_aligned(signer: Domain, author: Domain, suffixes: FrozenSet[str]) -> bool:
    """Whether a signature of `signer` counts for a mail of `author` (relaxed, RFC 7489 3.1.1).

    Both must belong to the same organisation by the rules `suffixes` of the Public Suffix List;
    without any, they must be the same.
    """
    organization = public_suffix.organizational_domain
    return organization(signer, suffixes) == organization(author, suffixes)


def trusted_signers(header: Iterable[_Field], authserv_ids: Iterable[str]) -> Tuple[Domain, ...]:
    """Whose signatures are good, as the MTA says whose name is one of `authserv_ids` (RFC 8601).

    It puts its field above all that came with the mail, so the top one is its own. It has to
    remove forged ones that claim its name (section 5), for when it has nothing to say itself.
    """
    trusted = {name.lower() for name in authserv_ids}
    for name, value in header:
        if name == "authentication-results" and _is_short(value):
            server, *results = _results(value)
            if server and _text(server[0]).lower() in trusted:
                return tuple(filter(None, map(_signer, results)))
    return ()


def _results(value: str) -> List[List[str]]:
    """The tokens of a field, cut at its semicolons: who says it, then each result."""
    parts: List[List[str]] = [[]]
    for word in _TOKEN.findall(_without_comments(value)):
        if word == ";":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _signer(result: List[str]) -> Optional[Domain]:
    """The domain of a good signature; None if `result` is something else."""
    if len(result) < 3 or result[1] != "=":
        return None
    method, said = result[0].split("/")[0].lower(), result[2].lower()
    if (method, said) != ("dkim", "pass"):
        return None
    named = {
        result[at - 1].lower(): _text(result[at + 1])
        for at in range(4, len(result) - 1)
        if result[at] == "="
    }
    # header.i is of the same domain or one below it (RFC 6376 section 3.5), so header.d comes first
    return _domain(named.get("header.d") or named.get("header.i", "").rpartition("@")[2])


def _without_comments(value: str) -> str:
    """The text less its comments, which may be nested (RFC 5322 section 3.2.2)."""
    kept, depth, quoted, escaped = [], 0, False, False
    for character in value:
        if escaped or character == "\\":
            escaped = not escaped
        elif character == '"' and not depth:
            quoted = not quoted
        elif character == "(" and not quoted:
            depth += 1
        elif character == ")" and depth:
            depth -= 1
            continue
        if not depth:
            kept.append(character)
        elif depth > _MAX_NESTING:
            return ""
    return "" if depth else "".join(kept)


def _text(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[:1] == '"' else token


def _domain(text: str) -> Optional[Domain]:
    try:
        return Domain(text)
    except InvalidDomain:
        return None


def _is_short(value: str) -> bool:
    return len(value) <= _MAX_FIELD
