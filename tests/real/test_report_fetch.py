"""mtasts report fetch out of a real IMAP server, with keys of signatures from a real DNS server."""

import base64
import contextlib
import json
import os
import re
import signal
import subprocess

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rig import stacks
from rig.apache import write
from rig.dovecot import HOST, PASSWORD, Dovecot, token
from rig.process import run

ADDRESS = f"{HOST} A 127.0.0.1"
OTHER_MAIL = b"From: a@example.org\r\nSubject: Lunch?\r\n\r\nAt one?\r\n"
LEDGER, STATE = "/var/lib/mtasts/reports/ledger.sqlite", "/var/lib/mtasts/imap/state.json"
SECRETS = {"--password-file": "/etc/imap-password", "--token-file": "/etc/imap-token"}
REPORT = """From: {author}
To: tls@example.net
Subject: Report Domain: example.net Submitter: example.org Report-ID: <{number}@example.org>
TLS-Report-Domain: example.net
MIME-Version: 1.0
Content-Type: application/tlsrpt+json

{json}
"""


def report(number=1, author="tls@example.org"):
    said = {
        "organization-name": "Example",
        "date-range": {
            "start-datetime": "2026-03-01T00:00:00Z",
            "end-datetime": "2026-03-01T23:59:59Z",
        },
        "contact-info": "tls@example.org",
        "report-id": f"{number}@example.org",
        "policies": [
            {
                "policy": {"policy-type": "no-policy-found", "policy-domain": "example.net"},
                "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
            }
        ],
    }
    text = REPORT.format(author=author, number=number, json=json.dumps(said))
    return text.replace("\n", "\r\n").encode()


class Fetching:
    """The command against a running server."""

    def __init__(self, server, resolver):
        self.server, self.resolver = server, resolver
        for option, said in zip(SECRETS, (PASSWORD, token())):
            write(SECRETS[option], said + "\n")
            os.chmod(SECRETS[option], 0o600)
        os.makedirs(os.path.dirname(LEDGER), exist_ok=True)
        resolver.set(ADDRESS)

    def argv(self, *options, secret="--password-file", ca=None, stack="newest"):  # noqa: S107 - an option
        argv = [stacks.python(stack), "-m", "mtasts", "report", "fetch", "--server", HOST]
        argv += ["--user", "reports", secret, SECRETS[secret], "--ca", ca or self.server.ca]
        return [*argv, "--ledger", LEDGER, "--state", STATE, *options]

    def __call__(self, *options, **given):
        """Run it; its exit code and all that it said."""
        return self._said(self.argv(*options, **given))

    def rows(self):
        """What the ledger has, as `mtasts report list` says it."""
        argv = [stacks.python("newest"), "-m", "mtasts", "report", "list", "--ledger", LEDGER]
        return json.loads(self._said([*argv, "--json"])[1])

    @staticmethod
    def _said(argv):
        done = subprocess.run(
            argv,
            cwd=stacks.CLONE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout


@pytest.fixture
def fetch(fresh_machine, resolver):
    server = Dovecot()
    server.start()
    yield Fetching(server, resolver)
    server.stop()


@pytest.mark.parametrize(
    ("secret", "stack"), [("--password-file", "newest"), ("--token-file", "bionic")]
)
def test_only_what_is_new_is_fetched_and_nothing_is_changed(fetch, secret, stack):
    fetch.server.deliver(report(1), OTHER_MAIL, report(2))
    before = fetch.server.mails()
    code, said = fetch("--no-dkim", secret=secret, stack=stack)
    assert (code, said) == (0, "new reports: 2\nmails that are no reports: 1\n")
    assert fetch("--no-dkim", secret=secret, stack=stack) == (0, "new reports: 0\n")
    assert fetch.server.mails() == before
    fetch.server.deliver(report(3))
    assert fetch("--no-dkim", secret=secret, stack=stack)[1] == "new reports: 1\n"
    assert len(fetch.rows()) == 3
    assert not any("S" in name.partition(":2,")[2] for name in fetch.server.mails())


def test_mails_with_reports_are_moved_and_no_others(fetch):
    fetch.server.deliver(report(1), OTHER_MAIL, report(2))
    code, said = fetch("--no-dkim", "--move", "Done")
    assert code == 3  # there is no such folder yet
    assert "[imap-refused]" in said
    fetch.server.make("Done")
    assert fetch("--no-dkim", "--move", "Done")[0] == 0
    assert (len(fetch.server.mails()), len(fetch.server.mails("Done"))) == (1, 2)
    assert len(fetch.rows()) == 2


def test_mails_with_reports_are_deleted_and_no_others(fetch):
    fetch.server.deliver(report(1), OTHER_MAIL, report(2), b"From: x@y\r\n\r\nmarked")
    fetch.server.mark_deleted(4)
    assert fetch("--no-dkim", "--delete")[0] == 0
    assert len(fetch.server.mails()) == 2
    assert len(fetch.rows()) == 2


def test_a_run_as_root_keeps_nobody_out(fetch):
    """What root has begun belongs to the account that owns the reports."""
    home = os.path.dirname(LEDGER)
    run("chown", "mail:mail", home)
    state = ["--state", home + "/imap/state.json"]
    fetch.server.deliver(report(1))
    assert fetch("--no-dkim", *state)[0] == 0
    for name in (LEDGER, home + "/imap", home + "/imap/state.json"):
        assert run("stat", "-c", "%U:%G", name).output == "mail:mail\n"


def test_a_folder_that_was_made_anew_is_read_anew(fetch):
    fetch.server.deliver(report(1), report(2))
    fetch("--no-dkim")
    fetch.server.forget()
    code, said = fetch("--no-dkim")
    assert (code, said) == (0, "new reports: 0\nfiles and mails known already: 2\n")


def test_a_mail_beyond_all_limits_is_left(fetch):
    fetch.server.deliver(report(1), b"From: a@b\r\n\r\n" + b"x" * (25 << 20), report(2))
    code, said = fetch("--no-dkim")
    assert code == 1
    assert "[imap-mail-too-large]" in said
    assert "new reports: 2\n" in said
    assert fetch("--no-dkim")[0] == 0


def test_what_does_not_work_is_said(fetch):
    def code(*options, **given):
        number, said = fetch("--no-dkim", *options, **given)
        assert number == 3
        return said[said.rindex("[") : said.rindex("]") + 1]

    fetch.server.deliver(report(1))
    assert code("--folder", "Nowhere") == "[imap-folder-refused]"
    assert code("--folder", "Entw\u00fcrfe") == "[imap-folder-invalid]"
    assert code("--server", HOST + ":1") == "[imap-failed]"
    assert code("--server", "imap.example.test x") == "[imap-server-invalid]"
    write(STATE, "{")
    assert code() == "[imap-state-unusable]"
    write(SECRETS["--password-file"], "wrong\n")
    write(SECRETS["--token-file"], token(key=b"another key, which nobody trusts") + "\n")
    for secret in SECRETS:
        assert code(secret=secret) == "[imap-login-refused]"
    os.chmod(SECRETS["--password-file"], 0o644)
    assert code() == "[imap-secret-open]"
    os.unlink(SECRETS["--password-file"])
    assert code() == "[imap-secret-unreadable]"


@pytest.mark.parametrize("stack", ["newest", "bionic"])
def test_no_password_is_told_to_another_server(fetch, stack):
    fetch.resolver.set(ADDRESS, "other.example.test A 127.0.0.1")
    for options, ca in (
        (["--server", "other.example.test"], None),
        ([], "/etc/ssl/certs/ca-certificates.crt"),
    ):
        code, said = fetch("--no-dkim", *options, ca=ca, stack=stack)
        assert (code, said[said.rindex("[") :].split("]")[0]) == (3, "[imap-tls-failed"), said


def test_signatures_count_once_their_key_can_be_had(fetch):
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    public = base64.b64encode(der).decode()
    signed = dkim.sign(report(1), b"s", b"example.org", pem)
    fetch.server.deliver(signed + report(1), report(2), signed + report(3))

    fetch.resolver.set(ADDRESS, "s._domainkey.example.org SERVFAIL")
    code, said = fetch()
    assert code == 1
    assert said.count("[dns-lookup-failed]") == 2
    assert [row["grade"] for row in fetch.rows()] == ["file"]

    record = f'"v=DKIM1; k=rsa; s=tlsrpt; p={public[:200]}" "{public[200:]}"'
    fetch.resolver.set(ADDRESS, f"s._domainkey.example.org TXT {record}")
    code, said = fetch()
    assert (code, said) == (0, "new reports: 2\n")
    grades = {row["report_id"][0]: row["grade"] for row in fetch.rows()}
    assert grades == {"1": "dkim", "2": "file", "3": "file"}
    assert fetch() == (0, "new reports: 0\n")

    fetch.server.deliver(dkim.sign(report(4), b"s", b"example.org", pem) + report(4))
    fetch.resolver.set(ADDRESS, "s._domainkey.example.org SERVFAIL")
    assert fetch()[0] == 1
    with open(STATE) as file:
        text = file.read()
    write(STATE, re.sub(r'"20[0-9]{2}-', '"2020-', text))  # for years no server has answered
    assert fetch() == (0, "new reports: 1\n")
    assert {row["report_id"][0]: row["grade"] for row in fetch.rows()}["4"] == "file"


def test_a_fetch_that_is_killed_at_any_moment_loses_and_doubles_nothing(fetch):
    count = 150
    fetch.server.deliver(*(report(number) for number in range(count)))
    fetch.server.make("Done")
    argv = fetch.argv("--no-dkim", "--move", "Done")
    for seconds in (0.6, 0.7, 0.8, 0.9, 1.1):
        process = subprocess.Popen(argv, cwd=stacks.CLONE, start_new_session=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert fetch("--no-dkim", "--move", "Done")[0] == 0
    rows = fetch.rows()
    assert sorted(row["report_id"] for row in rows) == sorted(
        f"{number}@example.org" for number in range(count)
    )
    assert {row["arrivals"] for row in rows} == {1}
    assert (len(fetch.server.mails()), len(fetch.server.mails("Done"))) == (0, count)
