"""Changing a TXT record where its zone is kept: by RFC 2136 with TSIG, or by a provider's API.

Both ways have two verbs: read the TXT records at a name, and put one in place of another provided
that nothing has changed since they were read. What else stands at the name stays as it is.
"""

from typing import Any, Optional, Union

from mtasts import probe
from mtasts.authority import TXT, Server, ServerFailed, TXTSet, ask, exchange
from mtasts.dns_provider import ProviderZone
from mtasts.dns_settings import Primary, Provider, Zones
from mtasts.dns_view import Resolver
from mtasts.errors import MtastsError, printable
from mtasts.zone import strings

try:
    import dns.name
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TXT
    import dns.tsigkeyring
    import dns.update
except ImportError:  # `updater` says so
    dns = None


class UpdateFailed(MtastsError):
    """The zone was not changed, unless the message says that nobody knows."""


def updater(zones: Zones, name: str, resolver: Optional[str] = None) -> Optional["Updater"]:
    """Where the records at `name` can be changed, or None if the settings name no way.

    Raises `LookupFailed` if the zone is not in the settings and DNS does not tell it.
    """
    zone, settings = zones.find(name)
    if settings is None:
        return None
    probe.require_dnspython("records cannot be changed")
    zone = zone or Resolver(resolver).zone_of(name)
    if isinstance(settings, Provider):
        return ProviderZone(zone, settings)
    return PrimaryZone(zone, settings)


class PrimaryZone:
    """A zone whose primary server takes updates (RFC 2136) signed with TSIG (RFC 8945)."""

    def __init__(self, zone: str, settings: Primary) -> None:
        self._zone = zone
        self._settings = settings
        self._server = Server(settings.address, settings.address, settings.port)

    def __str__(self) -> str:
        return f"{self._server}, by the key {printable(self._settings.key)}"

    def read(self, name: str) -> TXTSet:
        """The TXT records at `name` as the primary has them for those with the key.

        Raises `ServerFailed`.
        """
        return ask(self._server, name, self._sign)

    def replace(self, name: str, present: TXTSet, old: Optional[TXT], text: str) -> None:
        """Put a record with `text` in place of `old`; with None it is added.

        One message does that or nothing: only if the records are still those of `present`, which
        `read` gave (RFC 2136 section 2.4). Raises `UpdateFailed` or `ServerFailed`.
        """
        owner = dns.name.from_text(name)
        message = dns.update.Update(self._zone)
        self._sign(message)
        for record in present.records:
            message.present(owner, _rdata(record))
        if not present.records:
            message.absent(owner, "TXT")
        if old:
            message.delete(owner, _rdata(old))
        new = TXT(tuple(part.encode("ascii") for part in strings(text)))
        message.add(owner, present.ttl or self._settings.ttl, _rdata(new))
        self._judge(exchange(message, self._server, tcp=True), name)

    def _sign(self, message: Any) -> None:
        key = self._settings
        keyring = dns.tsigkeyring.from_text({key.key: key.secret})
        message.use_tsig(
            keyring, dns.name.from_text(key.key), algorithm=dns.name.from_text(key.algorithm)
        )

    def _judge(self, answer: Any, name: str) -> None:
        """Raise what the answer's code means (RFC 2136 section 2.2)."""
        code = dns.rcode.to_text(answer.rcode())
        if code in ("NXRRSET", "YXRRSET", "NXDOMAIN", "YXDOMAIN"):
            raise UpdateFailed(
                "record-changed-meanwhile",
                f"somebody else has just changed the TXT records at {printable(name)}",
                "Nothing was changed here. Look at them, then do this again.",
            )
        if code == "NOERROR" and not answer.had_tsig:
            raise ServerFailed(
                "tsig-missing",
                f"{self._server} takes the update, but does not sign its answer",
                "Whoever answered may be somebody else: look into the log of the name server.",
            )
        if code != "NOERROR":
            code_of_ours, remedy = _REFUSALS.get(code, ("update-failed", "See the server's log."))
            raise UpdateFailed(
                code_of_ours,
                f"{self._server} answers {code} to the update of {self._zone}",
                remedy,
            )


Updater = Union[PrimaryZone, ProviderZone]

_REFUSALS = {
    "REFUSED": (
        "update-refused",
        "Name the zone's primary server, and let this key change TXT there (BIND: update-policy).",
    ),
    "NOTAUTH": (
        "update-not-authoritative",
        "Name the primary server of the zone, and write the section's name as the zone's.",
    ),
    "NOTZONE": ("update-not-in-zone", "Write the section's name as the zone's name."),
}


def _rdata(record: TXT) -> Any:
    return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, record.strings)
