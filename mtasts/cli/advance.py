"""Whether a policy may go one step further, and the step itself."""

import datetime
from typing import Any, Dict, List, NamedTuple, Optional, cast

import click

from mtasts import advance_apply, advance_gather, dns_settings, edges, public_suffix
from mtasts.advance import Answer, Case, Judgement, Question, is_asked
from mtasts.cli import advance_shown, steps
from mtasts.cli.common import (
    HOLDER,
    JudgingCommand,
    ask,
    ca_option,
    days_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
    public_suffixes,
    resolver_option,
    ttl_option,
    with_progress,
    yes_option,
)
from mtasts.cli.publishing import dns_config_option, wait_option
from mtasts.cli.report.ledger import ledger_option, opened, proof_option
from mtasts.holder import Holder
from mtasts.plan_apply import Site
from mtasts.planning import Rung
from mtasts.publish_record import Options
from mtasts.steps import State
from mtasts.store import Store
from mtasts.tlsrpt.authenticity import Grade


class _How(NamedTuple):
    """What the options say."""

    ledger: Optional[str]
    days: int
    grade: str
    ttl: int
    yes: bool
    as_json: bool

    @property
    def span(self) -> datetime.timedelta:
        """How long resolvers may keep a record."""
        return datetime.timedelta(seconds=self.ttl)


@click.command(cls=JudgingCommand)
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@click.option("--apply", "is_applied", is_flag=True, help="Take the step if the verdict is yes.")
@days_option(30, "Look at the reports of the last N days.")
@proof_option("Count only reports of which at least this proves the origin.")
@ttl_option
@yes_option
@ledger_option
@dns_config_option
@wait_option
@ca_option
@resolver_option
@policy_dir_option
@json_option
@click.pass_context
def advance(
    ctx: click.Context,
    name: Holder,
    is_applied: bool,
    dns_config: Optional[str],
    wait: float,
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
    **options: Any,
) -> None:
    """May the policy of DOMAIN, or of @CLASS, go from testing to enforce, or to a longer max_age?

    The verdict comes first, then the evidence: for how long the policy has been served, who reports
    of it and what failed, whether every MX host, the policy host and DNS are in order now. Of a
    code, mtasts explain CODE says more. A policy of several domains goes on when all of them may.

    --apply takes the one step if the verdict is yes, and publishes it. Run it again if it was
    interrupted, or has told you what to paste.

    Exit code 0: yes, done, or nothing to do; 1: not known, or not published everywhere yet; 2: no;
    3: it could not run.

    \b
    Examples:
      mtasts advance example.org
      mtasts advance example.org --apply
      mtasts advance @mx-cluster-a --days 60 --json
    """
    how = _How(**options)
    site = Site(store, name, Options(dns_settings.load(dns_config), resolver, ca, wait=wait))
    if is_applied:
        store.current(name)  # what was changed by hand is entered before anything is judged
        if advance_apply.is_unfinished(site, how.span):
            ctx.exit(_finish(site, how))
    judged = _judged(site, how)
    if not how.as_json:
        advance_shown.show(judged, how.days)
    said = advance_shown.as_json(judged, how.days, how.grade)
    if is_applied and judged.answer is Answer.YES:
        ctx.exit(_take(site, judged, how, said))
    if how.as_json:
        print_json(dict(said, written=False, steps=[]))
    elif judged.answer is Answer.YES:
        advance_shown.show_next(judged)
    if is_applied:
        click.echo("Nothing was changed.", err=True)
    ctx.exit(advance_shown.EXIT_CODES[judged.answer])


def _judged(site: Site, how: _How) -> Judgement:
    """Ask everybody; raises `MtastsError`."""
    asked = advance_gather.question(site, how.span)
    cases = _cases(site, asked, how) if is_asked(asked) else []
    return advance_gather.judgement(site, asked, cases, now())


def _cases(site: Site, asked: Question, how: _How) -> List[Case]:
    """What every domain that has the policy has to say; raises `MtastsError`."""
    domains = site.domains()
    sight = edges.real(site.options.resolver, site.options.ca_file, site.store.root)
    said = advance_gather.numbers(opened(how.ledger), domains, now(), how.days, Grade(how.grade))
    suffixes = public_suffix.all_rules(public_suffixes())
    looks = advance_gather.looks(domains, sight, suffixes)
    found = advance_gather.cases(site, asked, said, looks, now())
    if len(domains) > 1:
        found = with_progress(found, len(domains), "domains asked")
    return list(found)


def _take(site: Site, judged: Judgement, how: _How, said: Dict[str, Any]) -> int:
    """Serve and publish what was judged; raises `MtastsError`."""
    asked, rung = judged.question, cast(Rung, judged.question.rung)
    goal = f"mode {rung.policy.mode.value}, max_age {rung.policy.max_age}"
    ask(f"Serve {goal} for {site.holder}, and publish it?", how.yes)
    advance_apply.take(site, asked.data, rung, now)
    return _publish(site, how, dict(said, written=True))


def _finish(site: Site, how: _How) -> int:
    """Publish what an earlier run has served; raises `MtastsError`."""
    if not how.as_json:
        click.echo(f"{site.holder}: the step is taken already, and published now")
    return _publish(site, how, {"name": site.holder, "verdict": None, "written": False})


def _publish(site: Site, how: _How, said: Dict[str, Any]) -> int:
    """Publish what is served, show each step, and return the exit code."""
    went = []
    for domain, step in advance_apply.publish(site, now):
        went.append((domain, step))
        if not how.as_json:
            if step.name == "policy":
                click.echo(f"{domain}:")
            steps.show(step)
    if how.as_json:
        done = [one for one in went if one[1].state is not State.PROGRESS]
        objects = [dict(steps.as_json(step), domain=domain) for domain, step in done]
        print_json(dict(said, steps=objects))
    return steps.exit_code(step for _, step in went)
