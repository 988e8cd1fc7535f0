"""The command `mtasts metrics`: from a policy directory and a ledger to a file."""

import datetime
import json
import os
import sqlite3
import subprocess
import sys

import pytest

import forked
from mtasts.domain import Domain
from mtasts.policy import Mode, Policy
from mtasts.store import Store
from prometheus_text import series
from reports import as_json, days, failure, policy, report

NOW = datetime.datetime.now(datetime.timezone.utc)
YESTERDAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - days(1)
DOMAINS = ("example.com", "example.org")


@pytest.fixture
def world(tmp_path):
    """Two domains, and a ledger that `reported` fills; `run` runs a command in it."""
    root = tmp_path / "policies"
    root.mkdir()
    for domain in DOMAINS:
        served = Policy(Mode.TESTING, 86400, ("mx1.example.org",)).to_bytes()
        Store(str(root)).write(Domain(domain), served, YESTERDAY)
    return World(tmp_path, {"MTASTS_POLICY_DIR": str(root)})


class World:
    def __init__(self, folder, environment):
        self.folder = folder
        self.ledger = folder / "reports" / "ledger.sqlite"
        self.environment = dict(environment, MTASTS_LEDGER=str(self.ledger))

    def run(self, *arguments):
        code, out, err = forked.mtasts(list(arguments), **self.environment)
        return code, out.decode(), err.decode()

    def metrics(self, *arguments):
        code, out, err = self.run("metrics", "--offline", *arguments)
        assert (code, err) == (0, "")
        return series(out)

    def reported(self, *reports):
        for number, one in enumerate(reports):
            path = self.folder / f"{number}.json"
            path.write_bytes(as_json(one))
            assert self.run("report", "add", str(path))[0] == 0


def test_all_own_domains_are_there_and_no_other(world):
    other = policy(domain="example.net")
    world.reported(report("a", [policy(), other], start=YESTERDAY))
    found = world.metrics()
    for domain in DOMAINS:
        assert found[f'mtasts_status{{domain="{domain}"}}'] == 0
    assert found['mtasts_report_received{domain="example.org"}'] == 1
    assert found['mtasts_report_received{domain="example.com"}'] == 0
    assert not [one for one in found if "example.net" in one]
    only = world.metrics("example.com")
    assert not [one for one in only if "example.org" in one]
    _, said, _ = world.run("metrics", "--offline", "example.com", "example.com")
    assert said.count('mtasts_status{domain="example.com"}') == 1  # Prometheus refuses it twice


@pytest.mark.parametrize("days_asked", [7, 30])
def test_the_numbers_are_those_of_the_summary(world, days_asked):
    lost = [failure("certificate-expired", 3), failure("sts-policy-invalid", 2)]
    tlsa = policy(successful=7, failed=1, failures=())._replace(policy_type="tlsa")
    no_policy = tlsa._replace(policy_type="no-policy-found", mx_host=())
    world.reported(
        report("a", [policy(failed=5, failures=lost), tlsa], start=YESTERDAY),
        report("b", [policy(successful=11), no_policy], start=YESTERDAY - days(2)),
        report("c", [policy(successful=1000)], start=YESTERDAY - days(20)),
    )
    asked = ["--days", str(days_asked)]
    found = world.metrics(*asked)
    said = json.loads(world.run("report", "summary", "example.org", "--json", *asked)[1])
    assert found['mtasts_report_received{domain="example.org"}'] == said["reports"]
    for outcome in ("successful", "failed"):
        labels = f'domain="example.org",outcome="{outcome}"'
        assert found[f"mtasts_report_sessions{{{labels}}}"] == said["effective"][outcome]
        assert found[f"mtasts_report_known_sessions{{{labels}}}"] == said["known"][outcome]
        assert {
            one.partition('policy_type="')[2][:-2]: number
            for one, number in found.items()
            if one.startswith(f"mtasts_report_policy_sessions{{{labels}")
        } == {word: sessions[outcome] for word, sessions in said["types"].items()}
    failures = {group["result_type"]: group["sessions"] for group in said["failures"]}
    assert {
        one.partition('result_type="')[2][:-2]: number
        for one, number in found.items()
        if one.startswith("mtasts_report_failed_sessions")
    } == failures
    start = found["mtasts_report_period_start_timestamp_seconds"]
    day = datetime.datetime.fromtimestamp(start, datetime.timezone.utc)
    assert f"{day:%Y-%m-%d}" == said["since"]


def test_before_the_first_report_there_is_nothing_to_say(world):
    found = world.metrics()
    assert found['mtasts_status{domain="example.org"}'] == 0
    assert not [one for one in found if one.startswith("mtasts_report")]
    assert not world.ledger.exists()


def test_a_ledger_that_cannot_be_read_is_seen_and_all_else_is_written(world):
    world.ledger.parent.mkdir()
    world.ledger.write_text("no database")
    path = world.folder / "mtasts.prom"
    code, out, err = world.run("metrics", "--offline", "--output", str(path))
    assert (code, out) == (3, "")
    assert "[ledger-damaged]" in err
    found = series(path.read_text())
    assert found["mtasts_report_ledger_readable"] == 0
    assert found['mtasts_status{domain="example.org"}'] == 0
    assert not [one for one in found if "received" in one]


def test_an_account_that_may_not_look_does_not_take_the_ledger_for_missing(world):
    # a name that is too long stands for what cannot be looked at, because root may look everywhere
    world.environment["MTASTS_LEDGER"] = str(world.folder / ("x" * 300))
    code, out, err = world.run("metrics", "--offline")
    assert (code, "[ledger-unusable]" in err) == (3, True)
    assert series(out)["mtasts_report_ledger_readable"] == 0


def test_what_is_in_quarantine_and_less_proven_is_counted_so(world):
    world.reported(report("a", start=YESTERDAY))
    path = world.folder / "broken.json"
    path.write_bytes(b"{")
    assert world.run("report", "add", str(path))[0] == 1
    found = world.metrics()
    assert found["mtasts_report_quarantine"] == 1
    assert found["mtasts_report_ledger_readable"] == 1
    assert world.metrics("--grade", "dkim")['mtasts_report_received{domain="example.org"}'] == 0


def test_a_file_appears_at_once_and_for_everybody(world):
    folder = world.folder / "textfile"
    folder.mkdir()
    path = folder / "mtasts.prom"
    path.write_text("old")
    code, out, err = world.run("metrics", "--offline", "--output", str(path))
    assert (code, out, err) == (0, "", "")
    assert os.listdir(str(folder)) == ["mtasts.prom"]
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.read_text().endswith("# EOF\n")


def test_what_cannot_be_written_is_said(world):
    code, out, err = world.run("metrics", "--offline", "--output", str(world.folder / "x" / "y"))
    assert (code, out) == (3, "")
    assert "[metrics-unwritable]" in err


def test_a_broken_policy_is_a_domain_with_an_error(world):
    root = world.folder / "policies" / "example.com"
    (root / "mta-sts.txt").write_text("nonsense")
    assert world.metrics()['mtasts_status{domain="example.com"}'] == 2


def test_nothing_is_written_into_the_ledger(world):
    world.reported(report("a", start=YESTERDAY))
    with sqlite3.connect(str(world.ledger)) as connection:
        before = list(connection.iterdump())
    world.metrics()
    with sqlite3.connect(str(world.ledger)) as connection:
        assert list(connection.iterdump()) == before


def test_a_person_is_told_that_there_is_no_ledger(mtasts, tmp_path):
    """A crontab is not: cron would mail it at each run."""
    asked = ["metrics", "--offline", "--ledger", str(tmp_path / "none")]
    code, out = mtasts.on_terminal(*asked)
    assert (code, "there is no ledger at" in out) == (0, True)
    assert mtasts(*asked)[2] == ""


@pytest.mark.parametrize(
    "command", [["metrics", "--offline"], ["check", "example.org", "--openmetrics", "-"]]
)
def test_without_the_library_it_says_what_to_install(command):
    blocked = "import sys; sys.modules['prometheus_client'] = None\n"
    blocked += "from mtasts.cli import main; sys.argv[1:] = {!r}; main()".format(command)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", blocked],
        cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        env=dict(os.environ, LC_ALL="C.UTF-8"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"metrics-library-missing" in done.stderr
