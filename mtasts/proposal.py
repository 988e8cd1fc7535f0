"""The first policy of a domain, as a proposal: from MX records to `testing` for a day.

Nothing that comes from outside changes a policy; a person confirms what is proposed here.
"""

from typing import Iterable, Iterator, Optional, Sequence, Tuple

from mtasts.domain import Domain, InvalidDomain, MXPattern
from mtasts.errors import MtastsError, printable
from mtasts.finding import Finding, finding
from mtasts.policy import Mode, Policy

# Some reporters leave out policies of a day or less.
FIRST_MAX_AGE = 86401


def first_policy(mx: Iterable[str]) -> Policy:
    """The usual start: `testing`, so that reports come and no mail is held back.

    Raises `InvalidDomain` for an MX that is not a host name.
    """
    return Policy(Mode.TESTING, FIRST_MAX_AGE, tuple(mx))


def mx_hosts(domain: Domain, hosts: Iterable[str]) -> Tuple[MXPattern, ...]:
    """The `mx` lines for a domain whose MX records name `hosts`, most preferred first.

    A domain without MX records is its own MX (RFC 5321 section 5.1). Raises `MtastsError` for a
    null MX and for hosts that no certificate can name.
    """
    named = tuple(dict.fromkeys(hosts))
    if named == ("",):
        raise MtastsError(
            "mx-null",
            f"{domain} takes no mail: it publishes a null MX",
            "A domain without mail needs no policy; if it is to have some, use --mx.",
        )
    try:
        return tuple(MXPattern(host) for host in named) or (MXPattern(domain),)
    except InvalidDomain as error:
        raise MtastsError(
            "mx-not-a-host-name",
            f"an MX record of {domain} names something that is no host name: "
            + ", ".join(f"'{printable(host)}'" for host in named),
            "Correct the MX records, or name the hosts with --mx.",
        ) from error


def findings(
    domain: Domain, policy: Policy, live: Optional[Sequence[str]], is_public_suffix: bool
) -> Tuple[Finding, ...]:
    """What a person should know before `policy` becomes the first one of `domain`.

    `live` are the hosts of its MX records, "" for a null MX, None if DNS gave no answer.
    """
    found = [finding("proposal-public-suffix", text=domain)] if is_public_suffix else []
    if live is None:
        found.append(finding("proposal-mx-unknown", text=domain))
    elif not live:
        found.append(finding("proposal-mx-self", text=domain))
    elif tuple(live) == ("",):
        found.append(finding("proposal-mx-null", text=domain))
    hosts = (domain,) if live is not None and not live else tuple(live or ())
    hosts = tuple(host for host in hosts if host)
    return tuple(found) + tuple(_of_hosts(policy, hosts)) + tuple(_of_names(domain, policy, hosts))


def _of_hosts(policy: Policy, hosts: Sequence[str]) -> Iterator[Finding]:
    for host in dict.fromkeys(hosts):
        if not policy.covers(host):
            yield finding("proposal-mx-uncovered", text=host)


def _of_names(domain: Domain, policy: Policy, hosts: Sequence[str]) -> Iterator[Finding]:
    for name in policy.mx:
        if not f".{name}".endswith(f".{domain}"):
            yield finding("proposal-mx-elsewhere", text=name, hint=domain)
        covered = [printable(host, 300) for host in dict.fromkeys(hosts) if name.covers(host)]
        if name.is_wildcard and covered:
            yield finding("proposal-wildcard", text=name, hint=", ".join(covered))
