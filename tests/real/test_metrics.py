"""`mtasts metrics` in a real Prometheus: set up as docs/metrics.md says, read, and alerted on."""

import datetime
import http.server
import json
import os
import re
import threading

import pytest

from mtasts.ledger import place
from prometheus_text import series
from reports import as_json, days, failure, policy, report
from rig import account, policy_host, prometheus, stacks
from rig.apache import write
from rig.process import run, wait_for

MONITORING = os.path.join(stacks.CLONE, "docs", "monitoring")
RULES = os.path.join(MONITORING, "rules.yml")
COMMAND = "/usr/local/bin/mtasts"
METRICS = os.path.join(prometheus.TEXTFILES, "mtasts.prom")
CHECK = os.path.join(prometheus.TEXTFILES, "mtasts-check.prom")
MEDIA_TYPES = {
    "text": "text/plain",
    "openmetrics": "application/openmetrics-text; version=1.0.0",
}
READERS = {"node", *MEDIA_TYPES}
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


def recipe():
    """What docs/metrics.md has root do, then the account and the command of the crontab."""
    with open(os.path.join(stacks.CLONE, "docs", "metrics.md"), encoding="utf-8") as file:
        chapter = file.read().split("\n## Into Prometheus\n")[1].split("\n## ")[0]
    *once, line = re.findall("^    ((?:install|ln|[*]).*)$", chapter, re.MULTILINE)
    account, command = line.split(" ", 6)[5:]
    return once, account, command


@pytest.fixture
def mtasts(policy_hosts, installed):
    """Run the command as the account that keeps the reports; all but exit code 0 fails."""
    write(COMMAND, f'#!/bin/sh\nexec {stacks.python("newest")} -W ignore -m mtasts "$@"\n')
    os.chmod(COMMAND, 0o755)  # noqa: S103 - a command
    once, owner, _ = recipe()

    def run_it(*arguments, stdin="", user=owner):
        who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
        return run(*who, COMMAND, *arguments, stdin=stdin).output

    with account.made(owner, os.path.dirname(place.DEFAULT_PATH)):
        for command in once:
            run("sh", "-c", command)
        yield run_it


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
    """Gives the file to Prometheus as any web server may, with each of the media types."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with open(METRICS, "rb") as file:
                data = file.read()
            self.send_response(200)
            self.send_header("Content-Type", MEDIA_TYPES[self.path[1:]])
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
    """Prometheus, which reads both commands' files by node_exporter, and one of them by HTTP."""
    *_, crontab = recipe()
    mtasts(*crontab.split()[1:], "--ca", reported)
    checked = run(
        COMMAND, "check", "example.test", "--ca", reported, "--openmetrics", CHECK, check=False
    )
    assert checked.code == 3, checked  # it has no MX host
    exporter = prometheus.node_exporter(str(tmp_path))
    targets = {"node": (prometheus.NODE_EXPORTER_PORT, "/metrics")}
    targets.update({name: (web_server, f"/{name}") for name in MEDIA_TYPES})
    server = prometheus.Prometheus(str(tmp_path), RULES, targets)
    try:
        server.wait()
        yield server
    finally:
        server.stop()
        exporter.stop()


def test_prometheus_has_what_was_written_and_alerts(running):
    has_read(running, "node_textfile_scrape_error", 0, {"node"})
    for name in (METRICS, CHECK):
        with open(name) as file:
            text = file.read()
        assert run("promtool", "check", "metrics", stdin=text).output == ""
        written = series(text)
        assert len(written) > 5
        readers = READERS if name == METRICS else {"node"}
        for selector, number in written.items():
            has_read(running, selector, number, readers)
    has_read(running, 'mtasts_dns_in_step{domain="example.test"}', 1)
    has_read(running, 'mtasts_status{domain="example2.test"}', 2)

    def fired():
        found = running.firing()
        return (
            found
            if {"MtastsSessionsFail", "MtastsReportsOfExpiredCertificate"} <= set(found)
            else {}
        )

    said = wait_for(fired, "the alerts without a delay fire")
    assert said["MtastsSessionsFail"]["summary"] == "10% of the sessions to example.test fail"
    assert (
        "mtasts report summary example.test" in said["MtastsReportsOfExpiredCertificate"]["remedy"]
    )
    every_expression_of_the_dashboard_has_an_answer(running)


def has_read(running, selector, number, readers=READERS):
    """Wait until each of these readers has this number, and no other reader any.

    One that was not read within a second has none for a while.
    """

    def found():
        return {one["metric"]["job"]: float(one["value"][1]) for one in running.query(selector)}

    wait_for(lambda: found() == dict.fromkeys(readers, number), f"{selector} is {number}")


def every_expression_of_the_dashboard_has_an_answer(running):
    with open(os.path.join(MONITORING, "grafana.json")) as file:
        panels = json.load(file)["panels"]
    asked = [target["expr"].replace("$domain", ".*") for one in panels for target in one["targets"]]
    assert len(asked) > 20
    for expression in asked:
        if "mx_certificate" not in expression:  # no MX host of this domain presents one
            wait_for(lambda one=expression: running.query(one), "an answer to " + expression)
