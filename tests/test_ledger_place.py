"""Where the ledger is, and what SQLite refuses."""

import os
import sqlite3

import pytest

from mtasts.ledger import place, queries, retention, writing
from mtasts.ledger.database import Database, LedgerError
from reports import DAY, days, entry, report


def test_the_first_that_says_so_counts(tmp_path):
    setting = tmp_path / "ledger"
    found = [place.find(None, {}, str(setting))]
    setting.write_text("# the common one\n\npostgresql://reports:secret@192.0.2.1/mtasts\n")
    setting.chmod(0o640)
    found.append(place.find(None, {}, str(setting)))
    found.append(place.find(None, {"MTASTS_LEDGER": "/srv/a.sqlite"}, str(setting)))
    found.append(place.find("b.sqlite", {"MTASTS_LEDGER": "/srv/a.sqlite"}, str(setting)))
    assert [one.text for one in found] == [
        place.DEFAULT_PATH,
        "postgresql://reports:secret@192.0.2.1/mtasts",
        "/srv/a.sqlite",
        os.path.abspath("b.sqlite"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reports:secret@192.0.2.1/mtasts",
        "postgresql://reports@192.0.2.1/mtasts?password=secret",
    ],
)
def test_a_password_is_neither_taken_from_the_command_line_nor_shown(url):
    with pytest.raises(place.InvalidPlace) as caught:
        place.find(url, {})
    assert caught.value.code == "ledger-password-open"
    assert "secret" not in str(caught.value)
    assert "secret" not in str(place.find(None, {"MTASTS_LEDGER": url}))


def test_a_setting_with_a_password_is_for_its_readers_only(tmp_path):
    setting = tmp_path / "ledger"
    setting.write_text("postgresql://reports:secret@192.0.2.1/mtasts\n")
    setting.chmod(0o644)
    with pytest.raises(place.InvalidPlace) as caught:
        place.find(None, {}, str(setting))
    assert caught.value.code == "ledger-setting-open"
    setting.chmod(0o640)
    place.find(None, {}, str(setting))


@pytest.mark.parametrize("url", ["mysql://reports@192.0.2.1/mtasts", "sqlite:////srv/a.sqlite"])
def test_other_urls_are_refused(url):
    with pytest.raises(place.InvalidPlace) as caught:
        place.parse(url)
    assert caught.value.code == "ledger-url-unsupported"


def test_what_only_looks_like_a_url_is_refused():
    with pytest.raises(LedgerError) as caught:
        Database(place.parse("postgresql://reports:secret@192.0.2.1:port/mtasts"))
    assert caught.value.code == "ledger-url-invalid"
    assert "secret" not in str(caught.value)


def refused(where, ask=lambda database: writing.add(database, [entry(b"1", report())])):
    database = Database(place.parse(str(where)), patience=0)
    with pytest.raises(LedgerError) as caught:
        ask(database)
    database.close()
    return caught.value.code


def test_nothing_is_made_where_somebody_only_looks(tmp_path):
    where = tmp_path / "reports" / "ledger.sqlite"
    look = lambda database: list(queries.reports(database, queries.Filter()))  # noqa: E731
    assert refused(where, look) == "ledger-missing"
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_reads_the_file(tmp_path):
    where = tmp_path / "reports" / "ledger.sqlite"
    writing.add(Database(place.parse(str(where))), [entry(b"1", report())])
    assert all(path.stat().st_mode & 0o007 == 0 for path in where.parent.iterdir())
    assert where.parent.stat().st_mode & 0o007 == 0


def test_what_is_forgotten_leaves_its_room_to_the_disk(tmp_path):
    where = tmp_path / "ledger.sqlite"
    database = Database(place.parse(str(where)))
    writing.add(database, [entry(os.urandom(2**20), report())])
    database.close()
    assert where.stat().st_size > 2**20
    retention.forget_older(database, DAY + days(1))
    database.close()
    assert where.stat().st_size < 2**17


def test_what_sqlite_refuses_has_a_code(tmp_path):
    where = tmp_path / "ledger.sqlite"
    database = Database(place.parse(str(where)))
    writing.add(database, [])
    database.close()
    with sqlite3.connect(str(where)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert refused(where) == "ledger-busy"
    where.write_bytes(b"no database at all" * 1000)
    assert refused(where) == "ledger-damaged"
    assert refused(tmp_path) == "ledger-unusable"


def test_a_server_that_is_not_there_is_named():
    database = Database(place.parse("postgresql://reports:secret@127.0.0.1:1/mtasts"))
    with pytest.raises(LedgerError) as caught:
        writing.add(database, [])
    assert caught.value.code == "ledger-unusable"
    assert "127.0.0.1" in caught.value.message
    assert "secret" not in str(caught.value)
