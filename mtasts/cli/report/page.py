"""The page about domains and their reports, as one file."""

import functools
import os
import stat
import sys
from typing import Optional, Tuple

import click

from mtasts.cli.common import (
    DOMAIN,
    ca_option,
    days_option,
    now,
    policy_dir_option,
    resolver_option,
    with_progress,
)
from mtasts.cli.report.ledger import grade_option, ledger_option, opened
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file
from mtasts.store import Store
from mtasts.survey import Network
from mtasts.tlsrpt.authenticity import Grade

_MODE = 0o640  # as the ledger's: who is to serve or mail it can be given the group


@click.command()
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, type=DOMAIN)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to; '-' prints it.")
@days_option(30, "Sum up the reports of the last N days.")
@grade_option
@click.option("--online", is_flag=True, help="Ask DNS and the policy hosts, as mtasts status does.")
@ledger_option
@policy_dir_option
@ca_option
@resolver_option
def page(
    domains: Tuple[Domain, ...],
    output: str,
    days: int,
    weakest: Optional[Grade],
    online: bool,
    ledger: Optional[str],
    store: Store,
    ca: Optional[str],
    resolver: Optional[str],
) -> None:
    """Write one HTML page about all own domains, or each DOMAIN that is named.

    Is anything broken, since when, at whose end? Then what the reports of the last N days say, what
    was served, and what to do. The page loads nothing: mail it, or let any web server show it.
    Nothing of other domains is on it. FILE appears whole or not at all.

    \b
    Examples:
      mtasts report page -o /var/lib/mtasts/reports/page.html
      mtasts report page example.org -o - --days 90 >page.html
    """
    _require_file(output)
    database = opened(ledger)
    document = imported_document()
    from mtasts import page_facts
    from mtasts.page.facts import Asked
    from mtasts.report_numbers import first_day

    when = now()
    grade = weakest.value if weakest else ""
    asked = Asked(when, first_day(when, days), days, grade, "", online)
    own = tuple(dict.fromkeys(domains)) or tuple(store.domains())
    found = page_facts.stands(store, own, asked, Network(resolver, ca) if online else None)
    counting = None
    if sys.stderr.isatty():  # cron mails whatever is printed
        found = with_progress(found, len(own), "domains looked at")
        counting = functools.partial(with_progress, done="reports counted")
    abouts = page_facts.abouts(database, store, asked, found, counting)
    html = document.document(abouts, asked, domains).html
    if output == "-":
        click.echo(html, nl=False)
    else:
        _write(output, html.encode("utf-8"))


def imported_document():  # mtasts.page.document, which is imported late
    """The module that makes pages; raises `MtastsError` without Jinja2 or pygal."""
    try:
        from mtasts.page import document
    except ImportError as error:
        raise MtastsError(
            "page-library-missing",
            "the page needs Jinja2 and pygal",
            "Install them: apt install python3-jinja2 python3-pygal, or pip install"
            " 'mtasts[dashboard]'",
        ) from error
    return document


def _require_file(path: str) -> None:
    """Refuse what is there and no file, such as a link or /dev/null: it would be replaced."""
    if path == "-" or not os.path.lexists(path) or stat.S_ISREG(os.lstat(path).st_mode):
        return
    raise MtastsError(
        "page-no-file",
        f"{printable(path, 300)} is there, and it is no file",
        "Name the file itself, or '-' to print the page.",
    )


def _write(path: str, data: bytes) -> None:
    """Replace the file, which keeps the permissions that it has."""
    path = os.path.abspath(path)
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else _MODE
        replace_file(path, data, mode)
    except OSError as error:
        raise MtastsError(
            "page-unwritable",
            f"{printable(path, 300)} cannot be written: {error.strerror}",
            "Check its folder, and the disk's free space.",
        ) from error
