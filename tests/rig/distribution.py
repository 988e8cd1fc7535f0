"""The distribution under test, installed once where every stack looks for it.

The environments of tests/stack have ``/run/mtasts-under-test`` on their path, and the machine's own
Python gets it here; so certbot and mod_wsgi find our packages and entry points as if installed,
and no cached environment has to be touched when the code changes.
"""

import os
import shutil

from rig import process, stacks

PLACE = "/run/mtasts-under-test"
PARTS = ("setup.py", "setup.cfg", "README.md", "mtasts", "wsgi_policy", "certbot_mtasts")


def install(scratch: str) -> str:
    """Install the clone into PLACE by way of a copy in ``scratch``, and return PLACE."""
    for part in PARTS:
        source, target = os.path.join(stacks.CLONE, part), os.path.join(scratch, part)
        if os.path.isdir(source):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    pip = [stacks.python("newest"), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    process.run(*pip, "--no-build-isolation", "--target", PLACE, scratch)
    _show_to_system_python()
    return PLACE


def _show_to_system_python() -> None:
    site = process.run(
        "/usr/bin/python3", "-c", "import site; print(site.getsitepackages()[0])"
    ).output.strip()
    os.makedirs(site, exist_ok=True)
    with open(os.path.join(site, "mtasts-under-test.pth"), "w") as path_file:
        path_file.write(PLACE + "\n")
