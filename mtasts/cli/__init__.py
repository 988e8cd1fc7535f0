"""The command `mtasts`: one module per noun, and the only place that prints."""

import sys


def main() -> None:
    """Run the command; say what is missing where click is not installed."""
    try:
        import click  # noqa: F401
    except ImportError:
        sys.exit(
            "mtasts: the command needs click [click-missing]\n"
            "Install it: apt-get install python3-click, or pip install 'mtasts[cli]'."
        )
    from mtasts.cli.group import mtasts

    mtasts(prog_name="mtasts")
