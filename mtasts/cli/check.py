"""What a sender sees of a domain, judged: for people, for programs, and for a monitoring."""

import collections
import contextlib
import json
import signal
from typing import Callable, Iterator, List, Optional, Sequence, Tuple, Union

import click

from mtasts import check_run, domain_list, edges, guesses, public_suffix
from mtasts.check_results import Results
from mtasts.check_run import SubDomains
from mtasts.checks import CheckFinding, Group, Verdict, judge
from mtasts.checks.document import VERSION, document
from mtasts.cli import findings as shown
from mtasts.cli import textfile
from mtasts.cli.common import (
    DOMAIN,
    JudgingCommand,
    ValueType,
    ca_option,
    counted,
    json_option,
    now,
    policy_dir_option,
    public_suffixes,
    resolver_option,
    with_progress,
)
from mtasts.domain import MAX_NAME, Domain, InvalidDomain
from mtasts.errors import MtastsError, printable
from mtasts.facts import Seen
from mtasts.finding import GRAVEST_FIRST, Severity, gravest
from mtasts.monitoring import EXIT_CODES, nagios, nagios_failure
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
    None: "senders get no policy",
}
_COUNTED = (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING, Severity.INFO)
_USUAL = "*"
_STDIN = "-"
_DOMAIN_OR_STDIN = ValueType("domain", lambda text: text if text == _STDIN else DOMAIN.make(text))


@click.command(cls=JudgingCommand)
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, type=_DOMAIN_OR_STDIN)
@click.option(
    "--file",
    "lists",
    metavar="FILE",
    multiple=True,
    help="Check the domains in FILE, one in a line; - is the standard input.",
)
@click.option(
    "--output",
    metavar="FILE",
    help="Write a line of JSON for each domain to FILE; what is there already is not done again.",
)
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
    domains: Tuple[str, ...],
    lists: Tuple[str, ...],
    output: Optional[str],
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

    Thousands of domains come from a FILE, or with - from the standard input. What they share, such
    as MX hosts, is looked at once. With --output, a run that was interrupted goes on when it is
    started again.

    Exit code as of a monitoring plug-in, 0: nothing to warn of, 1: warnings, 2: errors, 3:
    something is not known, or the check could not run (elsewhere 3 is only the latter). The gravest
    counts, and what is not known is graver than a warning.

    \b
    Examples:
      mtasts check example.org
      mtasts check example.org --subdomain lists --subdomain '*'
      mtasts check example.org example.com --json
      mtasts check --file domains.txt --output results.jsonl
      mtasts check example.org --nagios
      mtasts check example.org --openmetrics /var/lib/prometheus/node-exporter/mtasts.prom
    """
    _end_at_once_if_interrupted()
    is_list = bool(lists) or _STDIN in domains
    _require_one_output(as_json, as_nagios, bool(openmetrics), bool(output), is_list)
    with _failures_told(as_nagios):
        asked, broken = _asked(domains, lists)
        sight = edges.real(resolver, ca, store.root)
        below = _below(asked, sub_domains)

        def verdicts(of: List[Domain]) -> Iterator[Verdict]:
            seen = _seen(of, sight, below)
            seen = with_progress(seen, len(of), "domains checked") if is_list else seen
            return (judge(one, now()) for one in seen)

        if output:
            severities = _continue(output, asked, verdicts)
        elif as_json:
            severities = [_print_json(one) for one in verdicts(asked)]
        elif as_nagios:
            severities = _print_nagios(list(verdicts(asked)))
        elif openmetrics:
            textfile.require_library()
            severities = _write_metrics(verdicts(asked), openmetrics)
        else:
            severities = [_show(one) for one in verdicts(asked)]
    ctx.exit(EXIT_CODES[gravest(severities + [Severity.UNKNOWN] * bool(broken))])


def _end_at_once_if_interrupted() -> None:
    """Let Ctrl-C end the process: nothing has to be tidied up, and strangers may be slow to answer.

    Python would wait for all exchanges that are under way.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def _failures_told(as_nagios: bool) -> Iterator[None]:
    """Let what keeps a plug-in from its work be its line: a monitoring reads nothing else."""
    try:
        yield
    except MtastsError as error:
        if not as_nagios:
            raise
        click.echo(nagios_failure(error))
        click.get_current_context().exit(EXIT_CODES[Severity.UNKNOWN])


def _require_one_output(
    as_json: bool, as_nagios: bool, metrics: bool, output: bool, is_list: bool
) -> None:
    """Raise `MtastsError` for options that contradict each other."""
    if as_json + as_nagios + metrics + output > 1:
        raise MtastsError(
            "check-misused",
            "--json, --nagios, --openmetrics and --output exclude each other",
            "Name one of them.",
        )
    if as_nagios and is_list:
        raise MtastsError(
            "check-misused",
            "--nagios is for domains that are named, not for a list",
            "Name them, or let --openmetrics write figures of all.",
        )


def _seen(domains: List[Domain], sight: edges.Edges, below: SubDomains) -> Iterator[Seen]:
    """What is seen of each of `domains`, few or many, as it comes."""
    if len(domains) <= check_run.FEW:
        return check_run.few(domains, sight, below)
    return check_run.run(domains, sight, below, public_suffix.all_rules(public_suffixes()))


def _asked(domains: Sequence[str], lists: Sequence[str]) -> Tuple[List[Domain], int]:
    """All domains that are named, each once, and how many lines of lists name none: those are told.

    Raises `MtastsError` for a list that cannot be read, and if nothing is named at all.
    """
    asked = {Domain(one): None for one in domains if one != _STDIN}
    broken = 0
    for path in dict.fromkeys([*lists, *(one for one in domains if one == _STDIN)]):
        for one in _listed(path):
            if isinstance(one, domain_list.NotADomain):
                click.echo(f"mtasts: {one.error}", err=True)
                broken += 1
            else:
                asked[one] = None
    if not asked and not broken:
        raise MtastsError(
            "domains-missing",
            "there is no domain to check",
            "Name one, or with --file a file that has one in a line.",
        )
    return list(asked), broken


def _listed(path: str) -> Iterator[Union[Domain, domain_list.NotADomain]]:
    source = "standard input" if path == _STDIN else printable(path, 300)
    try:
        with open(0, "rb", closefd=False) if path == _STDIN else open(path, "rb") as file:
            yield from domain_list.read(file, source)
    except OSError as error:
        raise MtastsError(
            "domains-unreadable",
            f"{source} cannot be read: {error.strerror}",
            "Name a file that has a domain in each line.",
        ) from error


def _continue(
    path: str, asked: List[Domain], verdicts: Callable[[List[Domain]], Iterator[Verdict]]
) -> List[Severity]:
    """Add the results that are missing to the file, and say how many of each severity there are."""
    with Results(path, VERSION) as results:
        left = [one for one in asked if one not in results.severities]
        if len(left) < len(asked):
            known = counted(len(asked) - len(left))
            click.echo(f"{printable(path, 300)} has {known} of {len(asked)} already", err=True)
        try:
            for verdict in verdicts(left):
                results.add(document(verdict))
        except MtastsError:
            known = counted(sum(one in results.severities for one in asked))
            said = f"{printable(path, 300)} has {known} of {len(asked)}"
            click.echo(f"{said}; the same command goes on from there", err=True)
            raise
        severities = [results.severities[one] for one in asked]
    counts = collections.Counter(severities)
    said = ", ".join(f"{one.value} {counts[one]}" for one in GRAVEST_FIRST if counts[one])
    click.echo(f"{printable(path, 300)}: {counted(len(asked))}" + (f": {said}" if said else ""))
    return severities


def _below(domains: Sequence[Domain], names: Sequence[str]) -> SubDomains:
    """Which sub-domains to look at with a domain: `names` are labels, or whole names below it.

    A label that makes the name of a domain too long is none of its. Raises `MtastsError` for what
    is no name, and for one that is below none of the `domains`.
    """
    named = [_sub_domain(name) for name in names if name != _USUAL]
    whole = [name for name in named if "." in name]
    labels = [name for name in named if "." not in name]
    for name in whole:
        if not any(name.endswith(f".{domain}") for domain in domains):
            raise MtastsError(
                "subdomain-elsewhere",
                f"{name} is below none of the domains to be checked",
                "Name a sub-domain, such as lists or lists.example.org.",
            )

    def below(domain: Domain) -> List[Domain]:
        found = [name for name in whole if name.endswith(f".{domain}")]
        below_it = (f"{label}.{domain}" for label in labels)
        found += [Domain(name) for name in below_it if len(name) <= MAX_NAME]
        found += guesses.sub_domains(domain) if _USUAL in names else ()
        return list(dict.fromkeys(found))

    return below


def _sub_domain(name: str) -> Domain:
    try:
        return DOMAIN.make(name)
    except InvalidDomain as error:
        # No error in what is looked at, which 2 is kept for.
        raise MtastsError("subdomain-invalid", error.message, error.remedy) from error


def _print_json(verdict: Verdict) -> Severity:
    """A line for each domain, so that there may be any number of them."""
    click.echo(json.dumps(document(verdict)))
    return verdict.severity


def _print_nagios(verdicts: Sequence[Verdict]) -> List[Severity]:
    click.echo(nagios(verdicts))
    return [one.severity for one in verdicts]


def _write_metrics(verdicts: Iterator[Verdict], path: str) -> List[Severity]:
    """Of each verdict only its samples are kept, so there may be any number."""
    from mtasts import check_metrics, exposition  # the library is here, as `require_library` tells

    samples = exposition.Samples(check_metrics.FAMILIES)
    severities = []
    for verdict in verdicts:
        check_metrics.add(samples, verdict)
        severities.append(verdict.severity)
    textfile.write(samples.text(), path)
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
