"""DKIM signatures of a mail, verified by dkimpy with keys from DNS (RFC 6376, RFC 8460 section 3).

Only signatures that could prove something are looked at: those aligned with the address in From
that sign From and the whole body. A name server that does not answer says nothing about a
signature, so that is an error, and the mail can be looked at again later.
"""

import re
from typing import Any, Dict, FrozenSet, Iterator, Optional, Tuple

from mtasts import probe
from mtasts.domain import Domain, InvalidDomain, mx_host
from mtasts.errors import MtastsError
from mtasts.tlsrpt import authenticity

try:
    import dkim
except ImportError:
    dkim = None

MAX_MAIL = 25 * 1024 * 1024
_MAX_SIGNATURE = 4096
_MAX_SIGNATURES = 4
_ALGORITHMS = ("rsa-sha256", "ed25519-sha256")  # RFC 8301 and RFC 8463
_SERVICES = {"*", "tlsrpt"}
# A regular expression of dkimpy takes the square of their length for each of these.
_BLANKS = re.compile(rb"[\t ]{9,}")
_MAX_EFFORT = 50_000_000

_Tags = Dict[str, str]


def require_dkimpy() -> None:
    """Raise `MtastsError` where dkimpy is not installed."""
    if dkim is None:
        raise MtastsError(
            "dkim-library-missing",
            "signatures cannot be verified without dkimpy",
            "Install it: apt-get install python3-dkim, or add --no-dkim.",
        )


def is_signed(
    mail: bytes, author: Domain, suffixes: FrozenSet[str], resolver: Optional[str] = None
) -> bool:
    """Whether a good signature of a domain aligned with `author` covers the whole `mail`.

    Raises `LookupFailed` if that is for a key to say which DNS did not give.
    """
    header = authenticity.header_of(mail)
    if len(mail) > MAX_MAIL or _effort(mail) > _MAX_EFFORT:
        return False
    failed = None
    for index in _candidates(header, author, suffixes):
        try:
            if _verifies(mail, index, resolver):
                return True
        except probe.LookupFailed as error:
            failed = error
    if failed:
        raise failed
    return False


def _candidates(
    header: Tuple[Tuple[str, str], ...], author: Domain, suffixes: FrozenSet[str]
) -> Iterator[int]:
    """Which of the signatures, counted from 0, could prove something."""
    fields = [value for name, value in header if name == "dkim-signature"]
    found = 0
    for index, value in enumerate(fields):
        if _could_prove(_tags(value[: _MAX_SIGNATURE + 1]), author, suffixes):
            yield index
            found += 1
            if found == _MAX_SIGNATURES:
                return


def _could_prove(tags: _Tags, author: Domain, suffixes: FrozenSet[str]) -> bool:
    try:
        signer = Domain(tags.get("d", ""))
    except InvalidDomain:
        return False
    signed = {name.strip().lower() for name in tags.get("h", "").split(":")}
    return (
        tags.get("a") in _ALGORITHMS
        and "from" in signed
        and "l" not in tags  # the rest of the body would be anybody's
        and mx_host(f"{tags.get('s', '')}._domainkey.{signer}") != ""  # a name that DNS can have
        and authenticity.is_aligned(signer, author, suffixes)
    )


def _tags(text: str) -> _Tags:
    """The tags of RFC 6376 section 3.2; none if there is something wrong, or too much of it."""
    if len(text) > _MAX_SIGNATURE:
        return {}
    tags: _Tags = {}
    for part in text.strip().rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or name in tags:
            return {}
        tags[name] = value.strip()
    return tags


def _verifies(mail: bytes, index: int, resolver: Optional[str]) -> bool:
    """Whether the signature is good; raises `LookupFailed`."""
    require_dkimpy()

    def key(name: bytes, **_timeout: Any) -> Optional[bytes]:
        return _key(name.decode("ascii").rstrip("."), resolver)

    try:
        return bool(dkim.DKIM(mail).verify(index, dnsfunc=key))
    except probe.LookupFailed:
        raise
    except Exception:  # noqa: BLE001 - of a hostile mail dkimpy raises what it meets, not only its own
        return False


def _key(name: str, resolver: Optional[str]) -> Optional[bytes]:
    """The key record that may sign reports, without what dkimpy would judge otherwise."""
    records = probe.txt(name, resolver)
    if len(records) != 1:  # RFC 6376 section 3.6.2.2: none, or undefined
        return None
    tags = _tags(records[0])
    services = {service.strip() for service in tags.pop("s", "*").split(":")}
    flags = {flag.strip() for flag in tags.get("t", "").split(":")}
    if tags.get("v", "DKIM1") != "DKIM1" or not services & _SERVICES:
        return None
    if "y" in flags:  # a key in test proves nothing (section 3.6.1)
        return None
    return "; ".join(f"{name}={value}" for name, value in tags.items()).encode("latin-1")


def _effort(mail: bytes) -> int:
    return sum(len(blanks) ** 2 for blanks in _BLANKS.findall(mail))
