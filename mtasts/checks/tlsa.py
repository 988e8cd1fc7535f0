"""DANE beside MTA-STS: do the TLSA records take what an MX host shows, and do the two agree?

A sender that knows both heeds DANE (RFC 8461 section 2), whatever the mode of the policy. Without
DNSSEC nobody heeds TLSA records (RFC 7672 section 2.2), so they are only named then. Where DNSSEC
proves them but not the MX records, as with many who host domains of others, a sender may heed them
(section 2.2.1), and some do: so they are judged.
"""

import datetime
from typing import Iterator

from mtasts import dane
from mtasts.checks import handshake
from mtasts.checks.check_finding import CheckFinding, Place
from mtasts.errors import MtastsError
from mtasts.facts import Handshake, MXHost, Seen, SMTPServer


def tlsa(place: Place, seen: Seen, host: MXHost, now: datetime.datetime) -> Iterator[CheckFinding]:
    """What is to be said of the TLSA records of an MX host of the domain."""
    if isinstance(host.tlsa, MtastsError):
        yield place.finding("dane-unknown", hint=host.tlsa)
    elif host.tlsa and not host.secure:
        yield place.finding("dane-insecure" if host.secure is False else "dane-unproved")
    elif host.tlsa and not isinstance(host.servers, MtastsError):
        if seen.mx_secure is False:
            yield place.finding("dane-mx-insecure", seen.domain)
        for address, server in host.servers:
            if isinstance(server, SMTPServer):
                at_address = place._replace(address=address)
                yield from _server(at_address, seen, host, server, now)


def _server(
    place: Place, seen: Seen, host: MXHost, server: SMTPServer, now: datetime.datetime
) -> Iterator[CheckFinding]:
    if not isinstance(server.tls, Handshake):
        yield place.finding("dane-without-tls")
        return
    fit = dane.fit(host.tlsa, server.tls, (host.host, seen.domain), now)
    is_valid = handshake.is_valid(server.tls, host.host, now)
    if fit is dane.Fit.UNUSABLE:
        yield place._replace(address="").finding("dane-unusable")
    elif fit is dane.Fit.CONTRADICTS:
        yield place.finding("dane-mismatch", hint=", which MTA-STS takes" if is_valid else "")
    else:
        yield place.finding("dane-matches")
        if not is_valid:
            yield place.finding("dane-contradicts")
