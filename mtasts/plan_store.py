"""The plan of a domain on disk: `<root>/<domain>/plan.json`, beside the policy that it changes.

The file appears whole or not at all, and is for people, too: every step with its date, what it does
and why. It is there while a plan is carried out, and no longer. Who replaces it says what it was,
so that of two commands at work on the same plan one is refused; a step that both did is as if done
once. No lock is held while the network is waited for.
"""

import datetime
import json
import os
from typing import Any, Dict, Optional

from mtasts.domain import MXPattern
from mtasts.files import locked, replace_file, sync_folder
from mtasts.history import moment, timestamp
from mtasts.plan import MAX_TTL, Kind, Plan, PlanError, Step
from mtasts.policy import MAX_MAX_AGE, Policy

PLAN_FILE = "plan.json"
MAX_PLAN_BYTES = 4 * 1024 * 1024  # ten policies of the most that a sender reads, and some more
LAST_YEAR = 2999  # there is an end to what dates can be added to


def read(folder: str) -> Optional[Plan]:
    """The plan in a domain's folder, or None; raises `PlanError` for a file that is no plan."""
    path = os.path.join(folder, PLAN_FILE)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_PLAN_BYTES + 1)
        if len(data) > MAX_PLAN_BYTES:
            raise ValueError("too large")
        return from_json(json.loads(data.decode("ascii")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(path, error) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise PlanError(
            "plan-damaged",
            f"{path} is not a plan as it was written",
            "Put it back, or cancel the plan with: mtasts plan DOMAIN --cancel",
        ) from error


def replace(folder: str, old: Optional[Plan], new: Optional[Plan]) -> None:
    """Keep `new` in a domain's folder instead of `old`; None stands for no plan.

    Raises `PlanError`, also if there is something else than `old` by now.
    """
    path = os.path.join(folder, PLAN_FILE)
    try:
        with locked(folder):
            if read(folder) != old:
                raise PlanError(
                    "plan-changed-meanwhile",
                    f"another program has just changed {path}",
                    "Look at the plan, then do this again.",
                )
            if new:
                text = json.dumps(as_json(new), indent=2) + "\n"
                replace_file(path, text.encode("ascii"))
            elif old:
                _unlink(path)
    except OSError as error:
        raise _failed(path, error) from error


def remove(folder: str) -> bool:
    """Forget the plan in a domain's folder, whatever it is; False if there is none.

    Raises `PlanError`.
    """
    path = os.path.join(folder, PLAN_FILE)
    try:
        with locked(folder):
            _unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _failed(path, error) from error
    return True


def _unlink(path: str) -> None:
    os.unlink(path)
    sync_folder(os.path.dirname(path))


def as_json(plan: Plan) -> Dict[str, Any]:
    """The plan as JSON has it: times in UTC, durations in seconds, a policy as its text."""
    return {
        "made": timestamp(plan.made),
        "ttl": int(plan.ttl.total_seconds()),
        "mark": plan.mark,
        "steps": [
            dict(
                step._asdict(),
                kind=step.kind.value,
                due=timestamp(step.due),
                wait=int(step.wait.total_seconds()),
                not_before=timestamp(step.not_before),
                policy=None if step.policy is None else str(step.policy),
                done=None if step.done is None else timestamp(step.done),
            )
            for step in plan.steps
        ],
    }


def from_json(facts: Dict[str, Any]) -> Plan:
    """The plan that `as_json` gave; raises ValueError, KeyError, TypeError or OverflowError."""
    steps = tuple(_step(step) for step in facts["steps"])
    return Plan(_time(facts["made"]), _seconds(facts["ttl"]), _line(facts["mark"]), steps)


def _step(facts: Dict[str, Any]) -> Step:
    kind = Kind(facts["kind"])
    if kind in (Kind.SERVE, Kind.REMOVE_MX) and facts["policy"] is None:
        raise ValueError("a step without its policy")
    return Step(
        kind=kind,
        due=_time(facts["due"]),
        what=_line(facts["what"]),
        why=_line(facts["why"]),
        wait=_seconds(facts["wait"]),
        not_before=_time(facts["not_before"]),
        policy=None if facts["policy"] is None else _policy(facts["policy"]),
        mx=tuple(MXPattern(name) for name in facts["mx"]),
        done=None if facts["done"] is None else _time(facts["done"]),
    )


def _policy(text: str) -> Policy:
    return Policy.parse(str.encode(text, "ascii"))


def _time(text: str) -> datetime.datetime:
    time = moment(text)
    if time.year > LAST_YEAR:
        raise ValueError(text)
    return time


def _seconds(number: int) -> datetime.timedelta:
    if not 0 <= number <= MAX_TTL + MAX_MAX_AGE:
        raise ValueError(number)
    return datetime.timedelta(seconds=number)


def _line(text: str) -> str:
    """A text that a terminal may show as it is."""
    if not str.isprintable(text):
        raise ValueError(text)
    return text


def _failed(path: str, error: OSError) -> PlanError:
    return PlanError(
        "plan-file-failed",
        f"{path} cannot be read or written: {error.strerror}",
        "Check the disk's free space, and run the command as the owner of the policy directory.",
    )
