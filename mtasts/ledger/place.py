"""Where the ledger is: a file of SQLite, or a database of PostgreSQL by its URL.

The first that says so counts: the command line, the variable MTASTS_LEDGER, the file
/etc/mtasts/ledger, the default. A URL may hold a password, except on the command line, where every
account of the machine can read it.
"""

import os
import re
import stat
from typing import Mapping, NamedTuple, Optional

from mtasts.errors import MtastsError, printable

DEFAULT_PATH = "/var/lib/mtasts/reports/ledger.sqlite"
SETTING = "/etc/mtasts/ledger"
VARIABLE = "MTASTS_LEDGER"
_MAX_SETTING = 4096
_URL = re.compile(r"(?P<scheme>[a-z0-9+]+)://(?P<user>[^/?#@]*@)?", re.IGNORECASE)
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg")


class InvalidPlace(MtastsError):
    """What should say where the ledger is says nothing that could be opened."""


class Place(NamedTuple):
    """Where the ledger is: the path of a SQLite file, or a PostgreSQL URL (then `is_url`)."""

    text: str
    is_url: bool

    @property
    def is_missing(self) -> bool:
        """Whether there is no such file. What cannot be looked for may be there."""
        if self.is_url:
            return False
        try:
            os.stat(self.text)
        except FileNotFoundError:
            return True
        except OSError:
            pass
        return False

    def __str__(self) -> str:
        """Its name for people: the password is left out."""
        shown = re.sub(r"(://[^/?#@:]*):[^/?#@]*@", r"\1@", self.text) if self.is_url else self.text
        return printable(re.sub(r"(?i)([?&]password=)[^&#]*", r"\1...", shown), 300)


def find(given: Optional[str], environment: Mapping[str, str], setting: str = SETTING) -> Place:
    """The place that the option `given` names, or else the variable, the file, the default.

    Raises `InvalidPlace`, also if the file cannot be read.
    """
    if given:
        place = parse(given)
        if place.is_url and _has_password(place.text):
            raise InvalidPlace(
                "ledger-password-open",
                f"the URL of {place} holds a password, which everybody on this machine can see",
                f"Write the URL into {SETTING} (mode 0640), or use ~/.pgpass.",
            )
        return place
    return parse(environment.get(VARIABLE) or _setting(setting) or DEFAULT_PATH)


def parse(text: str) -> Place:
    """The place that `text` names; raises `InvalidPlace`."""
    match = _URL.match(text)
    if not match:
        return Place(os.path.abspath(text), False)
    if match.group("scheme").lower() not in _SCHEMES:
        raise InvalidPlace(
            "ledger-url-unsupported",
            f"there is no ledger at {printable(match.group('scheme'))} URLs",
            "Name a file (SQLite), or postgresql://USER@HOST/DATABASE",
        )
    return Place(text, True)


def _has_password(url: str) -> bool:
    match = _URL.match(url)
    user = (match and match.group("user")) or ""
    return ":" in user or bool(re.search(r"[?&]password=", url, re.IGNORECASE))


def _setting(path: str) -> str:
    """The first line of the file that is no comment; "" if there is no file."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read(_MAX_SETTING).splitlines()
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise InvalidPlace(
            "ledger-setting-unreadable",
            f"{printable(path, 300)}, which says where the ledger is, cannot be read",
            "Run the command as an account that may read it, or name the ledger by --ledger.",
        ) from error
    said = next((line.strip() for line in lines if line.strip() and line[0] != "#"), "")
    if _has_password(said) and mode & stat.S_IRWXO:
        raise InvalidPlace(
            "ledger-setting-open",
            f"{printable(path, 300)} holds a password and is open to everybody on this machine",
            f"chmod 640 {printable(path, 300)}, and replace the password if others could read it.",
        )
    return said
