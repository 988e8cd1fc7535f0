"""`mtasts metrics` in a real Prometheus: set up as docs/metrics.md says, read, and alerted on."""

import datetime
import http.server
import json
import os
import sys
import threading

import pytest

from prometheus_text import series
from reports import as_json, days, failure, policy, report
from rig import policy_host, prometheus, stacks
from rig.process import run, wait_for

MONITORING = os.path.join(stacks.CLONE, "docs", "monitoring")
RULES = os.path.join(MONITORING, "rules.yml")
METRICS = "/var/lib/mtasts/metrics/mtasts.prom"
LEDGER = "/var/lib/mtasts/reports/ledger.sqlite"
ACCOUNT = "mtasts-reports"
TODAY = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0)


def test_the_rules_are_rules():
    assert "SUCCESS" in run("promtool", "check", "rules", RULES).output


def test_each_rule_fires_when_it_should_and_only_then():
    tests = os.path.join(stacks.TESTS, "rules_test.yml")
    assert "SUCCESS" in run("promtool", "test", "rules", tests).output
    with open(tests) as file:
        tested = file.read()
    with open(RULES) as file:
        alerts = [line.split()[-1] for line in file if "- alert:" in line]
    assert [one for one in alerts if f"alertname: {one}\n" not in tested] == []


@pytest.fixture
def account():
    """The account that owns the ledger, and the folder and the link of the manual."""
    if run("id", ACCOUNT, check=False).code != 0:
        run("useradd", "--system", "--user-group", ACCOUNT)
    for folder, mode in (("/var/lib/mtasts/reports", "0750"), (os.path.dirname(METRICS), "0755")):
        run("install", "-d", "-o", ACCOUNT, "-g", ACCOUNT, "-m", mode, folder)
    link = os.path.join(prometheus.TEXTFILES, "mtasts.prom")
    os.makedirs(prometheus.TEXTFILES, exist_ok=True)
    run("ln", "-sf", METRICS, link)


@pytest.fixture
def mtasts(account, policy_hosts):
    """Run the command as that account; what else but exit code 0 fails."""

    def run_it(*arguments, stdin="", code=0, user=ACCOUNT):
        who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
        argv = [*who, "env", f"PYTHONPATH={stacks.CLONE}", sys.executable, "-W", "ignore", "-m"]
        done = run(*argv, "mtasts", *arguments, stdin=stdin, check=False)
        assert done.code == code, done
        return done.output

    return run_it


@pytest.fixture
def reported(mtasts, policy_hosts, resolver):
    """A domain in order, one without a record, and a report about an expired certificate."""
    root = policy_host.certify("mta-sts.example.test", "mta-sts.example2.test")
    policy_hosts.apache.graceful()
    for domain in ("example.test", "example2.test"):
        mtasts("dns", domain, user="root")  # which enters what was put there by hand
    mtasts("plan", "example2.test", "--max-age", "30d", "--yes", user="root")
    (entry,) = json.loads(mtasts("history", "example.test", "--json"))
    hosts = "mta-sts.example.test A 127.0.0.1\nmta-sts.example2.test A 127.0.0.1"
    resolver.set(hosts, '_mta-sts.example.test TXT "v=STSv1; id={};"'.format(entry["id"]))
    lost = policy("example.test", 90, 10, [failure("certificate-expired", 10)])
    said = [as_json(report("a", [lost], start=TODAY - days(1))), as_json(report("b", [lost]))]
    for data in said:
        mtasts("report", "add", "-", stdin=data.decode())
    return root


@pytest.fixture
def web_server():
    """Gives the file to Prometheus as any web server may, with the media type of OpenMetrics."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with open(METRICS, "rb") as file:
                data = file.read()
            self.send_response(200)
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Prometheus says what it has read."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def running(mtasts, reported, web_server, tmp_path):
    """Prometheus, which reads both commands' files by node_exporter, and one of them itself."""
    mtasts("metrics", "--ca", reported, "--output", METRICS)
    check = os.path.join(prometheus.TEXTFILES, "mtasts-check.prom")
    mtasts("check", "example.test", "--ca", reported, "--openmetrics", check, user="root", code=3)
    exporter = prometheus.node_exporter(str(tmp_path))
    targets = {"node": (prometheus.NODE_EXPORTER_PORT, "/metrics"), "web": (web_server, "/")}
    server = prometheus.Prometheus(str(tmp_path), RULES, targets)
    try:
        server.wait()
        yield server
    finally:
        server.stop()
        exporter.stop()


def test_prometheus_has_what_was_written_and_alerts(running):
    assert running.query("node_textfile_scrape_error")[0]["value"][1] == "0"
    for name in (METRICS, os.path.join(prometheus.TEXTFILES, "mtasts-check.prom")):
        with open(name) as file:
            written = series(file.read())
        assert len(written) > 5
        for selector, number in written.items():
            found = {one["metric"]["job"]: one["value"][1] for one in running.query(selector)}
            assert float(found["node"]) == number, selector
            assert float(found.get("web", number)) == number, selector
    assert len(running.query('mtasts_status{job="web"}')) == 2
    assert running.query('mtasts_dns_in_step{domain="example.test"}')[0]["value"][1] == "1"
    assert len(running.query("mtasts_status == 2")) == 2  # example2.test has no record

    def fired():
        found = running.firing()
        return (
            found
            if {"MtastsSessionsFail", "MtastsReportsOfExpiredCertificate"} <= set(found)
            else {}
        )

    said = wait_for(fired, "the alerts without a delay fire", 30)
    assert said["MtastsSessionsFail"]["summary"] == "10% of the sessions to example.test fail"
    assert (
        "mtasts report summary example.test" in said["MtastsReportsOfExpiredCertificate"]["remedy"]
    )
    every_expression_of_the_dashboard_has_an_answer(running)


def every_expression_of_the_dashboard_has_an_answer(running):
    with open(os.path.join(MONITORING, "grafana.json")) as file:
        panels = json.load(file)["panels"]
    asked = [target["expr"].replace("$domain", ".*") for one in panels for target in one["targets"]]
    assert len(asked) > 20
    silent = [expression for expression in asked if not running.query(expression)]
    # no MX host of this domain presents a certificate
    assert [one for one in silent if "mx_certificate" not in one] == []
