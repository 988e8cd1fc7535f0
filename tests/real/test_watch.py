"""mtasts watch as its systemd unit runs it: without capabilities, with sendmail of Postfix."""

import email
import os
import shutil

import pytest

from rig import stacks
from rig.process import run

STATE = "/var/lib/mtasts/watch"
POLICIES = "/var/lib/mtasts/policies"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 604800\r\n"


@pytest.fixture
def watch(resolver):
    """Run the command as the unit does; the policy host of example.test has no address."""
    resolver.set("example.test MX 10 mx.example.test")
    run("useradd", "--system", "--user-group", "--no-create-home", "mtasts-watch")
    os.makedirs(POLICIES + "/example.test", exist_ok=True)
    with open(POLICIES + "/example.test/mta-sts.txt", "w", newline="") as file:
        file.write(POLICY)
    os.makedirs(STATE, mode=0o700)
    run("chown", "mtasts-watch:mtasts-watch", STATE)
    account = ["--reuid=mtasts-watch", "--regid=mtasts-watch", "--clear-groups"]
    unit = ["setpriv", *account, "--bounding-set=-all", "--inh-caps=-all", "--"]

    def run_it(*arguments, unit=unit):
        return run(*unit, stacks.python("newest"), "-m", "mtasts", "watch", *arguments, check=False)

    yield run_it
    run("userdel", "mtasts-watch")
    shutil.rmtree(STATE)


def test_the_mail_is_in_the_queue_and_is_not_sent_again(watch, maildrop):
    done = watch("--mail", "postmaster@example.test")
    assert done.code == 0, done
    (mail,) = map(email.message_from_string, maildrop())
    assert mail["Subject"].startswith("mtasts: ")
    assert mail["To"] == "postmaster@example.test"
    assert "[policy-host-missing]" in mail.get_payload()
    watch("--mail", "postmaster@example.test")
    assert watch("--mail", "postmaster@example.test").code == 0
    assert sum("[policy-host-missing]" in mail for mail in maildrop()) == 1


def test_a_run_by_root_leaves_the_state_to_the_account(watch):
    assert "[policy-host-missing]" in watch(unit=[]).output
    assert "[policy-host-missing]" not in watch().output
    assert watch().code == 0


def test_systemd_takes_the_units():
    run("install", "-m", "755", "/bin/true", "/usr/local/bin/mtasts")
    units = [
        os.path.join(stacks.CLONE, "apache", f"mtasts-watch.{kind}")
        for kind in ("service", "timer")
    ]
    assert run("systemd-analyze", "verify", *units).output == ""
