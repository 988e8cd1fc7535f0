"""The bytes of a JSON text, decoded and parsed whatever a stranger has put into them.

`parse` is the standard library's own parser at its own speed. What it does not see, or not in all
versions of Python, needs care: repeated names, lone surrogates, control characters, and integers of
a million digits, for which Python 3.6 takes minutes (newer ones refuse them). Then the text is
parsed again, by `parse_with_care`, which takes more time and notes what it repairs.
"""

import codecs
import json
import re
import sys
from typing import Any, Callable, List, Tuple, Union

from mtasts.tlsrpt.notes import Notes
from mtasts.tlsrpt.report import InvalidReport

COUNTER_END = '-session-count"'  # the name of every counter ends like this
# A value of two bytes can take a hundred in memory. No real report of 64 MiB has so many.
MAX_VALUES = 2000000
_NO_NUMBER = float("nan")
_LONGEST_INTEGER = 25  # digits; no counter has more than 16
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins like this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _integer(digits: str) -> Union[int, float]:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else _NO_NUMBER


# None: the parser's own way
_PARSE_INT = None if getattr(sys, "get_int_max_str_digits", int)() else _integer


_WHITESPACE = " \t\r\n"  # RFC 8259 section 2


class NeedsCare(Exception):
    """The text has something that only `parse_with_care` can treat."""


def decode(data: bytes) -> Tuple[str, Tuple[str, ...]]:
    """The text of `data`, and codes of what is to be noted about its encoding.

    It is UTF-8 (RFC 8460 section 4.4), or what else it seems to be. Raises `InvalidReport` for
    nothing at all, and for more values than any report has.
    """
    # Fewer bytes have no room for so many values.
    if len(data) > 2 * MAX_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise InvalidReport("report-too-many-values", f"it has more than {MAX_VALUES} values")
    encoding, codes = "utf-8", ()
    if not data.startswith(b"{"):
        data = data.lstrip(_WHITESPACE.encode())
        if not data:
            raise InvalidReport("report-empty", "there is nothing in it")
        data, encoding, codes = _encoding(data)
    try:
        return data.decode(encoding), codes
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), (*codes, "encoding-repaired")


def _encoding(data: bytes) -> Tuple[bytes, str, Tuple[str, ...]]:
    """`data` without a byte order mark, how it is encoded, and the codes."""
    mark, encoding = next((marked for marked in _MARKS if data.startswith(marked[0])), (b"", ""))
    encoding = encoding or json.detect_encoding(data)
    codes = ("byte-order-mark",) if mark else ()
    if encoding != "utf-8":
        codes += ("encoding-not-utf8",)
    return data[len(mark) :], encoding, codes


def parser(make: Callable[[dict], Any]) -> json.JSONDecoder:
    """What `parse` parses with; `make` makes something of each object as soon as it is there."""
    return json.JSONDecoder(object_hook=make, parse_int=_PARSE_INT)


def parse(text: str, decoder: json.JSONDecoder) -> Any:
    """The value of a JSON `text`; raises `InvalidReport`, and `NeedsCare`."""
    if "\\" in text and _SURROGATE_ESCAPE.search(text):
        raise NeedsCare
    try:
        value, end = decoder.raw_decode(text)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise NeedsCare from error
    if end < len(text) and text[end:].strip(_WHITESPACE):
        raise NeedsCare
    return value


def parse_with_care(text: str, notes: Notes) -> Any:
    """The value of a JSON `text`, objects as they are; raises `InvalidReport`.

    A number that does not fit into 25 digits is NaN. Of members of the same name the last one
    counts, but a counter that is given twice is NaN.
    """
    pairs = _Pairs(notes)
    for strict in (True, False):
        decoder = json.JSONDecoder(object_pairs_hook=pairs, parse_int=_integer, strict=strict)
        try:
            value = decoder.decode(text)
        except RecursionError as error:
            raise _too_deep() from error
        except ValueError as error:
            failure = error
            continue
        if not strict:
            notes.add("control-character")
        return value
    raise InvalidReport("report-not-json", f"it is no JSON: {failure}") from failure


def _too_deep() -> InvalidReport:
    return InvalidReport("report-too-deep", "its JSON is nested deeper than any report")


class _Pairs:
    """Makes objects of their members, with notes."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def __call__(self, pairs: List[Tuple[str, Any]]) -> dict:
        members = {}
        for name, value in pairs:
            if name in members and (name + '"').endswith(COUNTER_END):
                self._notes.add("counter-repeated", name)
                members[name] = _NO_NUMBER
            else:
                members[name] = self._repaired(value)
        return members

    def _repaired(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._repaired(item) for item in value]
        if isinstance(value, str) and _SURROGATE.search(value):
            self._notes.add("surrogate-repaired")
            return _SURROGATE.sub("\ufffd", value)
        return value
