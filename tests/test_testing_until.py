"""The date until which the operator wants mode testing: whose it is, when it ends, who sees it."""

import datetime
import json

import pytest

from mtasts import plan_store, status, testing_until
from mtasts.domain import Domain
from mtasts.history import HistoryEntry
from mtasts.holder import ClassName
from mtasts.plan import Kind, Plan, Step
from mtasts.policy import Mode, Policy
from mtasts.policy_file import StoreError
from mtasts.store import Store
from mtasts.testing_until import InvalidDate, Until

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
DATE = datetime.date(2026, 7, 1)
ORG, NET = Domain("example.org"), Domain("example.net")
CLUSTER = ClassName("@cluster")
TESTING = Policy(Mode.TESTING, 86401, ("mx.example.org",))
ENFORCE = TESTING._replace(mode=Mode.ENFORCE)


@pytest.fixture
def store(tmp_path):
    found = Store(str(tmp_path))
    for name in (ORG, CLUSTER):
        found.write(name, TESTING.to_bytes(), NOW)
    return found


def of(store, name):
    return testing_until.of(store.root, name)


def test_none_is_set_at_first(store):
    assert of(store, ORG) is None


def test_it_is_a_file_that_people_read_and_write(store, tmp_path):
    store.set_testing_until(ORG, Until(DATE))
    assert (tmp_path / "example.org" / "testing-until").read_bytes() == b"2026-07-01\n"
    (tmp_path / "example.org" / "testing-until").write_bytes(b" 2026-08-02 \r\n")
    assert of(store, ORG) == datetime.date(2026, 8, 2)
    store.set_testing_until(ORG, Until(None))
    store.set_testing_until(ORG, Until(None))
    assert sorted(path.name for path in (tmp_path / "example.org").iterdir()) == [
        "history.jsonl",
        "mta-sts.txt",
    ]


@pytest.mark.parametrize("data", [b"", b"soon\n", b"2026-13-01\n", b"\xff", b"0" * 1000])
def test_what_is_no_date_is_named(store, tmp_path, data):
    (tmp_path / "example.org" / "testing-until").write_bytes(data)
    with pytest.raises(StoreError) as caught:
        of(store, ORG)
    assert caught.value.code == "testing-until-damaged"
    assert "set example.org --testing-until" in caught.value.remedy


def test_aliases_and_members_share_it(store):
    store.alias(NET, ORG)
    store.assign(Domain("a.example"), CLUSTER, NOW)
    store.set_testing_until(ORG, Until(DATE))
    store.set_testing_until(CLUSTER, Until(DATE + DAY))
    assert (of(store, NET), of(store, Domain("a.example"))) == (DATE, DATE + DAY)
    for name in (NET, Domain("a.example")):
        with pytest.raises(StoreError):
            store.set_testing_until(name, Until(DATE))


def test_who_joins_a_class_leaves_its_own_date_and_who_leaves_takes_that_of_the_class(store):
    store.set_testing_until(ORG, Until(DATE))
    store.assign(ORG, CLUSTER, NOW)
    assert of(store, ORG) is None
    store.detach(ORG)
    assert of(store, ORG) is None
    store.assign(ORG, CLUSTER, NOW + DAY)
    store.set_testing_until(CLUSTER, Until(DATE))
    store.detach(ORG)
    store.set_testing_until(CLUSTER, Until(None))
    assert of(store, ORG) == DATE


def test_it_ends_with_the_mode_and_does_not_come_back(store):
    store.set_testing_until(ORG, Until(DATE))
    wider = TESTING._replace(mx=("mx.example.org", "mx2.example.org"))
    store.write(ORG, wider.to_bytes(), NOW + DAY)
    assert of(store, ORG) == DATE
    store.write(ORG, ENFORCE.to_bytes(), NOW + 2 * DAY)
    store.write(ORG, TESTING.to_bytes(), NOW + 3 * DAY)
    assert of(store, ORG) is None


def test_only_testing_has_an_end(store):
    store.write(ORG, ENFORCE.to_bytes(), NOW + DAY)
    with pytest.raises(StoreError) as caught:
        store.set_testing_until(ORG, Until(DATE))
    assert caught.value.code == "testing-until-vain"
    store.set_testing_until(ORG, Until(None))


def step(kind, day, policy=None, done=None):
    due = NOW + day * DAY
    return Step(kind, due, "Do it.", "Because.", datetime.timedelta(0), due, policy, done=done)


def plan(*steps):
    return Plan(NOW, datetime.timedelta(hours=1), "1-0", steps)


def test_a_plan_sets_it_unless_the_operator_has(store, tmp_path):
    longer = TESTING._replace(max_age=604800)
    steps = (step(Kind.REPORTS, 8), step(Kind.SERVE, 8, longer), step(Kind.SERVE, 9, ENFORCE))
    plan_store.replace(str(tmp_path / ORG), None, plan(*steps))
    assert of(store, ORG) == (NOW + 9 * DAY).date()
    store.set_testing_until(ORG, Until(DATE))
    assert of(store, ORG) == DATE


def test_a_plan_that_does_not_end_testing_sets_none(store, tmp_path):
    done = step(Kind.SERVE, 1, ENFORCE, done=NOW)
    assert plan(done, step(Kind.SERVE, 5, TESTING), step(Kind.PUBLISH, 5)).testing_until is None
    (tmp_path / "example.org" / "plan.json").write_text("{")
    assert of(store, ORG) is None


@pytest.mark.parametrize(
    ("text", "date"), [("2026-12-01", datetime.date(2026, 12, 1)), ("none", None)]
)
def test_what_the_operator_writes(text, date):
    assert Until.parse(text) == Until(date)


@pytest.mark.parametrize("text", ["", "2026-02-30", "01.12.2026", "1w", "\x1b[2J"])
def test_what_is_no_date_for_an_operator(text):
    with pytest.raises(InvalidDate) as caught:
        Until.parse(text)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("days", "until", "codes"),
    [
        (40, None, ["status-testing-long"]),
        (40, NOW.date(), []),  # the last day is a day of testing
        (1, NOW.date() - DAY, ["status-testing-overdue"]),
        (1, NOW.date() + DAY, []),
    ],
)
def test_status_heeds_it(days, until, codes):
    entries = [HistoryEntry.of(TESTING.to_bytes(), NOW - days * DAY)]
    row = status.row(ORG, ORG, TESTING.to_bytes(), entries)
    assert status.in_testing(row, until, NOW).codes == codes


def test_the_command(mtasts):
    options = ("--mx", "mx.example.org", "--testing-until", "2999-07-01")
    assert mtasts("new", "example.org", *options)[0] == 0
    assert json.loads(mtasts("show", "example.org", "--json")[1])["testing_until"] == "2999-07-01"
    assert "in testing until 2999-07-01\n" in mtasts("show", "example.org")[1]
    code, out, _ = mtasts("set", "example.org", "--testing-until", "2020-01-02")
    assert (code, out) == (0, "example.org: in testing until 2020-01-02\n")
    code, out, _ = mtasts("status", "--offline", "example.org")
    assert code == 1
    assert "status-testing-overdue" in out
    assert "mtasts set example.org --testing-until DATE" in out
    said = mtasts("set", "example.org", "--testing-until", "none", "--json")[1]
    assert json.loads(said)["testing_until"] is None
    assert "until" not in mtasts("show", "example.org")[1]
    assert mtasts("status", "--offline", "example.org")[0] == 0


def test_the_command_sets_it_together_with_the_mode_or_not_at_all(mtasts):
    mtasts.mx["example.org"] = ["10 mx.example.org"]
    mtasts("new", "example.org", "--mx", "mx.example.org")
    path = mtasts.root / "example.org" / "mta-sts.txt"
    before = path.read_bytes()
    both = ("--mode", "enforce", "--testing-until", "2999-07-01")
    code, _, err = mtasts("set", "example.org", *both, "--yes")
    assert (code, path.read_bytes()) == (3, before)
    assert "[testing-until-vain]" in err
    assert mtasts("set", "example.org", "--mode", "enforce", "--yes")[0] == 0
    back = ("--mode", "testing", "--testing-until", "2999-07-01")
    code, out, _ = mtasts("set", "example.org", *back, "--dry-run")
    assert code == 0
    assert "would be in testing until 2999-07-01" in out
    assert mtasts("set", "example.org", *back)[0] == 0
    assert "in testing until 2999-07-01" in mtasts("show", "example.org")[1]
    assert mtasts("set", "example.org", "--testing-until", "soon")[0] == 2
