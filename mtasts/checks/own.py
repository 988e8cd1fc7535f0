"""What is wrong with a domain of ours: its record, its policy host, as one question each."""

import datetime
from typing import List, Optional, Sequence, Union

from mtasts.checks.handshake import is_late
from mtasts.checks.policy_host import answered
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import Finding, finding
from mtasts.policy import is_policy_id, names_bytes
from mtasts.probe import Certificate, Fetch
from mtasts.record import InvalidRecord, STSRecord, candidates

_UNSEEN = {
    "policy-host-without-address": "status-policy-host-missing",
    "connect-failed": "status-policy-host-silent",
    "tls-failed": "status-certificate-invalid",
}


def served(fetch: Fetch, expected: bytes) -> List[Finding]:
    """What is wrong with the answer of a policy host that should serve the bytes `expected`."""
    found = answered(fetch.status, fetch.content_type)
    if fetch.status == 200 and fetch.body != expected:
        found.append(finding("fetch-body"))
    return found


def record(
    domain: Domain, texts: Union[Sequence[str], MtastsError], name: str, data: bytes
) -> Optional[Finding]:
    """What is wrong with the `_mta-sts` record of a domain that serves `data` by the id `name`.

    `texts` are all TXT records there, or why they are not known; None: DNS is in step.
    """
    if isinstance(texts, MtastsError):
        return finding("status-record-unknown", text=domain, hint=texts)
    own = candidates(texts, STSRecord.VERSION)
    if not own:
        return finding("status-record-missing", text=domain)
    if len(own) > 1:
        return finding("status-record-several", text=domain, hint=len(own))
    try:
        found = STSRecord.parse(own[0])
    except InvalidRecord:
        return finding("status-record-invalid", text=domain, hint=own[0])
    if found.id == name or names_bytes(found.id, data):
        return None
    code = "status-record-behind" if is_policy_id(found.id) else "status-record-foreign"
    return finding(code, text=domain, hint=found.id)


def certificate(
    domain: Domain, seen: Union[Certificate, MtastsError], now: datetime.datetime
) -> Optional[Finding]:
    """What is wrong with the certificate of the policy host, or why it was not seen."""
    host = domain.policy_host
    if isinstance(seen, MtastsError):
        code = _UNSEEN.get(seen.code, "status-certificate-unknown")
        return finding(code, text=host, hint=seen)
    day = f"{seen.end:%Y-%m-%d}"
    if seen.end <= now:
        return finding("status-certificate-expired", text=host, hint=day)
    if is_late(seen.begin, seen.end, now):
        return finding("status-certificate-ends", text=host, hint=day)
    return None
