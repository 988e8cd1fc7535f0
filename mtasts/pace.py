"""Politeness: how many connections somebody gets at once, and that they do not come in bursts."""

import contextlib
import random
import threading
import time
from typing import Any, Dict, Iterator, List


class Pace:
    """Lets `at_once` through for each key; each after a random pause of up to `pause` seconds.

    Nothing that waits for somebody else may be done in a turn, or all could wait for each other.
    """

    def __init__(self, at_once: int, pause: float = 0) -> None:
        self._at_once = at_once
        self._pause = pause
        self._places: Dict[Any, List[Any]] = {}  # the key's semaphore, and how many know of it
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self, key: Any) -> Iterator[None]:
        """Wait for a turn of this key, and have it until the end of the block."""
        with self._lock:
            place = self._places.setdefault(key, [threading.Semaphore(self._at_once), 0])
            place[1] += 1
        try:
            with place[0]:
                if self._pause:
                    time.sleep(random.uniform(0, self._pause))  # noqa: S311 - nobody gains by it
                yield
        finally:
            with self._lock:
                place[1] -= 1
                if not place[1]:
                    del self._places[key]
