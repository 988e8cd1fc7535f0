"""mtasts report watch as its systemd unit runs it: without capabilities, by sendmail of Postfix."""

import datetime
import email
import os

import pytest

import webhook
from reports import as_json, days, failure, policy, report
from rig import account, stacks
from rig.apache import write
from rig.policy_host import POLICIES, POLICY
from rig.process import run

ROOTS = "/usr/local/share/roots.pem"
NOW = datetime.datetime.now(datetime.timezone.utc)
YESTERDAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - days(1)
LOST = failure("certificate-expired", 3, receiving_mx_hostname="mx.example.test")


@pytest.fixture
def watch(tmp_path):
    """Run it as the unit does, on a ledger in which example.test has met an expired certificate."""
    mtasts = [stacks.python("newest"), "-m", "mtasts", "report"]
    about = policy("example.test", failures=[LOST])
    write(POLICIES + "/example.test/mta-sts.txt", POLICY)
    path = tmp_path / "report.json"
    path.write_bytes(as_json(report("a", [about], start=YESTERDAY)))
    with account.made("mtasts-reports", "/var/lib/mtasts/reports") as unit:
        run(*mtasts, "add", str(path))

        def run_it(*arguments, unit=unit):
            return run(*unit, *mtasts, "watch", "--grade", "file", *arguments, check=False)

        yield run_it


def test_the_mail_is_in_the_queue_once(watch, maildrop):
    for _ in range(2):
        done = watch("--mail", "postmaster@example.test")
        assert done.code == 0, done
    (mail,) = map(email.message_from_string, maildrop())
    assert mail["Subject"] == "mtasts: certificate-expired (example.test)"
    assert mail["To"] == "postmaster@example.test"


def test_a_run_by_root_leaves_the_state_to_the_account(watch):
    assert "[alert-certificate-expired]" in watch(unit=[]).output
    done = watch()
    assert (done.code, done.output) == (0, "")


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """A web server for localhost, whose certificate the machine trusts."""
    with webhook.running(str(tmp_path)) as hook:
        run("install", "-m", "644", hook.roots, ROOTS)  # where the account can read it
        monkeypatch.setenv("SSL_CERT_FILE", ROOTS)
        yield hook


def test_a_webhook_that_was_closed_gets_it_when_it_is_open(watch, hook):
    hook.status = 503
    done = watch("--webhook", hook.url)
    assert done.code == 3
    assert "[webhook-failed]" in done.output
    hook.status = 204
    hook.came.clear()
    for _ in range(2):
        assert watch("--webhook", hook.url).code == 0
    ((_, _, facts),) = hook.came
    assert [one["code"] for one in facts["alerts"]] == ["alert-certificate-expired"]


def test_systemd_takes_the_units():
    run("install", "-m", "755", "/bin/true", "/usr/local/bin/mtasts")
    units = [
        os.path.join(stacks.CLONE, "apache", f"mtasts-report-watch.{kind}")
        for kind in ("service", "timer")
    ]
    assert run("systemd-analyze", "verify", *units).output == ""
