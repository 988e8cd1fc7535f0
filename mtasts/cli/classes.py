"""One policy for many domains: aliases of a domain, and members of a policy class."""

import collections
import contextlib
from typing import Any, Dict, Optional, Tuple

import click

from mtasts.cli.change import How, change_options, look_up, reach_as_json, refuse_if_too_many, valid
from mtasts.cli.common import (
    DOMAIN,
    ValueType,
    ask,
    counted,
    dry_run_option,
    json_option,
    now,
    policy_dir_option,
    print_json,
    with_progress,
)
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.folder import check_alias, class_of, require_no_alias
from mtasts.holder import ClassName, Holder
from mtasts.policy import InvalidPolicy, Policy
from mtasts.policy_file import NoPolicy, PolicyUnreadable, policy_path, read_bytes
from mtasts.store import Store

_CLASS = ValueType("@class", ClassName)


@click.command()
@click.argument("new", type=DOMAIN)
@click.argument("domain", type=DOMAIN)
@dry_run_option
@policy_dir_option
@json_option
def alias(new: Domain, domain: Domain, dry_run: bool, store: Store, as_json: bool) -> None:
    """Let NEW have the policy of DOMAIN, now and after every change.

    \b
    Example:
      mtasts alias example.net example.org
    """
    if dry_run:
        check_alias(store.root, new, domain)
    else:
        store.alias(new, domain)
    target = store.target(domain)
    if as_json:
        print_json({"domain": new, "policy_of": target, "written": not dry_run})
    else:
        click.echo(f"{new}: {'would have' if dry_run else 'has'} the policy of {target}")


@click.command()
@policy_dir_option
@json_option
def classes(store: Store, as_json: bool) -> None:
    """List the policy classes, with the number of domains that have the policy of each.

    \b
    Examples:
      mtasts classes
      mtasts classes --json
    """
    members: Dict[Holder, int] = collections.Counter()
    for domain in store.domains():
        with contextlib.suppress(PolicyUnreadable):
            members[store.target(domain)] += 1
    facts = [_of_class(store, name, members[name]) for name in store.classes()]
    if as_json:
        print_json(facts)
        return
    for one in facts:
        click.echo(f"{one['name']:<40} {one['mode']:<8} {counted(one['domains']):>15}")


def _of_class(store: Store, name: ClassName, domains: int) -> Dict[str, Any]:
    mode = "invalid"
    with contextlib.suppress(MtastsError):
        mode = store.read(name).mode.value
    return {"name": name, "mode": mode, "domains": domains}


@click.command()
@click.argument("target", metavar="@CLASS", type=_CLASS)
@click.argument("domains", metavar="DOMAIN...", nargs=-1, required=True, type=DOMAIN)
@change_options
def assign(target: ClassName, domains: Tuple[Domain, ...], **options: Any) -> None:
    """Let every DOMAIN have the policy of @CLASS, now and after every change.

    Domains that are new here are made; others keep their history. Live MX hosts that the class
    does not cover are looked for before.

    \b
    Examples:
      mtasts assign @mx-cluster-a example.net example.com
      xargs mtasts assign @mx-cluster-a --yes < domains.txt
    """
    how = How(**options)
    policy = valid(read_bytes(how.store.root, target), policy_path(how.store.root, target))
    asked = [(domain, _policy_now(how.store, domain)) for domain in dict.fromkeys(domains)]
    outcomes = look_up(asked, policy, how)
    report = {"name": target, "domains": [domain for domain, _ in asked], "written": False}
    report.update(reach_as_json(outcomes))
    refuse_if_too_many(outcomes, how, report)
    if not how.dry_run:
        ask(f"Give {counted(len(asked))} the policy of {target}?", how.yes, is_needed=False)
        for domain, _ in with_progress(asked, len(asked), "domains assigned"):
            how.store.assign(domain, target, now())
        report["written"] = True
    _conclude(report, how)


def _policy_now(store: Store, domain: Domain) -> Optional[Policy]:
    """What the domain has now; raises `StoreError` for an alias, which cannot be assigned."""
    require_no_alias(store.root, domain)
    try:
        return store.read(domain)
    except (NoPolicy, PolicyUnreadable, InvalidPolicy):
        return None


def _conclude(report: Dict[str, Any], how: How) -> None:
    if how.as_json:
        print_json(report)
        return
    said = "now have" if report["written"] else "would have"
    click.echo(f"{said} the policy of {report['name']}: {counted(len(report['domains']))}")


@click.command()
@click.argument("domains", metavar="DOMAIN...", nargs=-1, required=True, type=DOMAIN)
@dry_run_option
@policy_dir_option
@json_option
def detach(domains: Tuple[Domain, ...], dry_run: bool, store: Store, as_json: bool) -> None:
    """Give every DOMAIN the policy of its class as its own, so that it can be changed alone.

    \b
    Example:
      mtasts detach example.net
    """
    done = [
        {"domain": domain, "class": class_of(store.root, domain), "written": not dry_run}
        for domain in dict.fromkeys(domains)
    ]
    for one in done if not dry_run else ():
        store.detach(one["domain"])
    if as_json:
        print_json(done)
        return
    for one in done:
        said = "would leave" if dry_run else "left"
        click.echo(f"{one['domain']}: {said} {one['class']}, with the same policy as its own")
