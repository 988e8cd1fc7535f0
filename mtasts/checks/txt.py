"""What DNS says of MTA-STS: the `_mta-sts` record, misplaced ones, both halves of a delegation.

What holds for any of the two TXT records is in `of_record`, which `reporting` uses as well.
"""

import re
from typing import Callable, Iterator, List, Optional, Tuple, Type, Union

from mtasts import lint_record
from mtasts.checks.check_finding import CheckFinding, Group, Place
from mtasts.checks.unseen import is_unseen
from mtasts.errors import MtastsError
from mtasts.facts import Record, Seen
from mtasts.finding import Finding, InvalidText
from mtasts.policy import is_policy_id, names_bytes
from mtasts.record import STSRecord, TLSRPTRecord, candidates

Kind = Union[Type[STSRecord], Type[TLSRPTRecord]]

# What somebody wrote who meant one of our records, or put the policy itself there.
_MEANT = {
    STSRecord: re.compile(r"[\s\"']*(v\s*=\s*[\"']?STS|version\s*:)", re.IGNORECASE),
    TLSRPTRecord: re.compile(r"[\s\"']*v\s*=\s*[\"']?TLS", re.IGNORECASE),
}
_LINT = {STSRecord: lint_record.sts_record, TLSRPTRecord: lint_record.tlsrpt_record}


def txt(seen: Seen, served: Optional[bytes]) -> Iterator[CheckFinding]:
    """What is to be said of the domain's `_mta-sts` record; `served` are the policy's bytes."""
    place = Place(Group.TXT, seen.sts.name)
    if is_absent(seen):
        if takes_mail(seen):
            yield place.finding("sts-absent", seen.domain)
    elif is_missing(seen.sts, STSRecord):
        yield place.finding("sts-record-missing", seen.domain)
    yield from of_record(place, seen.sts, STSRecord)
    record = taken(seen.sts, STSRecord)
    if record:
        yield from _id(place, record, served)
        yield from _dnssec(place, seen.sts.secure)
    yield from _misplaced(seen)
    yield from _delegation(place, seen)


def of_record(place: Place, seen: Record, kind: Kind) -> Iterator[CheckFinding]:
    """What is to be said of the TXT records at a name, except that none of `kind` is there."""
    if isinstance(seen.texts, MtastsError):
        code = "txt-bogus" if seen.texts.code == "dnssec-bogus" else "txt-unknown"
        yield place.finding(code, hint=seen.texts)
    else:
        yield from (place.of(found) for found in _texts(seen.texts, kind))
        yield from _count(place, _own(seen.texts, kind), kind)
        for text in seen.texts:
            if not _is_ours(text, kind):
                yield place.finding("txt-beside", text)
    yield from _servers(place, seen, kind)


def is_missing(seen: Record, kind: Kind) -> bool:
    """Whether there is no record of that kind; where DNS gave no answer there may be one."""
    return not isinstance(seen.texts, MtastsError) and not _own(seen.texts, kind)


def is_absent(seen: Seen) -> bool:
    """Whether nobody meant the domain to have MTA-STS: no record, no policy host, no policy."""
    host = seen.policy_host
    has_host = not isinstance(host, MtastsError) or host.code != "policy-host-without-address"
    return is_missing(seen.sts, STSRecord) and not has_host and seen.own is None


def takes_mail(seen: Seen) -> bool:
    """Whether mail may go somewhere: not by a null MX (RFC 7505), nor where nothing is at all."""
    if isinstance(seen.mx, MtastsError):
        return True
    return [one.host for one in seen.mx] != [""] if seen.mx else bool(seen.mx_hosts)


def taken(seen: Record, kind: Kind) -> Union[None, STSRecord, TLSRPTRecord]:
    """The record that a sender takes from what was seen; None if there is no such one."""
    if isinstance(seen.texts, MtastsError):
        return None
    own = _own(seen.texts, kind)
    try:
        return kind.parse(own[0]) if len(own) == 1 else None
    except InvalidText:
        return None


def _own(texts: Tuple[str, ...], kind: Kind) -> List[str]:
    return candidates(texts, kind.VERSION)


def _is_ours(text: str, kind: Kind) -> bool:
    """Whether the text is such a record, or was meant to be one."""
    return bool(_MEANT[kind].match(text))


def _texts(texts: Tuple[str, ...], kind: Kind) -> Iterator[Finding]:
    """What lint says of the records, each sentence once."""
    lint: Callable[[str], Tuple[Finding, ...]] = _LINT[kind]
    return (found for text in texts if _is_ours(text, kind) for found in lint(text))


def _count(place: Place, own: List[str], kind: Kind) -> Iterator[CheckFinding]:
    if len(own) > 1:
        yield place.finding("txt-several", len(own))
    elif own:
        try:
            kind.parse(own[0])
        except InvalidText:  # lint says why
            return
        yield place.finding("txt-taken", hint=own[0])


def _servers(place: Place, seen: Record, kind: Kind) -> Iterator[CheckFinding]:
    """Whether the authoritative servers agree with the resolver, or else with the first of them."""
    answers = [texts for _, texts in seen.servers if not isinstance(texts, MtastsError)]
    said = answers[0] if isinstance(seen.texts, MtastsError) and answers else seen.texts
    told = [texts for _, texts in seen.servers]
    agreeing, unseen = 0, 0
    for server, texts in seen.servers:
        at_server = place._replace(address=server)
        if is_unseen(texts, told):
            unseen += 1
            yield at_server.finding("txt-server-unseen")
        elif isinstance(texts, MtastsError):
            # Where the resolver fails altogether, that has been said.
            if getattr(seen.texts, "code", "") != texts.code:
                yield at_server.finding("txt-server-silent", hint=texts)
        elif sorted(_own(texts, kind)) == sorted(_own(said, kind)):
            agreeing += 1
        else:
            own = " and ".join(f"'{text}'" for text in _own(texts, kind))
            yield at_server.finding("txt-server-differs", hint=own or "there is no such record")
    if agreeing and agreeing + unseen == len(seen.servers) and _own(said, kind):
        yield place.finding("txt-servers-agree", agreeing)


def _id(place: Place, record: STSRecord, served: Optional[bytes]) -> Iterator[CheckFinding]:
    if served is not None and is_policy_id(record.id):
        proves = names_bytes(record.id, served)
        yield place.finding("sts-id-proves" if proves else "sts-id-behind", record.id)


def _dnssec(place: Place, secure: Optional[bool]) -> Iterator[CheckFinding]:
    codes = {True: "txt-secure", False: "txt-insecure", None: "txt-dnssec-unknown"}
    yield place.finding(codes[secure])


def _misplaced(seen: Seen) -> Iterator[CheckFinding]:
    """Records where nobody looks; a wildcard shows the right one everywhere, which is harmless."""
    for record in seen.misplaced:
        for kind, right in ((STSRecord, seen.sts), (TLSRPTRecord, seen.tlsrpt)):
            if isinstance(record.texts, MtastsError):
                continue
            known = () if isinstance(right.texts, MtastsError) else right.texts
            for text in record.texts:
                if _is_ours(text, kind) and text not in known:
                    place = Place(Group.TXT, record.name)
                    yield place.finding("txt-misplaced", text, right.name)


def _delegation(place: Place, seen: Seen) -> Iterator[CheckFinding]:
    """A delegation has two halves, each an alias (RFC 8461 section 8.2)."""
    record, host = seen.sts.aliases, seen.policy_host_aliases
    if record and host:
        yield place.finding("delegation-both", hint=f"{record[-1]} and {host[-1]}")
    elif record:
        yield place.finding("delegation-record-only", record[-1], seen.domain)
    elif host and seen.own is None and not host[-1].endswith(f".{seen.domain}"):
        yield place.finding("delegation-host-only", host[-1], seen.domain)
