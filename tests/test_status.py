"""How domains stand: what is wrong with each, and in which order a person should look."""

import datetime
import json

import pytest

from mtasts import status
from mtasts.domain import Domain
from mtasts.finding import Severity
from mtasts.history import HistoryEntry
from mtasts.policy import Mode, Policy
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
    row = status.row(ORG, ORG, ENFORCE, entries, NOW)
    assert (row.mode, row.since, row.id) == (Mode.ENFORCE, ago(9), entries[-1].id)
    assert (codes(row), row.severity) == ([], Severity.OK)


def test_since_is_the_mode_not_the_last_change():
    entries = [
        HistoryEntry.of(TESTING, ago(90)),
        HistoryEntry.of(ENFORCE, ago(60)),
        HistoryEntry.of(TESTING, ago(40)),
        HistoryEntry.of(WIDER, ago(2)),
    ]
    row = status.row(ORG, ORG, WIDER, entries, NOW)
    assert row.since == ago(40)
    assert codes(row) == ["status-testing-long"]
    assert "40 days" in row.findings[0].message


@pytest.mark.parametrize("days", [1, 30])
def test_testing_for_a_while_is_as_it_should_be(days):
    assert codes(status.row(ORG, ORG, TESTING, [HistoryEntry.of(TESTING, ago(days))], NOW)) == []


@pytest.mark.parametrize("entries", [[], [HistoryEntry.of(TESTING, ago(1))]])
def test_a_change_by_hand_is_named(entries):
    row = status.row(ORG, ORG, ENFORCE, entries, NOW)
    assert codes(row) == ["status-unentered"]
    assert (row.since, row.id) == (None, "")


def test_what_no_sender_takes_comes_first():
    good = status.row(Domain("a.example"), ORG, ENFORCE, [HistoryEntry.of(ENFORCE, ago(1))], NOW)
    odd = status.row(Domain("b.example"), ORG, ENFORCE, [], NOW)
    bad = status.row(Domain("c.example"), ORG, b"mode enforce\n", [], NOW)
    assert bad.mode is None
    assert bad.codes[0] == "policy-line-malformed"
    ordered = status.attention([good, odd, bad])
    assert [row.domain for row in ordered] == ["c.example", "b.example", "a.example"]


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
