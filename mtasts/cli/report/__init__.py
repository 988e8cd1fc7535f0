"""The commands about TLS reports."""

import click

from mtasts.cli.report.add import add, ingest, replay
from mtasts.cli.report.fetch import fetch
from mtasts.cli.report.listing import list_reports
from mtasts.cli.report.page import page
from mtasts.cli.report.read import read
from mtasts.cli.report.show import show, vacuum
from mtasts.cli.report.summary import summary
from mtasts.cli.report.watch import watch


@click.group()
def report() -> None:
    """TLS reports (RFC 8460): what senders tell about the mail they bring to your domains.

    \b
    Examples:
      mtasts report read report.json.gz      say what is in it, and keep nothing
      mtasts report add ~/Maildir            keep all reports that are in there
      mtasts report summary example.org      what do they say, and what is to be done?
      mtasts report page -o page.html        the same of all own domains, to look at
    """


_COMMANDS = (read, add, fetch, ingest, replay, list_reports, show, summary, page, watch, vacuum)
for command in _COMMANDS:
    report.add_command(command)
