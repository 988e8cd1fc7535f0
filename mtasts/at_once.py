"""Look-ups that run side by side: most of their time they wait."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, Callable, Iterable, Iterator

AT_ONCE = 32  # look-ups under way: enough to hide their waiting, few enough for a resolver


def results(
    look_up: Callable[[Any], Any], asked: Iterable[Any], at_once: int = AT_ONCE
) -> Iterator[Any]:
    """What `look_up` returns for each of `asked`, in the order in which the answers come.

    It is called from `at_once` threads; what it raises is raised here. Nothing is asked far ahead
    of what is taken, so `asked` may be as long as it likes.
    """
    waiting = iter(asked)
    with ThreadPoolExecutor(at_once) as pool:
        under_way = {pool.submit(look_up, one) for one in islice(waiting, at_once)}
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            under_way |= {pool.submit(look_up, one) for one in islice(waiting, len(done))}
            for future in done:
                yield future.result()
