"""Names to try: where records are put by mistake, and sub-domains that are forgotten."""

import re
from typing import Tuple

from mtasts.domain import MAX_NAME, Domain
from mtasts.record import STSRecord, TLSRPTRecord

# What a text has that was meant to be one of our records, or is a policy in the wrong place.
_OURS = re.compile(r"[\s\"'\\]*(?:v|version)\s*[=:]\s*[\"']?\s*(?:STS|TLS-?RPT)", re.IGNORECASE)
# Before the domain: the hyphen and the underscore mixed up, the two protocols' names mixed up, the
# name of a draft, and the policy host, which has the word but not the record.
_MISPLACED = (
    "_mta_sts",
    "_mta-sts._tls",
    "_mta-sts._tcp",
    "mta-sts",
    "_mta-sts.mta-sts",
    "_smtp-tlsrpt",  # drafts before RFC 8460
    "_smtp-tls",
    "_smtp_tls",
    "_smtp._tlsrpt",
    "_tlsrpt",
    "_tls",
)
# Lists, bounces and tickets have mail hosts of their own, and so have tests and internal mail.
_SUB_DOMAINS = (
    "bounce",
    "bounces",
    "dev",
    "email",
    "help",
    "internal",
    "list",
    "lists",
    "mail",
    "mailing",
    "news",
    "newsletter",
    "send",
    "smtp",
    "staging",
    "support",
    "test",
    "tickets",
)


def misplaced(domain: Domain) -> Tuple[str, ...]:
    """Names where records of `domain` are found by mistake, its apex first."""
    # Some providers' forms want the name without the domain, and add it to one that has it.
    doubled = (f"{owner(domain)}.{domain}" for owner in (STSRecord.owner, TLSRPTRecord.owner))
    names = (str(domain), *(f"{name}.{domain}" for name in _MISPLACED), *doubled)
    return tuple(name for name in names if len(name) <= MAX_NAME)


def looks_like_ours(text: str) -> bool:
    """Whether a TXT record at one of these names is a record or a policy in the wrong place."""
    return bool(_OURS.match(text))


def sub_domains(domain: Domain) -> Tuple[Domain, ...]:
    """Sub-domains of `domain` that often take mail by themselves."""
    names = (f"{name}.{domain}" for name in _SUB_DOMAINS)
    return tuple(Domain(name) for name in names if len(name) <= MAX_NAME)
