"""Records for a domain's zone, and how they are written: as zone file and as Terraform.

What a domain needs: the TXT record that names the policy, the TXT record that says where reports
go, and the policy host's address. A domain whose policy another one serves (RFC 8461 section 8.2)
has aliases for two of the three. All text is escaped for what it becomes part of.
"""

import ipaddress
import re
from typing import Iterable, List, NamedTuple, Tuple

from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.record import STSRecord, TLSRPTRecord

TTL = 3600  # seconds
MAX_STRING = 255  # octets of a character-string (RFC 1035 section 3.3)

# What a CA calls itself in CAA records, by the host of its ACME accounts.
_ISSUERS = {
    "acme-v02.api.letsencrypt.org": "letsencrypt.org",
    "acme.zerossl.com": "sectigo.com",
    "dv.acme-v02.api.pki.goog": "pki.goog",
    "api.buypass.com": "buypass.com",
    "acme.ssl.com": "ssl.com",
}

# A URI without what ends a parameter of CAA or a quoted string.
_ACCOUNT = re.compile(r"https://([a-z0-9.-]+)/[\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]*\Z")


class ZoneRecord(NamedTuple):
    """A record: owner without final dot, type, and data as people write it, TXT unquoted.

    `optional` records are advice: all works without them.
    """

    name: str
    type: str
    data: str
    optional: bool = False


def strings(text: str) -> Tuple[str, ...]:
    """Split the text of a TXT record into character-strings; there is always one.

    `text` is ASCII. Whoever reads the record joins them without a space (RFC 8461 section 3.1).
    """
    return tuple(text[at : at + MAX_STRING] for at in range(0, len(text), MAX_STRING)) or ("",)


def own_records(
    domain: Domain, policy: STSRecord, reports: TLSRPTRecord, addresses: Iterable[str] = ()
) -> List[ZoneRecord]:
    """What a domain needs that has its policy here, on a host with these addresses.

    Raises `MtastsError` for what is no IP address.
    """
    return [
        ZoneRecord(policy.owner(domain), "TXT", str(policy)),
        _reports(domain, reports),
        *(_address(domain.policy_host, address) for address in addresses),
    ]


def delegated_records(domain: Domain, to: Domain, reports: TLSRPTRecord) -> List[ZoneRecord]:
    """What a domain needs whose policy is that of `to`, served there (RFC 8461 section 8.2).

    Its id then changes with that of `to`, and so does its policy host's address. Raises
    `MtastsError` for a domain that would be its own alias.
    """
    if domain == to:
        raise MtastsError(
            "delegation-to-itself", f"{domain} cannot have its own policy by delegation"
        )
    return [
        ZoneRecord(STSRecord.owner(domain), "CNAME", STSRecord.owner(to) + "."),
        ZoneRecord(domain.policy_host, "CNAME", to.policy_host + "."),
        _reports(domain, reports),
    ]


def caa_record(host: str, account: str) -> ZoneRecord:
    """The advice that lets only this ACME account get certificates for `host` (RFC 8657 section 3).

    `account` is the account's URI. Raises `MtastsError` if it is none of a CA that we know.
    """
    parts = _ACCOUNT.match(account)
    issuer = _ISSUERS.get(parts.group(1)) if parts else None
    if not issuer:
        raise MtastsError(
            "account-unknown",
            f"'{printable(account)}' is not the account's URI of a CA that is known here",
            "It stands in regr.json below /etc/letsencrypt/accounts; known are accounts of "
            + ", ".join(sorted(_ISSUERS)),
        )
    return ZoneRecord(host, "CAA", f'0 issue "{issuer}; accounturi={account}"', optional=True)


def zone_file(records: Iterable[ZoneRecord]) -> str:
    """The records as lines of a zone file (RFC 1035 section 5.1); advice is commented out."""
    lines = []
    for one in records:
        data = " ".join(map(_quoted, strings(one.data))) if one.type == "TXT" else one.data
        line = f"{one.name}. {TTL} IN {one.type} {data}"
        lines.append(f"; {line}" if one.optional else line)
    return "\n".join(lines)


def terraform(zone: str, records: Iterable[ZoneRecord]) -> str:
    """The records as resources of Terraform's own provider `hashicorp/dns`, in this zone.

    That provider splits long TXT records itself, and knows no CAA: those become comments.
    """
    blocks = []
    grouped = {}
    for one in records:
        grouped.setdefault((one.name, one.type), []).append(one)
    for (name, kind), group in grouped.items():
        if kind in _RESOURCES:
            blocks.append(_resource(zone, name, kind, [one.data for one in group]))
        else:
            blocks.extend(f"# {one.name}. {TTL} IN {one.type} {one.data}" for one in group)
    return "\n\n".join(blocks)


_RESOURCES = {
    "A": ("dns_a_record_set", "addresses"),
    "AAAA": ("dns_aaaa_record_set", "addresses"),
    "CNAME": ("dns_cname_record", "cname"),
    "TXT": ("dns_txt_record_set", "txt"),
}


def _resource(zone: str, name: str, kind: str, values: List[str]) -> str:
    resource, argument = _RESOURCES[kind]
    written = [_hcl(value) for value in values]
    label = name.replace(".", "_")
    return "\n".join(
        [
            f'resource "{resource}" "{label}" {{',
            f"  zone = {_hcl(zone + '.')}",
            f"  name = {_hcl(name[: -len(zone) - 1])}",
            f"  {argument} = {written[0] if kind == 'CNAME' else '[' + ', '.join(written) + ']'}",
            f"  ttl = {TTL}",
            "}",
        ]
    )


def _hcl(text: str) -> str:
    """A quoted string of Terraform's language: nothing in it is a template."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"([$%])\{", r"\1\1{", escaped) + '"'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _reports(domain: Domain, reports: TLSRPTRecord) -> ZoneRecord:
    return ZoneRecord(reports.owner(domain), "TXT", str(reports))


def _address(host: str, text: str) -> ZoneRecord:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise MtastsError("address-invalid", f"'{printable(text)}' is not an IP address") from error
    return ZoneRecord(host, "A" if address.version == 4 else "AAAA", str(address))
