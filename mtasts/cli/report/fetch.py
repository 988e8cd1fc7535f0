"""Reports come out of an IMAP mailbox into the ledger."""

from typing import List, Optional

import click

from mtasts.cli.common import EXIT_WARNING, ca_option, now
from mtasts.cli.report.ledger import Grading, grader, grading_options, ledger_option, opened
from mtasts.cli.report.limit import limit_option
from mtasts.cli.report.taken import counted, show, without_errors
from mtasts.errors import MtastsError


@click.command()
@click.option("--server", required=True, metavar="HOST[:PORT]", help="The IMAP server, with TLS.")
@click.option("--user", required=True, metavar="NAME", help="Whose mailbox it is.")
@click.option("--password-file", metavar="FILE", help="A file whose first line is the password.")
@click.option("--token-file", metavar="FILE", help="A file whose first line is an OAuth token.")
@click.option("--folder", default="INBOX", show_default=True, help="Where the reports are.")
@click.option("--move", "move_to", metavar="FOLDER", help="Then move mails with reports there.")
@click.option("--delete", is_flag=True, help="Then remove mails with reports.")
@click.option("--state", metavar="FILE", help="Where it is remembered what was fetched.")
@limit_option
@grading_options
@ca_option
@ledger_option
@click.pass_context
def fetch(
    context: click.Context,
    server: str,
    user: str,
    password_file: Optional[str],
    token_file: Optional[str],
    folder: str,
    move_to: Optional[str],
    delete: bool,
    state: Optional[str],
    limit: int,
    grading: Grading,
    ca: Optional[str],
    ledger: Optional[str],
) -> None:
    """Keep the reports that have come into a folder of an IMAP mailbox.

    Only mails that are new since the last time are read. They stay as they are, also unread, unless
    --move or --delete says otherwise; then those with reports go once the ledger has them, and no
    others. Exit code 1: some went to quarantine or were left for later.

    \b
    Examples:
      mtasts report fetch --server imap.example.org --user reports --password-file /etc/mtasts/imap
    """
    if bool(password_file) == bool(token_file):
        raise click.UsageError("name one of --password-file and --token-file")
    if move_to is not None and delete:
        raise click.UsageError("--move and --delete exclude each other")
    database = opened(ledger)
    from mtasts import inbox, report_fetch

    secret = inbox.read_secret(password_file or token_file or "")
    account = inbox.Account(server, user, secret, bool(token_file), ca)
    source = report_fetch.Source(account, folder, move_to, delete, limit)
    path = state or report_fetch.DEFAULT_STATE
    left: List[MtastsError] = []
    taken = report_fetch.fetch(database, source, path, grader(grading), now())
    found = counted(without_errors(taken, left))
    show(found, left)
    context.exit(EXIT_WARNING if left or found["quarantine"] else 0)
