"""The ledger on a real PostgreSQL, which passes all tests of the one on SQLite.

Also SQLite on a disk that is full, and on one that is only read.
"""

import os

import pytest

import forked
import test_ingest
import test_ledger
from mtasts.ledger import place, queries, writing
from mtasts.ledger.database import Database, LedgerError
from mtasts.spool import Spool
from reports import as_json, as_mail, entry, report
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


@pytest.fixture
def frozen(tmp_path):
    """Where a ledger of one report is written, and where it can only be read."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    run("mount", "--bind", str(there), str(here))
    run("mount", "-o", "remount,bind,ro", str(here))
    writer = Database(place.parse(str(there / "ledger.sqlite")))
    writing.add(writer, [entry(b"1", report())])
    writer.close()
    yield writer, str(here / "ledger.sqlite")
    writer.close()
    run("umount", str(here))


def test_where_nothing_can_be_written_a_ledger_is_read(frozen):
    _, here = frozen
    code, out, err = forked.mtasts(["report", "list"], MTASTS_LEDGER=here)
    assert (code, len(out.splitlines()), err) == (0, 1, b"")
    code, _, err = forked.mtasts(["report", "add", "-"], as_json(report("2")), MTASTS_LEDGER=here)
    assert (code, b"ledger-unusable" in err) == (75, True), err


def test_where_nothing_can_be_written_what_waits_in_the_wal_is_read(frozen):
    writer, here = frozen
    with writer.reading():  # so that the WAL stays
        writing.add(writer, [entry(b"2", report("another"))])
        code, out, _ = forked.mtasts(["report", "list"], MTASTS_LEDGER=here)
    assert (code, len(out.splitlines())) == (0, 2)


def test_a_ledger_that_is_changed_from_elsewhere_while_it_is_read_gives_no_answer(frozen):
    writer, here = frozen
    reader = Database(place.parse(here))
    with pytest.raises(LedgerError) as caught, reader.reading():
        forked.mtasts(["report", "add", "-"], as_json(report("2")), MTASTS_LEDGER=writer.place.text)
    assert caught.value.code == "ledger-busy"
    assert len(list(queries.reports(reader, queries.Filter()))) == 2
