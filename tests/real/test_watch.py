"""mtasts watch as its systemd unit runs it: without capabilities, with sendmail of Postfix."""

import email
import os

import pytest

from rig import account, stacks
from rig.apache import write
from rig.policy_host import POLICIES, POLICY
from rig.process import run


@pytest.fixture
def watch(resolver):
    """Run the command as the unit does; the policy host of example.test has no address."""
    resolver.set("example.test MX 10 mx.example.test")
    write(POLICIES + "/example.test/mta-sts.txt", POLICY)
    mtasts = [stacks.python("newest"), "-m", "mtasts"]
    with account.made("mtasts-watch", "/var/lib/mtasts/watch") as unit:
        yield lambda *options, unit=unit: run(*unit, *mtasts, "watch", *options, check=False)


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
