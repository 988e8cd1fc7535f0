"""The command `mtasts` and its sub-commands."""

import click

from mtasts import __version__
from mtasts.cli.check import check
from mtasts.cli.classes import alias, assign, classes, detach
from mtasts.cli.common import Group
from mtasts.cli.completion import completion
from mtasts.cli.edit import edit, set_policy
from mtasts.cli.explain import explain
from mtasts.cli.fetch import fetch
from mtasts.cli.lint import lint
from mtasts.cli.plan import plan, retire
from mtasts.cli.policies import new
from mtasts.cli.publish import publish
from mtasts.cli.records import dns
from mtasts.cli.report import report
from mtasts.cli.serve import serve
from mtasts.cli.show import diff, history, list_policies, show
from mtasts.cli.status import status
from mtasts.cli.transfer import export, import_policy
from mtasts.cli.watch import watch


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def mtasts() -> None:
    """MTA-STS (RFC 8461) and SMTP TLS Reporting (RFC 8460) for your mail domains.

    \b
    A domain's way:
      mtasts new example.org      propose a policy from the live MX, and write it
      certbot --mtasts -d mta-sts.example.org
      mtasts fetch example.org    is it served as it stands in the policy directory?
      mtasts publish example.org  tell the world by its TXT records
      mtasts set example.org --mode enforce --max-age 4w
      mtasts status               what needs attention?
      mtasts check example.org    what does a sender see?
    """


_COMMANDS = (
    (new, import_policy, export, alias, classes, assign, detach),
    (status, list_policies, show, history, diff, set_policy, edit),
    (plan, retire),
    (check, watch, report, explain),
    (dns, publish, fetch, lint, serve, completion),
)
for command in (command for commands in _COMMANDS for command in commands):
    mtasts.add_command(command)
