"""mtasts report summary: numbers, failures and their explanation, from a real ledger."""

import csv
import datetime
import io
import json

import pytest

from mtasts.domain import Domain
from mtasts.policy import Mode, Policy
from mtasts.store import Store
from reports import as_json, days, failure, policy, report

NOW = datetime.datetime.now(datetime.timezone.utc)
YESTERDAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - days(1)


@pytest.fixture
def reported(mtasts, tmp_path):
    """Put reports into a ledger, and run `mtasts report summary example.org` on it."""
    policies = tmp_path / "own-policies"
    policies.mkdir()
    served = Policy(Mode.TESTING, 86400, ("mx1.example.org",)).to_bytes()
    Store(str(policies)).write(Domain("example.org"), served, YESTERDAY)
    ledger = ["--ledger", str(tmp_path / "ledger.sqlite")]

    def run(reports, *options):
        for number, each in enumerate(reports):
            path = tmp_path / f"{number}.json"
            path.write_bytes(as_json(each))
            assert mtasts("report", "add", *ledger, str(path))[0] == 0
        arguments = ["summary", "example.org", "--policy-dir", str(policies), *ledger, *options]
        return mtasts("report", *arguments)

    return run


def test_failures_are_explained_and_joined_with_what_is_known(reported):
    lost = failure("certificate-expired", 3, receiving_mx_hostname="mx9.example.org")
    code, out, err = reported([report("a", [policy(failures=[lost])], start=YESTERDAY)])
    assert (code, err) == (1, "")
    assert out.startswith("example.org, 30 days, 1 report: 100 successful, 3 failed (sessions)\n")
    assert f"3 x certificate-expired at mx9.example.org, since {YESTERDAY:%Y-%m-%d}" in out
    assert "  whose end: receiving (sure)\n" in out
    assert "[report-mx-not-covered]" in out
    assert "report-policy" not in out


def test_json_has_the_same_numbers(reported):
    code, out, _ = reported([report("a", start=YESTERDAY)], "--json")
    facts = json.loads(out)
    assert code == 1
    assert facts["effective"] == {"successful": 100, "failed": 3}
    (group,) = facts["failures"]
    assert (group["result_type"], group["sessions"]) == ("certificate-expired", 3)
    assert group["explanations"][0]["word"] == "certificate-expired"


def test_csv_has_a_line_for_each_kind_and_no_formula(reported):
    wild = failure("=HYPERLINK()", 1)
    _, out, _ = reported([report("a", [policy(failures=[wild])], start=YESTERDAY)], "--csv")
    (line,) = csv.DictReader(io.StringIO(out))
    assert line["result_type"].startswith("'=")
    assert line["sessions"] == "1"


def test_a_clean_domain_ends_with_0(reported):
    clean = policy(failed=0, failures=())
    code, out, _ = reported([report("a", [clean], start=YESTERDAY)])
    assert code == 0
    assert "100 successful, 0 failed" in out


def test_what_is_older_or_less_proven_is_left_out(reported):
    old = report("a", start=YESTERDAY - days(40))
    assert "0 reports" in reported([old])[1]
    assert "1 report:" in reported([], "--days", "60")[1]
    assert "0 reports" in reported([], "--days", "60", "--grade", "dkim")[1]


def test_a_report_that_came_twice_counts_once(reported):
    once = report("a", start=YESTERDAY)
    assert "1 report: 100 successful" in reported([once, once])[1]


def test_unknown_numbers_are_said_to_be_unknown(reported):
    unknown = policy(successful=None, failed=0, failures=())
    reports = [report("a", [unknown], start=YESTERDAY), report("b", start=YESTERDAY)]
    code, out, _ = reported(reports)
    assert code == 1
    assert "unknown successful, 3 failed" in out
    assert "known: 100 successful, 3 failed" in out
    assert "[report-counts-unknown]" in out


def test_without_a_ledger_it_says_so(mtasts, tmp_path):
    code, _, err = mtasts("report", "summary", "example.org", "--ledger", str(tmp_path / "none"))
    assert code == 3
    assert "[ledger-missing]" in err
