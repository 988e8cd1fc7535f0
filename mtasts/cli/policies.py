"""The first policy of a domain or class: proposed from the live MX hosts, or from those named."""

from typing import Any, List, Optional, Sequence, Tuple

import click

from mtasts import probe, proposal, public_suffix
from mtasts.cli import findings as shown
from mtasts.cli.common import (
    HOLDER,
    MX_PATTERN,
    dry_run_option,
    is_interactive,
    json_option,
    now,
    policy_dir_option,
    print_json,
    public_suffixes,
    resolver_option,
    testing_until_option,
)
from mtasts.domain import Domain, MXPattern
from mtasts.errors import MtastsError
from mtasts.finding import Finding
from mtasts.history import HistoryEntry
from mtasts.holder import ClassName, Holder
from mtasts.policy import Policy
from mtasts.policy_file import NoPolicy, StoreError, policy_path
from mtasts.store import Store
from mtasts.testing_until import Until

_COMPARISON_SECONDS = 2  # where hosts are only compared with DNS: a machine may have none yet


@click.command()
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@click.option(
    "--mx", type=MX_PATTERN, multiple=True, metavar="HOST", help="An MX host, or '*.' and a domain."
)
@testing_until_option
@click.option("--yes", is_flag=True, help="Take the live MX hosts, and the name, without asking.")
@dry_run_option
@resolver_option
@policy_dir_option
@json_option
def new(
    name: Holder,
    mx: Tuple[MXPattern, ...],
    testing_until: Optional[Until],
    yes: bool,
    dry_run: bool,
    resolver: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Write the first policy of DOMAIN, or of the class @CLASS, in mode testing.

    Its mx lines are those of --mx or, after showing them and asking, the live MX hosts. What is
    unusual about them or the domain is said before. A class has no live MX: it needs --mx.

    \b
    Examples:
      mtasts new example.org
      mtasts new example.org --mx mx1.example.org --mx '*.mx.example.net'
      mtasts new @mx-cluster-a --mx mx1.example.net --testing-until 2026-12-01
    """
    refuse_known(store, name)
    policy, found = _proposed(name, mx, resolver)
    for one in found:
        shown.show(one, name, err=True)
    is_odd = any(one.code == "proposal-public-suffix" for one in found)
    if not dry_run and not yes and (not mx or is_odd):
        _confirm(name, policy, is_odd)
    data = policy.to_bytes()
    entry = HistoryEntry.of(data, now()) if dry_run else store.write(name, data, now())
    if testing_until and not dry_run:
        store.set_testing_until(name, testing_until)
    say(store, name, entry, as_json, not dry_run, found)


def _proposed(
    name: Holder, mx: Tuple[MXPattern, ...], resolver: Optional[str]
) -> Tuple[Policy, Sequence[Finding]]:
    """The first policy, and what there is to say about it."""
    if isinstance(name, ClassName):
        if not mx:
            raise MtastsError(
                "class-mx-missing",
                f"{name} is a class, which has no MX records of its own",
                "Name the hosts of its domains with --mx.",
            )
        return proposal.first_policy(mx), ()
    live = _live_mx(name, resolver, is_needed=not mx)
    policy = proposal.first_policy(mx or proposal.mx_hosts(name, live or ()))
    is_suffix = public_suffix.is_public_suffix(name, public_suffixes())
    return policy, proposal.findings(name, policy, live, is_suffix)


def _live_mx(domain: Domain, resolver: Optional[str], is_needed: bool) -> Optional[List[str]]:
    """The hosts of the MX records; None if there is no answer and they are not needed."""
    if is_needed:
        return [record.host for record in probe.mx(domain, resolver)]
    try:
        return [record.host for record in probe.mx(domain, resolver, _COMPARISON_SECONDS)]
    except probe.LookupFailed:
        return None


def refuse_known(store: Store, name: Holder) -> None:
    """Raise `StoreError` if `name` has a policy: that is not to be replaced by a first one."""
    try:
        store.last(name)
    except NoPolicy:
        return
    raise StoreError(
        "policy-exists",
        f"{name} has a policy already, in {policy_path(store.root, name)}",
        f"Change it with: mtasts set {name}, or mtasts edit {name}",
    )


def _confirm(name: Holder, policy: Policy, is_odd: bool) -> None:
    """Show what would be written and ask; nobody to ask is an error that names the options."""
    if not is_interactive():
        if is_odd:
            raise MtastsError(
                "domain-public-suffix",
                f"{name} is a public suffix and nobody is here to confirm it",
                "Check the name, or add --yes.",
            )
        raise MtastsError(
            "mx-unconfirmed",
            f"the MX hosts of {name} come from DNS and nobody is here to confirm them",
            "Name them with --mx, or add --yes to take what DNS says.",
        )
    click.echo(f"{name} would have this policy:\n\n{policy}")
    click.confirm("Write it?", abort=True)


def say(
    store: Store,
    name: Holder,
    entry: HistoryEntry,
    as_json: bool,
    written: bool,
    found: Sequence[Finding] = (),
) -> None:
    """Print what was written, or would be, and what comes next."""
    path = policy_path(store.root, name)
    facts: Any = {"domain": name, "path": path, "written": written, "id": entry.id}
    facts.update(mode=entry.mode, max_age=entry.max_age, mx=entry.mx)
    if as_json:
        print_json(dict(facts, findings=[shown.as_json(one) for one in found]))
        return
    would = "" if written else "would be "
    names = ", ".join(entry.mx) or "none"
    click.echo(f"{path}: {would}mode {entry.mode}, mx {names}, id {entry.id}")
    if not written:
        return
    if isinstance(name, ClassName):
        click.echo(f"Next: mtasts assign {name} DOMAIN...")
    else:
        click.echo(f"Next: certbot --mtasts -d {name.policy_host}, then mtasts publish {name}")
