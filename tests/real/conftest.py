"""Fixtures of the laboratory (tests/rig): a fresh machine for each test, one Pebble for all."""

import contextlib
import os
import shutil

import pytest

from rig import distribution, machine, stacks
from rig.acme import Pebble
from rig.apache import Apache
from rig.certbot import Certbot
from rig.debian import Debian
from rig.dns import Resolver
from rig.policy_host import PolicyHosts
from rig.process import run
from rig.set_up import DOMAIN, OTHER, Host

MAILDROP = "/var/spool/postfix/maildrop"
MAIN_CF = "compatibility_level = 3.6\nmyorigin = mail.example.test\nmaillog_file = /dev/stdout\n"


def pytest_configure():
    if "MTASTS_SANDBOX" not in os.environ:
        raise pytest.UsageError("these tests change the machine: run them by tests/sandbox")


@pytest.fixture(scope="session")
def new_machine():
    machine.make_fresh()


@pytest.fixture(autouse=True)
def fresh_machine(new_machine):
    """/etc/apache2, /etc/letsencrypt and the like as on a new machine, for each test."""
    machine.restore()
    yield
    Apache().stop()


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Our distribution, visible to every stack's Python and to the machine's own."""
    return distribution.install(str(tmp_path_factory.mktemp("distribution")))


@pytest.fixture
def resolver(tmp_path):
    """The machine's DNS: an empty table, until the test sets one."""
    resolver = Resolver(str(tmp_path))
    resolver.set()
    yield resolver
    resolver.stop()


@pytest.fixture(scope="session")
def pebble(tmp_path_factory):
    """A CA that issues for five years; it asks the resolver of the running test."""
    ca = Pebble(str(tmp_path_factory.mktemp("pebble")))
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture
def make_apache(fresh_machine):
    """An Apache with a ``wsgi`` stack and ``mpm``, ready for configuration; stopped at the end."""

    def prepare(wsgi: str = "system", mpm: str = "event") -> Apache:
        apache = Apache(wsgi, mpm)
        apache.prepare()
        return apache

    return prepare


@pytest.fixture(params=list(stacks.CERTBOTS))
def certbot(request, fresh_machine, installed, pebble, resolver):
    """Every version of certbot in turn, with our plugin installed."""
    return Certbot(request.param, pebble)


@pytest.fixture
def newest_certbot(fresh_machine, installed, pebble, resolver):
    """Only the newest certbot, with our plugin installed."""
    return Certbot("newest", pebble)


@pytest.fixture(params=["0.27.0", "newest"])
def certbot_of_both_ends(request, fresh_machine, installed, pebble, resolver):
    """The oldest and the newest certbot, where what lies between adds nothing."""
    return Certbot(request.param, pebble)


@pytest.fixture
def make_certbot(fresh_machine, installed, pebble, resolver):
    """Any version of certbot, with our plugin installed."""
    return lambda version: Certbot(version, pebble)


@pytest.fixture
def policy_hosts(make_apache, installed, resolver):
    """Apache as apache/setup leaves it, running; policies for example.test and example2.test."""
    hosts = PolicyHosts(make_apache(), resolver)
    hosts.arrange()
    hosts.serve("example.test", "example2.test")
    hosts.start()
    return hosts


@pytest.fixture
def make_debian(fresh_machine):
    """A newly installed system of one of debian.SUITES, to chroot into; thrown away at the end."""
    with contextlib.ExitStack() as machines:
        yield lambda suite: machines.enter_context(Debian(suite))


@pytest.fixture
def new_host(make_debian, pebble, resolver):
    """A newly installed system, not set up yet, to which the policy hosts of two domains lead."""
    for_each = "mta-sts.{0} A 127.0.0.1\n{0} MX 10 mx.{0}"
    resolver.set(*(for_each.format(domain) for domain in (DOMAIN, OTHER)))
    return lambda suite="bookworm": Host(make_debian(suite), pebble)


@pytest.fixture
def maildrop():
    """Postfix as Debian has it, with nobody who empties its queue."""
    with open("/etc/postfix/main.cf", "w") as file:
        file.write(MAIN_CF)
    shutil.copy("/usr/share/postfix/master.cf.dist", "/etc/postfix/master.cf")
    for name in os.listdir(MAILDROP):
        os.unlink(os.path.join(MAILDROP, name))

    def mails():
        paths = [os.path.join(MAILDROP, name) for name in os.listdir(MAILDROP)]
        return [run("postcat", "-h", "-b", path).output for path in sorted(paths)]

    return mails
