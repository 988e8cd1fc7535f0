"""The command `mtasts lint`: what people and programs get, and that its manual is true."""

import doctest
import json
import os
import pty
import re
import shlex
import stat
import subprocess
import sys
import threading

import pytest

from cases import CAREFUL, instead, with_line
from mtasts import lint, rules
from mtasts.rules import RULES

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MANUAL_FILE = os.path.join(TOP, "docs", "lint.md")
with open(MANUAL_FILE, encoding="utf-8") as file:
    MANUAL = file.read()
LINTED = {
    "findings-more": RULES["findings-more"],
    **rules.domain.RULES,
    **rules.policy.RULES,
    **rules.record.RULES,
}


@pytest.fixture
def run(tmp_path):
    """Run `mtasts lint` in a folder of its own; return exit code, output, errors."""
    environment = dict(os.environ, PYTHONPATH=TOP, LC_ALL="C.UTF-8", LANG="C.UTF-8")

    def run(*arguments, stdin=b""):
        done = subprocess.run(
            [sys.executable, "-m", "mtasts", "lint", *arguments],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=str(tmp_path),
            timeout=60,
            check=False,
        )
        assert b"Traceback" not in done.stderr
        return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")

    run.folder = tmp_path
    run.environment = environment
    return run


@pytest.fixture
def policy_file(run):
    """Make a file in the command's folder."""

    def make(data, name="mta-sts.txt"):
        path = run.folder / name
        path.write_bytes(data)
        return path

    return make


@pytest.mark.parametrize(
    ("data", "code"),
    [(CAREFUL, 0), (CAREFUL[:-2], 1), (instead(b"STSv1", b"STSv2"), 2)],
    ids=["clean", "warnings", "errors"],
)
def test_exit_codes(run, policy_file, data, code):
    policy_file(data)
    assert run("mta-sts.txt")[0] == code
    assert run("-", stdin=data)[0] == code


def test_an_info_is_no_reason_to_warn(run):
    code, out, _ = run("-", stdin=instead(b"2592000", b"86401"))
    assert code == 0
    assert "info" in out


@pytest.mark.parametrize(
    "arguments",
    [(), ("absent",), (".",), ("--no-such-option",), ("-", "--txt", "a"), ("--txt", "a", "--fix")],
)
def test_could_not_run(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (3, "")
    assert err


def test_people_see_the_place(run):
    _, out, _ = run("-", stdin=with_line(b"mx: \xc3\xbc\x1b[31m.example.org"))
    lines = out.splitlines()
    assert lines[0].startswith("-:5:6: error: ")
    assert lines[1] == "    mx: \\xfc\\x1b[31m.example.org"
    assert lines[2] == "    " + " " * len("mx: \\xfc") + "^"
    assert lines[3] == "  rule: RFC 8461 section 3.2"
    assert lines[4].startswith("  remedy: ")


@pytest.mark.parametrize(
    ("data", "place", "excerpt", "column"),
    [
        (b"\xef\xbb\xbfversion: STSv2\n", ":1:10: ", "version: STSv2", 9),
        (b"a: b\r\nmode: off\r\n", ":2:7: ", "mode: off", 6),
        (b"a: b\nmode:\t \toff", ":2:9: ", "mode:\\t \\toff", 10),
        (
            "ä: b\nmode: Ö\u20ac\U0001f600x\n".encode(),
            ":2:7: ",
            "mode: \\xd6\\u20ac\\U0001f600x",
            6,
        ),
        (
            "note: ä\u20ac\U0001f600\x01\n".encode(),
            ":1:10: ",
            "note: \\xe4\\u20ac\\U0001f600\\x01",
            26,
        ),
        (b"note: \xe4\xf6\n", ":1:7: ", "note: \\xe4\\xf6", 6),
        (b"a: b\rmode: off\n", ":1:5: ", "a: b\\rmode: off", 4),
    ],
    ids=["mark", "crlf", "tabs", "characters", "beyond-16-bit", "latin-1", "cr"],
)
def test_the_caret_stands_below_the_place(run, data, place, excerpt, column):
    lines = run("-", stdin=data)[1].splitlines()
    shown = [number for number, line in enumerate(lines) if place in line]
    assert [lines[number + 1 : number + 3] for number in shown] == [
        ["    " + excerpt, "    " + " " * column + "^"]
    ] * len(shown)
    assert shown


def test_long_lines_are_shown_around_the_place(run):
    _, out, _ = run("-", stdin=with_line(b"note: " + b"a" * 500 + b"\x01" + b"b" * 500))
    excerpt, caret = out.splitlines()[1:3]
    assert len(excerpt) < 100
    assert excerpt[caret.index("^") :].startswith("\\x01")


def test_a_hostile_file_name_moves_no_cursor(run, policy_file):
    policy_file(CAREFUL, "\x1b[31m\n.txt")
    code, out, _ = run("\x1b[31m\n.txt", "\x1b[32m")
    assert code == 3
    assert out == "\\x1b[31m\\n.txt: no findings\n"


def test_colours_are_for_terminals(run, policy_file):
    policy_file(b"")
    assert "\x1b" not in run("mta-sts.txt")[1]
    master, slave = pty.openpty()
    program = [sys.executable, "-m", "mtasts", "lint", "mta-sts.txt"]
    subprocess.call(program, stdout=slave, env=run.environment, cwd=str(run.folder), timeout=60)
    os.close(slave)
    assert b"\x1b[31merror" in os.read(master, 4096)
    os.close(master)


def test_one_file_is_an_object_and_several_are_a_list(run, policy_file):
    policy_file(CAREFUL)
    policy_file(b"", "empty.txt")
    code, out, _ = run("--json", "mta-sts.txt")
    assert json.loads(out) == {"file": "mta-sts.txt", "findings": []}
    code, out, err = run("--json", "mta-sts.txt", "absent", "empty.txt")
    first, second = json.loads(out)
    assert (code, first["findings"]) == (3, [])
    assert second["findings"][0] == lint.policy(b"")[0]._replace(severity="error")._asdict()
    assert "[file-unreadable]" in err
    assert run("--json", "absent", "gone")[:2] == (3, "[]\n")
    assert run("--json", "absent")[:2] == (3, "")


def test_effective_policy_in_json(run):
    data = CAREFUL + b"mx: *.Example.NET\r\nnote: a b\r\nnote: c\r\n"
    facts = json.loads(run("--effective", "--json", "-", stdin=data)[1])
    facts.pop("findings")
    assert facts == {
        "file": "-",
        "valid": True,
        "mode": "enforce",
        "max_age": 2592000,
        "mx": ["mx1.example.org", "*.example.net"],
        "extensions": {"note": "a b"},
    }
    facts = json.loads(run("--effective", "--json", "-", stdin=b"mode: enforce\r\n")[1])
    facts.pop("findings")
    assert facts == {
        "file": "-",
        "valid": False,
        "mode": None,
        "max_age": None,
        "mx": [],
        "extensions": {},
    }


def test_effective_policy_for_people(run):
    _, out, _ = run("--effective", "-", stdin=with_line(b"note: \xc3\xbc"))
    assert "-: valid: yes\n-: mode: enforce\n-: max_age: 2592000\n-: mx: mx1.example.org\n" in out
    assert "-: extensions: note=\\xfc\n" in out


def test_record_in_json(run):
    code, out, _ = run("--json", "--effective", "--txt", "v=STSv1; id=20", "--txt", "26;")
    assert code == 0
    assert json.loads(out) == {
        "txt": "v=STSv1; id=2026;",
        "type": "sts",
        "valid": True,
        "id": "2026",
        "extensions": {},
        "findings": [],
    }
    rua = "mailto:a@example.org,https://example.org/tls"
    _, out, _ = run("--json", "--effective", "--txt", f"v=TLSRPTv1; rua={rua}")
    assert json.loads(out) == {
        "txt": f"v=TLSRPTv1; rua={rua}",
        "type": "tlsrpt",
        "valid": True,
        "rua": rua.split(","),
        "extensions": {},
        "findings": [],
    }


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("v=spf1 -all", {"type": "sts", "valid": False, "id": None}),
        ("", {"type": "sts", "valid": False, "id": None}),
        ("v=TLSRPTv1;", {"type": "tlsrpt", "valid": False, "rua": []}),
    ],
)
def test_what_is_no_record(run, text, facts):
    code, out, _ = run("--json", "--effective", "--txt", text)
    assert code == 2
    assert {name: json.loads(out)[name] for name in facts} == facts


def test_octets_that_are_no_text_on_the_command_line(run):
    code, out, _ = run("--txt", b"v=STSv1; id=\xff;")
    assert code == 2
    assert "[record-not-ascii]" in out


@pytest.mark.parametrize(
    ("host", "pattern", "code", "why"),
    [
        ("mx1.example.org", "*.example.org", 0, "stands for the label 'mx1'"),
        ("a.mx1.example.org", "*.example.org", 1, "exactly one label"),
        ("mx1.example.org", "*", 2, "wildcard"),
    ],
)
def test_match(run, host, pattern, code, why):
    done, out, _ = run("--match", host, pattern)
    assert done == code
    assert why in out
    done, out, _ = run("--json", "--match", host, pattern)
    facts = json.loads(out)
    assert (done, facts["match"]) == (code, code == 0)
    assert why in facts["why"]


def test_fix_rewrites_and_shows_the_difference(run, policy_file):
    path = policy_file(
        b"version: STSv1\nmode:enforce\nnote: a\nmx: MX1.example.org\nmax_age: 604800"
    )
    path.chmod(0o640)
    (run.folder / "link").symlink_to("mta-sts.txt")
    code, out, _ = run("--fix", "link")
    assert code == 0
    careful = b"version: STSv1\nmode: enforce\nmx: mx1.example.org\nmax_age: 604800\n"
    assert path.read_bytes() == careful
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (run.folder / "link").is_symlink()
    assert "[policy-extension]" in out
    assert "-note: a\\n\n" in out
    assert "+mode: enforce\\n\n" in out
    assert run("--fix", "link") == (
        0,
        "link: no findings\nlink: left as it is: the form that every sender accepts\n",
        "",
    )


def test_fix_says_when_there_was_no_policy_before(run, policy_file):
    path = policy_file(b"\r\n" + CAREFUL)
    code, out, _ = run("--fix", "mta-sts.txt")
    assert code == 0
    assert "took no policy from it before" in out
    assert path.read_bytes() == CAREFUL


def test_fix_leaves_to_people_what_they_have_to_decide(run, policy_file):
    data = with_line(b"nmx: mx2.example.org")
    path = policy_file(data)
    code, out, _ = run("--fix", "mta-sts.txt")
    assert code == 1
    assert "left as it is" in out
    assert path.read_bytes() == data
    path.write_bytes(instead(b"enforce", b"enforced"))
    code, out, _ = run("--fix", "mta-sts.txt")
    assert code == 2
    assert "left as it is" in out


def test_fix_keeps_what_only_a_person_may_change(run, policy_file):
    policy_file(b"version:STSv1\r\nmode: none\r\nmax_age: 0\r\n")
    code, out, _ = run("--fix", "mta-sts.txt", "--json")
    facts = json.loads(out)
    assert code == 1
    assert facts["rewritten"]
    assert facts["text"] == "version: STSv1\r\nmode: none\r\nmax_age: 0\r\n"
    assert "+version: STSv1\\r\\n" in facts["diff"]


def test_fix_as_a_filter(run):
    code, out, err = run("--fix", "-", stdin=CAREFUL[:-2])
    assert (code, out) == (0, CAREFUL.decode())
    assert "[policy-last-line-open]" in err
    code, out, err = run("--fix", "-", stdin=b"mode: on\n")
    assert (code, out) == (2, "mode: on\n")


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["people", "json"])
def test_fix_does_not_lose_what_lies_beyond_the_limit(run, policy_file, options):
    data = with_line(b"\r\n" * 40000 + b"mx: mx2.example.org")
    path = policy_file(data)
    code, out, _ = run("--fix", *options, "mta-sts.txt")
    assert (code, path.read_bytes()) == (2, data)
    assert "left as it is, because the policy is larger than 64 KiB" in out
    code, out, err = run("--fix", *options, "-", stdin=data)
    assert code == 2
    assert json.loads(out)["text"] is None if options else (out == "" and "64 KiB" in err)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_fix_keeps_the_owner(run, policy_file):
    path = policy_file(CAREFUL[:-2])
    os.chown(str(path), 12345, 54321)
    path.chmod(0o604)
    assert run("--fix", "mta-sts.txt")[0] == 0
    facts = path.stat()
    assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (12345, 54321, 0o604)
    assert [entry.name for entry in run.folder.iterdir()] == ["mta-sts.txt"]


def test_an_endless_file_is_refused_not_read(run):
    code, out, _ = run("--effective", "--json", "/dev/zero")
    facts = json.loads(out)
    assert (code, facts["valid"]) == (2, False)
    assert [found["code"] for found in facts["findings"]] == ["policy-too-large"]


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LANG": "C.UTF-8"}], ids=str)
def test_every_locale_will_do(run, policy_file, locale):
    policy_file(CAREFUL, "\xfc.txt")
    run.environment.clear()
    run.environment.update(locale, PYTHONPATH=TOP, PATH=os.environ["PATH"])
    code, out, _ = run(os.fsencode("\xfc.txt"))
    assert code == 0
    assert out.endswith(".txt: no findings\n")


def test_a_command_without_standard_input(run):
    shell = '"$0" -m mtasts lint - <&-'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable],
        env=run.environment,
        cwd=str(run.folder),
        stderr=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 3
    assert b"- cannot be read: Bad file descriptor [file-unreadable]" in done.stderr


def test_a_full_disk_is_no_traceback(run, policy_file):
    policy_file(CAREFUL)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mtasts", "lint", "mta-sts.txt"],
            env=run.environment,
            cwd=str(run.folder),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr == b"mtasts: the system refuses: No space left on device [system-refuses]\n"


def test_fix_writes_regular_files_only(run):
    content = run.folder / "fifo"
    os.mkfifo(str(content))
    writer = threading.Thread(target=content.write_bytes, args=(CAREFUL[:-2],), daemon=True)
    writer.start()
    code, _, err = run("--fix", "fifo")
    writer.join(10)
    assert code == 3
    assert "[file-irregular]" in err


# The manual


def transcripts():
    """The commands that the manual shows, each with the lines below it."""
    shown, is_open = [], False
    for line in MANUAL.splitlines():
        if line.startswith("    $ "):
            shown.append((shlex.split(line[6:]), []))
        elif line.startswith("    ") and is_open:
            shown[-1][1].append(line[4:] + "\n")
        is_open = line.startswith("    $ ") or (is_open and line.startswith("    "))
    return [(words, "".join(lines)) for words, lines in shown]


def test_the_manual_shows_what_the_command_prints(run, policy_file):
    ran = 0
    for words, below in transcripts():
        if words[0] == "cat":
            policy_file(below.encode(), words[1])
        else:
            assert words[:2] == ["mtasts", "lint"]
            assert run(*words[2:])[1] == below
            ran += 1
    assert ran >= 7


def test_the_examples_in_python_are_true():
    tried = doctest.testfile(MANUAL_FILE, module_relative=False, encoding="utf-8")
    assert tried.attempted
    assert not tried.failed


def test_the_manual_says_of_every_code_what_the_program_says():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([a-z]+) \| (.*) \| (.*) \|$", MANUAL, re.MULTILINE)
    assert rows == [
        (code, rule.severity, rule.message.format(text="…", hint="…"), rule.source)
        for code, rule in LINTED.items()
    ]


def test_the_manual_tells_the_practice_behind_every_warning():
    practice = ("practice of senders", "practice of reporters")
    section = MANUAL.partition("## What senders and reporters do")[2].partition("## Codes")[0]
    told = set(re.findall(r"`([a-z0-9-]+-[a-z0-9-]+)`", section))
    assert {code for code, rule in LINTED.items() if rule.source in practice} <= told
    assert told <= set(LINTED)


def test_the_manual_names_every_member_of_the_json(run, policy_file):
    policy_file(CAREFUL)
    named = set(
        re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| `.*? \| ", MANUAL, re.MULTILINE)))
    )
    for options in (
        ("--effective", "--fix", "mta-sts.txt"),
        ("--effective", "--txt", "v=STSv1; id=1;"),
        ("--effective", "--txt", "v=TLSRPTv1;"),
        ("--match", "mx1.example.org", "*.example.org"),
    ):
        assert set(json.loads(run("--json", *options)[1])) <= named
