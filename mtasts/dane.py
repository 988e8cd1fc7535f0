"""Whether TLSA records take the certificate of an MX host (RFC 7672, RFC 7671).

MTA-STS goes by public CAs, DANE by what the zone says; a sender that knows both heeds DANE
(RFC 8461 section 2). Whether DNSSEC proves the records, without which they mean nothing, is for who
asked.
"""

import datetime
import enum
import hashlib
from typing import Dict, Iterator, List, Sequence, Tuple

from mtasts import certificate, dns_id
from mtasts.facts import TLSA, Handshake

_DANE_TA, _DANE_EE = 2, 3  # the usages that count for SMTP (RFC 7672 section 3.1)
_SELECTED = {0: bytes, 1: certificate.public_key}
_FULL = 0
_DIGESTS = {1: hashlib.sha256, 2: hashlib.sha512}  # the greater the stronger


class Fit(enum.Enum):
    """What TLSA records say of a chain of certificates."""

    MATCHES = "matches"
    CONTRADICTS = "contradicts"
    UNUSABLE = "no usable record"


def fit(
    records: Sequence[TLSA], seen: Handshake, hosts: Sequence[str], now: datetime.datetime
) -> Fit:
    """Whether one of `records` takes what the MX host showed.

    `hosts` are the names of which a certificate below a DANE-TA record has to have one: the MX
    host's, and the domain's to which mail goes (RFC 7672 section 3.2.2). `now` is aware.
    """
    usable = _strongest([record for record in records if _is_usable(record)])
    if not usable:
        return Fit.UNUSABLE
    is_taken = any(
        _is_end_entity(record, seen)
        if record.usage == _DANE_EE
        else _is_below(record, seen, hosts, now)
        for record in usable
    )
    return Fit.MATCHES if is_taken else Fit.CONTRADICTS


def _is_usable(record: TLSA) -> bool:
    """Usages 0 and 1 are not (RFC 7672 section 3.1.3), nor what nobody can match."""
    if record.usage not in (_DANE_TA, _DANE_EE) or record.selector not in _SELECTED:
        return False
    if record.matching_type == _FULL:
        return bool(record.data)
    digest = _DIGESTS.get(record.matching_type)
    return digest is not None and len(record.data) == digest().digest_size


def _strongest(records: Sequence[TLSA]) -> List[TLSA]:
    """Without the digests next to which there are stronger ones (RFC 7671 section 9)."""
    strongest: Dict[Tuple[int, int], int] = {}
    for record in records:
        kind = record.usage, record.selector
        strongest[kind] = max(record.matching_type, strongest.get(kind, _FULL))
    return [
        record
        for record in records
        if record.matching_type in (_FULL, strongest[record.usage, record.selector])
    ]


def _matches(record: TLSA, der: bytes) -> bool:
    selected = _SELECTED[record.selector](der)
    if record.matching_type != _FULL:
        selected = _DIGESTS[record.matching_type](selected).digest()
    return selected == record.data


def _is_end_entity(record: TLSA, seen: Handshake) -> bool:
    """DANE-EE: only the server's own key counts, neither names nor dates (RFC 7672 3.1.1)."""
    return _matches(record, seen.chain[0])


def _is_below(record: TLSA, seen: Handshake, hosts: Sequence[str], now: datetime.datetime) -> bool:
    """DANE-TA: a CA that the server has to send along issued it, for the right name, and it has not
    expired (RFC 7672 section 3.1.2)."""
    if not any(dns_id.covers(seen.names, host) for host in hosts):
        return False
    return any(_matches(record, issuer) for issuer in _issuers(seen.chain, now))


def _issuers(chain: Sequence[bytes], now: datetime.datetime) -> Iterator[bytes]:
    """The certificates in `chain`, in whichever order it is, that issued the first one or one of
    its issuers; none by way of a certificate that is not in date."""
    ways, others = [chain[0]], list(dict.fromkeys(chain[1:]))
    while ways:
        below = ways.pop()
        if not _is_in_date(below, now):
            continue
        above = [one for one in others if _may_have_issued(one, below)]
        others = [one for one in others if one not in above]
        ways += above
        yield from (one for one in above if _is_in_date(one, now))


def _may_have_issued(der: bytes, below: bytes) -> bool:
    return certificate.is_issued_by(below, der) and certificate.is_ca(der)


def _is_in_date(der: bytes, now: datetime.datetime) -> bool:
    try:
        found = certificate.read(der)
    except certificate.Unreadable:
        return False
    return found.begin <= now <= found.end
