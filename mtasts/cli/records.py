"""The TXT records that tell the world of a policy and where reports go."""

from typing import Tuple

import click

from mtasts.cli.common import DOMAIN, json_option, policy_dir_option, print_json
from mtasts.domain import Domain
from mtasts.record import STSRecord, TLSRPTRecord
from mtasts.store import Store


@click.command()
@click.argument("domain", type=DOMAIN)
@click.option(
    "--rua",
    multiple=True,
    metavar="URI",
    help="Where reports go; the default is mailto:postmaster@DOMAIN.",
)
@policy_dir_option
@json_option
def dns(domain: Domain, rua: Tuple[str, ...], store: Store, as_json: bool) -> None:
    """Print the TXT records of DOMAIN, to paste into its zone.

    Publish them once the policy is served: a sender that sees the record fetches at once.

    \b
    Examples:
      mtasts dns example.org
      mtasts dns example.org --rua mailto:tls-reports@example.org
    """
    policy = STSRecord(store.current(domain).id)
    reports = TLSRPTRecord(rua or (f"mailto:postmaster@{domain}",))
    TLSRPTRecord.parse(str(reports))
    records = [
        {"name": policy.owner(domain), "type": "TXT", "data": str(policy)},
        {"name": reports.owner(domain), "type": "TXT", "data": str(reports)},
    ]
    if as_json:
        print_json(records)
        return
    for record in records:
        click.echo('{name}. 3600 IN {type} "{data}"'.format(**record))
