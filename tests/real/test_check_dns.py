"""What a check sees of DNS as it really is: a root, name servers of all kinds, DNSSEC."""

import json
import re

import pytest

from mtasts import edges
from mtasts.domain import Domain
from mtasts.facts import TLSA
from mtasts.look import look
from mtasts.probe import MX
from rig.command import mtasts
from rig.dns import Validating
from rig.named import NameServer
from rig.process import wait_for

ROOT, NS1, NS2, NOBODY = "192.0.2.10", "192.0.2.1", "192.0.2.2", "192.0.2.99"
GOOD = "v=STSv1; id=1;"
SERVERS = ["@ NS ns1.servers.test.", "@ NS ns2.servers.test."]
ZONE = [
    *SERVERS,
    "@ MX 10 mx",
    f'_mta-sts TXT "{GOOD}"',
    "_smtp._tls TXT 'v=TLSRPTv1; ' 'rua=mailto:tls@secure.test'".replace("'", '"'),
    "mta-sts A 127.0.0.1",
    "mta-sts AAAA ::1",
    "mx A 127.0.0.1",
    "_25._tcp.mx TLSA 3 1 1 " + "ab" * 32,
]
# Delegations of the top-level domain test, beside those with DS records.
TOP = [
    "@ NS ns.",
    f"ns1.servers A {NS1}",
    f"ns2.servers A {NS2}",
    "insecure NS ns1.servers.test.",
    "lags NS ns1.servers.test.",
    "lags NS ns2.servers.test.",
    "refuses NS ns1.servers.test.",
    "lame NS ns1.servers.test.",
    "lame NS ns2.servers.test.",
    "stale NS ns1.servers.test.",
    "stale NS ns2.servers.test.",
    "delegated NS ns1.servers.test.",
]
DELEGATED = ["@ NS ns1.servers.test.", "_mta-sts CNAME _mta-sts.secure.test."]
DELEGATED += ["mta-sts CNAME mta-sts.insecure.test.", "_smtp._tls CNAME a", "a CNAME _smtp._tls"]


class World:
    """secure.test is signed, bogus.test wrongly so, insecure.test is not; so by their names."""

    def __init__(self, directory):
        self.root, self.ns1, self.ns2 = (
            NameServer(directory, address) for address in (ROOT, NS1, NS2)
        )
        secure = self.ns1.signed("secure.test", *ZONE)
        bogus = self.ns1.signed("bogus.test", *ZONE)
        self.ns1.primary("insecure.test", *ZONE)
        self.ns1.primary("lags.test", *ZONE)
        self.ns1.primary("lame.test", *ZONE)
        self.ns1.primary("stale.test", *ZONE)
        self.ns1.primary("delegated.test", *DELEGATED)
        self.ns2.secondary("secure.test", NS1)
        self.ns2.secondary("lags.test", NS1)
        self.ns2.secondary("stale.test", NOBODY)
        signed = [f"{name} {line}" for name in ("secure", "bogus") for line in SERVERS]
        signed = [line.replace("@ ", "") for line in signed]
        # The digest of a key that nobody has
        bogus = [re.sub(r"[0-9A-F]{4}(\s*)$", r"0000\1", line) for line in bogus]
        top = self.root.signed("test", *TOP, *signed, *secure, *bogus)
        servers = ["@ NS ns.", f"ns A {ROOT}", "test NS ns."]
        anchors = self.root.signed(".", *servers, *top)
        self.resolver = Validating(directory, ROOT, anchors)

    def start(self):
        for one in (self.root, self.ns1, self.ns2, self.resolver):
            one.start()
        self.wait_for_copies()

    def wait_for_copies(self):
        """Return when the secondary has its zones: it may have to fetch them after any start."""
        for zone in ("secure.test", "lags.test"):
            wait_for(lambda zone=zone: self.ns2.txt("_mta-sts." + zone), "a copy of " + zone)

    def stop(self):
        for one in (self.resolver, self.ns2, self.ns1, self.root):
            one.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(str(tmp_path_factory.mktemp("dns")))
    world.start()
    yield world
    world.stop()


def seen(name):
    return look(Domain(name), edges.real())


def told(record):
    """What each name server says."""
    return {server.split()[0]: getattr(one, "code", one) for server, one in record.servers}


def test_a_signed_domain(world):
    found = seen("secure.test")
    assert (found.sts.texts, found.sts.secure) == ((GOOD,), True)
    everywhere = {f"ns{number}.servers.test": (GOOD,) for number in (1, 2)}
    assert told(found.sts) == everywhere
    assert found.tlsrpt.texts == ("v=TLSRPTv1; rua=mailto:tls@secure.test",)
    assert (found.mx, found.mx_secure) == ((MX(10, "mx.secure.test"),), True)
    (host,) = found.mx_hosts
    assert (host.tlsa, host.secure) == ((TLSA(3, 1, 1, b"\xab" * 32),), True)
    assert [one.address for one in found.policy_host] == ["127.0.0.1", "::1"]
    assert found.endpoints[0].answer == found.mx
    assert found.misplaced == ()


def test_that_there_is_no_record_is_proved(world):
    found = seen("gone.secure.test")
    assert (found.sts.texts, found.sts.secure) == ((), True)
    assert told(found.sts) == {"ns1.servers.test": (), "ns2.servers.test": ()}
    assert found.policy_host.code == "policy-host-without-address"


def test_a_domain_that_is_not_signed(world):
    found = seen("insecure.test")
    assert (found.sts.texts, found.sts.secure, found.mx_secure) == ((GOOD,), False, False)
    assert found.mx_hosts[0].secure is False


def test_a_domain_whose_signatures_are_wrong(world):
    found = seen("bogus.test")
    assert found.sts.texts.code == found.mx.code == "dnssec-bogus"
    assert found.policy_host.code == "dnssec-bogus"


def test_a_domain_whose_name_server_refuses(world):
    found = seen("refuses.test")
    assert found.sts.texts.code == found.mx.code == "dns-lookup-failed"
    assert "SERVFAIL" in found.sts.texts.message


@pytest.mark.parametrize(("name", "said"), [("lame", "REFUSED"), ("stale", "SERVFAIL")])
def test_a_name_server_without_the_zone(world, name, said):
    (first, texts), (second, error) = seen(name + ".test").sts.servers
    assert (first, texts) == (f"ns1.servers.test ({NS1})", (GOOD,))
    assert (second, error.code) == (f"ns2.servers.test ({NS2})", "dns-server-refused")
    assert said in error.message


def test_a_secondary_that_lags(world):
    owner = "_mta-sts.lags.test"
    world.ns1.update(f"update add {owner} 60 TXT v=STSv2")
    assert told(seen("lags.test").sts) == {
        "ns1.servers.test": (GOOD, "v=STSv2"),
        "ns2.servers.test": (GOOD,),
    }
    world.ns2.notify("lags.test", NS1)
    wait_for(lambda: len(list(world.ns2.txt(owner))) == 2, "the secondary has the change")
    assert set(told(seen("lags.test").sts).values()) == {(GOOD, "v=STSv2")}


def test_a_name_server_that_is_down(world):
    world.ns2.stop()
    try:
        found = told(seen("secure.test").sts)
    finally:
        world.ns2.start()
        world.wait_for_copies()
    assert found["ns1.servers.test"] == (GOOD,)
    assert found["ns2.servers.test"] in ("dns-server-unreachable", "dns-server-timeout")


def test_delegation(world):
    found = seen("delegated.test")
    assert (found.sts.texts, found.sts.aliases) == ((GOOD,), ("_mta-sts.secure.test",))
    assert found.sts.secure is False  # the alias is not signed
    assert set(told(found.sts).values()) == {(GOOD,)}
    assert found.policy_host_aliases == ("mta-sts.insecure.test",)


def test_aliases_that_lead_back(world):
    found = seen("delegated.test").tlsrpt
    assert found.texts.code == "dns-lookup-failed"  # a real resolver gives up
    assert list(told(found).values()) == ["dns-lookup-failed"]


@pytest.mark.parametrize("stack", ["bionic", "newest"])
def test_the_command_says_so(world, stack):
    names = ["secure.test", "insecure.test", "bogus.test", "lame.test"]
    done = mtasts("check", "--json", *names, stack=stack)
    assert done.stderr == ""
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    said = {one["domain"]: {each["code"] for each in one["findings"]} for one in verdicts}
    assert "txt-secure" in said["secure.test"]
    assert "txt-insecure" in said["insecure.test"]
    assert "txt-bogus" in said["bogus.test"]
    assert {code for code in said["lame.test"] if "server" in code}
