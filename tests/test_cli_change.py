"""Changing a policy with the command: what is shown, what is refused, what is left as it was."""

import datetime
import json
import sys

import pytest

from mtasts import publications
from mtasts.publications import Publication

SCRIPT = "#!/bin/sh\n"


@pytest.fixture
def org(mtasts):
    """example.org with two MX hosts, as DNS has them."""
    mtasts.mx["example.org"] = ["10 mx1.example.org", "20 mx2.example.org"]
    mtasts("new", "example.org", "--mx", "mx1.example.org", "--mx", "mx2.example.org")
    return mtasts


@pytest.fixture
def editor(tmp_path):
    """Make an editor of lines of shell, in which $1 is the file."""

    def make(*lines):
        path = tmp_path / "editor with blanks"
        path.write_text(SCRIPT + "\n".join(lines) + "\n")
        path.chmod(0o755)
        return f"'{path}'"

    return make


def text_of(mtasts, domain="example.org"):
    return (mtasts.root / domain / "mta-sts.txt").read_bytes()


def test_set_changes_what_is_named_and_shows_the_difference(org):
    code, out, _ = org("set", "example.org", "--mode", "enforce", "--max-age", "1w")
    assert code == 0
    assert "-mode: testing" in out
    assert "+mode: enforce" in out
    assert b"mode: enforce\r\nmx: mx1.example.org\r\nmx: mx2.example.org\r\nmax_age: 604800" in (
        text_of(org)
    )


def test_set_as_json(org):
    code, out, _ = org("set", "example.org", "--max-age", "1w", "--json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["name"], facts["changed"], facts["written"]) == ("example.org", True, True)
    assert facts["id"] == json.loads(org("show", "example.org", "--json")[1])["id"]


def test_a_dry_run_shows_all_and_writes_nothing(org):
    before = text_of(org)
    code, out, _ = org("set", "example.org", "--mode", "enforce", "--dry-run")
    assert code == 0
    assert "+mode: enforce" in out
    assert "not written" in out
    assert text_of(org) == before
    assert len(json.loads(org("history", "example.org", "--json")[1])) == 1


def test_an_mx_that_dns_still_names_is_not_taken_away(org):
    before = text_of(org)
    code, out, err = org("set", "example.org", "--remove-mx", "mx2.example.org")
    assert code == 3
    assert "example.org: would not be covered: mx2.example.org" in out
    assert "[mx-uncovered]" in err
    assert text_of(org) == before
    code, _, _ = org("set", "example.org", "--remove-mx", "mx2.example.org", "--max-uncovered", "1")
    assert code == 0
    assert b"mx2" not in text_of(org)


def test_an_mx_that_dns_does_not_name_goes(org):
    org.mx["example.org"] = ["10 mx1.example.org"]
    code, _, _ = org("set", "example.org", "--remove-mx", "MX2.example.org.")
    assert code == 0
    assert b"mx2" not in text_of(org)


def test_what_dns_does_not_tell_counts_as_uncovered(org):
    org.mx["example.org"] = None
    code, out, err = org("set", "example.org", "--mode", "enforce", "--json")
    assert code == 3
    assert "example.org" in json.loads(out)["unknown"]
    assert "1 could not be looked up" in err
    code, _, _ = org("set", "example.org", "--add-mx", "mx3.example.org")
    assert code == 0  # nothing that DNS says could speak against it


def test_what_is_new_to_warn_of_needs_a_word_where_nobody_is_asked(org):
    code, out, err = org("set", "example.org", "--max-age", "60")
    assert code == 3
    assert "[policy-max-age-short]" in out
    assert "[change-unconfirmed]" in err
    assert b"max_age: 86401" in text_of(org)
    assert org("set", "example.org", "--max-age", "60", "--yes")[0] == 0
    assert org("set", "example.org", "--mode", "enforce")[0] == 0  # not new any more


def test_a_person_is_asked(org):
    code, said = org.on_terminal(
        "set", "example.org", "--mode", "enforce", answers=[("[y/N]", "n\n")]
    )
    assert code == 1
    assert "\x1b[31m-mode: testing" in said
    assert b"mode: testing" in text_of(org)
    code, _ = org.on_terminal("set", "example.org", "--mode", "enforce", answers=[("[y/N]", "y\n")])
    assert code == 0
    assert b"mode: enforce" in text_of(org)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["example.org"], 2, "Say what to change"),
        (["example.net", "--mode", "enforce"], 3, "[policy-unknown]"),
        (["@none", "--mode", "enforce"], 3, "[policy-unknown]"),
        (["@No", "--mode", "enforce"], 2, "[class-name-invalid]"),
        (["example.org", "--max-age", "2y"], 2, "[policy-max-age-too-large]"),
        (["example.org", "--max-age", "soon"], 2, "[duration-invalid]"),
        (["example.org", "--mx", "192.0.2.1"], 2, "[domain-address]"),
        (["example.org", "--remove-mx", "mx9.example.org"], 3, "[mx-not-named]"),
        (["example.org", "--mode", "enforced"], 2, "enforced"),
        (["example.org", "--mode", "enforce", "--resolver", "ns.test"], 3, "[address-invalid]"),
    ],
)
def test_what_cannot_be_set_is_said_and_changes_nothing(org, arguments, code, said):
    before = text_of(org)
    ended, _, err = org("set", *arguments)
    assert ended == code
    assert said in err
    assert text_of(org) == before


def test_a_policy_broken_by_hand_is_named_and_mended_in_the_editor(org, editor):
    path = org.root / "example.org" / "mta-sts.txt"
    path.write_bytes(text_of(org) + b"mode enforce\n")
    code, _, err = org("set", "example.org", "--mode", "enforce")
    assert code == 2
    assert "mta-sts.txt: line 6:" in err
    code, out, _ = org("show", "example.org")
    assert code == 2
    assert "    mode enforce" in out
    code, _, err = org("edit", "example.org", EDITOR=editor("sed -i '/^mode enforce/d' \"$1\""))
    assert code == 0, err
    assert b"mode enforce" not in text_of(org)


def test_the_editor_gets_lf_and_the_policy_keeps_crlf(org, editor):
    code, out, err = org(
        "edit",
        "example.org",
        EDITOR=editor("! grep -q '\r' \"$1\" || exit 1", "sed -i 's/86401/604800/' \"$1\""),
    )
    assert code == 0, err
    assert "+max_age: 604800" in out
    assert text_of(org).count(b"\r\n") == text_of(org).count(b"\n") == 5


def test_visual_is_asked_before_editor_and_no_change_is_none(org, editor):
    before = text_of(org)
    code, out, _ = org("edit", "example.org", VISUAL=editor("exit 0"), EDITOR="false")
    assert code == 0
    assert "no change" in out
    assert text_of(org) == before


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (["exit 3"], 3, "[editor-failed]"),
        (['echo mode >> "$1"'], 2, "[policy-line-malformed]"),
        (['rm "$1"'], 3, "[edit-failed]"),
        (['head -c 70000 /dev/zero > "$1"'], 2, "[policy-too-large]"),
        (["sed -i 's/: testing/: enforced/' \"$1\""], 2, "Write 'mode: enforce'"),
    ],
)
def test_what_the_editor_leaves_is_looked_at(org, editor, lines, code, said):
    before = text_of(org)
    ended, _, err = org("edit", "example.org", EDITOR=editor(*lines))
    assert ended == code
    assert said in err
    assert text_of(org) == before


@pytest.mark.parametrize("command", ["/nowhere/editor --wait", "'unbalanced"])
def test_an_editor_that_cannot_be_started_is_an_error(org, command):
    before = text_of(org)
    code, _, err = org("edit", "example.org", EDITOR=command)
    assert code == 3
    assert "[editor-failed]" in err
    assert text_of(org) == before


def test_a_change_by_somebody_else_is_seen_before_editing_again(org, editor):
    other = f"{sys.executable} -m mtasts set example.org --max-age 2w > /dev/null"
    once = editor(
        'grep -q 1209600 "$1" && exit',
        other,
        "sed -i 's/86401/1209600/; s/: testing/: enforce/' \"$1\"",
    )
    code, said = org.on_terminal(
        "edit",
        "example.org",
        answers=[("[y/N]", "y\n"), ("(q)uit", "e\n"), ("[y/N]", "y\n")],
        EDITOR=once,
    )
    assert code == 0, said
    assert "[policy-changed-meanwhile]" in said
    assert "-max_age" not in said[said.rindex("@@") :]
    assert b"mode: enforce" in text_of(org)


def test_an_invalid_text_can_be_edited_again(org, editor):
    twice = editor(
        'grep -q "^mode enforce" "$1" && { sed -i "s/^mode enforce/x: y/" "$1"; exit; }',
        'echo "mode enforce" >> "$1"',
    )
    code, said = org.on_terminal(
        "edit",
        "example.org",
        answers=[("(q)uit", "e\n"), ("[y/N]", "y\n")],
        EDITOR=twice,
    )
    assert code == 0, said
    assert "[policy-line-malformed]" in said
    assert b"x: y" in text_of(org)


@pytest.mark.parametrize("answer", ["k", "q"])
def test_an_invalid_text_can_be_kept_or_dropped(org, editor, tmp_path, answer):
    before = text_of(org)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    code, said = org.on_terminal(
        "edit",
        "example.org",
        answers=[("(q)uit", answer + "\n")],
        EDITOR=editor('echo "mode enforce" >> "$1"'),
        TMPDIR=str(scratch),
    )
    assert code == 1, said
    assert text_of(org) == before
    kept = list(scratch.rglob("mta-sts.txt"))
    assert len(kept) == (answer == "k")
    assert all(b"mode enforce" in path.read_bytes() for path in kept)


def test_two_commands_at_once_do_not_undo_each_other(org, editor):
    """Another command changes the policy while the editor is open."""
    other = f"{sys.executable} -m mtasts set example.org --max-age 2w > /dev/null"
    code, _, err = org(
        "edit", "example.org", EDITOR=editor(other, "sed -i 's/86401/604800/' \"$1\"")
    )
    assert code == 3
    assert "[policy-changed-meanwhile]" in err
    assert b"max_age: 1209600" in text_of(org)


def test_history_and_diff_tell_what_was(org):
    first = json.loads(org("history", "example.org", "--json")[1])[0]["id"]
    org("set", "example.org", "--add-mx", "mx3.example.org")
    org("set", "example.org", "--max-age", "1w")
    entries = json.loads(org("history", "example.org", "--json")[1])
    assert [entry["max_age"] for entry in entries] == [86401, 86401, 604800]
    code, out, _ = org("history", "example.org")
    assert code == 0
    assert len(out.splitlines()) == 3
    code, out, _ = org("diff", "example.org")
    assert code == 1
    assert "+max_age: 604800" in out
    assert "mx3" not in [line[:4] for line in out.splitlines() if line[0] in "+-"]
    code, out, _ = org("diff", "example.org", first)
    assert "+mx: mx3.example.org" in out
    code, _, err = org("diff", "example.org", "20200101")
    assert code == 3
    assert "[history-id-unknown]" in err


def test_history_tells_since_when_dns_had_the_id(org):
    (entry,) = json.loads(org("history", "example.org", "--json")[1])
    assert entry["published"] is None
    now = datetime.datetime.now(datetime.timezone.utc)
    policy = text_of(org)
    publications.add(str(org.root), Publication("example.org", entry["id"], now, policy))
    (entry,) = json.loads(org("history", "example.org", "--json")[1])
    assert entry["published"] == f"{now:%Y-%m-%dT%H:%M:%SZ}"
    org("set", "example.org", "--max-age", "1w")
    published, new = org("history", "example.org")[1].splitlines()
    assert published.split()[1] == entry["published"]
    assert new.split()[1] == "-"


def test_a_change_by_hand_is_shown_without_being_entered(org):
    path = org.root / "example.org"
    (path / "mta-sts.txt").write_bytes(text_of(org).replace(b"testing", b"enforce"))
    before = (path / "history.jsonl").read_bytes()
    entries = json.loads(org("history", "example.org", "--json")[1])
    assert [entry["mode"] for entry in entries] == ["testing", "enforce"]
    assert json.loads(org("show", "example.org", "--json")[1])["id"] == entries[-1]["id"]
    assert (path / "history.jsonl").read_bytes() == before
    assert org("diff", "example.org")[0] == 1


def test_list_and_show(org):
    org("alias", "example.net", "example.org")
    (org.root / "example.com").mkdir()
    code, out, _ = org("list")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["example.com", "invalid"],
        ["example.net", "testing", "86401s", "of", "example.org"],
        ["example.org", "testing", "86401s"],
    ]
    facts = json.loads(org("list", "--json")[1])
    assert [one["policy_of"] for one in facts] == ["example.com", "example.org", "example.org"]
    code, out, _ = org("show", "example.net")
    assert code == 0
    assert "(the policy of example.org)" in out
    assert "    mode: testing" in out
    shown = json.loads(org("show", "example.org", "--json")[1])
    assert shown["text"].startswith("version: STSv1\r\n")
    assert shown["findings"] == []


def test_an_empty_list_is_json_too(mtasts):
    assert json.loads(mtasts("list", "--json")[1]) == []
    assert mtasts("list")[:2] == (0, "")


def test_what_is_shown_moves_no_terminal(org):
    path = org.root / "example.org" / "mta-sts.txt"
    path.write_bytes(text_of(org) + b"x: \x1b[2J\xc2\x9b\r\n")
    for command in ("show", "diff", "history", "list"):
        code, out, err = org(command, "example.org") if command != "list" else org(command)
        assert "\x1b" not in out + err
        assert "\x9b" not in out + err
