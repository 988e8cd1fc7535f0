"""mtasts plan and mtasts retire, as people, scripts and calendars use them."""

import datetime
import json
import re

import pytest

from mtasts import publications
from mtasts.publications import Publication

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 604800\r\n"


@pytest.fixture
def example(mtasts):
    """The command, with an enforced policy that has been served for a year."""
    mtasts.mx["example.org"] = ["10 mx1.example.org"]
    mtasts("import", "example.org", "-", stdin=POLICY)
    passed(mtasts, 365)
    return mtasts


def passed(mtasts, days):
    """Let days pass for example.org: all that is dated is that much older."""

    def earlier(match):
        moment = datetime.datetime.strptime(match.group(), "%Y-%m-%dT%H:%M:%SZ")
        return (moment - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    for path in (mtasts.root / "example.org").glob("*.json*"):
        text = path.read_text()
        path.write_text(re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", earlier, text))


def policy(mtasts):
    return (mtasts.root / "example.org" / "mta-sts.txt").read_text().split()


def publish(mtasts):
    """What `mtasts publish` leaves behind."""
    folder = mtasts.root / "example.org"
    name = json.loads((folder / "history.jsonl").read_text().splitlines()[-1])["id"]
    now = datetime.datetime.now(datetime.timezone.utc)
    data = (folder / "mta-sts.txt").read_bytes()
    publications.add(str(mtasts.root), Publication("example.org", name, now, data))
    mtasts.mx["_mta-sts.example.org"] = [f"v=STSv1; id={name};"]


def apply(mtasts, *options):
    return mtasts("plan", "example.org", "--apply", *options)


def test_a_host_is_added(example):
    code, out, _ = example("plan", "example.org", "--add-mx", "MX2.example.org")
    assert code == 0
    assert len(re.findall(f"^[0-9]. due {DATE}$", out, re.MULTILINE)) == 3
    assert "mx2.example.org" not in policy(example)
    assert re.sub(DATE, "", example("plan", "example.org")[1]) == re.sub(DATE, "", out)

    code, out, _ = apply(example)
    assert code == 0
    assert re.search(f"^Next, due {DATE}: Publish", out, re.MULTILINE)
    assert "mx2.example.org" in policy(example)

    code, out, _ = apply(example)
    assert code == 1
    assert out.startswith("Not done yet: Publish")
    publish(example)
    assert apply(example)[0] == 0

    code, out, err = apply(example)
    assert (code, out) == (3, "")
    assert re.search(rf"not due before {DATE}.* \[plan-not-due\]", err)
    passed(example, 8)
    code, out, _ = apply(example)
    assert code == 1
    assert "No MX record names mx2.example.org yet." in out
    example.mx["example.org"].append("20 mx2.example.org")
    code, out, _ = apply(example)
    assert code == 0
    assert "That was the last step" in out
    code, _, err = example("plan", "example.org")
    assert code == 3
    assert "[plan-unknown]" in err


def test_what_is_in_every_cache_needs_no_plan(example):
    code, out, _ = example("plan", "example.org", "--add-mx", "mx1.example.org")
    assert code == 0
    assert "Nothing has to be waited for" in out
    assert not (example.root / "example.org" / "plan.json").exists()


def test_a_dry_run_keeps_nothing(example):
    code, out, _ = example("plan", "example.org", "--add-mx", "mx2.example.org", "--dry-run")
    assert code == 0
    assert "mx2.example.org" in out
    assert "--apply" not in out
    assert example("plan", "example.org")[0] == 3


def test_json_is_the_plan_as_it_is_kept(example):
    code, out, _ = example("plan", "example.org", "--max-age", "30d", "--json")
    plan = json.loads(out)
    assert code == 0
    assert plan["name"] == "example.org"
    assert [step["kind"] for step in plan["steps"]] == ["serve", "publish"]
    assert "max_age: 2592000\r\n" in plan["steps"][0]["policy"]
    kept = json.loads((example.root / "example.org" / "plan.json").read_text())
    assert dict(kept, name="example.org") == plan
    _, out, _ = apply(example, "--json")
    first, second = json.loads(out)["steps"]
    assert first["done"]
    assert not second["done"]


def test_a_calendar_has_what_is_still_to_be_done(example):
    example("plan", "example.org", "--add-mx", "mx2.example.org")
    code, out, _ = example("plan", "example.org", "--ics")
    assert code == 0
    assert out.count("BEGIN:VEVENT") == 3
    assert "SUMMARY:example.org: In DNS\\, let the MX records name mx2.example.org." in out
    uids = re.findall("UID:(.*)", out)
    apply(example)
    _, out, _ = example("plan", "example.org", "--ics")
    assert re.findall("UID:(.*)", out) == uids[1:]


def test_reports_are_asked_for(example):
    example("plan", "example.org", "--mode", "testing")
    apply(example)
    publish(example)
    apply(example)
    passed(example, 8)
    example("plan", "example.org", "--mode", "enforce", "--max-age", "1d")
    code, _, err = apply(example)
    assert code == 3
    assert "[change-unconfirmed]" in err
    code, said = example.on_terminal(
        "plan", "example.org", "--apply", answers=[("they show no failure. Is that so?", "n\n")]
    )
    assert code == 1
    assert "testing" in policy(example)
    assert apply(example, "--yes")[0] == 0
    assert "testing" in policy(example)
    assert apply(example)[0] == 0
    assert "enforce" in policy(example)


def test_a_policy_is_retired(example):
    code, out, _ = example("retire", "example.org")
    assert code == 0
    assert "Serve mode none" in out
    assert apply(example)[0] == 0
    assert {"none", "mx1.example.org", "86401"} <= set(policy(example))
    publish(example)
    assert apply(example)[0] == 0
    assert "[plan-not-due]" in apply(example)[2]
    passed(example, 8)
    assert apply(example)[0] == 1
    del example.mx["_mta-sts.example.org"]
    assert apply(example)[0] == 0
    assert "[plan-not-due]" in apply(example)[2]
    assert "none" in policy(example)
    passed(example, 1)
    code, out, _ = apply(example)
    assert code == 0
    assert "certbot delete --cert-name mta-sts.example.org" in out
    assert not (example.root / "example.org").exists()
    code, _, err = example("plan", "example.org")
    assert "[policy-unknown]" in err


def test_a_plan_is_cancelled_and_the_policy_stays(example):
    example("retire", "example.org")
    apply(example)
    code, _, err = example("plan", "example.org", "--cancel")
    assert code == 0
    assert "none" in policy(example)
    code, _, err = example("plan", "example.org", "--cancel")
    assert code == 3
    assert "[plan-unknown]" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["plan", "example.net", "--mode", "testing"], 3, "[policy-unknown]"),
        (["plan", "example.net"], 3, "[policy-unknown]"),
        (["plan", "example.net", "--apply"], 3, "[policy-unknown]"),
        (["plan", "example.net", "--cancel"], 3, "[policy-unknown]"),
        (["retire", "example.net"], 3, "[policy-unknown]"),
        (["retire", "@all"], 2, "[domain-label-invalid]"),
        (["plan", "@all"], 3, "[policy-unknown]"),
        (["plan", "example.org"], 3, "[plan-unknown]"),
        (["plan", "example.org", "--apply"], 3, "[plan-unknown]"),
        (["plan", "example.org", "--add-mx", "mx*.example.org"], 2, "[mx-wildcard]"),
        (["plan", "example.org", "--remove-mx", "mx2.example.org"], 3, "[mx-not-named]"),
        (["plan", "example.org", "--remove-mx", "mx1.example.org"], 2, "[policy-mx-missing]"),
        (["plan", "example.org", "--max-age", "soon"], 2, "[duration-invalid]"),
        (["plan", "example.org", "--max-age", "0"], 3, "[plan-max-age]"),
        (["plan", "example.org", "--max-age", "2y"], 3, "[plan-max-age]"),
        (["plan", "example.org", "--max-age", "9999999999y"], 3, "[plan-max-age]"),
        (["plan", "example.org", "--max-age", "1d", "--ttl", "9999999999y"], 3, "[plan-ttl]"),
        (["plan", "example.org", "--mode", "none"], 2, "--mode"),
        (["plan", "example.org", "--mode", "testing", "--apply"], 2, "Choose one"),
        (["plan", "example.org", "--apply", "--cancel"], 2, "Choose one"),
        (["plan", "example.org", "--apply", "--dry-run"], 2, "--dry-run"),
        (["plan", "example.org", "--max-age", "1d", "--json", "--ics"], 2, "Choose one"),
    ],
)
def test_what_cannot_be_planned_is_said_and_changes_nothing(example, arguments, code, said):
    before = sorted(path.read_bytes() for path in (example.root / "example.org").iterdir())
    ended, out, err = example(*arguments)
    assert ended == code
    assert said in err
    assert out == ""
    assert sorted(path.read_bytes() for path in (example.root / "example.org").iterdir()) == before
