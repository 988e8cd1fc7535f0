"""The commands about TLS reports."""

import click

from mtasts.cli.report.add import add, ingest, replay
from mtasts.cli.report.listing import list_reports
from mtasts.cli.report.read import read
from mtasts.cli.report.show import show, vacuum


@click.group()
def report() -> None:
    """TLS reports (RFC 8460): what senders tell about the mail they bring to your domains.

    \b
    Examples:
      mtasts report read report.json.gz     what does it say?
      mtasts report add ~/Maildir           keep all reports in there
      mtasts report list --days 7
    """


_COMMANDS = (read, add, ingest, replay, list_reports, show, vacuum)
for command in _COMMANDS:
    report.add_command(command)
