"""A healthy domain as a check sees it, from which a test takes what it wants to be otherwise."""

import datetime

from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.facts import (
    Answer,
    Endpoint,
    Handshake,
    MXHost,
    Own,
    PolicyHost,
    Record,
    Seen,
    SMTPServer,
)
from mtasts.policy import policy_id
from mtasts.probe import MX

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = datetime.timedelta(days=1)
POLICY = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmx: mx2.example.org\r\n"
    b"max_age: 2592000\r\n"
)
TESTING = POLICY.replace(b"enforce", b"testing")
ID = policy_id(POLICY, NOW - 30 * DAY)
STS = f"v=STSv1; id={ID};"
TLSRPT = "v=TLSRPTv1; rua=mailto:tls@example.org"
SERVERS = ("ns1.example.net", "ns2.example.net")
ADDRESSES = ("192.0.2.1", "2001:db8::1")


def failure(code, message="what went wrong"):
    return MtastsError(code, message, "What to do.")


def handshake(*names, days=60, age=30, **other):
    """What a host shows whose certificate is `age` days old and has `days` days left."""
    begin, end = NOW - age * DAY, NOW + days * DAY
    return Handshake("TLSv1.3", names, begin, end, "", (b"",))._replace(**other)


def answers(*, user_agents=("", "Postfix"), **other):
    """The same answer for each of the User-Agents."""
    good = Answer("", 200, "text/plain; charset=utf-8", "", POLICY, 0.05)._replace(**other)
    return tuple(good._replace(user_agent=one) for one in user_agents)


def policy_hosts(**other):
    """The policy host at both its addresses."""
    tls = handshake("mta-sts.example.org")
    return tuple(PolicyHost(one, tls, answers())._replace(**other) for one in ADDRESSES)


def record(name, *texts, **other):
    """TXT records that all name servers have."""
    said = tuple((server, texts) for server in SERVERS)
    return Record(name, texts, said, (), True)._replace(**other)


def sts(*texts, **other):
    return record("_mta-sts.example.org", *texts, **other)


def tlsrpt(*texts, **other):
    return record("_smtp._tls.example.org", *texts, **other)


def server(host, **other):
    return SMTPServer(host, handshake(host), 0.1)._replace(**other)


def mx_host(host, address="192.0.2.25", **other):
    return MXHost(host, ((address, server(host)),))._replace(**other)


def healthy(**other):
    """A domain with which nothing is wrong, except for what stands in `other`."""
    hosts = ("mx1.example.org", "mx2.example.org")
    return Seen(
        domain=Domain("example.org"),
        sts=sts(STS),
        tlsrpt=tlsrpt(TLSRPT),
        misplaced=(),
        policy_host=policy_hosts(),
        policy_host_aliases=(),
        mx=tuple(MX(10 * number, host) for number, host in enumerate(hosts, 1)),
        mx_hosts=tuple(mx_host(host) for host in hosts),
        endpoints=(Endpoint("mailto:tls@example.org", (MX(10, "mx1.example.org"),)),),
        own=Own(POLICY),
    )._replace(**other)
