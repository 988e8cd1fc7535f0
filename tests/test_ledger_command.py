"""mtasts report add, ingest, replay, list, show and vacuum, as people and mail servers use them."""

import csv
import datetime
import io
import json
import os
import sqlite3
import subprocess
import sys

import pytest

import forked
from mtasts.domain import Domain
from mtasts.policy import Mode, Policy
from mtasts.spool import Arrival, Spool
from mtasts.store import Store
from reports import POLICY, as_json, as_mail, days, failure, policy, report

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NO_REPORT = b"From: a@example.net\r\nSubject: Hello\r\n\r\nHow are you?\r\n"
TODAY = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


@pytest.fixture
def ledger(tmp_path):
    """`mtasts report` with a ledger of its own; files are made in the folder `files`."""
    where = tmp_path / "reports" / "ledger.sqlite"
    policies = tmp_path / "policies"
    environment = {"MTASTS_LEDGER": str(where), "MTASTS_POLICY_DIR": str(policies)}

    def run(*arguments, stdin=b"", **variables):
        said = forked.mtasts(["report", *arguments], stdin, **dict(environment, **variables))
        return (said[0], *(text.decode() for text in said[1:]))

    run.where = where
    run.policies = policies
    run.files = tmp_path / "files"
    run.files.mkdir()
    policies.mkdir()
    return run


def file(ledger, name, data):
    path = ledger.files / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def piped(ledger, data, **variables):
    """What a mail server does with an alias: the exit code, and what is said."""
    code, out, err = ledger("add", "-", stdin=data, **variables)
    return code, out + err


def listed(ledger, *options):
    code, out, _ = ledger("list", "--json", *options)
    assert code == 0
    return json.loads(out)


def test_a_directory_of_all_kinds_of_files(ledger):
    mails = [as_mail(as_json(report(f"m{number}"))) for number in range(3)]
    file(ledger, "a.json", as_json(report("a")))
    file(ledger, "mbox", b"".join(b"From x Thu Jan 1 00:00:00 2026\n" + m + b"\n\n" for m in mails))
    file(ledger, "Maildir/new/1", as_mail(as_json(report("new"))))
    file(ledger, "Maildir/cur/2:2,S", NO_REPORT)
    (ledger.files / "Maildir" / "tmp").mkdir()
    code, out, err = ledger("add", str(ledger.files))
    assert (code, err) == (0, "")
    assert out == "new reports: 5\nmails that are no reports: 1\n"
    assert {one["report_id"] for one in listed(ledger)} == {"a", "m0", "m1", "m2", "new"}
    code, out, _ = ledger("add", str(ledger.files))
    assert out.splitlines()[:2] == ["new reports: 0", "files and mails known already: 5"]


def test_what_cannot_be_read_is_said_and_kept(ledger):
    path = file(ledger, "b.json", b"{")
    code, out, _ = ledger("add", path)
    assert (code, out.splitlines()[1]) == (
        1,
        "in quarantine (mtasts report list --quarantine): 1",
    )
    [one] = listed(ledger, "--quarantine")
    assert (one["error"], one["name"], one["source"]) == ("report-not-json", "b.json", "file")
    code, out, _ = ledger("show", str(one["id"]), "--json")
    assert json.loads(out)[0]["error"] == "report-not-json"
    code, out, _ = ledger("show", str(one["id"]), "--raw")
    assert out == "{"
    assert ledger("replay")[1] == "0 can be read now, 1 are still in quarantine\n"


@pytest.mark.parametrize(
    "data",
    [as_mail(as_json(report())), NO_REPORT, b"", b"{", b"\0\xff" * 99],
    ids=["report", "mail", "nothing", "json", "bytes"],
)
def test_a_mail_server_is_never_refused(ledger, data):
    assert piped(ledger, data) == (0, "")
    assert piped(ledger, data) == (0, "")
    assert len(listed(ledger)) + len(listed(ledger, "--quarantine")) == 1


def test_a_mail_comes_with_the_line_that_the_pipe_puts_before_it(ledger):
    line = b"From tls@example.net Thu Jan  1 00:00:00 2026\n"
    assert piped(ledger, line + as_mail(as_json(report())))[0] == 0
    assert len(listed(ledger)) == 1


def test_what_is_wrong_here_lets_the_mail_server_wait(ledger, tmp_path):
    mail = as_mail(as_json(report()))
    folder = tmp_path / "folder"
    folder.mkdir()
    piped(ledger, mail)
    for variables, code in (
        ({"MTASTS_LEDGER": str(folder)}, "ledger-unusable"),
        ({"MTASTS_LEDGER": "mysql://192.0.2.1/x"}, "ledger-url-unsupported"),
        ({"MTASTS_LEDGER": "postgresql://127.0.0.1:1/x"}, "ledger-unusable"),
    ):
        exit_code, said = piped(ledger, mail, **variables)
        assert (exit_code, code in said) == (75, True)
    for left in ledger.where.parent.iterdir():
        left.write_bytes(b"no database at all" * 1000)
    exit_code, said = piped(ledger, mail)
    assert (exit_code, "ledger-damaged" in said) == (75, True)


def test_a_wrong_option_lets_the_mail_server_wait(ledger):
    mail = as_mail(as_json(report()))
    assert ledger("add", "--authserv", "mx.example.org", "-", stdin=mail)[0] == 75
    assert piped(ledger, mail, MTASTS_REPORT_LIMIT="64M")[0] == 75
    assert ledger("add", "--authserv", "x", file(ledger, "a.eml", mail))[0] == 2


SIGNATURE = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s; h=from; bh=AAAA; b=AAAA\r\n"


def test_a_signature_that_dns_does_not_tell_of_lets_the_mail_wait(ledger, dns_table, tmp_path):
    mail = SIGNATURE + as_mail(as_json(report()))
    dns_table.table["s._domainkey.example.net"] = None
    silent = {"MTASTS_RESOLVER": dns_table.address}
    code, said = piped(ledger, mail, **silent)
    assert (code, "dns-lookup-failed" in said) == (75, True)
    code, out, err = ledger("add", file(ledger, "1", mail), **silent)
    assert (code, out, "dns-lookup-failed" in err) == (1, "new reports: 0\n", True)
    spool = Spool(str(tmp_path / "spool"))
    os.mkdir(spool.folder)
    spool.put(Arrival(mail, TODAY, "mail", None))
    spool.put(Arrival(as_mail(as_json(report("unsigned"))), TODAY, "mail", None))
    code, out, err = ledger("ingest", "--spool", spool.folder, **silent)
    assert (code, out, "dns-lookup-failed" in err) == (1, "new reports: 1\n", True)
    assert len(spool.waiting()) == 1
    assert ledger("ingest", "--spool", spool.folder, "--no-dkim", **silent)[0] == 0
    assert spool.waiting() == []


def test_a_mail_that_has_waited_for_days_counts_as_unsigned(ledger, dns_table):
    dns_table.table["s._domainkey.example.net"] = None
    silent = {"MTASTS_RESOLVER": dns_table.address}

    def mail(*waiting):
        took = "Received: from mta.example.net by mx;\r\n\t{:%d %b %Y %H:%M:%S} +0000\r\n"
        fields = "".join(took.format(TODAY - days(number)) for number in waiting)
        return fields.encode() + SIGNATURE + as_mail(as_json(report()))

    assert piped(ledger, mail(2, 9), **silent)[0] == 75
    assert piped(ledger, mail(4, 1), **silent) == (0, "")
    assert [one["grade"] for one in listed(ledger)] == ["file"]


def test_our_own_mail_server_is_believed(ledger):
    ours = b"Authentication-Results: mx.example.org; dkim=pass header.d=example.net\r\n"
    path = file(ledger, "1", ours + as_mail(as_json(report())))
    assert ledger("add", path, "--authserv-id", "mx.example.org")[0] == 0
    assert [one["grade"] for one in listed(ledger)] == ["authentication-results"]


def test_the_spool_is_taken_in(ledger, tmp_path):
    spool = Spool(str(tmp_path / "spool"))
    os.mkdir(spool.folder)
    spool.put(Arrival(as_json(report()), TODAY, "https", "example.org"))
    spool.put(Arrival(as_json(report("other")), TODAY, "https", "example.com"))
    assert ledger("ingest", "--spool", spool.folder)[:2] == (0, "new reports: 2\n")
    assert spool.waiting() == []
    assert {one["report_id"]: one["grade"] for one in listed(ledger)} == {
        report().report_id: "https",
        "other": "file",
    }
    assert ledger("ingest", "--spool", str(tmp_path / "none"))[0] == 3


def test_the_list_is_filtered(ledger):
    old, new = report("old", start=TODAY - days(40)), report("new", start=TODAY - days(2))
    other = report("other", [policy("example.com")], "Else", TODAY - days(2))
    for one in (old, new, other):
        file(ledger, one.report_id + ".json", as_json(one))
    ledger("add", str(ledger.files))
    for options, expected in (
        ((), ["old", "new", "other"]),
        (("--days", "30"), ["new", "other"]),
        (("--domain", "EXAMPLE.org."), ["old", "new"]),
        (("--domain", "example.org", "--days", "30"), ["new"]),
        (("--organization", "else"), ["other"]),
    ):
        assert sorted(one["report_id"] for one in listed(ledger, *options)) == sorted(expected)
    code, out, _ = ledger("list", "--domain", "example.com")
    assert len(out.splitlines()) == 1
    assert "example.com" in out
    assert ledger("list", "--json", "--csv")[0] == 2
    assert ledger("list", "--quarantine", "--days", "3")[0] == 2


HOSTILE = "=cmd|'/c calc'!A1\x1b[2J\r\n\u202e\u2028<b>"


def test_hostile_text_reaches_no_terminal_and_no_formula(ledger):
    said = report(HOSTILE, [policy(HOSTILE, failures=[failure(HOSTILE)])], HOSTILE)
    path = file(ledger, "-= \x1b[2J.json", as_json(said))
    assert ledger("add", path)[0] == 0
    for arguments in (["list"], ["list", "--csv"], ["show", "1"]):
        code, out, _ = ledger(*arguments)
        assert code == 0
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "\r" not in out
    rows = list(csv.reader(io.StringIO(ledger("list", "--csv")[1])))
    assert not any(cell.startswith("=") for row in rows for cell in row)
    assert len(rows) == 2


def test_show_says_whether_the_policy_was_ever_served(ledger):
    served = Policy(Mode.TESTING, 86400, ("mx1.example.org",)).to_bytes()
    Store(str(ledger.policies)).write(Domain("example.org"), served, TODAY)
    quoted = policy()._replace(policy_string=("max_age:86400", *POLICY[:3]))
    never = policy()._replace(policy_string=(*POLICY[:2], "mx: mx.example.net", POLICY[3]))
    foreign = policy("example.com")
    path = file(ledger, "a.json", as_json(report(policies=[quoted, never, foreign])))
    ledger("add", path)
    [shown] = json.loads(ledger("show", "1", "--json")[1])
    assert [one["served"] for one in shown["policies"]] == [True, False, None]
    assert ledger("show", "1")[1].count("never served") == 1


def test_show_has_what_read_has_and_how_it_came(ledger):
    path = file(ledger, "a.json", as_json(report()))
    ledger("add", path)
    [read] = json.loads(ledger("read", "--json", path)[1])
    [shown] = json.loads(ledger("show", "1", "--json")[1])
    for one in shown["policies"]:
        del one["served"]
    assert {name: shown[name] for name in read if name != "source"} == {
        name: read[name] for name in read if name != "source"
    }
    assert (shown["arrival"]["source"], shown["arrival"]["grade"]) == ("file", "file")


def test_show_has_a_line_of_csv_for_each_policy_and_each_failure(ledger):
    lost = failure("=1+1", 3, receiving_mx_hostname="mx1.example.org")
    said = report(policies=[policy(failures=[lost]), policy("example.net", failures=())])
    ledger("add", file(ledger, "a.json", as_json(said)))
    code, out, _ = ledger("show", "1", "--csv")
    first, failed, last = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert (first["successful"], first["failed"], first["sessions"]) == ("100", "3", "")
    assert (failed["successful"], failed["sessions"], failed["result_type"]) == ("", "3", "'=1+1")
    assert (failed["receiving_mx_hostname"], failed["reason_code"]) == ("mx1.example.org", "")
    assert last["policy_domain"] == "example.net"
    assert ledger("show", "1", "--csv", "--json")[0] == 2


def test_show_says_why_something_is_in_quarantine(ledger):
    ledger("add", file(ledger, "a.json", b"{"))
    assert (
        "in quarantine: it begins like JSON, and is none [report-not-json]"
        in ledger("show", "1")[1]
    )


def test_resends_and_conflicts_are_said(ledger):
    file(ledger, "1.json", as_json(report()))
    file(ledger, "2.eml", as_mail(as_json(report())))
    ledger("add", str(ledger.files))
    file(ledger, "3.json", as_json(report(policies=[policy(failed=9)])))
    ledger("add", str(ledger.files))
    code, out, _ = ledger("list")
    first, second = sorted(out.splitlines())
    assert "came 2 times" in first
    assert "in conflict with 1" in first
    assert second.startswith("!")
    code, out, _ = ledger("show", "3")
    assert "this one is not counted\n" in out


def test_a_conflict_about_one_domain_of_a_report_is_said(ledger):
    file(ledger, "1.json", as_json(report()))
    ledger("add", str(ledger.files))
    file(ledger, "2.json", as_json(report(policies=[policy("example.com"), policy(failed=9)])))
    ledger("add", str(ledger.files))
    _, out, _ = ledger("list", "--domain", "example.com")
    assert out.startswith(" ")
    assert "conflict" not in out
    _, out, _ = ledger("list")
    assert "in conflict with 1 and not counted for example.org\n" in out
    _, out, _ = ledger("show", "2")
    assert "in conflict with 1 of the same id: this one is not counted for example.org\n" in out
    _, out, _ = ledger("list", "--json")
    assert [one["uncounted"] for one in json.loads(out)] == [[], ["example.org"]]


def test_what_is_old_is_forgotten(ledger):
    for name, start in (("old", TODAY - days(800)), ("new", TODAY - days(2))):
        file(ledger, name, as_json(report(name, start=start)))
    ledger("add", str(ledger.files))
    forget = ("vacuum", "--older", "2y")
    assert ledger(*forget, "--dry-run")[1] == "arrivals to be forgotten: 1\n"
    assert ledger(*forget)[1] == "arrivals forgotten: 1\n"
    assert [one["report_id"] for one in listed(ledger)] == ["new"]
    assert ledger("vacuum", "--older", "9999999999y")[0] == 3


def test_nothing_is_made_to_forget_something(ledger):
    code, _, err = ledger("vacuum", "--older", "2y")
    assert (code, "ledger-missing" in err) == (3, True)
    assert not ledger.where.exists()


def test_numbers_beyond_all_bounds_are_wrong_arguments(ledger):
    ledger("add", file(ledger, "a.json", as_json(report())))
    assert ledger("show", "9" * 30)[0] == 2
    assert ledger("list", "--days", "9" * 9)[0] == 2


def test_list_and_summary_mean_the_same_days(ledger):
    midnight = TODAY.replace(hour=0, minute=0, second=0)
    for number in (29, 30, 31):
        said = as_json(report(str(number), start=midnight - days(number)))
        file(ledger, f"{number}.json", said)
    ledger("add", str(ledger.files))
    assert [one["report_id"] for one in listed(ledger, "--days", "30")] == ["30", "29"]
    _, out, _ = ledger("summary", "example.org", "--days", "30", "--json")
    assert json.loads(out)["reports"] == 2


def test_a_password_on_the_command_line_is_refused(ledger):
    code, out, err = ledger("list", "--ledger", "postgresql://reports:secret@192.0.2.1/x")
    assert (code, "ledger-password-open" in err, "secret" in out + err) == (3, True, False)


def test_a_ledger_that_is_not_there_and_a_number_that_is_not_in_it(ledger):
    code, _, err = ledger("list")
    assert (code, "ledger-missing" in err) == (3, True)
    ledger("add", file(ledger, "a.json", as_json(report())))
    code, _, err = ledger("show", "99")
    assert (code, "ledger-id-unknown" in err) == (3, True)


def test_who_waits_too_long_for_a_lock_is_told(ledger):
    ledger("add", file(ledger, "a.json", as_json(report())))
    with sqlite3.connect(str(ledger.where)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert ledger("list")[0] == 0  # whoever only reads does not wait


def python(code):
    """Run Python afresh."""
    argv = [sys.executable, "-W", "ignore", "-c", code]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(argv, input=b"{}", cwd=TOP, check=False, **output)


def test_nothing_but_the_ledger_waits_for_sqlalchemy():
    """It takes longer to import than most commands take to run."""
    done = python("import sys, mtasts.cli.group; sys.exit('sqlalchemy' in sys.modules)")
    assert done.returncode == 0


def test_without_sqlalchemy_the_mail_waits_and_people_are_told():
    start = "import sys; sys.modules['sqlalchemy'] = None; sys.argv = ['mtasts', 'report', {}]\n"
    start += "from mtasts.cli import main; main()"
    for arguments, code in (("'add', '-'", 75), ("'list'", 3)):
        done = python(start.format(arguments))
        assert (done.returncode, b"ledger-library-missing" in done.stderr) == (code, True)
