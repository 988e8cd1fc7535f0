"""mtasts pickup: logs on disk, what is printed, how it ends."""

import csv
import datetime
import grp
import gzip
import io
import json
import os
import tempfile

import pytest

from access_lines import line
from mtasts import access_log
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.pickup.line import MAX_LINE
from mtasts.policy import Mode, Policy
from mtasts.store import Store
from reports import as_json, policy, report

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
CHANGE = NOW - 3 * DAY
OLD = Policy(Mode.TESTING, 86400, ("mx1.example.org",)).to_bytes()
NEW = Policy(Mode.ENFORCE, 86400, ("mx1.example.org",)).to_bytes()
EVIL = "=1+1\x1b[2J\r\n<b>\u202e"


@pytest.fixture
def pickup(mtasts, tmp_path):
    """Run `mtasts pickup example.org` on a log of these lines, by its exit code and output."""
    store = Store(str(mtasts.root))
    store.write(Domain("example.org"), OLD, CHANGE - 9 * DAY)
    log = tmp_path / "access.log"

    def run(lines, *options):
        log.write_bytes(b"".join(one + b"\n" for one in lines))
        return read(*options)

    def read(*options):
        """Without a ledger, unless an option names one."""
        arguments = ["pickup", "example.org", "--log", str(log), *options]
        return mtasts(*arguments, MTASTS_LEDGER=str(tmp_path / "none"))

    run.new = store.write(Domain("example.org"), NEW, CHANGE).id
    run.old = store.history(Domain("example.org"))[0].id
    run.log, run.read, run.mtasts = log, read, mtasts
    return run


FETCHES = [
    line(OLD, CHANGE - DAY, "192.0.2.1", "Google-SMTP-STS"),
    line(NEW, CHANGE + HOUR, "198.51.100.1", "Google-SMTP-STS"),
    line(OLD, CHANGE - HOUR, "203.0.113.9", "postfix-tlspol/1.8"),
]


def test_who_has_the_policy_and_who_has_not(pickup):
    code, out, _ = pickup(FETCHES)
    first, behind, current = out.splitlines()[:3]
    since = CHANGE.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert first == f"1 sender fetched the policy with id {pickup.new} since {since}; 1 has not yet"
    assert behind.split()[0] == "behind"
    assert f"203.0.113.0/24  postfix-tlspol (postfix-tlspol/1.8)  of {pickup.old}  until" in behind
    assert current.split()[:2] == ["current", "1"]
    assert (
        f"198.51.100.0/24, 192.0.2.0/24  Google (Google-SMTP-STS)  before: {pickup.old}" in current
    )
    assert "[pickup-behind]" in out
    assert "TLS reports were not looked at: there is no ledger" in out
    assert "fetched over TLSv1.3 (3)" in out
    assert code == 1


def test_all_who_were_there_have_it(pickup):
    code, out, _ = pickup(FETCHES[:2])
    assert (code, "0 have not yet" in out) == (0, True)
    lapsed = line(OLD, CHANGE - 5 * DAY, "203.0.113.9")
    code, out, _ = pickup([*FETCHES[:2], lapsed])
    assert (code, "0 have not yet; 1 had an earlier one that has run out" in out) == (0, True)


def test_what_was_refused_is_pickup_with_the_last_who_was(pickup):
    code, out, _ = pickup([*FETCHES[:2], line(status=503, when=NOW - HOUR, agent="x")])
    assert code == 1
    assert "example.org: warning: 1 x 503: " in out
    assert "the last one from 192.0.2.0/24, x\n" in out
    assert pickup([*FETCHES[:2], line(status=405, when=NOW)])[0] == 0


def test_json_has_all_of_it(pickup):
    code, out, _ = pickup([*FETCHES, b"garbage"], "--json")
    found = json.loads(out)
    assert (code, found["id"], found["reporters_behind"]) == (1, pickup.new, None)
    by_standing = {one["standing"]: one for one in found["senders"]}
    assert by_standing["current"]["networks"] == ["198.51.100.0/24", "192.0.2.0/24"]
    assert by_standing["behind"]["earlier"][0]["id"] == pickup.old
    assert by_standing["behind"]["until"] > found["served_since"]
    assert (found["lines"]["read"], found["lines"]["other_formats"]) == (4, 1)
    assert "203.0.113.9" not in out  # networks only


def test_the_manual_has_every_member_of_the_json(pickup):
    with open(os.path.join(os.path.dirname(__file__), os.pardir, "docs", "pickup.md")) as file:
        manual = file.read()
    lines = [*FETCHES, line(status=404, when=NOW), b"garbage"]
    found = json.loads(pickup(lines, "--json")[1])
    refused, sender = found["refused"][0], found["senders"][0]
    members = [*found, *found["lines"], *refused, *refused["fetches"], *sender]
    assert [one for one in members if f"`{one}`" not in manual] == []


def test_what_strangers_send_moves_neither_terminal_nor_spreadsheet(pickup):
    lines = [line(NEW, NOW, agent=EVIL), line(NEW, NOW, "\x1b[2J"), line(when=NOW, status=405)]
    lines.append(line(when=NOW, status=404, agent=EVIL))
    for options in ([], ["--json"], ["--csv"]):
        out = pickup(lines, *options)[1]
        assert all(char == "\n" or " " <= char <= "~" for char in out)
    cells = list(csv.DictReader(io.StringIO(pickup(lines, "--csv")[1])))
    assert "'=1+1\\x1b[2J\\r\\n<b>\\u202e" in [one["user_agent"] for one in cells]


def test_csv_has_a_line_for_each_sender(pickup):
    cells = list(csv.DictReader(io.StringIO(pickup(FETCHES, "--csv")[1])))
    assert [(one["standing"], one["sender"], one["fetches"]) for one in cells] == [
        ("current", "Google", "1"),
        ("behind", "postfix-tlspol", "1"),
    ]
    assert [one["id"] for one in cells] == [pickup.new, pickup.old]
    assert [one["earlier_ids"] for one in cells] == [pickup.old, ""]


def test_very_many_senders_are_counted_for_people(pickup):
    many = [line(NEW, NOW, f"10.{number // 256}.{number % 256}.1") for number in range(100)]
    out = pickup(many)[1]
    assert "100 senders fetched" in out
    assert "and 60 more, which --csv and --json have" in out
    assert out.count("\ncurrent ") == 40


# Logs


def test_rotated_logs_are_read_each_once(pickup):
    pickup.log.with_name("access.log.1").write_bytes(line(NEW, NOW - HOUR) + b"\n")
    with gzip.open(str(pickup.log) + ".2.gz", "wb") as file:
        file.write(line(NEW, NOW - 2 * HOUR) + b"\n" + line(NEW, NOW - 3 * HOUR) + b"\n")
    pickup.log.with_name("access.log-20261101").write_bytes(line(NEW, NOW - 4 * HOUR) + b"\n")
    pickup.log.with_name("access.log.old").write_bytes(line(NEW, NOW) + b"\n")
    pickup.log.with_name("access.log.1~").write_bytes(line(NEW, NOW) + b"\n")
    found = json.loads(pickup([line(NEW, NOW)], "--json", "--log", str(pickup.log) + ".1")[1])
    assert found["senders"][0]["current"]["count"] == 5


def test_a_log_that_ended_before_the_period_is_not_read(pickup):
    old = pickup.log.with_name("access.log.1")
    old.write_bytes(b"not even looked at\n" * 10)
    os.utime(str(old), ((NOW - 8 * DAY).timestamp(),) * 2)
    found = json.loads(pickup(FETCHES, "--json", "--days", "7")[1])
    assert found["lines"]["read"] == 3


def test_a_line_that_is_being_written_is_left_for_later(pickup):
    whole = line(NEW, NOW)
    pickup.log.write_bytes(whole + b"\n" + whole[:-3])
    found = json.loads(pickup.read("--json")[1])
    assert (found["lines"]["read"], found["refused"]) == (1, [])


def test_a_line_without_end_is_no_reason_to_fill_the_memory(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"x" * 3 * access_log.PIECE + b"\n" + line(NEW, NOW) + b"\n")
    taken = []
    with access_log.opened([str(path)], NOW - DAY) as files:
        assert access_log.pieces(files) == 3
        assert len(list(access_log.feed(files, taken.append))) == 3
    long, good = taken
    assert MAX_LINE < len(long) <= MAX_LINE + 1 + access_log.PIECE
    assert good == line(NEW, NOW)


def test_two_gzip_streams_in_one_file(pickup):
    data = gzip.compress(line(NEW, NOW) + b"\n")
    pickup.log.with_name("access.log.2.gz").write_bytes(data + data)
    found = json.loads(pickup([], "--json")[1])
    assert found["senders"][0]["current"]["count"] == 2


@pytest.mark.parametrize("tail", [b"", b"\xff" * 999])
def test_a_damaged_archive_is_named(pickup, tail):
    data = gzip.compress(os.urandom(9999))[:99] + tail
    pickup.log.with_name("access.log.2.gz").write_bytes(data)
    exit_code, _, said = pickup([])
    assert (exit_code, "[log-damaged]" in said, "access.log.2.gz" in said) == (3, True, True)


def test_a_log_that_is_not_there_or_no_file(pickup, tmp_path):
    pickup([])
    os.mkfifo(str(tmp_path / "pipe"))
    for name, code in (("none", "log-missing"), ("pipe", "log-no-file"), (".", "log-no-file")):
        exit_code, _, said = pickup.read("--log", str(tmp_path / name))
        assert (exit_code, f"[{code}]" in said) == (3, True), said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_who_may_not_read_the_log_is_told_who_may():
    """As on Debian: the folder is root:adm 0750, the log root:adm 0640."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - as on Debian
        for mode in (0o755, 0o750):
            logs = os.path.join(folder, f"{mode:o}")
            path = os.path.join(logs, "access.log")
            os.mkdir(logs)
            with open(path, "wb"):
                os.chmod(path, 0o640)
            for each in (logs, path):
                os.chown(each, 0, grp.getgrnam("adm").gr_gid)
            os.chmod(logs, mode)
            said = _as_nobody(lambda path=path: access_log.opened([path], NOW).__enter__())
            assert said == "log-unreadable: Run it as root or as a member of the group adm."


def _as_nobody(action):
    """What the `MtastsError` says that `action` raises."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            action()
        except MtastsError as error:
            os.write(writing, f"{error.code}: {error.remedy}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        return said.read()


def test_a_log_of_another_format(pickup):
    combined = b'192.0.2.1 - - [20/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"'
    exit_code, _, said = pickup([combined])
    assert (exit_code, "[log-format]" in said) == (3, True)


# The policy directory, reports and DNS


def test_a_domain_that_is_not_ours(mtasts):
    exit_code, _, said = mtasts("pickup", "example.net")
    assert (exit_code, "[policy-unknown]" in said) == (3, True)


def test_a_policy_that_never_was_good_has_no_fetches(mtasts, pickup):
    folder = mtasts.root / "example.net"
    folder.mkdir()
    (folder / "mta-sts.txt").write_bytes(b"version: STSv2\n")
    exit_code, _, said = mtasts("pickup", "example.net", "--log", str(pickup.log))
    assert (exit_code, "[policy-version-invalid]" in said) == (2, True), said


def test_a_policy_that_was_changed_by_hand_counts_from_then_on(pickup):
    path = Store(str(pickup.mtasts.root)).root + "/example.org/mta-sts.txt"
    by_hand = Policy(Mode.NONE, 86400, ("mx1.example.org",)).to_bytes()
    with open(path, "wb") as file:
        file.write(by_hand)
    code, out, _ = pickup([line(NEW, NOW - HOUR), line(by_hand, NOW, "198.51.100.1")])
    assert (code, "1 sender fetched" in out, "1 has not yet" in out) == (1, True, True)
    with open(path, "wb") as file:
        file.write(b"version: STSv2\n")
    assert "fetched the policy with id " + pickup.new in pickup([line(NEW, NOW - HOUR)])[1]


def test_an_alias_has_the_history_of_the_domain_that_it_leads_to(pickup):
    Store(str(pickup.mtasts.root)).alias(Domain("example.net"), Domain("example.org"))
    host = "mta-sts.example.net"
    pickup([line(OLD, CHANGE - HOUR, host=host), line(NEW, NOW, host=host), *FETCHES])
    arguments = ["pickup", "example.net", "--log", str(pickup.log), "--json"]
    found = json.loads(pickup.mtasts(*arguments, MTASTS_LEDGER="none")[1])
    (sender,) = found["senders"]
    assert (sender["current"]["count"], sender["earlier"][0]["id"]) == (1, pickup.old)


def test_reporters_that_still_use_the_earlier_policy(pickup, tmp_path):
    quoted = policy(failed=0, failures=())._replace(
        policy_string=tuple(OLD.decode("ascii").splitlines())
    )
    day = (NOW - DAY).replace(hour=0, minute=0, second=0)
    late = report(policies=[quoted], organization="Example Mail", start=day)
    path = tmp_path / "report.json"
    path.write_bytes(as_json(late))
    ledger = ["--ledger", str(tmp_path / "ledger.sqlite")]
    assert pickup.mtasts("report", "add", *ledger, str(path))[0] == 0
    code, out, _ = pickup(FETCHES[:2], *ledger)
    assert "TLS reports were not looked at" not in out
    assert (code, "Example Mail reported under an earlier policy" in out) == (1, True)
    (reporter,) = json.loads(pickup(FETCHES[:2], *ledger, "--json")[1])["reporters_behind"]
    assert (reporter["name"], reporter["id"]) == ("Example Mail", pickup.old)


def test_a_ledger_that_was_named_must_be_there(pickup):
    exit_code, _, said = pickup(FETCHES, "--ledger", "none.sqlite")
    assert (exit_code, "[ledger-missing]" in said) == (3, True)


def test_names_are_asked_for_only_when_pickup_and_confirmed(pickup, dns_table):
    pickup(FETCHES)
    assert dns_table.asked == []
    dns_table.table.update(
        {
            "1.100.51.198.in-addr.arpa": {"PTR": ["mail.example.net."]},
            "mail.example.net": {"A": ["198.51.100.1"]},
            "9.113.0.203.in-addr.arpa": {"PTR": ["mail.example.net."]},
        }
    )
    out = pickup(FETCHES, "--resolve")[1]
    assert "mail.example.net (not confirmed)  of" in out
    assert "mail.example.net  before" in out
    found = json.loads(pickup(FETCHES, "--resolve", "--json")[1])
    hosts = {one["standing"]: one["host"] for one in found["senders"]}
    assert hosts["current"] == {"text": "mail.example.net", "is_confirmed": True}
    assert hosts["behind"] == {"text": "mail.example.net", "is_confirmed": False}


def test_a_resolver_that_does_not_answer_is_no_reason_to_stop(pickup, dns_table):
    dns_table.table["1.100.51.198.in-addr.arpa"] = None
    code, out, _ = pickup(FETCHES[:2], "--resolve")
    assert (code, "1 sender fetched" in out) == (0, True)
