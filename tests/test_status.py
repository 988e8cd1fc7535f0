"""How domains stand: what is wrong with each, and in which order a person should look."""

import datetime
import json

import pytest

from mtasts import checks, status
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import Severity
from mtasts.history import HistoryEntry
from mtasts.plan import Kind, PlanError, Step
from mtasts.policy import Mode, Policy, policy_id
from mtasts.probe import Certificate
from mtasts.status import Seen
from mtasts.store import Store

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
ORG = Domain("example.org")
TESTING = Policy(Mode.TESTING, 86401, ("mx.example.org",)).to_bytes()
WIDER = Policy(Mode.TESTING, 86401, ("mx.example.org", "mx2.example.org")).to_bytes()
ENFORCE = Policy(Mode.ENFORCE, 2592000, ("mx.example.org",)).to_bytes()


def ago(days):
    return NOW - datetime.timedelta(days=days)


def codes(row):
    return [one.code for one in row.findings]


def test_a_domain_in_order():
    entries = [HistoryEntry.of(TESTING, ago(50)), HistoryEntry.of(ENFORCE, ago(9))]
    row = status.row(ORG, ORG, ENFORCE, entries)
    assert (row.mode, row.since, row.id) == (Mode.ENFORCE, ago(9), entries[-1].id)
    assert (codes(row), row.severity) == ([], Severity.OK)


def test_since_is_the_mode_not_the_last_change():
    entries = [
        HistoryEntry.of(TESTING, ago(90)),
        HistoryEntry.of(ENFORCE, ago(60)),
        HistoryEntry.of(TESTING, ago(40)),
        HistoryEntry.of(WIDER, ago(2)),
    ]
    row = status.in_testing(status.row(ORG, ORG, WIDER, entries), None, NOW)
    assert row.since == ago(40)
    assert codes(row) == ["status-testing-long"]
    assert "40 days" in row.findings[0].message


@pytest.mark.parametrize("days", [1, 30])
def test_testing_for_a_while_is_as_it_should_be(days):
    row = status.row(ORG, ORG, TESTING, [HistoryEntry.of(TESTING, ago(days))])
    assert status.in_testing(row, None, NOW) == row


@pytest.mark.parametrize("entries", [[], [HistoryEntry.of(TESTING, ago(1))]])
def test_a_change_by_hand_is_named(entries):
    row = status.row(ORG, ORG, ENFORCE, entries)
    assert codes(row) == ["status-unentered"]
    assert (row.since, row.id) == (None, "")


def test_what_no_sender_takes_comes_first():
    good = status.row(Domain("a.example"), ORG, ENFORCE, [HistoryEntry.of(ENFORCE, ago(1))])
    odd = status.row(Domain("b.example"), ORG, ENFORCE, [])
    bad = status.row(Domain("c.example"), ORG, b"mode enforce\n", [])
    assert bad.mode is None
    assert bad.codes[0] == "policy-line-malformed"
    ordered = status.attention([good, odd, bad])
    assert [row.domain for row in ordered] == ["c.example", "b.example", "a.example"]


ENTRY = HistoryEntry.of(ENFORCE, ago(9))
UNSEEN = MtastsError("dns-lookup-failed", "DNS gave no answer")


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ([f"v=STSv1; id={ENTRY.id};"], None),
        ([f"v=STSv1; id={ENTRY.id};", "google-site-verification=1"], None),
        ([f"v=STSv1; id={policy_id(ENFORCE, ago(400))};"], None),  # the same bytes, entered anew
        ([], "status-record-missing"),
        (["v=spf1 -all"], "status-record-missing"),
        ([f"v=STSv1; id={ENTRY.id};"] * 2, "status-record-several"),
        (["v=STSv1; id=a-b;"], "status-record-invalid"),
        (["v=STSv1; \x1b[2J"], "status-record-invalid"),
        ([f"v=STSv1; id={policy_id(TESTING, ago(9))};"], "status-record-behind"),
        (["v=STSv1; id=20240101;"], "status-record-foreign"),
        (UNSEEN, "status-record-unknown"),
    ],
)
def test_whether_dns_is_in_step(texts, code):
    found = checks.record(ORG, texts, ENTRY.id, ENFORCE)
    assert (found and found.code) == code
    assert found is None or (found.message.isprintable() and ORG in found.message)


def test_an_adopted_id_is_in_step():
    adopted = HistoryEntry.of(ENFORCE, ago(9), "20240101")
    assert checks.record(ORG, ["v=STSv1; id=20240101;"], adopted.id, ENFORCE) is None


def valid(begin, end):
    day = datetime.timedelta(days=1)
    return Certificate(NOW + begin * day, NOW + end * day)


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (valid(-60, 30), None),
        (valid(-76, 14), None),
        (valid(-77, 13), "status-certificate-ends"),
        (valid(-3, 3), None),  # of six days, a half is left
        (valid(-5, 1), "status-certificate-ends"),
        (valid(-90, 0), "status-certificate-expired"),
        (valid(-900, -800), "status-certificate-expired"),
        (MtastsError("tls-failed", "another name"), "status-certificate-invalid"),
        (MtastsError("connect-failed", "refused"), "status-policy-host-silent"),
        (MtastsError("policy-host-without-address", "none"), "status-policy-host-missing"),
        (UNSEEN, "status-certificate-unknown"),
    ],
)
def test_how_long_the_certificate_is_valid(seen, code):
    found = checks.certificate(ORG, seen, NOW)
    assert (found and found.code) == code


def step(kind, due):
    return Step(kind, due, "Do it.", "Because.", datetime.timedelta(0), due)


ROW = status.row(ORG, ORG, ENFORCE, [ENTRY])


def test_what_the_network_shows_comes_into_the_row():
    row = status.seen(ROW, ENFORCE, Seen((f"v=STSv1; id={ENTRY.id};",), valid(-60, 30)), NOW)
    assert (row.in_step, row.certificate_end, codes(row)) == (True, ago(-30), [])
    assert row.certificate_begin == ago(60)
    row = status.seen(ROW, ENFORCE, Seen((), valid(-90, -1)), NOW)
    assert (row.in_step, row.certificate_end, row.severity) == (False, ago(1), Severity.ERROR)
    row = status.seen(ROW, ENFORCE, Seen(UNSEEN, UNSEEN), NOW)
    assert (row.in_step, row.certificate_end, row.severity) == (None, None, Severity.UNKNOWN)


def test_of_what_no_sender_takes_no_record_can_be_right():
    row = status.row(ORG, ORG, b"mode enforce\n", [])
    shown = status.seen(row, b"mode enforce\n", Seen((), valid(-60, 30)), NOW)
    assert (shown.in_step, shown.findings) == (None, row.findings)


def test_the_next_step_of_the_plan():
    assert status.planned(ROW, None, NOW) == ROW
    later = status.planned(ROW, step(Kind.PUBLISH, ago(-1)), NOW)
    assert (later.next.kind, codes(later)) == (Kind.PUBLISH, [])
    due = status.planned(ROW, step(Kind.PUBLISH, ago(2)), NOW)
    assert codes(due) == ["status-step-due"]
    damaged = status.planned(ROW, PlanError("plan-damaged", "no plan"), NOW)
    assert (damaged.next, codes(damaged)) == (None, ["status-plan-unreadable"])


def test_a_record_that_the_plan_has_removed_is_not_missing():
    row = status.planned(ROW, step(Kind.STOP, ago(-1)), NOW)
    row = status.seen(row, ENFORCE, Seen((), valid(-60, 30)), NOW)
    assert (row.in_step, codes(row)) == (True, [])


def test_the_command_shows_all_and_ends_with_the_worst(mtasts):
    store = Store(str(mtasts.root))
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    store.write(Domain("ok.example"), ENFORCE, now - day)
    code, out, _ = mtasts("status", "--offline")
    assert code == 0
    assert out.split()[:3] == ["ok", "ok.example", "enforce"]
    store.write(Domain("long.example"), TESTING, now - 40 * day)
    (mtasts.root / "hand.example").mkdir()
    (mtasts.root / "hand.example" / "mta-sts.txt").write_bytes(ENFORCE)
    assert mtasts("status", "--offline")[0] == 1
    (mtasts.root / "gone.example").mkdir()
    store.write(Domain("torn.example"), ENFORCE, now)
    (mtasts.root / "torn.example" / "history.jsonl").write_text("{\n")
    (mtasts.root / "bad.example").mkdir()
    (mtasts.root / "bad.example" / "mta-sts.txt").write_bytes(ENFORCE + b"\x1b[2J")
    code, out, err = mtasts("status", "--offline")
    assert code == 2
    assert "\x1b" not in out + err
    rows = [line.split() for line in out.splitlines()]
    assert [(row[0], row[1], row[5]) for row in rows[:-1]] == [
        ("error", "bad.example", "policy-line-malformed"),
        ("error", "gone.example", "policy-unreadable"),
        ("error", "torn.example", "history-damaged"),
        ("warning", "hand.example", "status-unentered"),
        ("info", "long.example", "status-testing-long"),
    ]
    assert rows[-1][:2] == ["ok", "ok.example"]
    facts = json.loads(mtasts("status", "--offline", "--json")[1])
    assert [one["severity"] for one in facts] == [row[0] for row in rows]
    assert facts[-1]["id"] == rows[-1][-1]


def test_nothing_there_is_nothing_wrong(mtasts):
    assert mtasts("status", "--offline")[:2] == (0, "")
    assert mtasts("status", "--offline", "--json")[1] == "[]\n"


def in_dns(mtasts, *domains):
    """Let DNS have the id of each domain, and no policy hosts."""
    for domain in domains:
        name = json.loads(mtasts("show", domain, "--json")[1])["id"]
        mtasts.mx["_mta-sts." + domain] = [f"v=STSv1; id={name};"]


def test_the_command_asks_dns_for_every_domain(mtasts):
    names = ["good.example", "gone.example", "torn.example", "twice.example", "mute.example"]
    for name in names:
        mtasts("new", name, "--mx", "mx.example")
    in_dns(mtasts, *names)
    del mtasts.mx["_mta-sts.gone.example"]
    mtasts.mx["_mta-sts.torn.example"] = ["v=STSv1; id=\\027[2J;"]
    mtasts.mx["_mta-sts.twice.example"].append("v=STSv1; id=1;")
    mtasts.mx["_mta-sts.mute.example"] = None
    code, out, err = mtasts("status")
    assert code == 2
    assert "\x1b" not in out + err
    rows = {line.split()[1]: line.split() for line in out.splitlines()}
    assert {name: row[5] for name, row in rows.items()} == {
        "good.example": "in-step",
        "gone.example": "differs",
        "torn.example": "differs",
        "twice.example": "differs",
        "mute.example": "-",
    }
    assert rows["good.example"][6:] == ["-", "status-policy-host-missing"]
    assert "status-record-unknown" in rows["mute.example"]


def test_members_of_a_class_have_records_and_plans_of_their_own_and_of_the_class(mtasts):
    mtasts("new", "@cluster", "--mx", "mx.example")
    mtasts.mx.update({"a.example": ["10 mx.example"], "b.example": ["10 mx.example"]})
    assert mtasts("assign", "@cluster", "a.example", "b.example", "--yes")[0] == 0
    mtasts.mx.update({"_mta-sts.a.example": [], "_mta-sts.b.example": []})
    in_dns(mtasts, "a.example")
    assert mtasts("plan", "@cluster", "--mode", "enforce")[0] == 0
    facts = json.loads(mtasts("status", "--json")[1])
    assert {one["domain"]: one["in_step"] for one in facts} == {
        "a.example": True,
        "b.example": False,
    }
    assert {one["next"]["kind"] for one in facts} == {"reports"}
    assert {one["certificate_days"] for one in facts} == {None}


def test_named_domains_are_explained(mtasts):
    mtasts("new", "example.org", "--mx", "mx.example.org")
    mtasts("new", "example.net", "--mx", "mx.example.org")
    code, out, _ = mtasts("status", "example.org")
    assert code == 2
    assert "example.net" not in out
    assert "remedy: Publish it with 'mtasts publish example.org'." in out
    code, out, _ = mtasts("status", "example.com", "--offline")
    assert code == 2
    assert "[policy-unknown]" in out


def test_where_nobody_answers_at_the_address(mtasts):
    mtasts("new", "example.org", "--mx", "mx.example.org")
    mtasts.mx["mta-sts.example.org"] = ["255.255.255.255"]  # to which no connection leads
    (row,) = json.loads(mtasts("status", "--json")[1])
    assert "status-policy-host-silent" in [one["code"] for one in row["findings"]]
    mtasts.mx["mta-sts.example.org"] = None
    (row,) = json.loads(mtasts("status", "--json")[1])
    assert "status-certificate-unknown" in [one["code"] for one in row["findings"]]


def test_a_plan_that_is_damaged_is_a_finding(mtasts):
    mtasts("new", "example.org", "--mx", "mx.example.org")
    (mtasts.root / "example.org" / "plan.json").write_text("{")
    code, out, _ = mtasts("status", "--offline", "example.org")
    assert code == 1
    assert "forget the plan with 'mtasts plan example.org --cancel'." in out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--ca", "/nowhere/roots.pem"], "ca-file-unusable"),
        (["--resolver", "example.org"], "address-invalid"),
    ],
)
def test_a_wrong_option_is_said_once(mtasts, options, code):
    for name in ("a.example", "b.example"):
        mtasts("new", name, "--mx", "mx.example")
    exit_code, out, err = mtasts("status", *options)
    assert (exit_code, out, err.count(f"[{code}]")) == (3, "", 1)
