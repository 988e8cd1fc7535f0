"""The options of commands that publish; not in `common`, which is for those without DNS, too."""

from typing import Callable

import click

from mtasts import dns_settings
from mtasts.publish_record import Options


def dns_config_option(command: Callable) -> Callable:
    """Add --dns-config, for what publishes."""
    return click.option(
        "--dns-config",
        envvar="MTASTS_DNS_CONFIG",
        metavar="FILE",
        help=f"Who may change which zone. [default: {dns_settings.DEFAULT_PATH}, if it is there]",
    )(command)


def wait_option(command: Callable) -> Callable:
    """Add --wait, for what waits until a record is published everywhere."""
    return click.option(
        "--wait",
        type=click.IntRange(min=0),
        default=Options().wait,
        show_default=True,
        metavar="SECONDS",
        help="How long the name servers have to agree.",
    )(command)
