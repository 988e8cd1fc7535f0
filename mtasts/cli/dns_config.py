"""The option of commands that publish; apart from `common`, which is for those without DNS, too."""

from typing import Callable

import click

from mtasts import dns_settings


def dns_config_option(command: Callable) -> Callable:
    """Add --dns-config, for what publishes."""
    return click.option(
        "--dns-config",
        envvar="MTASTS_DNS_CONFIG",
        metavar="FILE",
        help=f"Who may change which zone. [default: {dns_settings.DEFAULT_PATH}, if it is there]",
    )(command)
