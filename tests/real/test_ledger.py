"""The ledger on a real PostgreSQL, which passes all tests of the one on SQLite; a full disk."""

import os

import pytest

import forked
import test_ingest
import test_ledger
from mtasts.ledger import place
from mtasts.ledger.database import Database
from mtasts.spool import Spool
from reports import as_json, as_mail, report
from rig import postgres
from rig.process import run


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL for all tests of this module."""
    running = postgres.Postgres()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def where(server):
    """Where the ledger of a test is: an empty database."""
    return server.database()


@pytest.fixture
def ledger(where):
    """The ledger of a test, empty."""
    opened = Database(place.parse(where))
    yield opened
    opened.close()


@pytest.fixture
def spool(tmp_path):
    (tmp_path / "spool").mkdir()
    return Spool(str(tmp_path / "spool"))


for module in (test_ledger, test_ingest):
    globals().update({name: test for name, test in vars(module).items() if name[:5] == "test_"})


def test_the_command_takes_the_url_from_a_file(server, where, tmp_path):
    """The password stands in no argument and in no variable."""
    os.makedirs("/etc/mtasts", exist_ok=True)
    with open(place.SETTING, "w") as file:
        file.write(f"# the ledger of this machine\n{where}\n")
    os.chmod(place.SETTING, 0o640)
    code, out, err = forked.mtasts(["report", "add", "-"], as_mail(as_json(report())))
    assert (code, out, err) == (0, b"", b"")
    assert server.psql(where.rpartition("/")[2], "SELECT report_id FROM report") == (
        report().report_id + "\n"
    )
    code, out, err = forked.mtasts(["report", "list"])
    assert (code, len(out.splitlines())) == (0, 1)
    assert postgres.PASSWORD.encode() not in out + err


def test_a_wrong_password_lets_the_mail_server_wait_and_is_not_shown(server, where):
    wrong = where.replace(postgres.PASSWORD, "falsch")
    mail = as_mail(as_json(report()))
    code, out, err = forked.mtasts(["report", "add", "-"], mail, MTASTS_LEDGER=wrong)
    assert (code, b"ledger-unusable" in err, b"falsch" in out + err) == (75, True, False)


def test_a_full_disk_lets_the_mail_server_wait(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk))
    try:
        ledger = {"MTASTS_LEDGER": str(disk / "ledger.sqlite")}
        first, large = as_json(report("first")), as_json(report("x" * 1000000))
        assert forked.mtasts(["report", "add", "-"], first, **ledger)[0] == 0
        code, _, err = forked.mtasts(["report", "add", "-"], large, **ledger)
        assert (code, b"ledger-full" in err) == (75, True), err
        code, out, _ = forked.mtasts(["report", "list"], **ledger)
        assert (code, len(out.splitlines())) == (0, 1)
    finally:
        run("umount", str(disk))
