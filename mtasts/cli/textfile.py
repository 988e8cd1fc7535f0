"""What commands that write metrics share: the library that they need, and where the text goes."""

import os

import click

from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file

STDOUT = "-"


def require_library() -> None:
    """Raise `MtastsError` without prometheus_client, before any work is done."""
    try:
        import mtasts.exposition  # noqa: F401
    except ImportError as error:
        raise MtastsError(
            "metrics-library-missing",
            "metrics need prometheus_client 0.16 or newer",
            "Install it: apt install python3-prometheus-client, or pip install 'mtasts[metrics]'",
        ) from error


def write(text: bytes, path: str) -> None:
    """Let the file hold `text`, all at once and for everybody to read; - is the standard output.

    Raises `MtastsError`. The name of the temporary file does not end as that of metrics.
    """
    if path == STDOUT:
        click.echo(text, nl=False)
        return
    try:
        replace_file(os.path.abspath(path), text)
    except OSError as error:
        raise MtastsError(
            "metrics-unwritable",
            f"{printable(path, 300)} cannot be written: {error.strerror}",
            "Name a file in a folder that you may write to.",
        ) from error
