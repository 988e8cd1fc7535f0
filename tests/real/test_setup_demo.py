"""apache/setup --demo on newly installed systems: there and back again, and after being killed."""

import pytest

from rig.set_up import difference, kill_at, packages, processes, tree

POLICY = ["version: STSv1", "mode: testing", "mx: mx.example.test", "max_age: 86401"]


@pytest.fixture
def debian(make_debian):
    """A newly installed Debian 12, with a file that every machine has and a chroot may lack."""
    return new(make_debian, "bookworm")


def new(make_debian, suite):
    machine = make_debian(suite)
    with open(machine.path("/etc/hosts"), "w") as hosts:
        hosts.write("127.0.0.1 localhost\n")
    return machine


@pytest.mark.parametrize(("suite", "more"), [("bookworm", ["--reports"]), ("trixie", [])])
def test_the_demo_comes_and_goes(make_debian, suite, more):
    machine = new(make_debian, suite)
    before, packages_before = tree(machine), packages(machine)

    first = machine.run("apache/setup", "--demo", *more).output
    lines = first.splitlines()
    served = lines.index("HTTP/2 200 ")
    assert lines[served - 1].startswith("$ curl ")
    assert "--cacert" in lines[served - 1]
    assert lines[lines.index(POLICY[0]) :][:4] == POLICY
    assert '_mta-sts.example.test. 3600 IN TXT "v=STSv1; id=' in first
    assert ("example.test/tlsrpt/" in first) == bool(more)
    assert "apache/setup --demo --remove" in first
    assert {"apache2", "dnsmasq", "pebble"} <= set(processes(machine))

    settled = tree(machine)
    second = machine.run("apache/setup", "--demo").output
    assert "Nothing had to be changed." in second
    assert "done " not in second
    assert difference(settled, tree(machine), but=".log") == []

    machine.run("apache/setup", "--demo", "--remove")
    assert difference(before, tree(machine)) == []
    assert packages(machine) == packages_before
    assert processes(machine) == []
    assert "is not on this machine" in machine.run("apache/setup", "--demo", "--remove").output


def test_a_demo_that_is_killed_at_any_step_goes_on(debian):
    before = tree(debian)
    for marker in (
        "installing ",
        "done  dnsmasq",
        "done  python packages",
        "done  apache files",
        "done  apache switches",
        "done  policy",
        "ordering a certificate",
    ):
        kill_at(debian, marker, "apache/setup", "--demo")
    done = debian.run("apache/setup", "--demo").output
    assert "HTTP/2 200" in done
    settled = tree(debian)
    assert "Nothing had to be changed." in debian.run("apache/setup", "--demo").output
    assert difference(settled, tree(debian), but=".log") == []

    kill_at(debian, "removing ", "apache/setup", "--demo", "--remove")
    debian.run("apache/setup", "--demo", "--remove")
    assert difference(before, tree(debian)) == []
    assert processes(debian) == []
