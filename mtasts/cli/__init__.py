"""The command `mtasts`: one module per noun, and the only place that prints."""

import codecs
import locale
import os
import sys


def main() -> None:
    """Run the command; say what is missing where click is not installed."""
    _leave_ascii()
    _require_streams()
    try:
        import click  # noqa: F401
    except ImportError:
        sys.exit(
            "mtasts: the command needs click [click-missing]\n"
            "Install it: apt-get install python3-click, or pip install 'mtasts[cli]'."
        )
    from mtasts.cli.group import mtasts

    mtasts(prog_name="mtasts")


def _require_streams() -> None:
    """End if standard output or standard error is closed.

    Else click of Ubuntu 18.04 ends with a traceback, and what an editor prints comes into the file
    that has been opened in place of the stream.
    """
    if sys.stdout is None or sys.stderr is None:
        if sys.stderr:
            sys.stderr.write(
                "mtasts: standard output is closed [output-closed]\n"
                "Lead it to a file or to /dev/null, if nobody is to see it.\n"
            )
        sys.exit(3)


def _leave_ascii() -> None:
    """Give click the locale that it wants: on Python 3.6 it ends with a traceback in the locale C.

    Cron and systemd start programs in that one. What is printed is ASCII in every locale.
    """
    if codecs.lookup(locale.getpreferredencoding()).name == "ascii":
        os.environ["LC_ALL"] = "C.UTF-8"
