"""mtasts report read: what it takes, what it prints, how it ends."""

import gzip
import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

import tlsrpt_samples as samples
from mtasts.cli.group import mtasts

EVIL = "\x1b[2J\x1b]0;owned\x07\r\nroot: \u202e<b>=1+1\x00\x9b31m"


def run(*arguments, **options):
    return CliRunner().invoke(mtasts, ["report", "read", *arguments], **options)


def listed(*arguments, **options):
    """The exit code and the list that --json prints."""
    done = run("--json", *arguments, **options)
    return done.exit_code, json.loads(done.stdout if hasattr(done, "stdout") else done.output)


@pytest.fixture
def folder(tmp_path):
    """A directory with reports in every form, and with what is none."""
    (tmp_path / "a.json").write_bytes(samples.report(report_id="a"))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(samples.report(report_id="b")))
    (tmp_path / "c.zip").write_bytes(samples.archive(("c", samples.report(report_id="c"))))
    (tmp_path / "d.eml").write_bytes(samples.mail(gzip.compress(samples.report(report_id="d"))))
    (tmp_path / "e.eml").write_bytes(b"From: a@example.net\nSubject: lunch\n\nat one\n")
    below = tmp_path / "f"
    below.mkdir()
    (below / "mbox").write_bytes(b"From a Mon Mar  2 01:00:00 2026\n" + samples.mail())
    (below / ".hidden").write_bytes(b"{")
    return tmp_path


def test_every_report_of_a_directory(folder):
    code, found = listed(str(folder))
    assert code == 0
    assert [one["report_id"] for one in found] == ["a", "b", "c", "d", "2026-03-01-7f3a"]
    assert found[2]["source"] == f"{folder}/c.zip: c"


def test_all_members(folder):
    _, (found,) = listed(str(folder / "a.json"))
    assert found["start"] == "2026-03-01T00:00:00Z"
    assert found["end"] == "2026-03-01T23:59:59Z"
    assert found["effective"]["example.org"]["successful"] == 100
    assert sorted(found) == sorted(
        ["source", "organization_name", "report_id", "start", "end", "contact_info"]
        + ["notes", "hints", "policies", "effective"]
    )


def test_a_maildir_is_read_and_left_as_it_is(tmp_path):
    for name in ("new", "cur", "tmp", ".TLS/cur", ".TLS/new"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "new" / "1.host").write_bytes(samples.mail())
    (tmp_path / ".TLS" / "cur" / "2.host:2,S").write_bytes(samples.mail())
    (tmp_path / "tmp" / "3.host").write_bytes(samples.mail()[:99])
    (tmp_path / "dovecot-uidlist").write_bytes(b"3 V1 N2\n")
    code, found = listed(str(tmp_path))
    assert code == 0
    assert [os.path.basename(one["source"]) for one in found] == ["2.host:2,S", "1.host"]
    assert (tmp_path / "new" / "1.host").exists()


def test_standard_input():
    code, found = listed("-", input=samples.mail())
    assert code == 0
    assert [one["source"] for one in found] == ["standard input"]


def test_the_limit_is_the_operators_choice(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(samples.report() + b" " * (2 << 20)))
    assert listed(str(path))[0] == 0
    code, found = listed("--limit", "1", str(path))
    assert (code, found[0]["error"]) == (1, "report-too-large")
    assert listed(str(path), env={"MTASTS_REPORT_LIMIT": "1"})[0] == 1
    assert listed("--limit", "3", str(path), env={"MTASTS_REPORT_LIMIT": "1"})[0] == 0


def test_a_mail_that_is_no_report_is_nothing(folder):
    assert listed(str(folder / "e.eml")) == (0, [])
    done = run(str(folder / "e.eml"))
    assert (done.exit_code, done.output) == (0, "")


def test_what_cannot_be_read_does_not_stop_the_others(folder):
    (folder / "aa.json").write_bytes(b'{"policies": [')
    (folder / "ab.json").symlink_to(folder / "missing")
    code, found = listed(str(folder))
    assert code == 1
    assert [one.get("error", "ok") for one in found] == ["ok", "report-not-json"] + ["ok"] * 4
    done = run(str(folder))
    assert done.exit_code == 1
    assert "aa.json: it is no JSON" in done.output
    assert "[report-not-json]" in done.output
    assert "report id: d" in done.output


def test_a_file_that_may_not_be_read_is_an_error_beside_the_others(folder):
    os.mkfifo(str(folder / "g"))  # in a directory, nothing but files is opened
    code, found = listed(str(folder), str(folder / "a.json"))
    assert (code, len(found)) == (0, 6)
    assert run(str(folder / "missing")).exit_code == 2


def test_people_see_numbers_and_notes(tmp_path):
    path = tmp_path / "r.json"
    tlsa = samples.result(**{"policy-type": "tlsa", "policy-string": [], "mx-host": []})
    bad = samples.result(details=2, **{"mx-host": "MX1.example.org"})
    path.write_bytes(samples.report(bad, tlsa))
    done = run(str(path))
    assert done.exit_code == 0
    for line in (
        "from Example Mail, 2026-03-01T00:00:00Z to 2026-03-01T23:59:59Z",
        "sts of example.org: 100 successful, 2 failed",
        "1 certificate-host-mismatch at mx1.example.org from 198.51.100.0",
        "sessions of example.org: 100 successful, 2 failed",
        "not 200 successful, 2 failed: the same sessions are counted under sts and under tlsa",
        "[mx-host-text] (policies[0].policy.mx-host)",
    ):
        assert line in done.output


def test_unknown_is_said_to_be_unknown(tmp_path):
    path = tmp_path / "r.json"
    path.write_bytes(samples.report().replace(b": 100", b": null"))
    assert "unknown successful, 0 failed" in run(str(path)).output


def test_nothing_in_a_report_reaches_the_terminal(tmp_path):
    bad = samples.result(details=1, **{"policy-type": EVIL, "policy-domain": EVIL})
    bad["policy"].update({"mx-host": [EVIL], "policy-string": [EVIL]})
    bad["failure-details"] = [
        dict.fromkeys(samples.detail(), EVIL),
        samples.detail(**{"failure-reason-code": EVIL, "receiving-mx-hostname": EVIL}),
    ]
    data = samples.report(bad, organization_name=EVIL, report_id=EVIL, contact_info=EVIL)
    path = tmp_path / "r.json\x1b[2J"
    path.write_bytes(samples.mail(data, Subject=EVIL.replace("\r\n", " ")[:20]))
    for options in ((), ("--json",)):
        output = run(*options, str(path)).output
        assert "owned" in output
        assert all(" " <= character <= "~" or character == "\n" for character in output)
        assert not any(line.startswith("root") for line in output.splitlines())
    assert listed(str(path))[1][0]["organization_name"] == EVIL


def test_very_many_details_are_not_all_shown_to_people(tmp_path):
    path = tmp_path / "r.json"
    path.write_bytes(samples.report(samples.result(details=5000)))
    output = run(str(path)).output
    assert len(output.splitlines()) < 40
    assert "and 4980 more" in output
    assert len(listed(str(path))[1][0]["policies"][0]["failures"]) == 5000


def test_a_closed_output_is_no_error(tmp_path):
    path = tmp_path / "r.json"
    path.write_bytes(samples.report(samples.result(details=20000)))
    command = [sys.executable, "-m", "mtasts", "report", "read", "--json", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


def test_what_cannot_be_looked_into_is_said(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nowhere")
    there = os.open(str(tmp_path), os.O_RDONLY)
    for _ in range(20):  # in the end the name of the folder is longer than a path may be
        os.mkdir("f" * 250, dir_fd=there)
        there, outer = os.open("f" * 250, os.O_RDONLY, dir_fd=there), there
        os.close(outer)
    os.close(there)
    code, found = listed(str(tmp_path))
    assert (code, [one["error"] for one in found]) == (1, ["file-unreadable"] * 2)


def test_a_closed_standard_input_is_said():
    argv = ["sh", "-c", f"exec {sys.executable} -m mtasts report read - <&-"]
    done = subprocess.run(argv, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, b"[file-unreadable]" in done.stderr) == (1, True)
