"""Who holds a policy: a domain, or a policy class that any number of domains belong to.

A class is named `@mx-cluster-a`, on the command line as well as in the policy directory, where its
folder has that very name. No domain begins with an `@`, so nobody can ask a policy host for it.
"""

import re
from typing import Union

from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable

_CLASS = re.compile(r"@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


class ClassName(str):
    """The name of a policy class, with its `@`. `ClassName(text)` raises `InvalidClassName`."""

    __slots__ = ()

    def __new__(cls, text: str) -> "ClassName":
        """Check `text` once and for all."""
        if not _CLASS.match(text):
            raise InvalidClassName(
                "class-name-invalid",
                f"'{printable(text)}' is not the name of a policy class",
                "Write '@' and up to 63 of a-z, 0-9 and inner hyphens, for example @mx-cluster-a.",
            )
        return super().__new__(cls, text)


class InvalidClassName(MtastsError):
    """The text is not the name of a policy class."""


Holder = Union[Domain, ClassName]


def holder(text: str) -> Holder:
    """The class or the domain that `text` names; raises `InvalidClassName` or `InvalidDomain`."""
    return ClassName(text) if text.startswith("@") else Domain(text)
