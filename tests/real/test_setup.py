"""apache/setup with a domain: new systems, every refusal, and what was done by hand since."""

import json
import os
import subprocess
import sys

import pytest

from rig.apache import write
from rig.process import wait_for
from rig.set_up import DOMAIN, OTHER, REPORT, converse, difference, processes, tree

POLICY = "version: STSv1\r\nmode: testing\r\nmx: mx.{}\r\nmax_age: 86401\r\n"
NGINX = """
import socket
open("/proc/self/comm", "w").write("nginx")
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 80))
listener.listen(1)
print("up", flush=True)
listener.accept()
"""
# Nobody runs systemd here; what it is told is written down.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>/root/systemctl
"""
# Without the installed plugin: what certbot is to the snap's users.
DEAF_CERTBOT = """#!/bin/sh
exec /usr/bin/python3 -c '
import sys
sys.path = [path for path in sys.path if "/local/" not in path]
from certbot.main import main
sys.argv[0] = "certbot"
sys.exit(main(sys.argv[1:]))' "$@"
"""


def pretend_systemd(machine):
    write(machine.path("/usr/local/bin/systemctl"), SYSTEMCTL)
    machine.run("chmod", "+x", "/usr/local/bin/systemctl")


@pytest.mark.parametrize("suite", ["bookworm", "bionic"])
def test_two_domains_on_a_new_system(new_host, suite):
    host = new_host(suite)
    pretend_systemd(host.machine)
    first = host.setup_quietly(DOMAIN, "--mx", "mx." + DOMAIN).output
    assert '_mta-sts.example.test. 3600 IN TXT "v=STSv1; id=' in first
    assert host.policy() == POLICY.format(DOMAIN)

    questions = {"Write it?": "y"}
    account = ("--agree-tos", "--email", "postmaster@example.test")
    second = converse(host.machine, questions, *host.command(DOMAIN, OTHER, *account), env=host.env)
    assert second.code == 0, second
    assert "mx: mx.example2.test" in second.output[: second.output.index("Write it?")]
    assert host.policy(OTHER) == POLICY.format(OTHER)

    settled = tree(host.machine)
    third = host.setup(DOMAIN, OTHER).output
    assert "Nothing had to be changed." in third
    assert "done " not in third
    assert difference(settled, tree(host.machine), but=".log") == []
    assert host.file("/root/systemctl") == "-q enable mtasts-watch.timer\n"
    for unit in ("mtasts-watch.service", "mtasts-watch.timer"):
        here = host.file("/root/mtasts/apache/" + unit)
        assert host.file("/etc/systemd/system/" + unit) == here
    assert "mtasts-watch:" in host.file("/etc/passwd")
    host.assert_renews()


def test_reports_are_posted_and_taken_in(new_host):
    host = new_host()
    pretend_systemd(host.machine)
    first = host.setup_quietly(DOMAIN, "--mx", "mx." + DOMAIN, "--reports").output
    assert host.post(first, REPORT).status == 201

    def run_as(account, *argv):
        return host.machine.run("runuser", "-u", account, "--", *argv, check=False)

    # Each account has what it needs and nothing of the other one.
    assert run_as("mtasts", "ls", "/var/lib/mtasts/reports").code != 0
    assert run_as("mtasts-reports", "cat", "/var/lib/mtasts/report-secret").code != 0
    assert run_as("www-data", "ls", "/var/lib/mtasts/spool").code != 0
    write(host.machine.path("/root/report.json"), REPORT.replace('"1"', '"2"'))
    host.machine.run("mtasts", "report", "add", "/root/report.json")  # root is the first one here
    assert "new reports: 1\n" in run_as("mtasts-reports", "mtasts", "report", "ingest").output
    assert os.listdir(host.machine.path("/var/lib/mtasts/spool")) == []
    reports = json.loads(host.machine.run("mtasts", "report", "list", "--json").output)
    assert {report["report_id"]: report["grade"] for report in reports} == {
        "1": "https",
        "2": "file",
    }
    assert {*reports[0]["domains"], *reports[1]["domains"]} == {"example.test"}
    assert "new reports: 0\n" in run_as("mtasts-reports", "mtasts", "report", "ingest").output

    told = run_as("mtasts-reports", "mtasts", "report", "watch", "--mail", "root")
    assert "sendmail-missing" in told.output  # there was something to tell, and all could be read
    assert run_as("mtasts-reports", "mtasts", "report", "watch").code == 0

    days = ["--days", "3660"]
    page = run_as("mtasts-reports", "mtasts", "report", "page", "-o", "-", *days).output
    assert "0 of 2 sessions failed, by 2 reports of 1 reporter" in page
    metrics = run_as("mtasts-reports", "mtasts", "metrics", "--offline", *days).output
    assert f'mtasts_report_received{{domain="{DOMAIN}"}} 2' in metrics

    settled = tree(host.machine)
    assert "Nothing had to be changed." in host.setup(DOMAIN).output
    assert difference(settled, tree(host.machine), but=".log") == []
    enabled = "-q enable mtasts-report.path mtasts-report.timer\n"
    enabled += "-q enable mtasts-report-watch.timer\n"
    assert enabled in host.file("/root/systemctl")
    assert "mtasts-metrics" not in host.file("/root/systemctl")  # not everybody has a Prometheus
    units = ["report.service", "report.path", "report.timer"]
    units += ["report-watch.service", "report-watch.timer", "metrics.service", "metrics.timer"]
    for unit in ("mtasts-" + name for name in units):
        assert host.file("/etc/systemd/system/" + unit) == host.file("/root/mtasts/apache/" + unit)


def test_reports_need_libraries_that_are_new_enough(new_host):
    host = new_host("bionic")
    assert "SQLAlchemy>=1.4" in host.fails("reports-libraries", DOMAIN, "--reports")
    assert not os.path.exists(host.machine.path("/var/lib/mtasts/report-secret"))


def test_nobody_is_there_to_answer(new_host):
    host = new_host()
    result = host.setup(DOMAIN, check=False)
    assert result.code == 1
    assert "--mx" in result.output
    assert "--yes" in result.output
    result = host.setup(DOMAIN, "--mx", "mx.example.test", check=False)
    assert result.code == 1
    assert "error [terms-not-agreed]" in result.output
    assert "--agree-tos" in result.output
    assert not os.path.exists(host.machine.path("/etc/apache2/mtasts/mta-sts.example.test.conf"))

    refused = converse(host.machine, {"Write it?": "n"}, *host.command(OTHER), env=host.env)
    assert refused.code == 1
    assert "error [policy-missing]" in refused.output
    assert not os.path.exists(host.machine.path("/var/lib/mtasts/policies/" + OTHER))


def test_what_was_changed_by_hand_is_kept(new_host):
    host = new_host()
    host.setup_quietly(DOMAIN)
    clone, etc = host.machine.path("/root/mtasts"), host.machine.path("/etc/apache2")

    # an edited file is kept, and its new version is put beside it
    edited = host.file("/etc/apache2/mtasts-tls.inc") + "# mine\n"
    write(etc + "/mtasts-tls.inc", edited)
    write(
        clone + "/apache/mtasts-tls.inc",
        host.file("/root/mtasts/apache/mtasts-tls.inc") + "# new\n",
    )
    # one that is not edited is replaced
    write(
        clone + "/apache/mtasts-pages.inc", host.file("/etc/apache2/mtasts-pages.inc") + "# new\n"
    )
    output = host.setup(DOMAIN).output
    assert "/etc/apache2/mtasts-tls.inc" in output
    assert ".new" in output
    assert host.file("/etc/apache2/mtasts-tls.inc") == edited
    assert host.file("/etc/apache2/mtasts-tls.inc.new").endswith("# new\n")
    assert host.file("/etc/apache2/mtasts-pages.inc").endswith("# new\n")
    settled = tree(host.machine)
    host.setup(DOMAIN)
    assert difference(settled, tree(host.machine), but=".log") == []

    # a version of ours that Apache refuses is taken out again, and Apache goes on
    good = host.file("/root/mtasts/apache/zz-mtasts-80.conf")
    write(clone + "/apache/zz-mtasts-80.conf", "Nonsense on\n")
    host.machine.run("a2dismod", "-q", "-f", "http2")
    assert "Nonsense" in host.fails("configtest-failed", DOMAIN)
    assert host.file("/etc/apache2/sites-available/zz-mtasts-80.conf") == good
    assert not os.path.exists(etc + "/mods-enabled/http2.load")
    assert host.policy() == POLICY.format(DOMAIN)
    write(clone + "/apache/zz-mtasts-80.conf", good)

    # somebody else's mistake is named, and nothing is touched
    write(etc + "/sites-enabled/broken.conf", "Gibberish on\n")
    settled = tree(host.machine)
    assert "Gibberish" in host.fails("apache-broken", DOMAIN)
    assert difference(settled, tree(host.machine), but=".log") == []
    os.unlink(etc + "/sites-enabled/broken.conf")

    # an Apache that was stopped is started only if somebody says so
    host.machine.run("apache2ctl", "stop")
    wait_for(lambda: "apache2" not in processes(host.machine), "Apache has stopped")
    result = host.setup(DOMAIN, check=False)
    assert result.code == 1
    assert "error [apache-stopped]" in result.output
    refused = converse(host.machine, {"Start it?": "n"}, *host.command(DOMAIN), env=host.env)
    assert refused.code == 1
    assert "apache2" not in processes(host.machine)
    host.setup_quietly(DOMAIN)
    assert host.policy() == POLICY.format(DOMAIN)


def test_certbot_that_loads_no_plugins(new_host):
    host = new_host()
    write(host.machine.path("/usr/local/bin/certbot"), DEAF_CERTBOT)
    host.machine.run("chmod", "+x", "/usr/local/bin/certbot")
    host.machine.run("sh", "-c", "apt-get update -qq && apt-get install -y -qq certbot")
    assert "deploy hook" in host.setup_quietly(DOMAIN).output
    assert host.policy() == POLICY.format(DOMAIN)
    assert "Nothing had to be changed." in host.setup(DOMAIN).output
    host.assert_renews()


def test_a_port_that_somebody_else_has(new_host):
    host = new_host()
    with subprocess.Popen([sys.executable, "-c", NGINX], stdout=subprocess.PIPE) as nginx:
        assert nginx.stdout.readline() == b"up\n"
        before = tree(host.machine)
        assert "port 80 is taken by nginx (process " in host.fails("port-in-use", DOMAIN)
        changed = [line.split(":")[0] for line in difference(before, tree(host.machine))]
        assert [path for path in changed if not path.startswith("/var/lib/mtasts")] == []
        nginx.kill()
