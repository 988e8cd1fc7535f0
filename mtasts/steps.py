"""The steps of a change that is carried out into the world, as values."""

import enum
from typing import NamedTuple

from mtasts.errors import MtastsError


class State(enum.Enum):
    """How a step stands. After PLANNED, WAITING and FAILED no further step follows."""

    DONE = "done"
    NOTICE = "notice"  # something to know about, which stops nothing
    PROGRESS = "progress"  # it takes a while; more will be said of the same step
    PLANNED = "planned"  # would be done, but for a dry run
    WAITING = "waiting"  # the world is not ready; run it again
    FAILED = "failed"  # something has to be put right first

    @property
    def is_end(self) -> bool:
        """Whether no later step may follow."""
        return self in (State.PLANNED, State.WAITING, State.FAILED)


class Step(NamedTuple):
    """What happened in a step: for people `said` and `remedy`, for programs the rest."""

    name: str
    state: State
    said: str
    code: str = ""
    remedy: str = ""


def failed(name: str, error: MtastsError, again: str) -> Step:
    """The step that ends with an error; `again` is the command that goes on from there."""
    remedy = f"{error.remedy}\nThen run it again: {again}".strip()
    return Step(name, State.FAILED, error.message, error.code, remedy)


def waiting(name: str, said: str, code: str, remedy: str, again: str) -> Step:
    """The step that ends because the world is not ready yet."""
    return Step(name, State.WAITING, said, code, f"{remedy}\nThen run it again: {again}")
