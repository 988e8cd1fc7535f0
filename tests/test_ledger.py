"""The ledger on SQLite; tests/real/test_ledger.py passes the same tests on PostgreSQL."""

import contextlib
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, func, select, text
from sqlalchemy.pool import Pool

from mtasts.ledger import place, queries, retention, rows, schema, upgrade, writing
from mtasts.ledger.database import Database
from mtasts.ledger.entry import Added
from mtasts.ledger.queries import Filter
from mtasts.tlsrpt.authenticity import Grade
from reports import DAY, days, entry, failure, policy, report


@pytest.fixture
def where(tmp_path):
    """Where the ledger of a test is: nothing is there yet."""
    return str(tmp_path / "reports" / "ledger.sqlite")


@pytest.fixture
def ledger(where):
    """The ledger of a test, empty."""
    database = Database(place.parse(where))
    yield database
    database.close()


def held(ledger, **wanted):
    return list(queries.reports(ledger, Filter(**wanted)))


def counted(ledger, **wanted):
    return list(queries.entries(ledger, Filter(**wanted)))


def ids(ledger, **wanted):
    return [one.report.report_id for one in held(ledger, **wanted)]


def test_what_is_added_is_given_back(ledger):
    details = failure("sts-webpki-invalid", None, receiving_ip="192.0.2.1", reason_code="x")
    odd = policy("", None, None, [details, failure()])
    first = report("a", [policy(), odd], notes=[("time-zone-missing", "date-range")])
    other = report("b", [], start=None)
    [added] = writing.add(ledger, [entry(b"mail", first, other, grade=Grade.DKIM)])
    assert added == Added(added.id, True, 2, 0)
    shown = queries.shown(ledger, added.id)
    assert [one.report for one in shown.reports] == [first, other]
    assert (shown.facts.grade, shown.facts.source, shown.facts.size) == (Grade.DKIM, "mail", 4)
    assert shown.facts.received == DAY + days(1)
    assert queries.raw(ledger, added.id) == b"mail"


def test_the_same_bytes_are_one_arrival_of_the_strongest_grade(ledger):
    [first] = writing.add(ledger, [entry(b"mail", report(), grade=Grade.HTTPS)])
    twice = [entry(b"mail", report()), entry(b"mail", report(), grade=Grade.DKIM)]
    assert writing.add(ledger, twice) == [Added(first.id, False, 0, 0)] * 2
    assert queries.shown(ledger, first.id).facts.grade == Grade.DKIM
    [one] = held(ledger)
    assert (one.grade, one.arrivals) == (Grade.DKIM, 1)
    writing.add(ledger, [entry(b"mail", report())])
    assert held(ledger) == [one]


def test_the_same_bytes_twice_in_one_transaction_are_one_arrival(ledger):
    added = writing.add(ledger, [entry(b"mail", report())] * 2)
    assert [one.is_new for one in added] == [True, False]
    assert len(held(ledger)) == 1


def test_a_resend_is_the_same_report(ledger):
    repaired = report(notes=[("time-zone-missing", "date-range")])
    [first] = writing.add(ledger, [entry(b"mail 1", report())])
    [second] = writing.add(ledger, [entry(b"mail 2", repaired, grade=Grade.DKIM)])
    assert (second.new_reports, second.resent_reports) == (0, 1)
    [one] = held(ledger)
    assert (one.arrival_id, one.arrivals, one.conflicts) == (first.id, 2, 0)
    assert one.grade == Grade.DKIM
    assert queries.shown(ledger, second.id).reports == (one,)


def test_a_report_that_stands_twice_in_one_arrival_is_one(ledger):
    [added] = writing.add(ledger, [entry(b"zip", report(), report())])
    assert (added.new_reports, added.resent_reports) == (1, 1)
    assert len(held(ledger)) == 1


def test_of_a_conflict_the_first_is_counted(ledger):
    for number, failed in enumerate([3, 4, 5]):
        received = DAY + days(3 - number)
        said = report(policies=[policy(failed=failed)])
        writing.add(ledger, [entry(b"%d" % number, said, received=received)])
    found = {one.report.policies[0].failed: one.is_counted for one in held(ledger)}
    assert found == {3: False, 4: False, 5: True}
    assert {one.conflicts for one in held(ledger)} == {2}
    assert [one.report.policies[0].failed for one in counted(ledger)] == [5]


def test_of_a_conflict_the_stronger_grade_is_counted(ledger):
    """Who guesses the id of a report cannot replace it by being first."""
    forged = report(policies=[policy(failed=0)])
    writing.add(ledger, [entry(b"forged", forged, grade=Grade.HTTPS)])
    received = DAY + days(9)
    writing.add(ledger, [entry(b"signed", report(), received=received, grade=Grade.DKIM)])
    assert [one.report.policies for one in counted(ledger)] == [report().policies]


@pytest.mark.parametrize(
    "other",
    [
        report(organization="Example Net", policies=[policy(failed=9)]),
        report("other id", policies=[policy(failed=9)]),
        report(start=DAY + days(1)),
    ],
    ids=["organisation", "report-id", "range"],
)
def test_what_is_told_apart_is_no_conflict(ledger, other):
    writing.add(ledger, [entry(b"1", report()), entry(b"2", other)])
    assert [one.conflicts for one in held(ledger)] == [0, 0]


def test_one_id_for_the_reports_about_several_domains_is_no_conflict(ledger):
    """Some senders number the days, and not their reports."""
    said = [report(policies=[policy(domain)]) for domain in ("example.org", "example.com")]
    writing.add(ledger, [entry(b"%d" % number, one) for number, one in enumerate(said)])
    assert [(one.conflicts, one.is_counted) for one in held(ledger)] == [(0, True), (0, True)]
    assert len(counted(ledger)) == 2


def test_for_every_domain_one_of_the_reports_in_conflict_is_counted(ledger):
    """The second is in conflict with both others, which are in none with each other."""
    about = ["example.org"], ["example.org", "example.com", "example.net"], ["example.net"]
    said = [report(policies=[policy(domain) for domain in domains]) for domains in about]
    for number, one in enumerate(said):
        writing.add(ledger, [entry(b"%d" % number, one, received=DAY + days(number))])
    found = {one.report: (one.conflicts, one.uncounted, one.is_counted) for one in held(ledger)}
    assert found == {
        said[0]: (1, (), True),
        said[1]: (2, ("example.org",), True),
        said[2]: (1, ("example.net",), False),
    }
    domains = [[each.policy_domain for each in one.report.policies] for one in counted(ledger)]
    assert domains == [["example.org"], ["example.com", "example.net"]]
    for domain, winner in zip(("example.org", "example.com", "example.net"), (0, 1, 1)):
        [one] = counted(ledger, domain=domain)
        assert one.report.policies == (policy(domain),)
        first = next(one for one in held(ledger, domain=domain) if one.is_counted)
        assert first.received == DAY + days(winner)


def test_reports_without_an_id_are_in_no_conflict(ledger):
    other = report("", policies=[policy(failed=9)])
    writing.add(ledger, [entry(b"1", report("")), entry(b"2", other)])
    assert [one.is_counted for one in held(ledger)] == [True, True]


def test_filters(ledger):
    both = report("c", [policy("example.com"), policy(), policy()], start=DAY + days(2))
    later = report("d", organization="Else", start=DAY + days(4))
    first = entry(b"1", report("a"), report("b", start=DAY + days(1)))
    writing.add(ledger, [first, entry(b"2", both, grade=Grade.DKIM), entry(b"3", later)])
    assert ids(ledger) == ["a", "b", "c", "d"]
    assert ids(ledger, since=DAY + days(1), until=DAY + days(4)) == ["b", "c"]
    assert ids(ledger, organization="ELSE") == ["d"]
    assert ids(ledger, weakest=Grade.AUTHENTICATION_RESULTS) == ["c"]
    assert ids(ledger, domain="example.com") == ["c"]
    assert ids(ledger, domain="example.net") == []
    writing.add(ledger, [entry(b"4", report("e", organization="\u00dcber Mail"))])
    assert ids(ledger, organization="\u00dcber mail") == ["e"]
    assert ids(ledger, domain="example.org", since=DAY + days(1)) == ["b", "c", "d"]


def test_a_domain_is_shown_without_the_others_of_its_reports(ledger):
    said = report(policies=[policy(), policy("example.com"), policy(successful=7)])
    writing.add(ledger, [entry(b"1", said)])
    [one] = held(ledger, domain="example.org")
    assert one.report.policies == (policy(), policy(successful=7))


def test_pages_leave_nothing_out_and_repeat_nothing(ledger):
    """More reports than fit into a page, many of them of the same day."""
    said = [report(f"{n:03}", [policy(), policy()], start=DAY + days(n // 150)) for n in range(450)]
    writing.add(ledger, [entry(b"%d" % n, one) for n, one in enumerate(said)])
    for wanted in ({}, {"domain": "example.org"}):
        found = ids(ledger, **wanted)
        assert sorted(found) == [one.report_id for one in said]


def test_a_late_page_is_found_with_as_little_work_as_an_early_one(where, ledger):
    """Each began where the period does, so that two years of many domains took most of a minute."""
    if not ledger.is_sqlite:
        pytest.skip("SQLite counts its own steps")
    several = [report(str(number), start=DAY + days(number)) for number in range(4500)]
    with ledger.writing() as connection:
        of = [rows.of_report(one, one.report_id, 40, one.end) for one in several]
        connection.execute(schema.report.insert(), of)
    steps = [0]

    def count():
        steps[0] += 1

    def watch(connection, _record):
        connection.set_progress_handler(count, 10)

    event.listen(Pool, "connect", watch)
    try:
        database = Database(place.parse(where))
        found = enumerate(queries.entries(database, Filter(since=DAY - days(1))))
        seen = [steps[0] for number, _ in found if number % 900 == 0]
        database.close()
    finally:
        event.remove(Pool, "connect", watch)
    work = [after - before for before, after in zip(seen, seen[1:])]
    assert len(work) == 4
    assert max(work) < 1.1 * min(work)


def test_as_many_reports_are_announced_as_there_are(ledger):
    both = report("both", [policy(), policy("tlsa")])
    later = report("later", [policy(domain="example.net")], start=DAY + days(3))
    rival = report("both", [policy(successful=1)])
    for number, one in enumerate((both, later, rival)):
        writing.add(ledger, [entry(b"%d" % number, one, received=DAY + days(number))])
    for wanted in (
        Filter(),
        Filter(domain="example.org"),
        Filter(since=DAY + days(1)),
        Filter(weakest=Grade.DKIM),
    ):
        assert queries.number(ledger, wanted) == len(held(ledger, **wanted._asdict()))
    assert queries.number(ledger, Filter()) == 3


def test_the_quarantine_holds_what_could_not_be_read(ledger):
    broken = entry(b"{", report(), error="report-not-json")
    writing.add(ledger, [entry(b"mail", report()), broken])
    [facts] = queries.quarantine(ledger)
    assert queries.quarantined(ledger) == 1
    assert facts.error == "report-not-json"
    assert queries.raw(ledger, facts.id) == b"{"


def test_what_was_read_again_replaces_what_was_read_first(ledger):
    [added] = writing.add(ledger, [entry(b"x", report("a"), report("b"), error="report-not-json")])
    writing.add(ledger, [entry(b"y", report("b"))])
    writing.read_again(ledger, added.id, entry(b"x", report("b"), report("c")))
    assert sorted(ids(ledger)) == ["b", "c"]
    assert list(queries.quarantine(ledger)) == []
    assert queries.quarantined(ledger) == 0
    shown = queries.shown(ledger, added.id)
    assert [one.report.report_id for one in shown.reports] == ["b", "c"]


def test_an_unknown_number_is_an_error(ledger):
    writing.add(ledger, [])
    for ask in (queries.shown, queries.raw):
        with pytest.raises(queries.NotInLedger) as caught:
            ask(ledger, 7)
        assert caught.value.code == "ledger-id-unknown"


def test_what_is_old_is_forgotten_with_its_reports(ledger):
    old, new = report("old", start=DAY - days(800)), report("new")
    writing.add(
        ledger,
        [
            entry(b"1", old),
            entry(b"2", new, old),
            entry(b"3", report("forward", start=DAY + days(9000)), received=DAY - days(800)),
            entry(b"4", report("no start", start=None), received=DAY - days(800)),
            entry(b"5", received=DAY - days(800), error="report-empty"),
            entry(b"6", error="report-empty"),
        ],
    )
    assert retention.count_older(ledger, DAY - days(730)) == 4
    assert retention.forget_older(ledger, DAY - days(730)) == 4
    # the resend is newer, and so is what it brought
    assert sorted(ids(ledger)) == ["new", "old"]
    assert len(list(queries.quarantine(ledger))) == 1
    assert retention.forget_older(ledger, DAY + days(2)) == 2
    with ledger.reading() as connection:
        for table in schema.metadata.sorted_tables:
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0, table


def test_a_number_that_was_forgotten_is_not_given_again(ledger):
    [first] = writing.add(ledger, [entry(b"1", report())])
    retention.forget_older(ledger, DAY + days(1))
    [second] = writing.add(ledger, [entry(b"1", report())])
    assert second.id > first.id


HOSTILE = "\0\ud800'; DROP TABLE report; --\r\n\x1b[2J" + "x" * 100000


def test_hostile_text_is_only_text(ledger):
    details = [failure(HOSTILE, additional_information=HOSTILE, receiving_mx_helo=HOSTILE)]
    said = report(HOSTILE, [policy("x'\0--", failures=details), policy("y" * 5000)], HOSTILE)
    writing.add(ledger, [entry(b"1", said)])
    writing.add(ledger, [entry(b"2", said)])
    [one] = held(ledger)
    shown = HOSTILE.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    assert one.report.report_id == one.report.organization_name == shown
    assert one.report.policies[0].failures[0].result_type == shown
    assert one.report.policies[1].policy_domain == ""  # too long for one
    assert held(ledger, domain="x'\ufffd--")
    assert held(ledger, organization="' OR 1=1 --") == []


def test_the_migrations_make_what_the_tables_say(ledger):
    writing.add(ledger, [])
    with ledger.reading() as connection:
        options = {"include_name": lambda name, *_: name != "sqlite_sequence"}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_the_newest_migration_is_the_one_that_is_wanted():
    config = Config()
    config.set_main_option("script_location", upgrade.MIGRATIONS)
    assert ScriptDirectory.from_config(config).get_current_head() == schema.REVISION


def test_a_ledger_of_a_newer_mtasts_is_left_alone(ledger, where):
    writing.add(ledger, [entry(b"1", report())])
    with ledger.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(upgrade.LedgerTooNew) as caught:
        held(Database(place.parse(where)))
    assert caught.value.code == "ledger-too-new"


def test_an_error_within_a_transaction_changes_nothing(ledger):
    class Stop(Exception):
        pass

    writing.add(ledger, [])
    with contextlib.suppress(Stop), ledger.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        raise Stop
    assert held(ledger) == []


ADD = """
import sys
from mtasts.ledger import place, writing
from mtasts.ledger.database import Database
from reports import entry, report
database = Database(place.parse(sys.argv[1]))
for number in range(10):
    same, own = f"same {number}", f"own {sys.argv[2]} {number}"
    both = entry(own.encode(), report("common"), report(own))
    writing.add(database, [entry(same.encode(), report(same)), both])
"""


def test_several_processes_make_and_fill_a_ledger_at_once(ledger, where):
    paths = "import sys; sys.path[:0] = {!r}".format(sys.path)
    argv = [sys.executable, "-c", paths + ADD, where]
    started = [subprocess.Popen(argv + [str(n)], stderr=subprocess.PIPE) for n in range(3)]
    assert [process.communicate(timeout=60)[1] for process in started] == [b""] * 3
    assert len(ids(ledger)) == 10 + 3 * 10 + 1
    [common] = [one for one in held(ledger) if one.report.report_id == "common"]
    assert common.arrivals == 3 * 10


def test_what_is_counted_is_what_the_reports_say_without_those_that_do_not_count(ledger):
    both = report("a", [policy(), policy("example.net", 1, 0, [])], notes=[("zone", "x")])
    forged = report("a", [policy("example.org", 9, 0, [])])
    other = report("b", [policy("example.net", 5, 1)], start=DAY + days(1))
    arrivals = [entry(b"1", both, grade=Grade.DKIM), entry(b"2", forged), entry(b"3", other)]
    writing.add(ledger, arrivals)

    for wanted in ({}, {"domain": "example.net"}, {"since": DAY + days(1)}, {"until": DAY}):
        expected = [
            (one.report._replace(contact_info=None, notes=(), hints=()), one.grade.value)
            for one in held(ledger, **wanted)
            if one.is_counted
        ]
        assert counted(ledger, **wanted) == expected
    assert [one.report.report_id for one in counted(ledger)] == ["a", "b"]
    assert [one.grade for one in counted(ledger, weakest=Grade.DKIM)] == ["dkim"]


def test_a_report_about_days_that_have_yet_to_come_is_as_old_as_its_arrival(ledger):
    ahead = report("ahead", start=DAY + days(900))
    writing.add(ledger, [entry(b"1", ahead, received=DAY), entry(b"2", report("b"))])
    assert ids(ledger, since=DAY, until=DAY + days(1)) == ["ahead", "b"]
    assert ids(ledger, since=DAY + days(1)) == []
    (held_one, _) = held(ledger)
    assert held_one.report == ahead
