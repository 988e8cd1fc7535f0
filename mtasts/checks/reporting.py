"""Where TLS reports go (RFC 8460): the `_smtp._tls` record, and whether its URIs take reports."""

from typing import Iterator

from mtasts.checks.check_finding import CheckFinding, Group, Place
from mtasts.checks.txt import is_absent, is_missing, of_record, taken, takes_mail
from mtasts.errors import MtastsError
from mtasts.facts import TOO_LATE, Endpoint, Seen
from mtasts.record import TLSRPTRecord

# What fails here and may well work from where reports come.
_UNSEEN = (
    "dns-lookup-failed",
    "dnssec-bogus",
    "dns-records-many",
    "connect-no-route",
    "connect-no-ipv6",
    TOO_LATE,
)
_NOT_ALLOWED = 405  # what asks an endpoint without delivering anything may be refused


def reporting(seen: Seen) -> Iterator[CheckFinding]:
    """What is to be said of the domain's `_smtp._tls` record and of the URIs in it."""
    place = Place(Group.REPORTING, seen.tlsrpt.name)
    if is_missing(seen.tlsrpt, TLSRPTRecord) and takes_mail(seen):
        yield place.finding("tlsrpt-missing", seen.domain)
    yield from of_record(place, seen.tlsrpt, TLSRPTRecord)
    has_dane = any(host.tlsa and host.secure is not False for host in seen.mx_hosts)
    if taken(seen.tlsrpt, TLSRPTRecord) and is_absent(seen) and not has_dane:
        yield place.finding("tlsrpt-only", seen.domain)
    for endpoint in seen.endpoints:
        yield _endpoint(place, endpoint)


def _endpoint(place: Place, endpoint: Endpoint) -> CheckFinding:
    uri, answer = endpoint
    is_https = uri.lower().startswith("https:")
    if isinstance(answer, MtastsError):
        is_silent = is_https and answer.code not in _UNSEEN
        code = "tlsrpt-https-silent" if is_silent else "tlsrpt-address-unknown"
        return place.finding(code, uri, answer)
    if isinstance(answer, int):
        is_taken = answer < 400 or answer == _NOT_ALLOWED
        return place.finding(
            "tlsrpt-address-taken" if is_taken else "tlsrpt-https-status", uri, answer
        )
    if not answer:
        return place.finding("tlsrpt-mailto-no-mx", uri)
    is_null = all(not one.host for one in answer)
    return place.finding("tlsrpt-mailto-null" if is_null else "tlsrpt-address-taken", uri)
