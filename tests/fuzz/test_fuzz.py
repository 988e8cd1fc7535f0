"""A short run of the fuzzer with every run of the tests; `run.py --seconds` takes longer."""

import os
import subprocess
import sys

import pytest

SECONDS = 18


@pytest.mark.skipif(sys.version_info < (3, 11), reason="atheris needs a newer Python")
def test_nothing_but_our_errors(tmp_path):
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
    done = subprocess.run(
        [sys.executable, program, "--seconds", str(SECONDS), "--artifacts", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=20 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.count("stat::number_of_executed_units") == 5
