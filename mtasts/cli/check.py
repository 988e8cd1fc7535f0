"""What a sender sees of a domain, judged: for people, for programs, and for a monitoring."""

import collections
import json
import os
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

import click

from mtasts import at_once, edges, guesses
from mtasts.checks import CheckFinding, Group, Verdict, judge
from mtasts.checks.document import document
from mtasts.cli import findings as shown
from mtasts.cli.common import (
    DOMAIN,
    JudgingCommand,
    ca_option,
    json_option,
    now,
    policy_dir_option,
    resolver_option,
)
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file
from mtasts.finding import GRAVEST_FIRST, Severity, gravest
from mtasts.look import look
from mtasts.monitoring import EXIT_CODES, Metrics, nagios
from mtasts.policy import Mode
from mtasts.store import Store

_TITLES = {
    Group.TXT: "TXT record",
    Group.POLICY_HOST: "Policy host",
    Group.MX: "MX hosts",
    Group.REPORTING: "TLS reports",
    Group.SUB_DOMAINS: "Sub-domains",
}
_EFFECTS = {
    Mode.ENFORCE: "senders enforce the policy",
    Mode.TESTING: "senders deliver whatever fails, and report it",
    Mode.NONE: "senders act as if there were no policy",
    None: "senders find no policy",
}
_COUNTED = (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING, Severity.INFO)
_USUAL = "*"


@click.command(cls=JudgingCommand)
@click.argument("domains", metavar="DOMAIN...", nargs=-1, required=True, type=DOMAIN)
@click.option(
    "--subdomain",
    "sub_domains",
    metavar="NAME",
    multiple=True,
    help="Does this sub-domain take mail without a policy? '*' tries the usual names.",
)
@click.option("--nagios", "as_nagios", is_flag=True, help="Print the line of a plug-in.")
@click.option(
    "--openmetrics",
    metavar="FILE",
    help="Write metrics to FILE, or with - to the standard output, and print nothing else.",
)
@json_option
@ca_option
@resolver_option
@policy_dir_option
@click.pass_context
def check(
    ctx: click.Context,
    domains: Tuple[Domain, ...],
    sub_domains: Tuple[str, ...],
    as_nagios: bool,
    openmetrics: Optional[str],
    as_json: bool,
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
) -> None:
    """Look at each DOMAIN as a sender does, and say what is wrong and what to do.

    Its TXT records, the policy host and the MX hosts at every address, where TLS reports go, and
    sub-domains. Of a code, mtasts explain CODE says more.

    Exit code as of a monitoring plug-in, 0: nothing to warn of, 1: warnings, 2: errors, 3:
    something is not known, or the check could not run (elsewhere 3 is only the latter). The gravest
    counts, and what is not known is graver than a warning.

    \b
    Examples:
      mtasts check example.org
      mtasts check example.org --subdomain lists --subdomain '*'
      mtasts check example.org example.com --json
      mtasts check example.org --nagios
      mtasts check example.org --openmetrics /var/lib/prometheus/node-exporter/mtasts.prom
    """
    if as_json + as_nagios + bool(openmetrics) > 1:
        raise MtastsError(
            "check-misused",
            "--json, --nagios and --openmetrics exclude each other",
            "Name one of them.",
        )
    sight = edges.real(resolver, ca, store.root)
    below = _below(domains, sub_domains)
    seen = at_once.results(lambda one: look(one, sight, below(one)), dict.fromkeys(domains))
    verdicts = (judge(one, now()) for one in seen)
    if as_json:
        severities = [_print_json(one) for one in verdicts]
    elif as_nagios:
        severities = _print_nagios(list(verdicts))
    elif openmetrics:
        severities = _write_metrics(verdicts, openmetrics)
    else:
        severities = [_show(one) for one in verdicts]
    ctx.exit(EXIT_CODES[gravest(severities)])


def _below(domains: Sequence[Domain], names: Sequence[str]) -> Callable[[Domain], List[Domain]]:
    """Which sub-domains to look at with a domain: `names` are labels, or whole names below it.

    Raises `MtastsError` for a name that is below none of the `domains`.
    """
    whole = [DOMAIN.make(name) for name in names if name != _USUAL and "." in name]
    labels = [name for name in names if name != _USUAL and "." not in name]
    for name in whole:
        if not any(name.endswith(f".{domain}") for domain in domains):
            raise MtastsError(
                "subdomain-elsewhere",
                f"{name} is below none of the domains to be checked",
                "Name a sub-domain, such as lists or lists.example.org.",
            )

    def below(domain: Domain) -> List[Domain]:
        found = [name for name in whole if name.endswith(f".{domain}")]
        found += [DOMAIN.make(f"{label}.{domain}") for label in labels]
        found += guesses.sub_domains(domain) if _USUAL in names else ()
        return list(dict.fromkeys(found))

    return below


def _print_json(verdict: Verdict) -> Severity:
    """A line for each domain, so that there may be any number of them."""
    click.echo(json.dumps(document(verdict)))
    return verdict.severity


def _print_nagios(verdicts: Sequence[Verdict]) -> List[Severity]:
    click.echo(nagios(verdicts))
    return [one.severity for one in verdicts]


def _write_metrics(verdicts: Iterator[Verdict], path: str) -> List[Severity]:
    metrics = Metrics()
    severities = []
    for verdict in verdicts:
        metrics.add(verdict)
        severities.append(verdict.severity)
    if path == "-":
        click.echo(str(metrics), nl=False)
        return severities
    try:
        replace_file(os.path.abspath(path), str(metrics).encode("ascii"))
    except OSError as error:
        raise MtastsError(
            "metrics-unwritable",
            f"{printable(path, 300)} cannot be written: {error.strerror}",
            "Name a file in a folder that you may write to.",
        ) from error
    return severities


def _show(verdict: Verdict) -> Severity:
    """The verdict in a line, and below it the findings of each part, the gravest first."""
    severity = verdict.severity
    effect = _EFFECTS[verdict.policy.mode if verdict.policy else None]
    counts = collections.Counter(one.severity for one in verdict.findings)
    counted = ", ".join(f"{one.value} {counts[one]}" for one in _COUNTED if counts[one])
    colour = shown.COLOURS.get(severity, "green")
    said = f"{verdict.domain}: {shown.coloured(severity.value, colour)}: {effect}"
    click.echo(said + (f" ({counted})" if counted else ""))
    for group, title in _TITLES.items():
        found = [one for one in verdict.findings if one.group is group]
        if found:
            click.echo(f"  {title}")
        for one in sorted(found, key=lambda one: GRAVEST_FIRST.index(one.severity)):
            _show_finding(one)
    return severity


def _show_finding(one: CheckFinding) -> None:
    place = f"{one.host} ({one.address})" if one.address else one.host
    line = f" line {one.finding.line}" if one.finding.line else ""
    severity = shown.coloured(f"{one.severity.value:<7}", shown.COLOURS.get(one.severity, "green"))
    click.echo(f"    {severity} {place}{line}: {one.finding.message} [{one.code}]")
    if one.severity in (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING):
        click.echo(f"            rule: {one.finding.rule}")
        click.echo(f"            remedy: {one.finding.remedy}")
