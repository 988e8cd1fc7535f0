"""Settings: from an argument, else the environment, else a file, else the default.

The file is Python, as Flask users know it, and `MTASTS_SETTINGS` in the environment names it:

    MTASTS_POLICY_DIR = "/srv/policies"

A setting has one name everywhere. From the environment come all names that begin with `MTASTS_`;
argument and file may also hold settings of Flask itself.
"""

import os
from typing import Any, Dict, Mapping, Optional

from mtasts.policy_file import DEFAULT_ROOT

PREFIX = "MTASTS_"
POLICY_DIR = "MTASTS_POLICY_DIR"
REPORT_SECRET = "MTASTS_REPORT_SECRET"  # noqa: S105 - the name of a setting
SPOOL = "MTASTS_SPOOL"
FILE = "MTASTS_SETTINGS"


def load(
    policy_dir: Optional[str],
    config: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> Dict[str, Any]:
    """Return all settings by name; raises OSError or SyntaxError for a file that cannot be used."""
    settings = {POLICY_DIR: DEFAULT_ROOT}  # type: Dict[str, Any]
    if environment.get(FILE):
        settings.update(_from_file(environment[FILE]))
    settings.update((name, value) for name, value in environment.items() if name.startswith(PREFIX))
    settings.update(config)
    if policy_dir is not None:
        settings[POLICY_DIR] = policy_dir
    return settings


def _from_file(path: str) -> Dict[str, Any]:
    """The names in upper case that a Python file defines, as Flask's `from_pyfile` takes them."""
    names = {}  # type: Dict[str, Any]
    with open(path, "rb") as file:
        # Flask does the same with the administrator's file, but is not to be imported here.
        exec(compile(file.read(), path, "exec"), names)  # noqa: S102
    return {name: value for name, value in names.items() if name.isupper()}
