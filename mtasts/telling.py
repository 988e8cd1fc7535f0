"""Telling what is new in several ways, each of which is remembered by itself.

What could not be told in one way is told there by the next run, and nothing is told twice in the
others. A run keeps others from the memory from its first look on, so none goes by an older look
than was told before.
"""

from typing import Any, Callable, Iterable, Iterator, NamedTuple, Optional, Tuple

from mtasts.news import News
from mtasts.notify import NotTold
from mtasts.told import Memory

# What there is to tell, and what is remembered once it has been told, by what was told before;
# None if nothing ever was.
Compare = Callable[[Optional[Any]], Tuple[News, Any]]


class Way(NamedTuple):
    """How to tell somebody, by the `name` under which it is remembered; `tell` raises `NotTold`."""

    name: str
    tell: Callable[[News], None]


class Outcome(NamedTuple):
    """What there was to tell in a way, and why it was not told, if it was not."""

    news: News
    error: Optional[NotTold] = None


def tell(memory: Memory, ways: Iterable[Way], look: Callable[[], Compare]) -> Iterator[Outcome]:
    """Tell in each of `ways` what is new there by a `look`; an outcome for each.

    Raises `StateUnusable`, and whatever the look raises.
    """
    with memory.held():
        told = memory.read()
        memory.write(told)  # what cannot be remembered is not told
        compare = look()
        for way in ways:
            news, after = compare(told.get(way.name))
            if news.subject:
                try:
                    way.tell(news)
                except NotTold as error:
                    yield Outcome(news, error)
                    continue
            told[way.name] = after
            memory.write(told)
            yield Outcome(news)
