"""An account with a folder, as apache/setup makes it, and how its unit runs commands."""

import contextlib
from typing import Iterator, List

from rig.process import run


@contextlib.contextmanager
def made(name: str, folder: str) -> Iterator[List[str]]:
    """Such an account, which owns ``folder``; gives what stands before a command of its unit."""
    run("useradd", "--system", "--user-group", "--no-create-home", name)
    run("install", "-d", "-m", "0750", "-o", name, "-g", name, folder)
    who = ["--reuid=" + name, "--regid=" + name, "--clear-groups"]
    yield ["setpriv", *who, "--bounding-set=-all", "--inh-caps=-all", "--"]
    run("userdel", name)
