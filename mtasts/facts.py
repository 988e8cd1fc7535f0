"""What a check saw of a domain: facts, no judgement.

Where something could not be seen, the `MtastsError` that says why stands in its place. Names are
in lower case, as A-labels, without a final dot. `mtasts.look` gathers, `mtasts.checks` judges.
"""

import datetime
from typing import NamedTuple, Optional, Tuple, Union

from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.probe import MX

TOO_LATE = "look-ended"  # the code of the error for what there was no time left for


class Handshake(NamedTuple):
    """What a TLS server showed when it was greeted with its name (SNI).

    `names` are the DNS-IDs of its certificate (RFC 6125 section 1.8), `untrusted` says why no chain
    leads from it to a trusted root ("" if one does; its dates and names are not looked at for
    that). `chain` is what it sent in DER, its own certificate first.
    """

    version: str
    names: Tuple[str, ...]
    begin: datetime.datetime
    end: datetime.datetime
    untrusted: str
    chain: Tuple[bytes, ...]


class Answer(NamedTuple):
    """An HTTP response; `seconds` from the connection's begin to the body's end.

    `body` is at most one octet longer than a policy may be, however much was sent.
    """

    user_agent: str
    status: int
    content_type: str
    location: str
    body: bytes
    seconds: float


class PolicyHost(NamedTuple):
    """The policy host at one address, asked once for each User-Agent that senders in use have.

    Without `address`, `tls` says why not all addresses are known.
    """

    address: str
    tls: Union[Handshake, MtastsError]
    answers: Tuple[Union[Answer, MtastsError], ...] = ()


class SMTPServer(NamedTuple):
    """An MX host at one address; `tls` is None if it does not offer STARTTLS (RFC 3207)."""

    greeting: str
    tls: Union[None, Handshake, MtastsError]
    seconds: float


class TLSA(NamedTuple):
    """A TLSA record (RFC 6698 section 2.1)."""

    usage: int
    selector: int
    matching_type: int
    data: bytes


class MXHost(NamedTuple):
    """An MX host: its addresses with what each showed, and the TLSA records for port 25.

    Behind "" in place of an address stands why not all of them are known.
    `secure` says whether DNSSEC proves addresses and TLSA records, without which TLSA means nothing
    (RFC 7672 section 2.2); None: the resolver does not tell.
    """

    host: str
    servers: Union[Tuple[Tuple[str, Union[SMTPServer, MtastsError]], ...], MtastsError]
    tlsa: Union[Tuple[TLSA, ...], MtastsError] = ()
    secure: Optional[bool] = None


class Record(NamedTuple):
    """The TXT records at a name: what the resolver says, and each authoritative server by itself.

    `aliases` are the names that CNAMEs lead to, in order. `secure` as in `MXHost`.
    """

    name: str
    texts: Union[Tuple[str, ...], MtastsError]
    servers: Tuple[Tuple[str, Union[Tuple[str, ...], MtastsError]], ...] = ()
    aliases: Tuple[str, ...] = ()
    secure: Optional[bool] = None


class Endpoint(NamedTuple):
    """Where reports go: for `https:` the status that it answers, for `mailto:` its domain's MX.

    An `https:` endpoint is asked by OPTIONS, so that nothing is delivered to it.
    """

    uri: str
    answer: Union[int, Tuple[MX, ...], MtastsError]


class SubDomain(NamedTuple):
    """A sub-domain with MX records; no policy of its parent covers it (RFC 8461 section 3.4)."""

    name: Domain
    mx: Union[Tuple[MX, ...], MtastsError]
    has_record: Union[bool, MtastsError]


class Own(NamedTuple):
    """What the policy directory has for the domain: the bytes, and the date until which the
    operator wants mode `testing` (None: no date was set)."""

    data: bytes
    testing_until: Optional[datetime.date] = None


class Seen(NamedTuple):
    """All that was seen of `domain`, by whom it was asked.

    `misplaced` are TXT records at names where people put them by mistake; `own` is None for a
    domain that is not ours. `policy_host_aliases` as in `Record`. `mx_hosts` are those that `mx`
    names; without MX records the domain itself, if it has an address (RFC 5321 section 5.1).
    `mx_secure` as in `MXHost`, of the MX records themselves.
    """

    domain: Domain
    sts: Record
    tlsrpt: Record
    misplaced: Tuple[Record, ...]
    policy_host: Union[Tuple[PolicyHost, ...], MtastsError]
    policy_host_aliases: Tuple[str, ...]
    mx: Union[Tuple[MX, ...], MtastsError]
    mx_hosts: Tuple[MXHost, ...]
    endpoints: Tuple[Endpoint, ...] = ()
    sub_domains: Tuple[SubDomain, ...] = ()
    own: Union[None, Own, MtastsError] = None
    mx_secure: Optional[bool] = None
