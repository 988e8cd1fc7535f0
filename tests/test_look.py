"""A look at a domain: resolver, name servers, policy host and MX hosts are fakes on loopback."""

import contextlib
import functools

import pytest

import https_server
import nameserver
import smtp_server
from certificates import Issued
from mtasts import authority, edges, https, smtp
from mtasts.domain import Domain
from mtasts.facts import Endpoint, Handshake
from mtasts.look import look
from mtasts.probe import MX

ORG = Domain("example.org")
STS, REPORTS = "_mta-sts.example.org", "_smtp._tls.example.org"
GOOD = "v=STSv1; id=1;"
SOA = ["ns1.example.org. admin.example.org. 1 3600 600 86400 60"]


class World:
    """example.org and all its servers. `table` is what the resolver says."""

    def __init__(self, dns_table, servers, web, mail, root):
        self.resolver = dns_table
        self.table = dns_table.table
        self.servers = servers
        self.web, self.mail, self.root = web, mail, root
        self.edges = edges.real(dns_table.address, root=root)._replace(
            ask=self.ask,
            fetch=functools.partial(https.fetch, port=web.port),
            smtp=functools.partial(smtp.look, port=mail.port),
        )
        self.table.update(
            {
                "example.org": {
                    "SOA": SOA,
                    "NS": ["ns1.example.org.", "ns2.example.org."],
                    "MX": ["10 mx1.example.org.", "20 mx2.example.org."],
                },
                "ns1.example.org": {"A": ["192.0.2.1"]},
                "ns2.example.org": {"A": ["192.0.2.2"]},
                "mta-sts.example.org": {"A": ["127.0.0.1"]},
                "mx1.example.org": {"A": ["127.0.0.1"]},
                "mx2.example.org": {"A": ["127.0.0.1", "127.0.0.2"]},
            }
        )
        self.publish(STS, GOOD)

    def ask(self, server, name):
        """Ask the fake in place of the name server at an address of the documentation."""
        number = int(server.address.rpartition(".")[2]) - 1
        return authority.ask(
            server._replace(address="127.0.0.1", port=self.servers[number].port), name
        )

    def publish(self, name, *texts):
        """Let a name have these texts, at the resolver and at the name servers."""
        for table in (self.table, *(server.table for server in self.servers)):
            table[name] = {"TXT": [f'"{text}"' for text in texts]}

    def alias(self, name, target):
        for table in (self.table, *(server.table for server in self.servers)):
            table[name] = {"CNAME": [target + "."]}

    def look(self, *sub_domains, **others):
        return look(ORG, self.edges._replace(**others), [Domain(name) for name in sub_domains])


@pytest.fixture
def world(dns_table, tmp_path):
    context = https_server.context(Issued("mta-sts.example.org"), str(tmp_path))
    root = str(tmp_path / "policies")
    (tmp_path / "policies").mkdir()
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(nameserver.running()) for _ in range(2)]
        web = stack.enter_context(https_server.running(context))
        # MX hosts at several addresses of loopback have one port
        mail = stack.enter_context(smtp_server.running(context=context, address="0.0.0.0"))  # noqa: S104
        yield World(dns_table, servers, web, mail, root)


def test_all_of_a_healthy_domain(world):
    world.publish(REPORTS, "v=TLSRPTv1; rua=mailto:tls@example.org")
    seen = world.look()
    assert seen.domain == ORG
    assert (seen.sts.name, seen.sts.texts, seen.sts.aliases) == (STS, (GOOD,), ())
    assert [server.split()[0] for server, _ in seen.sts.servers] == [
        "ns1.example.org",
        "ns2.example.org",
    ]
    assert [texts for _, texts in seen.sts.servers] == [(GOOD,)] * 2
    assert (seen.tlsrpt.name, len(seen.tlsrpt.texts), len(seen.tlsrpt.servers)) == (REPORTS, 1, 2)
    (host,) = seen.policy_host
    assert (host.address, host.tls.names) == ("127.0.0.1", ("mta-sts.example.org",))
    assert [answer.body for answer in host.answers] == [https_server.POLICY] * 2
    assert seen.mx == (MX(10, "mx1.example.org"), MX(20, "mx2.example.org"))
    shown = [(one.host, address) for one in seen.mx_hosts for address, _ in one.servers]
    assert shown == [
        ("mx1.example.org", "127.0.0.1"),
        ("mx2.example.org", "127.0.0.1"),
        ("mx2.example.org", "127.0.0.2"),
    ]
    for host in seen.mx_hosts:
        assert all(isinstance(server.tls, Handshake) for _, server in host.servers)
    assert seen.endpoints == (Endpoint("mailto:tls@example.org", seen.mx),)
    assert (seen.misplaced, seen.sub_domains, seen.own) == ((), (), None)
