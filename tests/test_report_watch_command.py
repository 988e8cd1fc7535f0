"""mtasts report watch as cron runs it: its ways, its exit codes, what is told again."""

import datetime
import json
import os

import pytest

from mtasts.domain import Domain
from mtasts.policy import Mode, Policy
from mtasts.store import Store
from reports import as_json, days, failure, policy, report

NOW = datetime.datetime.now(datetime.timezone.utc)
YESTERDAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - days(1)
LOST = failure("certificate-expired", 3, receiving_mx_hostname="mx1.example.org")


@pytest.fixture
def command(mtasts, tmp_path):
    """Run it on a ledger in which example.org has met an expired certificate."""
    served = Policy(Mode.TESTING, 86400, ("mx1.example.org",)).to_bytes()
    Store(str(tmp_path / "policies")).write(Domain("example.org"), served, YESTERDAY - days(30))
    ledger = str(tmp_path / "ledger.sqlite")
    path = tmp_path / "report.json"
    path.write_bytes(as_json(report("a", [policy(failures=[LOST])], start=YESTERDAY)))
    assert mtasts("report", "add", "--ledger", ledger, str(path))[0] == 0
    fixed = ["report", "watch", "--ledger", ledger, "--state", str(tmp_path / "w" / "state.json")]

    def run(*arguments, **variables):
        return mtasts(*fixed, "--grade", "file", *arguments, **variables)

    return run


@pytest.fixture
def program(tmp_path):
    """A script that keeps what it gets in the file `got`, then does something."""
    path = tmp_path / "program"

    def make(then):
        path.write_text(f"#!/bin/sh\ncat >>{tmp_path}/got\necho >>{tmp_path}/got\n{then}\n")
        path.chmod(0o755)
        return str(path)

    make.got = tmp_path / "got"
    return make


def test_it_prints_what_is_new_once(command):
    code, out, err = command()
    assert (code, err) == (0, "")
    assert out.startswith("new warning: senders meet a certificate that has expired [alert-")
    assert "3 of 103 sessions in 7 days" in out
    assert "the last 7 days of 1 domain: 100 successful, 3 failed (sessions)\n" in out
    assert command() == (0, "", "")


def test_programs_get_a_document_in_any_case(command):
    first = json.loads(command("--json", "--digest", "never")[1])
    assert (first["schema"], first["alert_count"]) == ("mtasts-report-watch/1", 1)
    assert first["digest"] is None
    second = json.loads(command("--json", "--digest", "never")[1])
    assert (second["subject"], second["alerts"]) == ("", [])


def test_a_command_that_fails_is_told_again_until_it_works(command, program):
    code, out, err = command("--command", program("echo full >&2; exit 1"))
    assert (code, out) == (3, "")
    assert "ended with 1: full [command-failed]" in err
    for _ in range(2):
        assert command("--command", program("exit 0")) == (0, "", "")
    first, second = program.got.read_text().splitlines()
    assert json.loads(first)["alerts"] == json.loads(second)["alerts"] != []


def test_who_is_killed_between_telling_and_remembering_tells_it_once_more(command, program):
    assert command("--command", program("kill -9 $PPID"))[0] == -9
    for _ in range(2):
        assert command("--command", program("exit 0"))[0] == 0
    assert len(program.got.read_text().splitlines()) == 2


def test_a_mail_says_it_too(command, tmp_path):
    sendmail = tmp_path / "bin" / "sendmail"
    sendmail.parent.mkdir()
    sendmail.write_text(f"#!/bin/sh\ncat >{tmp_path}/mail\n")
    sendmail.chmod(0o755)
    path = f"{sendmail.parent}:{os.environ['PATH']}"
    assert command("--mail", "root", PATH=path) == (0, "", "")
    mail = (tmp_path / "mail").read_text()
    assert "Subject: mtasts: certificate-expired (example.org)\n" in mail
    assert "mtasts report watch on " in mail


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--command", "/nowhere"], "command-missing"),
        (["--command", "/bin/true", "--json"], "watch-json-elsewhere"),
        (["--ledger", "/nowhere/ledger.sqlite"], "ledger-missing"),
        (["--policy-dir", "/nowhere"], "policy-directory"),
    ],
)
def test_what_cannot_be_done_is_said(command, options, code):
    exit_code, out, err = command(*options)
    assert (exit_code, out) == (3, "")
    assert f"[{code}" in err


@pytest.mark.parametrize("share", ["-1", "101", "nan", "much"])
def test_a_share_is_a_number_from_0_to_100(command, share):
    code, _, err = command("--share", share)
    assert (code, "[share-invalid]" in err) == (2, True)


def test_who_has_no_domains_is_told_nothing(command, tmp_path):
    (tmp_path / "none").mkdir()
    assert command("--policy-dir", str(tmp_path / "none")) == (0, "", "")
