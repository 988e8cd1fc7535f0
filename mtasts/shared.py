"""Look-ups that many have in common: each is made once, whoever wants it, and is remembered.

Thousands of domains share few MX hosts and name servers. Who wants something first looks it up in
its own thread; who wants the same meanwhile waits for that. A look-up may use other shared ones,
but never, not even by detours, itself: so nobody waits for somebody who waits.
"""

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import Any, Callable

from mtasts.errors import MtastsError


class Shared:
    """`look_up`, called once for each of its arguments as long as not `size` others came since.

    Errors that it raises (`MtastsError`) are remembered as answers are.
    """

    def __init__(self, look_up: Callable[..., Any], size: int) -> None:
        self._look_up = look_up
        self._size = size
        self._known: "OrderedDict[Any, Future]" = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *asked: Any) -> Any:
        """What `look_up(*asked)` returned or raised, now or before."""
        with self._lock:
            answer = self._known.get(asked)
            is_new = answer is None
            if is_new:
                answer = Future()
                self._forget_oldest()
                self._known[asked] = answer
            else:
                self._known.move_to_end(asked)
        if is_new:
            self._fill(answer, asked)
        error = answer.exception()
        if isinstance(error, MtastsError):
            # One error is raised for many: it must not gather the tracebacks of them all.
            raise error.with_traceback(None)
        return answer.result()

    def _fill(self, answer: Future, asked: Any) -> None:
        try:
            answer.set_result(self._look_up(*asked))
        except MtastsError as error:
            answer.set_exception(error)
        except BaseException as error:
            with self._lock:
                del self._known[asked]
            answer.set_exception(error)

    def _forget_oldest(self) -> None:
        """Make room for one more; what is still being looked up stays."""
        if len(self._known) >= self._size:
            oldest = next((asked for asked, answer in self._known.items() if answer.done()), None)
            self._known.pop(oldest, None)
