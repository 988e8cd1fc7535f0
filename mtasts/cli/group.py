"""The command `mtasts` and its sub-commands."""

import importlib
from typing import List, Optional

import click

from mtasts import __version__
from mtasts.cli.common import Group

# Where each command is. It is imported when it is run: most need little of what all of them do.
_PLACES = {
    "new": "policies.new",
    "import": "transfer.import_policy",
    "export": "transfer.export",
    "alias": "classes.alias",
    "classes": "classes.classes",
    "assign": "classes.assign",
    "detach": "classes.detach",
    "status": "status.status",
    "list": "show.list_policies",
    "show": "show.show",
    "history": "show.history",
    "diff": "show.diff",
    "set": "edit.set_policy",
    "edit": "edit.edit",
    "plan": "plan.plan",
    "advance": "advance.advance",
    "retire": "plan.retire",
    "check": "check.check",
    "watch": "watch.watch",
    "metrics": "metrics.metrics",
    "report": "report.report",
    "pickup": "pickup.pickup",
    "explain": "explain.explain",
    "dns": "records.dns",
    "publish": "publish.publish",
    "fetch": "fetch.fetch",
    "lint": "lint.lint",
    "serve": "serve.serve",
    "dashboard": "dashboard.dashboard",
    "completion": "completion.completion",
}


class Commands(Group):
    """The group of all commands in `_PLACES`."""

    def list_commands(self, _ctx: click.Context) -> List[str]:
        """Their names, in alphabetical order."""
        return sorted(_PLACES)

    def get_command(self, _ctx: click.Context, name: str) -> Optional[click.Command]:
        """The command of this name, or None."""
        if name not in _PLACES:
            return None
        module, attribute = _PLACES[name].split(".")
        return getattr(importlib.import_module("mtasts.cli." + module), attribute)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def mtasts() -> None:
    """MTA-STS (RFC 8461) and SMTP TLS Reporting (RFC 8460) for your mail domains.

    \b
    A domain's way:
      mtasts new example.org      propose a policy from the live MX, and write it
      certbot --mtasts -d mta-sts.example.org
      mtasts fetch example.org    is it served as it stands in the policy directory?
      mtasts publish example.org  tell the world by its TXT records
      mtasts advance example.org  may it go from testing to enforce, or to a longer max_age?
      mtasts status               what needs attention?
      mtasts check example.org    what does a sender see?
    """
