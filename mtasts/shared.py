"""Look-ups that many have in common: each is made once, whoever wants it, and is remembered.

Thousands of domains share few MX hosts and name servers. Who wants something first looks it up in
its own thread; who wants the same meanwhile waits for that. A look-up may use other shared ones,
but never, not even by detours, itself: so nobody waits for somebody who waits.
"""

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import Any, Callable, Tuple

from mtasts.errors import MtastsError


class Shared:
    """`look_up`, called once for each of its arguments as long as not `size` others came since.

    Errors that it raises (`MtastsError`) are remembered as answers are.
    """

    def __init__(self, look_up: Callable[..., Any], size: int) -> None:
        self._look_up = look_up
        self._size = size
        # A Future only while it is looked up: it takes more memory than most answers.
        self._known: "OrderedDict[Any, Any]" = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *asked: Any) -> Any:
        """What `look_up(*asked)` returned or raised, now or before."""
        with self._lock:
            is_new = asked not in self._known
            if is_new:
                self._forget_oldest()
                self._known[asked] = Future()
            self._known.move_to_end(asked)
            answer = self._known[asked]
        if is_new:
            self._fill(answer, asked)
        found = answer.result() if isinstance(answer, Future) else answer
        if isinstance(found, MtastsError):
            # One error is raised for many: it must not gather the tracebacks of them all.
            raise found.with_traceback(None)
        return found

    def _fill(self, waited_for: Future, asked: Tuple[Any, ...]) -> None:
        try:
            found = self._look_up(*asked)
        except MtastsError as error:
            found = error
        except BaseException as error:
            with self._lock:
                del self._known[asked]
            waited_for.set_exception(error)
            return
        with self._lock:
            self._known[asked] = found
        waited_for.set_result(found)

    def _forget_oldest(self) -> None:
        """Make room for one more; what is still being looked up stays."""
        if len(self._known) >= self._size:
            known = self._known.items()
            oldest = next((asked for asked, one in known if not isinstance(one, Future)), None)
            self._known.pop(oldest, None)
