"""The DNS records that tell the world of a policy and where reports go, to be put into a zone."""

from typing import List, Optional, Tuple

import click

from mtasts import zone
from mtasts.accounts import account_uris
from mtasts.cli.common import (
    DOMAIN,
    json_option,
    policy_dir_option,
    print_json,
    report_secret_option,
)
from mtasts.domain import Domain
from mtasts.drop_address import with_drop_box
from mtasts.errors import MtastsError
from mtasts.record import STSRecord, reports_to
from mtasts.store import Store
from mtasts.zone import ZoneRecord


@click.command()
@click.argument("domain", type=DOMAIN)
@click.option(
    "--rua",
    multiple=True,
    metavar="URI",
    help="Where reports go; the default is mailto:postmaster@DOMAIN. The address of the drop box, "
    "if there is one here, is added unless an https: address is named.",
)
@click.option(
    "--address",
    "addresses",
    multiple=True,
    metavar="ADDRESS",
    help="An address of the policy host, for its A or AAAA record.",
)
@click.option(
    "--delegate",
    type=DOMAIN,
    metavar="TO",
    help="Print what the zone of DOMAIN needs to have the policy of TO, served there.",
)
@click.option(
    "--accounturi",
    metavar="URI",
    help="The ACME account for the CAA advice; the default are certbot's accounts, if readable.",
)
@click.option("--terraform", is_flag=True, help="Print resources of Terraform's provider 'dns'.")
@report_secret_option
@policy_dir_option
@json_option
def dns(
    domain: Domain,
    rua: Tuple[str, ...],
    addresses: Tuple[str, ...],
    delegate: Optional[Domain],
    accounturi: Optional[str],
    terraform: bool,
    report_secret: str,
    store: Store,
    as_json: bool,
) -> None:
    """Print the DNS records of DOMAIN, to paste into its zone.

    Publish them once the policy is served: a sender that sees the record fetches at once.

    \b
    Examples:
      mtasts dns example.org
      mtasts dns example.org --rua mailto:tls-reports@example.org --address 192.0.2.1
      mtasts dns customer.example --delegate example.org
    """
    if (delegate and addresses) or (terraform and as_json):
        raise click.UsageError(
            "--delegate and --address, --terraform and --json exclude each other"
        )
    reports = reports_to(domain, with_drop_box(rua, report_secret, domain))
    if delegate:
        records = zone.delegated_records(domain, delegate, reports)
    else:
        policy = STSRecord(store.current(domain).id)
        records = zone.own_records(domain, policy, reports, addresses)
    # An alias has no other records: there the policy host that it leads to carries the advice.
    records += _caa((delegate or domain).policy_host, accounturi)
    if as_json:
        print_json([_as_json(one) for one in records])
    elif terraform:
        click.echo(zone.terraform(domain, records))
    else:
        click.echo(zone.zone_file(records))
        _say_what_else(domain, delegate, addresses)


def _caa(host: str, accounturi: Optional[str]) -> List[ZoneRecord]:
    if accounturi:
        return [zone.caa_record(host, accounturi)]
    found = []
    for account in account_uris():
        try:
            found.append(zone.caa_record(host, account))
        except MtastsError:  # an account with a CA of one's own: nothing is known to advise
            continue
    return found


def _as_json(record: ZoneRecord) -> dict:
    facts = record._asdict()
    if not facts.pop("optional"):
        return dict(facts)
    return dict(facts, optional=True)


def _say_what_else(domain: Domain, delegate: Optional[Domain], addresses: Tuple[str, ...]) -> None:
    """Comments of a zone file about what is needed and is no record here."""
    if delegate:
        click.echo(f"; certificate: the host of {delegate} gets it for {domain.policy_host}, once")
        click.echo(f"; the CNAME leads there: certbot --mtasts -d {domain.policy_host}")
        click.echo(f"; policy, on that host: mtasts alias {domain} {delegate}")
    elif not addresses:
        click.echo(f"; {domain.policy_host} needs an A or AAAA record as well (--address)")
