"""Spans of time as people write them for `max_age`: `1w`, `30d`, `2592000`."""

import re

from mtasts.errors import MtastsError, printable

# A year has 365 days: from one second more on, some senders keep a policy for a day only.
_UNITS = {"": 1, "s": 1, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_SPAN = re.compile(r"([0-9]{1,10})([shdwy]?)\Z")


class InvalidDuration(MtastsError):
    """The text is no span of time."""


def seconds(text: str) -> int:
    """The seconds that `text` stands for: digits, and s, h, d, w or y (365 days) behind them.

    Raises `InvalidDuration`. How long a policy may be cached is not this function's business.
    """
    match = _SPAN.match(text)
    if not match:
        raise InvalidDuration(
            "duration-invalid",
            f"'{printable(text)}' is no span of time",
            "Write seconds, or a number with s, h, d, w or y behind it: 86401, 30d, 1w, 1y.",
        )
    return int(match.group(1)) * _UNITS[match.group(2)]


def spoken(span: int) -> str:
    """`span` seconds in the largest unit that divides them, so that `seconds` reads it back."""
    for unit in "ywdh":
        if span and span % _UNITS[unit] == 0:
            return f"{span // _UNITS[unit]}{unit}"
    return f"{span}s"
