"""What is wrong with the TLS of a host, be it a policy host or an MX host: both are judged alike.

Only the words differ: the rules of both have the same codes behind their own prefix.
"""

import datetime
from typing import Iterator

from mtasts import dns_id
from mtasts.checks.check_finding import CheckFinding, Place
from mtasts.errors import MtastsError, printable
from mtasts.facts import Handshake

# certbot renews when a third of the lifetime is left, half of it for a very short one.
_RENEWED_BY = 4
_RENEWED_BY_AT_MOST = datetime.timedelta(days=14)
_NAMES = 3  # of the certificate that are shown
_FAILED = {"tls-unrecognized-name": "tls-name", "tls-version-unsupported": "tls-old"}


def is_late(begin: datetime.datetime, end: datetime.datetime, now: datetime.datetime) -> bool:
    """Whether a certificate of these dates should have been renewed by now."""
    return end - now < min((end - begin) / _RENEWED_BY, _RENEWED_BY_AT_MOST)


def failed(place: Place, prefix: str, error: MtastsError) -> CheckFinding:
    """Why there is no TLS with the host, although it was there."""
    return place.finding(f"{prefix}-{_FAILED.get(error.code, 'tls-failed')}", hint=error)


def shown(
    place: Place, prefix: str, seen: Handshake, now: datetime.datetime
) -> Iterator[CheckFinding]:
    """What is to be said of the TLS that the host showed; exactly one `ok` if nothing is wrong."""
    wrong = list(_wrong(place, f"{prefix}-certificate", seen, now))
    yield from wrong
    day = f"{seen.end:%Y-%m-%d}"
    if not wrong:
        valid = f"{day} ({(seen.end - now).days} days)"
        yield place.finding(f"{prefix}-certificate-valid", seen.version, valid)
    if now < seen.end and is_late(seen.begin, seen.end, now):
        yield place.finding(f"{prefix}-certificate-ends", day)


def is_valid(seen: Handshake, host: str, now: datetime.datetime) -> bool:
    """Whether a sender that goes by public CAs takes the certificate for `host`."""
    is_in_date = seen.begin <= now < seen.end
    return is_in_date and not seen.untrusted and dns_id.covers(seen.names, host)


def _wrong(
    place: Place, prefix: str, seen: Handshake, now: datetime.datetime
) -> Iterator[CheckFinding]:
    if seen.untrusted:
        yield place.finding(f"{prefix}-untrusted", hint=seen.untrusted)
    if not seen.names:
        yield place.finding(f"{prefix}-nameless", place.host)
    elif not dns_id.covers(seen.names, place.host):
        yield place.finding(f"{prefix}-name", place.host, _listed(seen))
    if seen.end <= now:
        yield place.finding(f"{prefix}-expired", f"{seen.end:%Y-%m-%d}")
    elif now < seen.begin:
        yield place.finding(f"{prefix}-early", f"{seen.begin:%Y-%m-%d %H:%M} UTC")


def _listed(seen: Handshake) -> str:
    names = ", ".join(printable(name) for name in seen.names[:_NAMES])
    more = len(seen.names) - _NAMES
    return f"{names} and {more} more" if more > 0 else names
