"""A policy goes out into the world: real Apache, real name servers, of which one lags or worse."""

import json
import os
import re
import shutil
import subprocess
import threading

import pytest

from mtasts.drop_address import DEFAULT_SECRET
from rig import stacks
from rig.apache import write
from rig.command import mtasts
from rig.digitalocean import HOST, TOKEN, DigitalOcean
from rig.named import KEY, SECRET, NameServer
from rig.policy_host import POLICIES, POLICY, PolicyHosts, certify
from rig.process import run, wait_for

DOMAIN = "example.org"
POLICY_FILE = f"{POLICIES}/{DOMAIN}/mta-sts.txt"
OWNER, REPORTS = f"_mta-sts.{DOMAIN}", f"_smtp._tls.{DOMAIN}"
NS1, NS2, NS3 = "192.0.2.1", "192.0.2.2", "192.0.2.3"
CONFIG, SECRET_FILE = "/etc/mtasts/dns.ini", "/etc/mtasts/tsig.secret"
ZONE = [
    "@ NS ns1",
    "@ NS ns2",
    f"ns1 A {NS1}",
    f"ns2 A {NS2}",
    "mta-sts A 127.0.0.1",
]
DEFAULT_REPORTS = '"v=TLSRPTv1; rua=mailto:postmaster@example.org"'


class World:
    """The policy host of example.org, its two name servers, and the command."""

    def __init__(self, directory, apache, resolver):
        self.hosts = PolicyHosts(apache, resolver)
        self.resolver = resolver
        self.ns1, self.ns2 = NameServer(directory, NS1), NameServer(directory, NS2)
        self.others = []
        self.environment = {}
        self.hosts.arrange()
        self.hosts.serve(DOMAIN)
        self.root = certify("mta-sts." + DOMAIN, "mta-sts.example.net")

    def start(self, *records, zone=ZONE, grant="zonesub TXT"):
        """Let the world begin with these records in the zone beside those of ZONE."""
        self.ns1.primary(DOMAIN, *zone, *records, grant=grant)
        self.ns2.secondary(DOMAIN, NS1)
        self.hosts.start()
        self.ns1.start()
        self.ns2.start()
        self.resolver.set(f"{DOMAIN} ZONE {NS1}")
        wait_for(
            lambda: run("dig", "@" + NS2, "+short", DOMAIN, "SOA").output, "a copy of the zone"
        )

    def configure(self, server=NS1, key=KEY, secret=SECRET, algorithm="hmac-sha256", zone=DOMAIN):
        """Let the command change the zone by itself."""
        write(SECRET_FILE, secret + "\n")
        os.chmod(SECRET_FILE, 0o600)
        lines = [f"[{zone}]", f"server = {server}", f"key = {key}", f"algorithm = {algorithm}"]
        write(CONFIG, "\n".join([*lines, f"secret-file = {SECRET_FILE}", ""]))

    def publish(self, *arguments, wait="0", stack="newest", domain=DOMAIN):
        """Run the command; its exit code, and its steps as JSON gives them."""
        done = self.command(
            "publish", domain, "--ca", self.root, "--wait", wait, "--json", *arguments, stack=stack
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def command(self, *arguments, stack="newest"):
        return mtasts(*arguments, stack=stack, env=self.environment)

    def id(self):
        """The id that the policy has in the policy directory."""
        (first, _) = json.loads(self.command("dns", DOMAIN, "--json").stdout)
        return first["data"][len("v=STSv1; id=") : -1]

    def notify(self):
        """Let the second server hear of changes, and wait until it has them."""
        self.ns2.notify(DOMAIN, NS1)
        wait_for(lambda: self.ns2.txt(OWNER) == self.ns1.txt(OWNER), "the secondary is up to date")

    def stop(self):
        for server in (self.ns1, self.ns2, *self.others):
            server.stop()


@pytest.fixture
def world(tmp_path, make_apache, installed, resolver):
    shutil.rmtree(os.path.dirname(CONFIG), ignore_errors=True)
    world = World(str(tmp_path), make_apache(), resolver)
    yield world
    world.stop()


def change(mode="enforce"):
    with open(POLICY_FILE, "w", newline="") as output:
        output.write(POLICY.replace("testing", mode))


def stands():
    with open(POLICY_FILE, newline="") as file:
        return file.read()


def ends(steps):
    """The last step, and that it says how to go on if it is no good end."""
    last = steps[-1]
    if last["state"] in ("waiting", "failed"):
        assert f"mtasts publish {DOMAIN}" in last["remedy"]
    return last["name"], last["state"], last["code"]


@pytest.mark.parametrize("stack", ["bionic", "newest"])
def test_a_change_is_carried_through_and_a_lagging_secondary_is_waited_for(world, stack):
    world.start()
    world.configure()
    code, steps = world.publish(stack=stack)
    assert (code, *ends(steps)) == (1, "verified", "waiting", "record-not-everywhere")
    assert f"ns2.example.org ({NS2}) has no record" in steps[-1]["said"]
    assert "ns1" not in steps[-1]["said"]
    expected = [f'"v=STSv1; id={world.id()};"']
    assert world.ns1.txt(OWNER) == expected
    assert world.ns1.txt(REPORTS) == [DEFAULT_REPORTS]

    threading.Timer(2, lambda: world.ns2.notify(DOMAIN, NS1)).start()
    code, steps = world.publish(wait="60", stack=stack)
    assert (code, *ends(steps)) == (0, "recorded", "done", "")
    assert [step["said"] for step in steps if step["name"] == "record"] == [
        f"{OWNER} has it already",
        f"{REPORTS} has it already",
    ]
    assert world.ns2.txt(OWNER) == expected

    before = world.ns1.log()
    code, steps = world.publish(stack=stack)
    assert code == 0
    assert steps[-1]["said"].startswith("published since ")
    assert world.ns1.log().count("updating zone") == before.count("updating zone")


@pytest.mark.parametrize("stack", ["bionic", "newest"])
def test_a_plan_publishes_what_it_has_changed_and_sees_the_mx_records(world, stack):
    world.start("@ MX 10 mx.example.test.", "@ MX 20 mx2.example.test.")
    world.configure()
    world.environment["SSL_CERT_FILE"] = world.root

    def plan(*options):
        return world.command("plan", DOMAIN, *options, stack=stack)

    assert plan("--add-mx", "mx2.example.test").returncode == 0
    assert plan("--apply").stdout.startswith("Done: Serve mode testing")
    assert "mx: mx2.example.test" in stands()
    fetch = ("fetch", DOMAIN, "--ca", world.root)
    wait_for(lambda: world.command(*fetch).returncode == 0, "the policy is served")
    lagging = plan("--apply")
    assert (lagging.returncode, f"({NS2}) has no record" in lagging.stdout) == (1, True)
    world.notify()
    assert plan("--apply").stdout.startswith("Done: Publish")
    assert world.ns1.txt(OWNER) == world.ns2.txt(OWNER) == [f'"v=STSv1; id={world.id()};"']
    early = plan("--apply")
    assert (early.returncode, "[plan-not-due]" in early.stderr) == (3, True)
    path = os.path.join(os.path.dirname(POLICY_FILE), "plan.json")
    with open(path) as file:
        steps = re.sub(r'"done": "[0-9]{4}', '"done": "2020', file.read())
    write(path, steps)
    assert plan("--apply").stdout.endswith("That was the last step of the plan.\n")


def test_two_at_once_leave_one_record(world):
    world.start()
    world.configure()
    runs = [threading.Thread(target=world.publish) for _ in range(3)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={world.id()};"']
    assert world.ns1.txt(REPORTS) == [DEFAULT_REPORTS]


def test_progress_names_the_server_that_lags(world):
    world.start()
    world.configure()
    argv = [stacks.python("newest"), "-m", "mtasts", "publish", DOMAIN, "--ca", world.root]
    with subprocess.Popen(
        [*argv, "--wait", "120"],
        cwd=stacks.CLONE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    ) as publishing:
        said = next(line for line in publishing.stderr if "progress" in line)
        assert f"progress verified  ns2.example.org ({NS2}) has no record" in said
        world.ns2.notify(DOMAIN, NS1)
    assert publishing.returncode == 0


def test_a_changed_policy_gets_a_new_id_in_place_of_the_old_one(world):
    world.start()
    world.configure()
    world.publish()
    world.notify()
    world.publish()
    first = world.id()
    change()
    code, steps = world.publish()
    assert code == 1
    assert world.id() != first
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={world.id()};"']


def test_nothing_is_published_before_the_policy_is_served(world):
    world.start("mta-sts A 192.0.2.99")
    world.configure()
    code, steps = world.publish()
    assert (code, *ends(steps)) == (1, "served", "waiting", "connect-failed")
    said = {step["said"]: step["state"] for step in steps if step["name"] == "served"}
    assert said == {
        "127.0.0.1 serves it, 68 bytes": "done",
        "mta-sts.example.org at 192.0.2.99 port 443: Network is unreachable": "waiting",
    }
    assert world.ns1.txt(OWNER) == []


def test_nothing_is_published_while_other_bytes_are_served(world):
    world.start()
    world.configure()
    write("/root/other/example.org/mta-sts.txt", POLICY.replace("testing", "enforce"))
    code, steps = world.publish("--policy-dir", "/root/other")
    assert (code, *ends(steps)) == (1, "served", "waiting", "fetch-body")
    assert world.ns1.txt(OWNER) == []


def test_nothing_is_published_while_the_policy_host_has_no_address(world):
    world.start(zone=ZONE[:-1])
    world.configure()
    code, steps = world.publish()
    assert (code, *ends(steps)) == (1, "served", "waiting", "policy-host-without-address")


def test_a_person_publishes_where_nothing_is_configured(world):
    world.start(
        f'{OWNER}. TXT "v=STSv1; id=old;"', f'{REPORTS}. TXT "v=TLSRPTv1; rua=mailto:a@b.example"'
    )
    code, steps = world.publish()
    line = f'{OWNER}. 3600 IN TXT "v=STSv1; id={world.id()};"'
    waiting = [step for step in steps if step["state"] == "waiting"]
    assert code == 1
    assert [step["code"] for step in waiting] == ["record-unpublished"]
    assert "in place of 'v=STSv1; id=old;'" in waiting[0]["remedy"]
    assert line in waiting[0]["remedy"].splitlines()

    world.ns1.update(f"update delete {OWNER} TXT", "update add " + line)
    code, steps = world.publish()
    assert (code, *ends(steps)) == (1, "verified", "waiting", "record-not-everywhere")
    world.notify()
    code, steps = world.publish()
    assert (code, *ends(steps)) == (0, "recorded", "done", "")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(world):
    world.start()
    world.configure()
    code, steps = world.publish("--dry-run", wait="60")
    assert code == 0
    assert [step["state"] for step in steps if step["name"] == "record"] == ["planned", "planned"]
    assert f"would put 'v=STSv1; id={world.id()};' in place of nothing" in steps[-2]["said"]
    assert world.ns1.txt(OWNER) == []
    assert not os.path.exists(f"{POLICIES}/{DOMAIN}/published.jsonl")


@pytest.mark.parametrize("stack", ["bionic", "newest"])
@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"secret": "bm90IHRoZSBzZWNyZXQ="}, "tsig-refused"),
        ({"key": "stranger"}, "tsig-refused"),
        ({"algorithm": "hmac-sha512"}, "tsig-refused"),
        ({"server": NS2}, "update-refused"),
        ({"zone": "org"}, "update-not-authoritative"),
        ({"server": "127.0.0.7"}, "dns-server-timeout"),
    ],
    ids=["secret", "key", "algorithm", "secondary", "parent zone", "nobody"],
)
def test_what_the_server_refuses_is_said_and_changes_nothing(world, settings, code, stack):
    world.start()
    world.configure(**settings)
    ended, steps = world.publish(stack=stack)
    assert (ended, *ends(steps)) == (3, "record", "failed", code)
    assert world.ns1.txt(OWNER) == []


def test_a_key_that_may_not_change_the_zone_is_refused(world):
    world.start(grant="name other.example.org TXT")
    world.configure()
    code, steps = world.publish()
    assert (code, *ends(steps)) == (3, "record", "failed", "update-refused")


def test_settings_for_all_zones_find_the_zone_by_its_soa(world):
    world.start()
    world.configure(zone="*")
    world.publish()
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={world.id()};"']


def test_a_server_that_takes_the_update_and_serves_something_else_is_found_out(world, tmp_path):
    """The key changes a zone that the world does not see."""
    hidden = NameServer(str(tmp_path), NS3)
    world.others.append(hidden)
    hidden.primary(DOMAIN, *ZONE)
    hidden.start()
    world.start(f'{OWNER}. TXT "v=STSv1; id=old;"')
    world.configure(server=NS3)
    code, steps = world.publish()
    assert (code, *ends(steps)) == (1, "verified", "waiting", "record-not-everywhere")
    assert f"ns1.example.org ({NS1}) has 'v=STSv1; id=old;'" in steps[-1]["said"]


@pytest.mark.parametrize(
    ("records", "code", "said"),
    [
        (["@ NS ns3", "ns3 A 127.0.0.7"], "dns-server-timeout", "ns3.example.org (127.0.0.7)"),
        (["@ NS ns3", f"ns3 A {NS3}"], "dns-server-refused", "answers REFUSED"),
        (["@ NS ns.example.com."], "dns-server-without-address", "ns.example.com has no address"),
    ],
    ids=["silent", "refusing", "no address"],
)
def test_a_name_server_that_does_not_do_its_work_is_named(world, tmp_path, records, code, said):
    stranger = NameServer(str(tmp_path), NS3)
    world.others.append(stranger)
    stranger.start()
    world.start(*records)
    world.configure()
    world.publish()
    world.notify()
    ended, steps = world.publish()
    assert (ended, *ends(steps)) == (1, "verified", "waiting", code)
    assert said in steps[-1]["said"]


def test_servers_that_only_ipv6_reaches_are_for_machines_that_have_it(world):
    world.start("@ NS ns3", "ns3 AAAA 2001:db8::99")
    world.configure()
    world.publish()
    world.notify()
    code, steps = world.publish()
    assert (code, *ends(steps)) == (0, "recorded", "done", "")


def test_foreign_records_are_reported_and_left_alone(world):
    world.start(f'{OWNER}. 60 TXT "x" "y"', f'{OWNER}. 60 TXT "v=STSv1; id=old;"')
    world.configure()
    code, steps = world.publish()
    notices = [step for step in steps if step["state"] == "notice"]
    assert [(step["code"], step["said"]) for step in notices] == [
        ("record-foreign", f"{OWNER} has other TXT records: 'xy'")
    ]
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={world.id()};"', '"x" "y"']
    world.notify()
    assert world.publish()[0] == 0


def test_two_records_that_claim_to_be_ours_are_for_a_person_to_sort_out(world):
    records = [f'{OWNER}. TXT "v=STSv1; id={name};"' for name in ("a", "b")]
    world.start(*records)
    world.configure()
    code, steps = world.publish()
    assert (code, *ends(steps)) == (3, "record", "failed", "record-several")
    assert len(world.ns1.txt(OWNER)) == 2


def test_a_record_that_is_none_is_replaced(world):
    world.start(f'{OWNER}. TXT "v=STSv1; id=2024-01-01"')
    world.configure()
    world.publish()
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={world.id()};"']


def test_an_id_of_another_shape_is_adopted(world):
    world.start(f'{OWNER}. TXT "v=STSv1;id=20240101"')
    world.configure()
    code, steps = world.publish("--adopt")
    assert code == 1  # the reports' record is new
    assert world.id() == "20240101"
    assert world.ns1.txt(OWNER) == ['"v=STSv1;id=20240101"']
    world.notify()
    wait_for(lambda: world.ns2.txt(REPORTS), "the secondary is up to date")
    assert world.publish()[0] == 0
    change()
    world.publish()
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={world.id()};"']


def test_an_id_that_proves_to_be_of_these_bytes_stays(world):
    name = "20200101000000" + run("sha256sum", POLICY_FILE).output[:8]
    world.start(f'{OWNER}. TXT "v=STSv1; id={name};"')
    world.configure()
    world.publish()
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={name};"']


def test_where_reports_go_stays_unless_told_otherwise(world):
    world.start(f'{REPORTS}. TXT "v=TLSRPTv1;rua=mailto:a@example.net"')
    world.configure()
    world.publish()
    assert world.ns1.txt(REPORTS) == ['"v=TLSRPTv1;rua=mailto:a@example.net"']
    world.publish("--rua", "mailto:b@example.net")
    assert world.ns1.txt(REPORTS) == ['"v=TLSRPTv1; rua=mailto:b@example.net"']
    write(DEFAULT_SECRET, "0123456789abcdef" * 2)
    world.publish()
    assert world.ns1.txt(REPORTS) == ['"v=TLSRPTv1; rua=mailto:b@example.net"']
    world.publish("--rua", "mailto:b@example.net")
    (record,) = world.ns1.txt(REPORTS)
    assert f"rua=mailto:b@example.net,https://mta-sts.{DOMAIN}/tlsrpt/" in record


def test_rollback_brings_back_the_policy_and_its_id(world):
    world.start()
    world.configure()
    world.publish()
    world.notify()
    assert world.publish()[0] == 0
    first = world.id()
    change()
    world.publish()
    world.notify()
    assert world.publish()[0] == 0

    code, steps = world.publish("--rollback", "--dry-run")
    assert (code, steps[0]["state"], len(steps)) == (0, "planned", 1)
    code, steps = world.publish("--rollback")
    assert (code, *ends(steps)) == (1, "verified", "waiting", "record-not-everywhere")
    assert stands() == POLICY
    assert world.ns1.txt(OWNER) == [f'"v=STSv1; id={first};"']
    world.notify()
    # Interrupted before, it comes to its end now, and does not turn round.
    code, steps = world.publish("--rollback")
    assert (code, steps[0]["said"].split(":")[0]) == (0, "done already")
    assert stands() == POLICY


def test_there_may_be_nothing_to_go_back_to(world):
    world.start()
    done = world.command("publish", DOMAIN, "--rollback")
    assert done.returncode == 3
    assert "[nothing-to-roll-back]" in done.stderr


REPLACE = """
import sys
from mtasts import dns_settings, dns_update
from mtasts.errors import MtastsError
place = dns_update.updater(dns_settings.load(), "_mta-sts.example.org")
present = place.read("_mta-sts.example.org")
print(*present.texts, flush=True)
sys.stdin.readline()
try:
    place.replace("_mta-sts.example.org", present, present.records[0], "v=STSv1; id=mine;")
except MtastsError as error:
    print(error.code)
"""


@pytest.mark.parametrize("stack", ["bionic", "newest"])
def test_what_changes_between_look_and_update_is_not_overwritten(world, stack):
    world.start(f'{OWNER}. TXT "v=STSv1; id=old;"')
    world.configure()
    ours = subprocess.Popen(
        [stacks.python(stack), "-c", REPLACE],
        cwd=stacks.CLONE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    assert ours.stdout.readline() == "v=STSv1; id=old;\n"
    world.ns1.update(f"update delete {OWNER} TXT", f'update add {OWNER} 60 TXT "v=STSv1; id=new;"')
    out, _ = ours.communicate("go\n", timeout=60)
    assert out == "record-changed-meanwhile\n"
    assert world.ns1.txt(OWNER) == ['"v=STSv1; id=new;"']


def test_a_delegated_record_is_changed_for_its_own_domain_only(world):
    world.start(f"{OWNER}. CNAME _mta-sts.customers", '_mta-sts.customers TXT "v=STSv1; id=old;"')
    world.configure()
    code, steps = world.publish()
    waiting = next(step for step in steps if step["state"] == "waiting")
    assert (code, waiting["code"]) == (1, "record-delegated")
    assert "mtasts publish customers.example.org" in waiting["remedy"]
    text = f"v=STSv1; id={world.id()};"
    assert text not in "".join(world.ns1.txt("_mta-sts.customers.example.org"))

    owner = "_mta-sts.customers.example.org"
    world.ns1.update(f"update delete {owner} TXT", f'update add {owner} 60 TXT "{text}"')
    world.notify()
    wait_for(lambda: world.ns2.txt(owner) == [f'"{text}"'], "the secondary is up to date")
    code, steps = world.publish()
    assert (code, *ends(steps)) == (0, "recorded", "done", "")


class Provider(DigitalOcean):
    """DigitalOcean, and the settings that lead to it."""

    def __init__(self, world):
        super().__init__(DOMAIN, self._serve)
        self._name_server = world.ns1
        self.start(world.hosts.apache)
        world.others.append(self)
        world.environment["REQUESTS_CA_BUNDLE"] = self.root

    def _serve(self, name, texts):
        """The provider's name server, in the sandbox."""
        owner = f"{name}.{DOMAIN}."
        lines = [f'update add {owner} 60 TXT "{text}"' for text in texts]
        self._name_server.update(f"update delete {owner} TXT", *lines)

    def configure(self, token=TOKEN, name="digitalocean"):
        write(SECRET_FILE, token + "\n")
        os.chmod(SECRET_FILE, 0o600)
        write(CONFIG, f"[{DOMAIN}]\nprovider = {name}\nauth_token-file = {SECRET_FILE}\n")


@pytest.fixture
def provider(world):
    provider = Provider(world)
    world.start()
    world.resolver.set(f"{DOMAIN} ZONE {NS1}", f"{HOST} A 127.0.0.1")
    provider.configure()
    return provider


@pytest.mark.parametrize("stack", ["system", "newest"])
def test_a_provider_is_told_by_its_api(world, provider, stack):
    provider.add("A", "www", "192.0.2.9")
    provider.add("TXT", "www", "v=spf1 -all")
    provider.add("TXT", "_mta-sts", "v=STSv1; id=old;")
    provider.add("TXT", "_mta-sts", "foreign")
    code, steps = world.publish(stack=stack)
    assert (code, *ends(steps)) == (1, "verified", "waiting", "record-not-everywhere")
    text = f"v=STSv1; id={world.id()};"
    assert [(one["id"], one["name"], one["data"]) for one in provider.records if one["id"] > 2] == [
        (3, "_mta-sts", text),
        (4, "_mta-sts", "foreign"),
        (5, "_smtp._tls", DEFAULT_REPORTS.strip('"')),
    ]
    assert "record-foreign" in [step["code"] for step in steps]
    world.notify()
    code, steps = world.publish(stack=stack)
    assert (code, *ends(steps)) == (0, "recorded", "done", "")


@pytest.mark.parametrize("stack", ["system", "newest"])
def test_a_provider_that_refuses_is_quoted_without_the_token(world, provider, stack):
    provider.configure(token="dop_v1_wrong")
    code, steps = world.publish(stack=stack)
    assert (code, *ends(steps)) == (3, "record", "failed", "provider-failed")
    assert "401" in steps[-1]["said"]
    assert "dop_v1_wrong" not in json.dumps(steps)
    provider.configure(name="nobody")
    code, steps = world.publish(stack=stack)
    assert (code, *ends(steps)) == (3, "record", "failed", "provider-failed")


def test_without_lexicon_a_provider_cannot_be_told(world, provider):
    code, steps = world.publish(stack="bionic")
    assert (code, *ends(steps)) == (3, "record", "failed", "lexicon-missing")


@pytest.mark.parametrize(
    ("records", "remedy"),
    [
        ([f"{OWNER}. CNAME other"], "published at other.example.org."),
        ([f"{OWNER}. CNAME _mta-sts.`id`"], "published at _mta-sts.`id`.example.org."),
        (
            [f"{OWNER}. CNAME _mta-sts.one", "_mta-sts.one CNAME _mta-sts.two"],
            "mtasts publish two.example.org",
        ),
    ],
    ids=["another name", "hostile name", "two aliases"],
)
def test_an_alias_that_leads_to_no_record_is_said(world, records, remedy):
    world.start(*records)
    world.configure()
    code, steps = world.publish()
    assert (code, *ends(steps)) == (1, "record", "waiting", "record-delegated")
    assert remedy in steps[-1]["remedy"].splitlines()[0]


def test_a_domain_without_zone_is_said(world):
    world.start()
    write(f"{POLICIES}/example.net/mta-sts.txt", POLICY)
    world.resolver.set("mta-sts.example.net A 127.0.0.1")
    code, steps = world.publish(domain="example.net")
    assert (code, steps[-1]["code"]) == (3, "zone-missing")
