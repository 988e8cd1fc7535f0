"""The date until which the operator wants mode `testing`: `<root>/<holder>/testing-until`.

It lies beside the policy of its holder, so aliases and the members of a class share it. It belongs
to that policy: whoever writes one of another mode takes the date away (`mtasts.store`). Where none
is set, a plan that ends testing sets it.
"""

import contextlib
import datetime
import os
from typing import NamedTuple, Optional

from mtasts import plan_store
from mtasts.errors import MtastsError, printable
from mtasts.files import locked, replace_file, sync_folder
from mtasts.folder import target_of
from mtasts.holder import Holder
from mtasts.plan import PlanError
from mtasts.policy import Mode
from mtasts.policy_file import StoreError

FILE = "testing-until"
NO_DATE = "none"
_DATE = "%Y-%m-%d"
_MAX_BYTES = 40  # a date, and blanks that an editor leaves


class InvalidDate(MtastsError):
    """The text is no date."""


class Until(NamedTuple):
    """The last day of testing, in UTC; None: no date is to be set."""

    date: Optional[datetime.date]

    @classmethod
    def parse(cls, text: str) -> "Until":
        """What an operator writes, `2026-12-01` or `none`; raises `InvalidDate`."""
        if text == NO_DATE:
            return cls(None)
        try:
            return cls(_date(text))
        except ValueError as error:
            raise InvalidDate(
                "date-invalid",
                f"'{printable(text)}' is no date",
                "Write year, month and day, such as 2026-12-01, or 'none' to set no date.",
            ) from error

    def require(self, name: Holder, mode: Mode) -> None:
        """Raise `StoreError` if this is a date, and the policy of `name` is not in mode testing."""
        if self.date and mode is not Mode.TESTING:
            raise StoreError(
                "testing-until-vain",
                f"the mode of {name} is {mode.value}, so no date can end testing",
                "Set the date together with --mode testing.",
            )


def of(root: str, name: Holder) -> Optional[datetime.date]:
    """The last day on which `name` is to be in mode testing; None if nobody has said so.

    Raises `PolicyUnreadable` as `target_of` does, and `StoreError` for a file that holds no date.
    """
    folder = os.path.join(root, target_of(root, name))
    found = read(folder)
    if found is None:
        with contextlib.suppress(PlanError):  # a plan that cannot be read sets no date
            plan = plan_store.read(folder)
            found = plan and plan.testing_until
    return found


def read(folder: str) -> Optional[datetime.date]:
    """The date that was set in a holder's folder; raises `StoreError`."""
    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as file:
            return _date(file.read(_MAX_BYTES).decode("ascii").strip())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreError(
            "testing-until-damaged",
            f"{path} holds no date",
            f"Set it anew with: mtasts set {os.path.basename(folder)} --testing-until DATE",
        ) from error
    except OSError as error:
        raise StoreError(
            "testing-until-unreadable",
            f"{path} cannot be read: {error.strerror}",
            "Run the command as the owner of the policy directory.",
        ) from error


def write(folder: str, until: Until) -> None:
    """Keep the date in a holder's folder; raises `OSError`, and it is then as it was."""
    path = os.path.join(folder, FILE)
    with locked(folder):
        if until.date:
            replace_file(path, f"{until.date:{_DATE}}\n".encode("ascii"))
        elif os.path.lexists(path):
            os.unlink(path)
            sync_folder(folder)


def _date(text: str) -> datetime.date:
    return datetime.datetime.strptime(text, _DATE).date()
