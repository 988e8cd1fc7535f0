"""The commands about TLS reports."""

import click

from mtasts.cli.report.read import read


@click.group()
def report() -> None:
    """TLS reports (RFC 8460): what senders tell about the mail they bring to your domains."""


_COMMANDS = (read,)
for command in _COMMANDS:
    report.add_command(command)
