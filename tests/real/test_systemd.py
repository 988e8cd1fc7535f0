"""Our units under systemd as process 1: as apache/setup leaves them, as the manual changes them."""

import contextlib
import json
import os
import re

import pytest

from rig import stacks
from rig.apache import write
from rig.process import wait_for
from rig.set_up import DOMAIN, REPORT
from rig.systemd import Systemd

WATCH, REPORTS = "mtasts-watch.service", "mtasts-report.service"
ALERTS = "mtasts-report-watch.service"
METRICS = "mtasts-metrics.service"
OVERRIDE = f"/etc/systemd/system/{WATCH}.d/override.conf"
STATE = "/var/lib/mtasts/watch/state.json"
NEWS = "[mx-hosts-without-address]"
DIGEST = "the last 7 days of 1 domain: "
POSTMASTER = "postmaster@example.test"


@pytest.fixture
def set_up(new_host):
    """A machine with systemd, set up for example.test, whose MX host has no address."""

    def set_up(suite, *options):
        host = new_host(suite)
        systemd = running.enter_context(Systemd(host.machine))
        host.said = host.setup_quietly(DOMAIN, "--mx", "mx." + DOMAIN, *options).output
        return host, systemd

    with contextlib.ExitStack() as running:
        yield set_up


def start(host, systemd, unit=WATCH):
    """Let the unit run once, and return what the journal got."""
    begin = host.machine.run("date", "+%F %T.%N").output.strip()
    done = host.machine.run("systemctl", "start", unit, check=False)
    journal = journal_of(host, unit, "--since", begin)
    assert (done.code, systemd.property(unit, "Result")) == (0, "success"), journal
    return journal


def journal_of(host, unit, *options):
    """What the journal got of a unit; it takes a moment to read what a process has printed."""
    host.machine.run("journalctl", "--sync")
    return host.machine.run("journalctl", "--no-pager", "--unit", unit, *options).output


def stop_timer(host, unit):
    """Only the test is to start the unit, whatever the time of day is."""
    host.machine.run("systemctl", "stop", unit.replace(".service", ".timer"), unit)


def configure(host, name, text):
    write(host.machine.path(name), text)
    host.machine.run("systemctl", "daemon-reload")


def without_mail():
    """What docs/watch.md says to write into the unit's override."""
    with open(os.path.join(stacks.CLONE, "docs", "watch.md")) as manual:
        (lines,) = re.findall(r"    (\[Service\]\n    NoNew.*?\n)\n", manual.read(), re.DOTALL)
    return lines.replace("    ", "")


@pytest.mark.parametrize("suite", ["bookworm", "trixie", "bionic"])
def test_what_changes_is_told(set_up, suite):
    host, systemd = set_up(suite)
    assert "mtasts-watch.timer" in host.machine.run("systemctl", "list-timers", "--no-pager").output
    assert systemd.property("mtasts-watch.timer", "UnitFileState") == "enabled"
    stop_timer(host, WATCH)
    host.machine.run("rm", "-f", STATE)
    assert NEWS in start(host, systemd)
    assert NEWS not in start(host, systemd)
    state = os.stat(host.machine.path(STATE))
    account = host.machine.run("id", "--user", "mtasts-watch").output
    assert (state.st_uid, state.st_mode & 0o777) == (int(account), 0o600)

    host.machine.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postfix")
    host.machine.run("postconf", "-e", "defer_transports = smtp")
    host.machine.run("systemctl", "restart", "postfix")
    configure(host, "/etc/default/mtasts-watch", f'MTASTS_WATCH_OPTIONS="--mail {POSTMASTER}"\n')
    assert NEWS not in start(host, systemd)
    wait_for(lambda: POSTMASTER in host.machine.run("postqueue", "-p").output, "the mail is queued")

    # With what the manual forbids where no mail is sent
    configure(host, "/etc/default/mtasts-watch", "")
    configure(host, OVERRIDE, without_mail())
    assert systemd.property(WATCH, "NoNewPrivileges") == "yes"
    host.machine.run("rm", STATE)
    assert NEWS in start(host, systemd)


def test_reports_are_taken_in_as_they_come(set_up):
    host, systemd = set_up("bookworm", "--reports")
    for unit in ("mtasts-report.path", "mtasts-report.timer", "mtasts-report-watch.timer"):
        assert systemd.property(unit, "ActiveState") == "active"
        assert systemd.property(unit, "UnitFileState") == "enabled"
    stop_timer(host, ALERTS)
    assert DIGEST not in start(host, systemd, ALERTS)  # no ledger yet, and that is no failure
    assert host.post(host.said, REPORT).status == 201
    found = wait_for(lambda: reports(host), "the report is in the ledger")
    assert [(one["report_id"], one["grade"]) for one in found] == [("1", "https")]
    wait_for(lambda: systemd.property(REPORTS, "ActiveState") == "inactive", "the run is over")
    assert systemd.property(REPORTS, "Result") == "success"
    assert os.listdir(host.machine.path("/var/lib/mtasts/spool")) == []
    assert "new reports: 1" in journal_of(host, REPORTS)
    assert DIGEST in start(host, systemd, ALERTS)
    assert DIGEST not in start(host, systemd, ALERTS)
    assert systemd.property("mtasts-metrics.timer", "UnitFileState") == "disabled"
    host.machine.run("systemctl", "enable", "--now", "mtasts-metrics.timer")
    start(host, systemd, METRICS)
    nobody = ["runuser", "-u", "nobody", "--", "cat", "/var/lib/mtasts/metrics/mtasts.prom"]
    text = host.machine.run(*nobody).output
    assert "mtasts_report_ledger_readable 1.0\n" in text
    assert f'mtasts_status{{domain="{DOMAIN}"}}' in text


def reports(host):
    listed = host.machine.run("mtasts", "report", "list", "--json", check=False)
    return json.loads(listed.output) if listed.code == 0 else []
