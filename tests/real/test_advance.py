"""A domain goes from testing to enforce, or is refused: BIND, Apache as policy host, Postfix."""

import datetime
import json
import os
import shutil

import pytest
import trustme

from mtasts.domain import Domain
from mtasts.holder import ClassName
from mtasts.ledger import place, writing
from mtasts.ledger.database import Database
from mtasts.ledger.entry import Entry
from mtasts.policy import Mode, Policy
from mtasts.policy_file import read_bytes
from mtasts.publications import Publication, add
from mtasts.spool import Arrival
from mtasts.store import Store
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import Failure, PolicyResult, Report
from rig.apache import write
from rig.command import mtasts
from rig.named import KEY, SECRET, NameServer
from rig.policy_host import POLICIES, PolicyHosts, certify
from rig.postfix import Postfix
from rig.process import wait_for

DOMAIN, OTHER = Domain("example.org"), Domain("example.net")
CLASS = ClassName("@mx-cluster-a")
MX = "mx.example.org"
ADDRESS = "192.0.2.1"
OWNER = "_mta-sts.example.org"
ZONE = [
    "@ NS ns1",
    f"ns1 A {ADDRESS}",
    "@ MX 10 mx",
    "mx A 127.0.0.1",
    "mta-sts A 127.0.0.1",
    '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@example.org"',
]
OTHER_ZONE = [
    f"@ NS ns1.{DOMAIN}.",
    f"@ MX 10 {MX}.",
    "mta-sts A 127.0.0.1",
    '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@example.net"',
]
CONFIG, SECRET_FILE = "/etc/mtasts/dns.ini", "/etc/mtasts/tsig.secret"
DAY = datetime.timedelta(days=1)
TESTING = Policy(Mode.TESTING, 86401, (MX,))
ENFORCE = Policy(Mode.ENFORCE, 86401, (MX,))


class World:
    """example.org, in testing for 20 days: its zone, its policy host, its MX host, its ledger."""

    def __init__(self, directory, apache, resolver):
        self.directory = directory
        self.hosts = PolicyHosts(apache, resolver)
        self.resolver = resolver
        self.dns = NameServer(directory, ADDRESS)
        self.postfix = Postfix(MX, directory)
        self.store = Store(POLICIES)
        self.asked = DOMAIN
        self.ledger = os.path.join(directory, "ledger.sqlite")
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.roots = os.path.join(directory, "roots.pem")

    def start(self):
        """Let everything run as it does when all is well."""
        self.hosts.arrange()
        authority = trustme.CA()
        with open(self.roots, "wb") as roots:
            roots.write(authority.cert_pem.bytes())
            for domain in (DOMAIN, OTHER):
                with open(certify("mta-sts." + domain), "rb") as root:
                    roots.write(root.read())
        chain = os.path.join(self.directory, "mx.pem")
        authority.issue_cert(MX).private_key_and_cert_chain_pem.write_to_path(chain)
        self.tls = {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": chain}
        for domain, zone in ((DOMAIN, ZONE), (OTHER, OTHER_ZONE)):
            entry = self.store.write(domain, TESTING.to_bytes(), self.now - 20 * DAY)
            add(POLICIES, Publication(domain, entry.id, entry.first, TESTING.to_bytes()))
            self.dns.primary(domain, *zone, f'_mta-sts TXT "v=STSv1; id={entry.id};"')
        self.dns.start()
        self.resolver.set(*(f"{domain} ZONE {ADDRESS}" for domain in (DOMAIN, OTHER)))
        self.hosts.start()
        self.postfix.start(self.tls)

    def configure(self):
        """Let the command change the zone by itself."""
        write(SECRET_FILE, SECRET + "\n")
        os.chmod(SECRET_FILE, 0o600)
        lines = [f"server = {ADDRESS}", f"key = {KEY}", "algorithm = hmac-sha256"]
        lines += [f"secret-file = {SECRET_FILE}", ""]
        write(CONFIG, "\n".join([f"[{DOMAIN}]", *lines, f"[{OTHER}]", *lines]))

    def assign(self):
        """Let both domains have the policy of a class, and ask for that."""
        self.store.write(CLASS, TESTING.to_bytes(), self.now - 20 * DAY)
        for domain in (DOMAIN, OTHER):
            self.store.assign(domain, CLASS, self.now - 20 * DAY)
        self.asked = CLASS

    def report(
        self, *failures, days=range(1, 10), grade=Grade.DKIM, by="Example Mail", about=DOMAIN
    ):
        """Reports about so many days, as they are kept once their mails were verified."""
        lines = tuple(str(self.store.read(DOMAIN)).split("\r\n")[:-1])
        database = Database(place.parse(self.ledger))
        for day in days:
            start = (self.now - day * DAY).replace(hour=0, minute=0, second=0)
            failed = sum(one.sessions for one in failures)
            result = PolicyResult("sts", about, lines, (), 500, failed, failures)
            name = f"{by} {day} {about}"
            report = Report(by, name, start, start + DAY, None, (result,), ())
            arrival = Arrival(name.encode(), start + DAY, "mail")
            writing.add(database, [Entry(arrival, grade, (report,))])
        database.close()

    def advance(self, *options, stack="newest"):
        """Run the command; its exit code, and what it says as JSON."""
        done = self.command("advance", *options, "--json", stack=stack)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def command(self, name, *options, stack="newest"):
        words = [name, self.asked, "--ca", self.roots, *options]
        if name == "advance":
            words += ["--ledger", self.ledger, "--wait", "20"]
        return mtasts(*words, stack=stack)

    def record(self, domain=DOMAIN):
        return self.dns.txt("_mta-sts." + domain)

    def id(self, domain=DOMAIN):
        return self.store.last(domain).id

    def later(self, days):
        """Let so many days pass for what is dated beside the policy."""
        folder = os.path.join(POLICIES, DOMAIN)
        with open(os.path.join(folder, "history.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        for line in lines:
            first = datetime.datetime.strptime(line["first"], "%Y-%m-%dT%H:%M:%SZ")
            line["first"] = (first - days * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write(os.path.join(folder, "history.jsonl"), text)

    def stop(self):
        self.postfix.stop()
        self.dns.stop()


@pytest.fixture
def world(tmp_path, make_apache, installed, resolver):
    shutil.rmtree(os.path.dirname(CONFIG), ignore_errors=True)
    world = World(str(tmp_path), make_apache(), resolver)
    world.start()
    yield world
    world.stop()


def against(said):
    """The codes of what speaks against the step, or leaves it open."""
    every = [*said["evidence"], *(one for each in said["domains"] for one in each["evidence"])]
    return {one["code"] for one in every if one["severity"] in ("error", "unknown")}


@pytest.mark.parametrize("stack", ["bionic", "newest"])
def test_a_domain_goes_to_enforce_and_dns_says_so(world, stack):
    world.configure()
    world.report()
    before = world.record()
    code, said = world.advance(stack=stack)
    assert (code, said["verdict"], against(said)) == (0, "yes", set())
    assert world.store.read(DOMAIN) == TESTING
    said = world.command("advance", stack=stack).stdout
    assert said.startswith("example.org: yes: from mode testing, max_age 86401 to mode enforce")
    assert said.endswith("\nTake the step: mtasts advance example.org --apply\n")

    unasked = world.command("advance", "--apply", stack=stack)
    assert (unasked.returncode, "[change-unconfirmed]" in unasked.stderr) == (3, True)
    assert (world.store.read(DOMAIN), world.record()) == (TESTING, before)

    code, said = world.advance("--apply", "--yes", stack=stack)
    assert (code, said["written"]) == (0, True)
    assert [step["name"] for step in said["steps"]][-1] == "recorded"
    assert world.store.read(DOMAIN) == ENFORCE
    assert world.record() == [f'"v=STSv1; id={world.id()};"'] != before
    assert world.command("fetch", stack=stack).returncode == 0

    code, said = world.advance("--apply", "--yes", stack=stack)
    assert (code, said["verdict"], said["written"]) == (1, "unknown", False)
    assert against(said) == {"advance-unkept", "advance-reports-few"}

    world.later(9)
    world.report(by="Sample Post")
    code, said = world.advance("--apply", "--yes", stack=stack)
    assert (code, said["written"], said["to"]["max_age"]) == (0, True, 604800)
    assert world.record() == [f'"v=STSv1; id={world.id()};"']


def test_a_class_goes_on_when_all_of_its_domains_may(world):
    world.configure()
    world.assign()
    world.report()
    code, said = world.advance("--apply", "--yes")
    assert (code, said["name"], said["verdict"], said["written"]) == (1, CLASS, "unknown", False)
    verdicts = {one["domain"]: one["verdict"] for one in said["domains"]}
    assert (verdicts, against(said)) == (
        {DOMAIN: "yes", OTHER: "unknown"},
        {"advance-reports-missing"},
    )
    shown = world.command("advance").stdout
    assert "asked: 2 domains: yes 1, unknown 1\n  example.net: unknown" in shown

    world.report(about=OTHER)
    code, said = world.advance("--apply", "--yes")
    assert (code, said["verdict"], said["written"]) == (0, "yes", True)
    assert said["would_stop"]["total"] == 9000
    assert [one["domain"] for one in said["steps"] if one["name"] == "recorded"] == [OTHER, DOMAIN]
    for domain in (DOMAIN, OTHER):
        assert world.store.read(domain) == ENFORCE
        assert world.record(domain) == [f'"v=STSv1; id={world.id(domain)};"']
    assert world.store.read(CLASS) == ENFORCE


def test_a_class_is_held_back_by_the_one_domain_whose_hosts_fail(world):
    """And under enforce, the way back names what is to be done for all of its domains."""
    world.configure()
    world.assign()
    world.store.write(CLASS, ENFORCE.to_bytes(), world.now)
    world.report(Failure("starttls-not-supported", 13, receiving_mx_hostname=MX), about=OTHER)
    code, said = world.advance()
    assert (code, said["verdict"]) == (2, "no")
    assert said["back"]["commands"][0] == f"mtasts set {CLASS} --mode testing --max-age 86401"


def test_a_domain_whose_mail_fails_is_refused(world):
    """By what is reported, and by what is seen."""
    world.configure()
    world.report(Failure("starttls-not-supported", 13, receiving_mx_hostname=MX), days=(1,))
    world.report(days=range(2, 10))
    before = world.record()
    code, said = world.advance("--apply", "--yes")
    assert (code, said["verdict"], said["written"]) == (2, "no", False)
    assert against(said) == {"advance-failures-receiving"}
    assert said["would_stop"] == {
        "sessions": 13,
        "total": 4513,
        "senders": ["Example Mail"],
        "mx_hosts": [MX],
    }
    world.postfix.stop()
    world.postfix.start({"smtpd_tls_security_level": "none"})
    code, said = world.advance("--apply", "--yes")
    assert (code, against(said)) == (2, {"advance-failures-receiving", "mx-host-no-starttls"})
    assert (world.store.read(DOMAIN), world.record()) == (TESTING, before)


def test_what_cannot_be_seen_leaves_it_open(world):
    world.configure()
    world.report()
    world.postfix.stop()
    code, said = world.advance("--apply", "--yes")
    assert (code, said["verdict"], against(said)) == (1, "unknown", {"mx-host-unreachable"})
    assert world.store.read(DOMAIN) == TESTING


def test_unproven_reports_do_not_push(world):
    world.configure()
    world.report(grade=Grade.FILE)
    code, said = world.advance("--apply", "--yes")
    assert (code, against(said)) == (1, {"advance-reports-missing"})
    assert world.advance("--grade", "file")[0] == 0


def test_a_step_that_a_person_publishes_is_finished_by_the_next_run(world):
    world.report()
    done = world.command("advance", "--apply", "--yes")
    assert done.returncode == 1
    assert "[record-unpublished]" in done.stdout
    assert world.store.read(DOMAIN) == ENFORCE
    assert world.record() != [f'"v=STSv1; id={world.id()};"']
    query = world.command("advance")
    assert (query.returncode, "[status-record-behind]" in query.stdout) == (2, True)
    record = f'{OWNER}. 3600 IN TXT "v=STSv1; id={world.id()};"'
    world.dns.update(f"update delete {OWNER} TXT", "update add " + record)
    again = world.command("advance", "--apply", "--yes")
    assert (again.returncode, "recorded" in again.stdout) == (0, True)
    assert again.stdout.startswith("example.org: the step is taken already, and published now\n")
    assert len(world.store.history(DOMAIN)) == 2
    assert against(world.advance()[1]) == {"advance-unkept", "advance-reports-few"}


def test_a_step_that_was_interrupted_comes_to_the_same_end(world):
    """The policy was written, and then the power failed."""
    world.configure()
    world.report()
    world.store.write(DOMAIN, ENFORCE.to_bytes(), world.now)
    wait_for(lambda: world.command("fetch").returncode == 0, "the policy is served")
    code, said = world.advance("--apply")
    assert (code, said["verdict"], said["written"]) == (0, None, False)
    assert world.record() == [f'"v=STSv1; id={world.id()};"']
    assert read_bytes(POLICIES, DOMAIN) == ENFORCE.to_bytes()
