"""mtasts report watch as its systemd unit runs it: without capabilities, by sendmail of Postfix."""

import datetime
import email
import http.server
import json
import os
import shutil
import threading

import pytest
from cryptography import x509

import https_server
from certificates import Issued
from reports import as_json, days, failure, policy, report
from rig import stacks
from rig.process import run

REPORTS = "/var/lib/mtasts/reports"
ROOTS = "/usr/local/share/roots.pem"
POLICIES = "/var/lib/mtasts/policies"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 604800\r\n"
NOW = datetime.datetime.now(datetime.timezone.utc)
YESTERDAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - days(1)
LOST = failure("certificate-expired", 3, receiving_mx_hostname="mx.example.test")


@pytest.fixture
def watch(tmp_path):
    """Run it as the unit does, on a ledger in which example.test has met an expired certificate."""
    run("useradd", "--system", "--user-group", "--no-create-home", "mtasts-reports")
    os.makedirs(POLICIES + "/example.test", exist_ok=True)
    with open(POLICIES + "/example.test/mta-sts.txt", "w", newline="") as file:
        file.write(POLICY)
    os.makedirs(REPORTS, mode=0o750)
    run("chown", "mtasts-reports:mtasts-reports", REPORTS)
    account = ["--reuid=mtasts-reports", "--regid=mtasts-reports", "--clear-groups"]
    unit = ["setpriv", *account, "--bounding-set=-all", "--inh-caps=-all", "--"]
    mtasts = [stacks.python("newest"), "-m", "mtasts", "report"]
    path = tmp_path / "report.json"
    about = policy("example.test", failures=[LOST])
    path.write_bytes(as_json(report("a", [about], start=YESTERDAY)))
    run(*mtasts, "add", str(path))

    def run_it(*arguments, unit=unit):
        return run(*unit, *mtasts, "watch", "--grade", "file", *arguments, check=False)

    yield run_it
    run("userdel", "mtasts-reports")
    shutil.rmtree(REPORTS)


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


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes what comes as long as the server is open."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.is_open:
            self.server.came.append(json.loads(body.decode("ascii")))
        self.send_response(204 if self.server.is_open else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """A web server for localhost, whose certificate the machine trusts."""
    authority = Issued("authority")
    roots = authority.write(str(tmp_path / "roots.pem"))
    run("install", "-m", "644", roots, ROOTS)  # where the account can read it
    monkeypatch.setenv("SSL_CERT_FILE", ROOTS)
    names = [x509.DNSName("localhost")]
    certificate = Issued("localhost.test", issuer=authority, alternatives=names)
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    context = https_server.context(certificate, str(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.is_open, server.came = False, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_that_was_closed_gets_it_when_it_is_open(watch, hook):
    url = f"https://localhost:{hook.server_port}/secret"
    done = watch("--webhook", url)
    assert done.code == 3
    assert "[webhook-failed]" in done.output
    hook.is_open = True
    for _ in range(2):
        assert watch("--webhook", url).code == 0
    (facts,) = hook.came
    assert [one["code"] for one in facts["alerts"]] == ["alert-certificate-expired"]


def test_systemd_takes_the_units():
    run("install", "-m", "755", "/bin/true", "/usr/local/bin/mtasts")
    units = [
        os.path.join(stacks.CLONE, "apache", f"mtasts-report-watch.{kind}")
        for kind in ("service", "timer")
    ]
    assert run("systemd-analyze", "verify", *units).output == ""
