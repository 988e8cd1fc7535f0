"""How much a report may expand to."""

from typing import Callable

import click

from mtasts.tlsrpt import container

_MIB = 1024 * 1024


def limit_option(command: Callable) -> Callable:
    """Add --limit in MiB, which gives the command its `limit` in bytes."""
    return click.option(
        "--limit",
        metavar="MIB",
        type=click.IntRange(min=1),
        envvar="MTASTS_REPORT_LIMIT",
        default=container.LIMIT // _MIB,
        show_default=True,
        callback=lambda _context, _parameter, value: value * _MIB,
        help="Refuse what expands to more MiB, before it does.",
    )(command)
