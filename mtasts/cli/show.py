"""A look at the policy directory: which policies, what they say, what they said before."""

import datetime
from typing import Any, Dict, List, Optional

import click

from mtasts import duration, lint, publications, testing_until
from mtasts.cli import findings as shown
from mtasts.cli.common import (
    EXIT_WARNING,
    HOLDER,
    json_option,
    policy_dir_option,
    print_json,
    print_json_list,
)
from mtasts.cli.difference import difference, show_difference
from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.history import HistoryEntry, timestamp
from mtasts.holder import Holder
from mtasts.policy import Mode, read, split_lines
from mtasts.policy_file import policy_path, read_bytes
from mtasts.store import Store


@click.command("list")
@policy_dir_option
@json_option
def list_policies(store: Store, as_json: bool) -> None:
    """List all domains with their mode and max_age, and whose policy they have.

    \b
    Examples:
      mtasts list
      mtasts list --json
    """
    facts = (_brief(store, domain) for domain in store.domains())
    if as_json:
        print_json_list(facts)
        return
    for one in facts:
        age = "" if one["max_age"] is None else duration.spoken(one["max_age"])
        of = "" if one["policy_of"] == one["domain"] else f"of {one['policy_of']}"
        line = f"{one['domain']:<40} {one['mode'] or 'invalid':<8} {age:>9}  {of}"
        click.echo(line.rstrip())


def _brief(store: Store, domain: Domain) -> Dict[str, Any]:
    try:
        policy, target = store.read(domain), store.target(domain)
    except MtastsError:
        return {"domain": domain, "mode": None, "max_age": None, "mx": [], "policy_of": domain}
    facts = {"domain": domain, "mode": policy.mode.value, "max_age": policy.max_age}
    return dict(facts, mx=policy.mx, policy_of=target)


@click.command()
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@policy_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, name: Holder, store: Store, as_json: bool) -> None:
    """Show the policy of DOMAIN or @CLASS, its id, and what lint has to say about it.

    Exit code 0: nothing to warn of, 1: warnings, 2: no sender takes it.

    \b
    Examples:
      mtasts show example.org
      mtasts show @mx-cluster-a --json
    """
    data = read_bytes(store.root, name)
    found = lint.policy(data)
    facts = {"name": name, "path": policy_path(store.root, name), "policy_of": store.target(name)}
    facts.update(_facts_of(store.last(name) if read(data).policy else None))
    is_testing = facts["mode"] == Mode.TESTING.value
    until = testing_until.of(store.root, name) if is_testing else None
    facts["testing_until"] = until and str(until)
    if as_json:
        text = data.decode("utf-8", "backslashreplace")
        print_json(dict(facts, text=text, findings=[shown.as_json(one) for one in found]))
    else:
        _show(facts, data)
        for one in found:
            shown.show(one, name)
    ctx.exit(shown.exit_code(lint.worst(found)))


def _show(facts: Dict[str, Any], data: bytes) -> None:
    of = "" if facts["policy_of"] == facts["name"] else f" (the policy of {facts['policy_of']})"
    click.echo(f"{printable(facts['path'], 300)}{of}:")
    for line in split_lines(data):
        click.echo(f"    {printable(line, 300)}")
    if facts["id"]:
        click.echo(f"id {facts['id']}, since {facts['since']}")
    if facts["testing_until"]:
        click.echo(f"in testing until {facts['testing_until']}")


def _facts_of(entry: Optional[HistoryEntry]) -> Dict[str, Any]:
    if entry is None:
        return {"valid": False, "id": None, "since": None, "mode": None, "max_age": None, "mx": []}
    facts = entry._asdict()
    return dict(facts, valid=True, since=timestamp(facts.pop("first")))


@click.command()
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@policy_dir_option
@json_option
def history(name: Holder, store: Store, as_json: bool) -> None:
    """List every policy that was served for DOMAIN or @CLASS, oldest first.

    Since when it was served, since when DNS had its id ("-" if mtasts publish never saw to that),
    the id, the mode, max_age and the MX hosts. Times are UTC.

    \b
    Examples:
      mtasts history example.org
      mtasts history example.org --json
    """
    read_bytes(store.root, name)
    entries = store.history_until_now(name)
    # A class has no records of its own: each of its domains is published by itself.
    past = publications.read(store.root, name) if isinstance(name, Domain) else []
    times = publications.first_times(entries, past)
    if as_json:
        print_json([_entry_as_json(entry, when) for entry, when in zip(entries, times)])
        return
    for entry, when in zip(entries, times):
        moment = timestamp(when) if when else "-"
        age = duration.spoken(entry.max_age)
        line = f"{timestamp(entry.first)}  {moment:<20}  {entry.id:<32} {entry.mode:<8} {age:>9}"
        click.echo(f"{line}  {' '.join(entry.mx)}")


def _entry_as_json(entry: HistoryEntry, published: Optional[datetime.datetime]) -> Dict[str, Any]:
    facts = dict(entry._asdict(), first=timestamp(entry.first))
    return dict(facts, published=published and timestamp(published))


@click.command()
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@click.argument("since", metavar="[ID]", required=False)
@policy_dir_option
@json_option
@click.pass_context
def diff(
    ctx: click.Context, name: Holder, since: Optional[str], store: Store, as_json: bool
) -> None:
    """Show what is different from the policy that DOMAIN or @CLASS had before.

    With ID, from the policy of that id in the history. Exit code 0: no difference, 1: some.

    \b
    Examples:
      mtasts diff example.org
      mtasts diff example.org 20260101T000000
    """
    entries = store.history_until_now(name)
    last = store.last(name)
    old = _earlier(name, entries, since)
    texts = [entry.policy.to_bytes() if entry else b"" for entry in (old, last)]
    old_name = f"{name} {old.id}" if old else "/dev/null"
    lines = difference(old_name, *texts, new_name=f"{name} {last.id}")
    if as_json:
        print_json({"name": name, "from": old and old.id, "to": last.id, "diff": lines})
    else:
        show_difference(lines)
    ctx.exit(EXIT_WARNING if lines else 0)


def _earlier(
    name: Holder, entries: List[HistoryEntry], since: Optional[str]
) -> Optional[HistoryEntry]:
    """The entry of the id `since`, the last one but one without it; None if there is none."""
    if since is None:
        return entries[-2] if len(entries) > 1 else None
    for entry in reversed(entries):
        if entry.id == since:
            return entry
    raise MtastsError(
        "history-id-unknown",
        f"the history of {name} has no policy of the id '{printable(since)}'",
        f"See: mtasts history {name}",
    )
