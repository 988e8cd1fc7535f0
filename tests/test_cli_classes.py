"""One policy for many domains: aliases, policy classes, and whom a change of one would hurt."""

import json
import os

import pytest

CLASS = "@mx-cluster-a"


@pytest.fixture
def cluster(mtasts):
    """A class with three members; DNS has its two hosts for each."""
    mtasts("new", CLASS, "--mx", "mx1.example.org", "--mx", "mx2.example.org")
    for domain in ("a.example", "b.example", "c.example"):
        mtasts.mx[domain] = ["10 mx1.example.org", "20 mx2.example.org"]
    code, _, err = mtasts("assign", CLASS, "a.example", "b.example", "c.example")
    assert code == 0, err
    return mtasts


def text_of(mtasts, name):
    return (mtasts.root / name / "mta-sts.txt").read_bytes()


def modes(mtasts, name):
    return [entry["mode"] for entry in json.loads(mtasts("history", name, "--json")[1])]


def test_members_have_the_policy_of_their_class(cluster):
    assert text_of(cluster, "a.example") == text_of(cluster, CLASS)
    assert os.readlink(str(cluster.root / "b.example" / "mta-sts.txt")) == f"../{CLASS}/mta-sts.txt"
    facts = json.loads(cluster("classes", "--json")[1])
    assert facts == [{"name": CLASS, "mode": "testing", "domains": 3}]
    assert cluster("classes")[1].split() == [CLASS, "testing", "3", "domains"]
    assert "of " + CLASS in cluster("list")[1]


def test_one_command_changes_all_members(cluster):
    code, out, _ = cluster("set", CLASS, "--mode", "enforce", "--json")
    assert code == 0
    assert json.loads(out)["domains"] == 3
    assert b"mode: enforce" in text_of(cluster, "c.example")
    assert modes(cluster, "c.example") == ["testing", "enforce"]
    ids = {json.loads(cluster("show", name, "--json")[1])["id"] for name in (CLASS, "a.example")}
    assert len(ids) == 1


def test_a_change_that_would_leave_members_uncovered_is_refused(cluster):
    cluster.mx["b.example"] = ["10 mx1.example.org"]
    cluster.mx["c.example"] = None
    before = text_of(cluster, CLASS)
    arguments = ("set", CLASS, "--remove-mx", "mx2.example.org")
    code, out, err = cluster(*arguments)
    assert code == 3
    assert "a.example: would not be covered: mx2.example.org" in out
    assert "b.example" not in out
    assert "c.example: DNS gave no answer" in out
    assert "[mx-uncovered]" in err
    code, out, _ = cluster(*arguments, "--json", "--max-uncovered", "1")
    assert code == 3
    facts = json.loads(out)
    assert facts["uncovered"] == {"a.example": ["mx2.example.org"]}
    assert list(facts["unknown"]) == ["c.example"]
    assert text_of(cluster, CLASS) == before
    code, out, _ = cluster(*arguments, "--max-uncovered", "2", "--dry-run")
    assert code == 0
    assert "a.example: would not be covered" in out
    assert text_of(cluster, CLASS) == before
    assert cluster(*arguments, "--max-uncovered", "2")[0] == 0
    assert b"mx2" not in text_of(cluster, "a.example")


def test_domains_whose_mx_is_elsewhere_are_not_assigned(cluster):
    cluster.mx["d.example"] = ["10 mx9.example.net"]
    code, out, err = cluster("assign", CLASS, "d.example")
    assert code == 3
    assert "d.example: would not be covered: mx9.example.net" in out
    assert "[mx-uncovered]" in err
    assert not (cluster.root / "d.example").exists()
    assert cluster("assign", CLASS, "d.example", "--max-uncovered", "1", "--dry-run")[0] == 0
    assert not (cluster.root / "d.example").exists()


def test_a_domain_keeps_its_history_into_a_class_and_out_of_it(cluster):
    cluster.mx["d.example"] = ["10 mx1.example.org"]
    cluster("new", "d.example", "--mx", "mx1.example.org", "--mx", "mx7.example.org")
    assert cluster("assign", CLASS, "d.example")[0] == 0
    cluster("set", CLASS, "--mode", "enforce")
    assert modes(cluster, "d.example") == ["testing", "testing", "enforce"]
    assert cluster("detach", "d.example")[0] == 0
    assert not (cluster.root / "d.example" / "mta-sts.txt").is_symlink()
    assert modes(cluster, "d.example") == ["testing", "testing", "enforce"]
    assert cluster("set", "d.example", "--max-age", "1w")[0] == 0
    assert b"max_age: 86401" in text_of(cluster, CLASS)
    assert modes(cluster, "d.example") == ["testing", "testing", "enforce", "enforce"]


REFUSED = [
    ("new @cluster-b", 3, "class-mx-missing"),
    ("assign @cluster-b a.example", 3, "policy-unknown"),
    ("assign example.org a.example", 2, "class-name-invalid"),
    ("assign @mx-cluster-a alias.example", 3, "alias-not-writable"),
    ("set a.example --mode enforce", 3, "member-not-writable"),
    ("edit a.example", 3, "member-not-writable"),
    ("detach own.example", 3, "member-unknown"),
    ("detach alias.example", 3, "alias-not-writable"),
    ("detach none.example", 3, "policy-unknown"),
    ("alias a.example own.example", 3, "policy-exists"),
    ("alias d.example none.example --dry-run", 3, "policy-unknown"),
]


def test_what_cannot_be_done_is_said_with_its_code(cluster):
    cluster("new", "own.example", "--mx", "mx1.example.org")
    cluster("alias", "alias.example", "own.example")
    before = sorted(str(path) for path in cluster.root.rglob("*"))
    for arguments, code, said in REFUSED:
        ended, _, err = cluster(*arguments.split())
        assert (ended, f"[{said}]" in err) == (code, True), (arguments, err)
    assert sorted(str(path) for path in cluster.root.rglob("*")) == before


def test_an_alias_of_a_member_has_the_policy_of_the_class(cluster):
    assert cluster("alias", "d.example", "a.example")[0] == 0
    assert os.readlink(str(cluster.root / "d.example")) == "a.example"
    assert json.loads(cluster("show", "d.example", "--json")[1])["policy_of"] == CLASS
    cluster("set", CLASS, "--max-age", "1w")
    assert b"max_age: 604800" in text_of(cluster, "d.example")


def test_a_class_edited_by_hand_is_entered_once_for_all(cluster):
    path = cluster.root / CLASS / "mta-sts.txt"
    path.write_bytes(path.read_bytes().replace(b"testing", b"enforce"))
    assert cluster("dns", "a.example")[0] == 0
    assert modes(cluster, CLASS) == ["testing", "enforce"]
    assert modes(cluster, "b.example") == ["testing", "enforce"]
    assert len((cluster.root / "a.example" / "history.jsonl").read_text().splitlines()) == 1
