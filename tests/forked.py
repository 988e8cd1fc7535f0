"""The command in a process of its own, without the start of an interpreter: tests run it often."""

import contextlib
import io
import os
import sys
import tempfile

import alembic.command  # noqa: F401 - else every child imports it

import mtasts.cli.group  # noqa: F401 - likewise
import mtasts.ingest  # noqa: F401 - likewise
from mtasts.cli import main


def mtasts(arguments, stdin=b"", **variables):
    """The exit code of `mtasts` with `arguments`, and the bytes of its output and errors."""
    with contextlib.ExitStack() as files:
        streams = [files.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        streams[0].write(stdin)
        streams[0].seek(0)
        child = os.fork()
        if child == 0:
            _become(arguments, variables, streams)
        _, status = os.waitpid(child, 0)
        said, errors = map(_all_of, streams[1:])
    assert os.WIFEXITED(status)
    assert b"Traceback" not in errors, errors
    return os.WEXITSTATUS(status), said, errors


def _all_of(stream):
    stream.seek(0)
    return stream.read()


def _become(arguments, variables, files):
    code = 1
    try:
        for descriptor, file in enumerate(files):
            os.dup2(file.fileno(), descriptor)
        sys.stdin = io.TextIOWrapper(io.FileIO(0), "utf-8")
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(n, "w"), "utf-8") for n in (1, 2))
        os.environ.update(variables)
        sys.argv = ["mtasts", *arguments]
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
