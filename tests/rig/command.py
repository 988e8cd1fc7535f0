"""The command `mtasts` as an operator runs it, from the clone, on the libraries of a stack."""

import os
import subprocess
from typing import Dict, Optional

from rig import stacks


def mtasts(
    *arguments: str, stack: str = "newest", env: Optional[Dict[str, str]] = None
) -> subprocess.CompletedProcess:
    """Run it to its end; what it left has ``returncode``, ``stdout`` and ``stderr`` as text."""
    done = subprocess.run(
        [stacks.python(stack), "-W", "ignore", "-m", "mtasts", *arguments],
        cwd=stacks.CLONE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, LC_ALL="C.UTF-8", LANG="C.UTF-8", **(env or {})),
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done
