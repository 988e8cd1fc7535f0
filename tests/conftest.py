"""What tests of the command share: a policy directory, and DNS that is what the test says."""

import os
import pty
import select
import subprocess
import sys

import pytest

import nameserver

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@pytest.fixture
def dns_table():
    """The MX records that the command sees, by domain (tests/nameserver.py)."""
    with nameserver.running() as running:
        yield running


@pytest.fixture
def mtasts(tmp_path, dns_table):
    """Run the command with a policy directory of its own; return its exit code and output."""
    root = tmp_path / "policies"
    root.mkdir()
    environment = dict(
        os.environ,
        PYTHONPATH=TOP,
        MTASTS_POLICY_DIR=str(root),
        MTASTS_RESOLVER=dns_table.address,
        LC_ALL="C.UTF-8",
        LANG="C.UTF-8",
    )

    def run(*arguments, stdin="", **variables):
        done = subprocess.run(
            [sys.executable, "-m", "mtasts", *arguments],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            env=dict(environment, **variables),
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def on_terminal(*arguments, answers=(), **variables):
        """The same for a person: `answers` are (what is waited for, what is typed then)."""
        return _on_terminal(list(arguments), dict(environment, **variables), list(answers))

    run.on_terminal = on_terminal
    run.root = root
    run.environment = environment
    run.mx = dns_table.table
    return run


def _on_terminal(arguments, environment, answers):
    master, terminal = pty.openpty()
    shown = subprocess.Popen(
        [sys.executable, "-m", "mtasts", *arguments],
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    said, seen = b"", 0
    while select.select([master], [], [], 60)[0]:
        try:
            said += os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if answers and answers[0][0].encode() in said[seen:]:
            seen = len(said)
            os.write(master, answers.pop(0)[1].encode())
    os.close(master)
    code = shown.wait(60)
    assert answers == [], said
    assert b"Traceback" not in said
    return code, said.decode()
