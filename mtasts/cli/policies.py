"""Policies come into the policy directory: made from MX hosts, or taken over from elsewhere."""

from typing import Any, BinaryIO, Optional, Tuple

import click

from mtasts import probe, proposal
from mtasts.cli.common import (
    DOMAIN,
    is_interactive,
    json_option,
    now,
    policy_dir_option,
    print_json,
)
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.policy import MAX_POLICY_BYTES
from mtasts.record import STSRecord
from mtasts.store import HistoryEntry, NoPolicy, Store, StoreError, policy_path


@click.command()
@click.argument("domain", type=DOMAIN)
@click.option("--mx", multiple=True, metavar="HOST", help="An MX host, or '*.' and a domain.")
@click.option("--yes", is_flag=True, help="Take the live MX hosts without asking.")
@click.option("--resolver", metavar="ADDRESS[:PORT]", help="Ask this resolver for the live MX.")
@policy_dir_option
@json_option
def new(
    domain: Domain,
    mx: Tuple[str, ...],
    yes: bool,
    resolver: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Write the first policy of DOMAIN, in mode testing.

    Its mx lines are those of --mx or, after showing them and asking, the live MX hosts.

    \b
    Examples:
      mtasts new example.org
      mtasts new example.org --mx mx1.example.org --mx '*.mx.example.net'
    """
    _refuse_known(store, domain)
    policy = proposal.first_policy(mx or _live_mx(domain, resolver))
    if not mx and not yes:
        _confirm(domain, str(policy))
    entry = store.write(domain, policy.to_bytes(), now())
    _say(store, domain, entry, as_json)


@click.command("import")
@click.argument("domain", type=DOMAIN)
@click.argument("file", type=click.File("rb"))
@click.option("--id", "adopted", metavar="ID", help="The id that the TXT record names already.")
@policy_dir_option
@json_option
def import_policy(
    domain: Domain, file: BinaryIO, adopted: Optional[str], store: Store, as_json: bool
) -> None:
    """Take over the policy of DOMAIN from FILE (- for standard input), byte for byte.

    \b
    Examples:
      mtasts import example.org /var/www/mta-sts/.well-known/mta-sts.txt
      mtasts import example.org old.txt --id 20260101T000000
    """
    _refuse_known(store, domain)
    if adopted:
        STSRecord.parse(str(STSRecord(adopted)))
    entry = store.write(domain, file.read(MAX_POLICY_BYTES + 1), now(), adopted)
    _say(store, domain, entry, as_json)


def _refuse_known(store: Store, domain: Domain) -> None:
    try:
        store.current(domain)
    except NoPolicy:
        return
    raise StoreError(
        "policy-exists",
        f"{domain} has a policy already, in {policy_path(store.root, domain)}",
        "Edit that file; the change is served within a second.",
    )


def _live_mx(domain: Domain, resolver: Optional[str]) -> Tuple[str, ...]:
    return proposal.mx_hosts(domain, [record.host for record in probe.mx(domain, resolver)])


def _confirm(domain: Domain, text: str) -> None:
    """Show what would be written and ask; nobody to ask is an error that names the options."""
    if not is_interactive():
        raise MtastsError(
            "mx-unconfirmed",
            f"the MX hosts of {domain} come from DNS and nobody is here to confirm them",
            "Name them with --mx, or add --yes to take what DNS says.",
        )
    click.echo(f"The live MX of {domain} would give this policy:\n\n{text}")
    click.confirm("Write it?", abort=True)


def _say(store: Store, domain: Domain, entry: HistoryEntry, as_json: bool) -> None:
    path = policy_path(store.root, domain)
    facts: Any = {"domain": domain, "path": path, "id": entry.id, "mode": entry.mode}
    if as_json:
        print_json(facts)
        return
    click.echo(f"{path}: mode {entry.mode}, mx {', '.join(entry.mx) or 'none'}, id {entry.id}")
    click.echo(f"Next: certbot --mtasts -d {domain.policy_host}, then mtasts dns {domain}")
