"""A look at a domain: resolver, name servers, policy host and MX hosts are fakes on loopback."""

import contextlib
import datetime
import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import https_server
import nameserver
import smtp_server
from certificates import Issued
from mtasts import authority, edges, guesses, https, smtp, testing_until
from mtasts.checks import judge
from mtasts.domain import Domain
from mtasts.errors import LookupFailed, MtastsError
from mtasts.facts import TLSA, TOO_LATE, Endpoint, Handshake, SubDomain
from mtasts.finding import Severity
from mtasts.look import look, look_alone
from mtasts.probe import MX
from mtasts.store import Store
from mtasts.zone import strings

ORG = Domain("example.org")
STS, REPORTS = "_mta-sts.example.org", "_smtp._tls.example.org"
GOOD = "v=STSv1; id=1;"
SOA = ["ns1.example.org. admin.example.org. 1 3600 600 86400 60"]
NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)


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
        if not server.address:
            return authority.ask(server, name)
        fake = self.servers[int(server.address.rpartition(".")[2]) - 1]
        return authority.ask(server._replace(address="127.0.0.1", port=fake.port), name)

    def publish(self, name, *texts):
        """Let a name have these texts, at the resolver and at the name servers."""
        for table in (self.table, *(server.table for server in self.servers)):
            table[name] = {"TXT": [" ".join(map('"{}"'.format, strings(text))) for text in texts]}

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


def texts_or_code(told):
    return [getattr(answer, "code", answer) for _, answer in told]


class TestRecords:
    def test_a_name_server_that_lags_is_seen(self, world):
        world.servers[1].table[STS] = ["v=STSv1; id=0;"]
        seen = world.look()
        assert seen.sts.texts == (GOOD,)
        assert texts_or_code(seen.sts.servers) == [(GOOD,), ("v=STSv1; id=0;",)]

    def test_a_name_server_without_the_zone_is_seen(self, world):
        world.servers[0].is_lame = True
        assert texts_or_code(world.look().sts.servers) == ["dns-server-lame", (GOOD,)]

    def test_a_name_server_that_fails_is_seen(self, world):
        world.servers[0].table[STS] = None
        assert texts_or_code(world.look().sts.servers) == ["dns-server-refused", (GOOD,)]

    def test_a_datagram_to_a_name_server_may_be_lost(self, world):
        world.servers[0].loses = 1
        assert texts_or_code(world.look().sts.servers) == [(GOOD,), (GOOD,)]

    def test_a_name_server_without_address_is_seen(self, world):
        world.table["ns1.example.org"] = {}
        assert texts_or_code(world.look().sts.servers) == ["dns-server-without-address", (GOOD,)]

    def test_a_name_server_whose_address_is_not_told_is_seen(self, world):
        world.table["ns1.example.org"] = None
        told = world.look().sts.servers
        assert sorted(map(str, texts_or_code(told))) == [str((GOOD,)), "dns-lookup-failed"]
        world.table["ns2.example.org"] = None
        assert texts_or_code(world.look().sts.servers) == ["dns-lookup-failed"] * 2

    def test_more_name_servers_than_anybody_has_are_not_asked(self, world):
        many = [f"ns{number}.example.net." for number in range(33)]
        world.table["example.org"]["NS"] = many
        seen = world.look()
        assert texts_or_code(seen.sts.servers) == ["dns-records-many"]
        assert seen.sts.texts == (GOOD,)

    def test_a_domain_that_does_not_exist(self, world):
        world.table.clear()
        seen = world.look()
        assert (seen.sts.texts, texts_or_code(seen.sts.servers)) == ((), ["zone-missing"])
        assert (seen.mx, seen.mx_hosts) == ((), ())
        assert seen.policy_host.code == "policy-host-without-address"

    def test_no_answer_is_an_error_in_its_place(self, world):
        world.table[STS] = world.table["example.org"] = None
        seen = world.look()
        assert [seen.sts.texts.code, seen.mx.code] == ["dns-lookup-failed"] * 2
        assert texts_or_code(seen.sts.servers) == ["dns-lookup-failed"]
        assert seen.tlsrpt.texts == ()
        assert isinstance(seen.policy_host, tuple)

    def test_dnssec_is_told_of_every_record(self, world):
        world.publish(REPORTS, "v=TLSRPTv1; rua=mailto:tls@example.org")
        world.resolver.secure |= {STS, "example.org", "mx1.example.org", "_25._tcp.mx1.example.org"}
        seen = world.look()
        assert (seen.sts.secure, seen.tlsrpt.secure, seen.mx_secure) == (True, False, True)
        assert [host.secure for host in seen.mx_hosts] == [True, False]

    def test_a_bogus_record_is_no_record(self, world):
        world.resolver.bogus.add(STS)
        seen = world.look()
        assert seen.sts.texts.code == "dnssec-bogus"
        assert texts_or_code(seen.sts.servers) == ["dnssec-bogus"]


class TestDelegation:
    def test_both_halves(self, world):
        world.alias(STS, "_mta-sts.example.net")
        world.table["mta-sts.example.org"] = {"CNAME": ["mta-sts.example.net."]}
        world.table["mta-sts.example.net"] = {"A": ["127.0.0.1"]}
        world.table["example.net"] = {"SOA": SOA, "NS": ["ns2.example.org."]}
        world.publish("_mta-sts.example.net", GOOD)
        seen = world.look()
        assert (seen.sts.texts, seen.sts.aliases) == ((GOOD,), ("_mta-sts.example.net",))
        assert seen.policy_host_aliases == ("mta-sts.example.net",)
        assert seen.policy_host[0].tls.names == ("mta-sts.example.org",)
        # It is the provider's own name server that says what stands there.
        assert [(server.split()[0], texts) for server, texts in seen.sts.servers] == [
            ("ns2.example.org", (GOOD,))
        ]

    def test_a_name_server_that_does_not_know_of_it_yet_is_seen(self, world):
        world.alias(STS, "_mta-sts.example.net")
        world.table["example.net"] = {"SOA": SOA, "NS": ["ns2.example.org."]}
        world.publish("_mta-sts.example.net", GOOD)
        world.servers[0].table[STS] = ["v=STSv1; id=0;"]
        told = world.look().sts.servers
        assert [server.split()[0] for server, _ in told] == ["ns1.example.org", "ns2.example.org"]
        assert texts_or_code(told) == [("v=STSv1; id=0;",), (GOOD,)]

    def test_aliases_that_lead_back(self, world):
        world.alias(STS, REPORTS)
        world.alias(REPORTS, STS)
        seen = world.look()
        assert seen.sts.texts.code == "dns-alias-loop"
        assert texts_or_code(seen.sts.servers) == ["dns-alias-loop"]

    def test_aliases_without_end(self, world):
        for number in range(40):
            world.alias(f"n{number}.example.org", f"n{number + 1}.example.org")
        world.alias(STS, "n0.example.org")
        seen = world.look()
        assert seen.sts.texts.code == "dns-alias-many"
        assert texts_or_code(seen.sts.servers) == ["dns-alias-many"]

    def test_only_one_half(self, world):
        world.table["mta-sts.example.org"] = {"CNAME": ["gone.example.net."]}
        seen = world.look()
        assert seen.sts.aliases == ()
        assert seen.policy_host.code == "policy-host-without-address"
        assert seen.policy_host_aliases == ("gone.example.net",)


class TestMisplaced:
    @pytest.mark.parametrize(
        "name",
        [
            "example.org",
            "_mta_sts.example.org",
            "_mta-sts._tls.example.org",
            "_smtp-tlsrpt.example.org",
            "_smtp-tls.example.org",
            "mta-sts.example.org",
            "_mta-sts.example.org.example.org",
            "_smtp._tls.example.org.example.org",
        ],
    )
    @pytest.mark.parametrize(
        "text", [GOOD, "v=TLSRPTv1; rua=mailto:tls@example.org", " V = STSv1", "version: STSv1"]
    )
    def test_a_record_at_a_wrong_name_is_seen(self, world, name, text):
        listed = dict(world.table.get(name, {}), TXT=['"v=spf1 -all"', f'"{text}"'])
        world.table[name] = listed
        (found,) = world.look().misplaced
        assert (found.name, found.texts) == (name, (text,))

    def test_what_is_not_ours_stands_where_it_likes(self, world):
        for name in guesses.misplaced(ORG):
            texts = ['"v=spf1 -all"', '"v=DMARC1; p=none"', '"verification=STSv1"', '"v=DKIM1"']
            world.table[name] = dict(world.table.get(name, {}), TXT=texts)
        world.table["_mta_sts.example.org"] = None
        assert world.look().misplaced == ()

    def test_nobody_is_asked_where_both_records_are_in_their_places(self, world):
        world.publish(REPORTS, "v=TLSRPTv1; rua=mailto:tls@example.org")
        asked = []
        txt = world.edges.txt
        world.look(txt=lambda name: asked.append(name) or txt(name))
        assert sorted(asked) == [STS, REPORTS]

    def test_names_that_would_be_too_long_are_not_tried(self):
        long = Domain(".".join(["x" * 60] * 4))
        tried = guesses.misplaced(long)
        assert set(tried) >= {str(long), f"mta-sts.{long}", f"_mta_sts.{long}"}
        assert all(len(name) <= 253 for name in (*tried, *guesses.sub_domains(long)))


class TestMX:
    def test_an_mx_host_at_each_address_by_itself(self, world):
        world.table["mx2.example.org"] = {"A": ["127.0.0.1", "255.255.255.255"]}
        shown = dict(world.look().mx_hosts[1].servers)
        assert isinstance(shown["127.0.0.1"].tls, Handshake)
        assert isinstance(shown["255.255.255.255"], MtastsError)

    def test_tlsa_records(self, world):
        world.table["_25._tcp.mx1.example.org"] = {"TLSA": ["3 1 1 " + "ab" * 32]}
        world.resolver.bogus.add("_25._tcp.mx2.example.org")
        world.table["_25._tcp.mx2.example.org"] = {"TLSA": ["3 1 1 " + "ab" * 32]}
        first, second = world.look().mx_hosts
        assert first.tlsa == (TLSA(3, 1, 1, b"\xab" * 32),)
        assert second.tlsa.code == "dnssec-bogus"

    @pytest.mark.parametrize(
        ("addresses", "code"), [({}, "mx-host-without-address"), (None, "dns-lookup-failed")]
    )
    def test_an_mx_host_that_is_nowhere(self, world, addresses, code):
        world.table["mx2.example.org"] = addresses
        assert [getattr(host.servers, "code", "") for host in world.look().mx_hosts] == ["", code]

    def test_addresses_of_one_kind_are_looked_at_although_those_of_the_other_are_not_known(
        self, world
    ):
        for name in ("mx1.example.org", "mta-sts.example.org"):
            world.table[name] = {"A": ["127.0.0.1"], "AAAA": None}
        world.table["ns1.example.org"] = {"A": ["192.0.2.1"], "AAAA": None}
        found = world.look()
        assert texts_or_code(found.sts.servers) == [(GOOD,), (GOOD,), "dns-lookup-failed"]
        (address, shown), (nowhere, error) = found.mx_hosts[0].servers
        assert (address, isinstance(shown.tls, Handshake)) == ("127.0.0.1", True)
        assert (nowhere, error.code) == ("", "dns-lookup-failed")
        first, second = found.policy_host
        assert (first.address, isinstance(first.tls, Handshake)) == ("127.0.0.1", True)
        assert (second.address, second.tls.code, second.answers) == ("", "dns-lookup-failed", ())

    def test_a_host_that_is_named_twice_is_asked_once(self, world):
        world.table["example.org"]["MX"] = ["10 mx1.example.org.", "20 mx1.example.org."]
        seen = world.look()
        assert [one.preference for one in seen.mx] == [10, 20]
        assert [host.host for host in seen.mx_hosts] == ["mx1.example.org"]
        assert [command for command, _ in world.mail.commands].count("STARTTLS") == 1

    def test_a_null_mx_has_no_hosts(self, world):
        world.table["example.org"]["MX"] = ["0 ."]
        seen = world.look()
        assert (seen.mx, seen.mx_hosts) == ((MX(0, ""),), ())

    def test_without_mx_records_mail_goes_to_the_domain_itself(self, world):
        world.table["example.org"].update(MX=[], A=["127.0.0.1"])
        seen = world.look()
        assert seen.mx == ()
        assert [host.host for host in seen.mx_hosts] == ["example.org"]

    def test_more_mx_records_than_anybody_has_are_not_looked_at(self, world):
        world.table["example.org"]["MX"] = [f"10 mx{number}.example." for number in range(65)]
        seen = world.look()
        assert (seen.mx.code, seen.mx_hosts) == ("dns-records-many", ())

    def test_more_addresses_than_anybody_has_are_not_looked_at(self, world):
        world.table["mx1.example.org"] = {"A": [f"192.0.2.{number}" for number in range(33)]}
        assert world.look().mx_hosts[0].servers.code == "dns-records-many"


class TestPolicyHost:
    def test_the_user_agents_of_senders_in_use(self, world):
        seen = world.look()
        assert [one.user_agent for one in seen.policy_host[0].answers] == ["", "Postfix"]
        asked = [request.headers.get("user-agent", "") for request in world.web.requests]
        assert sorted(asked) == ["", "Postfix"]

    def test_each_address_by_itself(self, world):
        world.table["mta-sts.example.org"] = {"A": ["127.0.0.1", "255.255.255.255"]}
        good, bad = world.look().policy_host
        assert isinstance(good.tls, Handshake)
        assert isinstance(bad.tls, MtastsError)
        assert [one.code for one in bad.answers] == [bad.tls.code] * 2


class TestEndpoints:
    def uris(self, world, *uris):
        world.publish(REPORTS, "v=TLSRPTv1; rua=" + ",".join(uris))
        return {one.uri: one.answer for one in world.look().endpoints}

    def test_a_mailbox_is_as_good_as_its_domain(self, world):
        world.table["example.net"] = ["10 mx.example.net"]
        world.table["a.example"] = {"A": ["192.0.2.1"]}
        world.table["fails.example"] = None
        answers = self.uris(
            world,
            "mailto:tls@example.net",
            "MAILTO:%74ls@a.example?subject=x",
            "mailto:tls@gone.example",
            "mailto:tls@fails.example",
            "mailto:nobody",
            "mailto:tls@a%20b",
        )
        assert [getattr(answer, "code", answer) for answer in answers.values()] == [
            (MX(10, "mx.example.net"),),
            (MX(0, "a.example"),),
            (),
            "dns-lookup-failed",
            (),
            "domain-label-invalid",
        ]

    def test_a_place_is_asked_by_options(self, world):
        asked = []

        def options(uri):
            asked.append(uri)
            return 204

        world.publish(REPORTS, "v=TLSRPTv1; rua=https://reports.example.org/v1")
        (endpoint,) = world.look(options=options).endpoints
        assert (endpoint.answer, asked) == (204, ["https://reports.example.org/v1"])

    def test_more_places_than_anybody_needs_are_not_asked(self, world):
        uris = [f"mailto:tls@d{number}.example" for number in range(17)]
        answers = self.uris(world, *uris)
        assert [answer.code for answer in answers.values()] == ["endpoints-many"]
        assert ("d0.example", "MX") not in world.resolver.asked

    def test_a_place_where_no_report_goes_is_not_asked(self, world):
        assert list(self.uris(world, "http://example.net/", "mailto:tls@gone.example")) == [
            "mailto:tls@gone.example"
        ]

    @pytest.mark.parametrize(
        "texts",
        [
            [],
            ["v=TLSRPTv1; rua=mailto:a@example.net", "v=TLSRPTv1; rua=mailto:b@example.net"],
            ["v=TLSRPTv1;"],
            ["v=TLSRPTv1; rua=no uri"],
        ],
    )
    def test_who_sends_no_reports_sends_them_nowhere(self, world, texts):
        world.publish(REPORTS, *texts)
        assert world.look().endpoints == ()


class TestSubDomains:
    def test_those_that_take_mail(self, world):
        world.table["lists.example.org"] = ["10 mx.example.net"]
        world.table["mail.example.org"] = ["10 mx.example.net"]
        world.table["_mta-sts.mail.example.org"] = [GOOD]
        world.table["null.example.org"] = ["0 ."]
        world.table["fails.example.org"] = None
        names = ("lists", "mail", "null", "none", "fails")
        found = world.look(*(f"{name}.example.org" for name in names)).sub_domains
        assert found[:2] == (
            SubDomain("lists.example.org", (MX(10, "mx.example.net"),), False),
            SubDomain("mail.example.org", (MX(10, "mx.example.net"),), True),
        )
        assert [(one.name, one.mx.code) for one in found[2:]] == [
            ("fails.example.org", "dns-lookup-failed")
        ]

    def test_usual_ones_can_be_tried(self, world):
        world.table["lists.example.org"] = ["10 mx.example.net"]
        found = world.look(*guesses.sub_domains(ORG)).sub_domains
        assert [one.name for one in found] == ["lists.example.org"]


class TestOwn:
    def test_the_policy_directory(self, world):
        assert world.look().own is None
        Store(world.root).write(ORG, https_server.POLICY, NOW)
        assert world.look().own == (https_server.POLICY, None)
        testing_until.write(f"{world.root}/{ORG}", testing_until.Until.parse("2026-12-01"))
        assert world.look().own == (https_server.POLICY, datetime.date(2026, 12, 1))

    def test_a_policy_that_cannot_be_read(self, world, tmp_path):
        (tmp_path / "policies" / ORG).mkdir()
        assert world.look().own.code == "policy-unreadable"


def test_many_looks_share_a_pool_of_two_threads(world):
    """Were one exchange to wait for another, nobody would come to an end."""
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(6) as lookers:
        looks = [lookers.submit(look, ORG, world.edges, (), pool) for _ in range(12)]
        assert {len(one.result(60).mx_hosts) for one in looks} == {2}


def test_what_there_is_no_time_for_is_unknown_and_nothing_else(world):
    seen = look(ORG, world.edges, [Domain("lists.example.org")], seconds=0)
    found = judge(seen, NOW).findings
    assert {one.severity for one in found} == {Severity.UNKNOWN}
    assert {one.host for one in found} == {STS, REPORTS, ORG.policy_host, ORG, "lists.example.org"}


def test_a_policy_host_that_there_is_no_time_for_is_unknown(world):
    def fetch(*_):
        raise LookupFailed(TOO_LATE, "the look was ended")

    (host,) = world.look(fetch=fetch).policy_host
    assert [host.tls.code, *(answer.code for answer in host.answers)] == [TOO_LATE] * 3


def test_a_look_in_one_thread_sees_the_same(world):
    world.publish(REPORTS, "v=TLSRPTv1; rua=mailto:tls@example.org")
    threads = []
    own = lambda _domain: threads.append(threading.current_thread())  # noqa: E731
    seen = look_alone(ORG, world.edges._replace(own=own))
    assert threads == [threading.current_thread()]
    codes = [(one.host, one.address, one.code) for one in judge(seen, NOW).findings]
    assert codes == [(one.host, one.address, one.code) for one in judge(world.look(), NOW).findings]


def test_everything_that_can_begin_begins_at_once(world):
    """Nobody is answered before all who need no other's answer have been asked."""
    everybody = threading.Barrier(5, timeout=20)  # two TXT, MX, A and AAAA

    def begun(ask, is_first):
        def wait_and_ask(*asked):
            if is_first(*asked):
                everybody.wait()
            return ask(*asked)

        return wait_and_ask

    real = world.edges
    seen = world.look(
        txt=begun(real.txt, lambda name: name in (STS, REPORTS)),
        mx=begun(real.mx, lambda name: name == ORG),
        addresses=begun(real.addresses, lambda host, _kind: host == ORG.policy_host),
    )
    assert seen.sts.texts == (GOOD,)


def test_what_would_be_wrong_with_every_domain_is_said_at_once(tmp_path):
    with pytest.raises(MtastsError) as caught:
        edges.real("127.0.0.1", ca_file=str(tmp_path / "none.pem"))
    assert caught.value.code == "ca-file-unusable"
    with pytest.raises(MtastsError) as caught:
        edges.real("resolver.example")
    assert caught.value.code == "address-invalid"
