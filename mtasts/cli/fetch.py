"""Is the policy served as it stands in the policy directory? Seen as a sender sees it."""

from typing import Any, Dict, Optional

import click

from mtasts import checks, probe
from mtasts.cli.common import (
    DOMAIN,
    EXIT_WARNING,
    ca_option,
    json_option,
    policy_dir_option,
    print_json,
    resolver_option,
)
from mtasts.domain import Domain
from mtasts.policy_file import read_bytes
from mtasts.store import Store


@click.command()
@click.argument("domain", type=DOMAIN)
@click.option(
    "--address",
    metavar="ADDRESS[:PORT]",
    help="Fetch from this address instead of all that DNS gives.",
)
@ca_option
@resolver_option
@policy_dir_option
@json_option
@click.pass_context
def fetch(
    ctx: click.Context,
    domain: Domain,
    address: Optional[str],
    ca: Optional[str],
    resolver: Optional[str],
    store: Store,
    as_json: bool,
) -> None:
    """Fetch the policy of DOMAIN over verified TLS and compare it with the policy directory.

    Every address of the policy host is asked by itself. Exit code 0: all serve the same bytes.

    \b
    Examples:
      mtasts fetch example.org
      mtasts fetch example.org --address 127.0.0.1
    """
    expected = read_bytes(store.root, domain)
    places = [address] if address else probe.policy_host_addresses(domain, resolver)
    results = [_fetched(domain, place, ca, expected) for place in places]
    if as_json:
        print_json(results)
    else:
        for result in results:
            click.echo("{address}: {said}".format(**result))
    if any(result["findings"] for result in results):
        ctx.exit(EXIT_WARNING)


def _fetched(domain: Domain, place: str, ca: Optional[str], expected: bytes) -> Dict[str, Any]:
    address, port = probe.split_address(place, 443)
    result: Dict[str, Any] = {"address": place, "findings": [], "tls": None}
    try:
        answer = probe.fetch_policy(domain, address, port, ca)
    except probe.FetchFailed as error:
        result["findings"] = [{"code": error.code, "message": error.message}]
        result["said"] = str(error)
        return result
    found = checks.served(answer, expected)
    result["tls"] = answer.tls
    result["findings"] = [{"code": one.code, "message": one.message} for one in found]
    result["said"] = (
        "\n".join(f"{one.message} [{one.code}]\n{one.remedy}" for one in found)
        or f"served as it stands here, {len(expected)} bytes, {answer.tls}"
    )
    return result
