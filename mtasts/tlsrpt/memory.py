"""What has been looked at before, so that looking at it once more costs a look into a dict.

Senders say the same names, addresses, times and policies again and again. What is remembered comes
from strangers, so only so much of it is kept.
"""

from typing import Any, Callable

_MOST = 4096  # things
_LONGEST = 255  # characters of a text that is worth to be remembered


class Memory(dict):
    """Values by their keys; forgets all of them rather than have too many."""

    def remember(self, key: Any, value: Any) -> Any:
        """Keep `value`, and return it."""
        if len(self) >= _MOST:
            self.clear()
        self[key] = value
        return value


class Clean(Memory):
    """Texts with which nothing is wrong, and None: each one by itself.

    Looking up any other value raises `KeyError`, or `TypeError` for a list or an object.
    """

    def __init__(self, is_clean: Callable[[str], bool]) -> None:
        super().__init__()
        self._is_clean = is_clean

    def __missing__(self, value: Any) -> Any:
        if value is not None and (type(value) is not str or not self._is_clean(value)):
            raise KeyError(value)
        if value is None or len(value) <= _LONGEST:
            self.remember(value, value)
        return value
