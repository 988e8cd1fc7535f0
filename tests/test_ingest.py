"""From the spool into the ledger: nothing is lost, nothing comes twice, whenever it is killed."""

import gzip
import json
import os
import random
import signal
import sys
import time

import pytest

from mtasts import ingest
from mtasts import spool as spool_module
from mtasts.domain import Domain
from mtasts.ledger import database, place, queries, writing
from mtasts.ledger.database import Database
from mtasts.ledger.entry import Named
from mtasts.ledger.queries import Filter
from mtasts.spool import Arrival, Spool, SpoolError
from mtasts.tlsrpt.authenticity import Grade
from reports import NEXT_DAY, as_json, as_mail, report

KILLS = 30


@pytest.fixture
def where(tmp_path):
    """Where the ledger of a test is: nothing is there yet."""
    return str(tmp_path / "reports" / "ledger.sqlite")


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


def arrival(data, source="https", domain="example.org"):
    return Arrival(data, NEXT_DAY, source, domain and Domain(domain))


def ids(ledger):
    return sorted(one.report.report_id for one in queries.reports(ledger, Filter()))


def test_what_waits_is_in_the_ledger_and_not_in_the_spool(ledger, spool):
    spool.put(arrival(as_json(report("a"))))
    spool.put(arrival(gzip.compress(as_json(report("b")))))
    spool.put(arrival(as_mail(as_json(report("c"))), "mail", None))
    assert [one.added.new_reports for one in ingest.take_spool(ledger, spool)] == [1, 1, 1]
    assert ids(ledger) == ["a", "b", "c"]
    assert spool.waiting() == []


def test_what_the_ledger_knows_is_only_taken_away(ledger, spool):
    """As after a crash between the transaction and taking the file away."""
    spool.put(arrival(as_json(report())))
    list(ingest.take_spool(ledger, spool))
    spool.put(arrival(as_json(report())))
    [again] = ingest.take_spool(ledger, spool)
    assert not again.added.is_new
    assert len(ids(ledger)) == 1
    assert spool.waiting() == []


def test_what_another_process_has_taken_on_is_left_to_it(ledger, spool):
    claim = spool.claim(spool.put(arrival(as_json(report()))))
    assert list(ingest.take_spool(ledger, spool)) == []
    os.close(claim)
    assert len(list(ingest.take_spool(ledger, spool))) == 1


def test_a_file_that_is_none_of_the_spool_stops_nobody(ledger, spool):
    first = spool.put(arrival(as_json(report())))
    odd = spool.put(arrival(b""))
    with open(os.path.join(spool.folder, odd), "wb") as file:
        file.write(b"no header\n")
    taken = list(ingest.take_spool(ledger, spool))
    assert [one.code for one in taken if isinstance(one, SpoolError)] == ["spool-file-unreadable"]
    assert spool.waiting() == [odd]
    assert first not in spool.waiting()


def test_what_cannot_be_read_keeps_what_could(ledger):
    both = as_mail(as_json(report("good")), b"{")
    [[taken]] = ingest.batches(ledger, [Named(arrival(both, "mail"))])
    assert taken.entry.error == "report-not-json"
    assert ids(ledger) == ["good"]
    [facts] = queries.quarantine(ledger)
    assert queries.raw(ledger, facts.id) == both


@pytest.mark.parametrize(
    ("source", "error"), [("mail", "no-report"), ("https", "no-report"), ("imap", None)]
)
def test_a_mail_that_is_no_report_is_kept_if_nobody_else_keeps_it(ledger, source, error):
    mail = b"From: a@example.net\r\nSubject: Hello\r\n\r\nHow are you?\r\n"
    [[taken]] = ingest.batches(ledger, [Named(arrival(mail, source))])
    assert taken.entry.error == error
    assert (taken.added is None) == (error is None)


@pytest.mark.parametrize(
    ("domain", "grade"), [("example.org", Grade.HTTPS), ("example.com", Grade.FILE)]
)
def test_an_address_proves_nothing_about_another_domain(domain, grade):
    assert ingest.read(Named(arrival(as_json(report()), domain=domain))).grade == grade


def test_a_mail_has_the_grade_that_its_signature_gives():
    mail = as_mail(as_json(report()))
    for data, source, grade in (
        (mail, "imap", Grade.DKIM),
        (as_json(report()), "file", Grade.FILE),
        (mail, "https", Grade.HTTPS),
    ):
        assert ingest.read(Named(arrival(data, source)), lambda _: Grade.DKIM).grade == grade


def test_an_upgrade_takes_up_what_is_in_quarantine(ledger):
    """As an older reader might have left it: with an error, and nothing read."""
    mail = arrival(as_mail(as_json(report())), "mail")
    entry = ingest.read(Named(mail))._replace(reports=(), error="report-missing", grade=Grade.DKIM)
    writing.add(ledger, [entry, ingest.read(Named(arrival(b"{")))])
    assert {one.error for one in ingest.replay(ledger)} == {None, "report-not-json"}
    [held] = queries.reports(ledger, Filter())
    assert held.report == report()._replace(hints=held.report.hints)
    assert held.grade == Grade.DKIM
    assert [facts.error for facts in queries.quarantine(ledger)] == ["report-not-json"]


def test_a_batch_ends_before_it_becomes_large(ledger):
    """What was yielded is committed, and no more was taken from the source than that."""
    taken = []

    def arrivals():
        for number in range(250):
            taken.append(number)
            yield Named(arrival(as_json(report(str(number)))))

    for batch in ingest.batches(ledger, arrivals()):
        assert len(batch) <= 100
        assert len(ids(ledger)) == len(taken)
    assert len(taken) == 250


def fork(work, *arguments):
    """Start a process that does `work` and ends; its number."""
    child = os.fork()
    if child == 0:
        try:
            work(*arguments)
            os._exit(0)
        finally:
            os._exit(1)
    return child


def ended(child):
    """How the process ended: the signal that killed it, or 0."""
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def take_in(where, spool):
    """What `mtasts report ingest` does, with transactions of three arrivals."""
    ingest._MOST_ARRIVALS = 3
    list(ingest.take_spool(Database(place.parse(where)), spool))


def lives_of(spool, ledger):
    """The reports that are in the spool, and those that are in the ledger."""
    waiting = {json.loads(spool.read(name).data.decode())["report-id"] for name in spool.waiting()}
    is_made = ledger.place.is_url or os.path.exists(ledger.place.text)
    return waiting, ids(ledger) if is_made else []


def test_killed_at_any_moment_every_report_is_there_exactly_once(where, ledger, spool):
    """Real kills of processes, sometimes two at once, while more arrives."""
    chance = random.Random(8460)  # noqa: S311 - no secret
    sent = []
    for kill in range(KILLS):
        for _ in range(8):
            sent.append(str(len(sent)))
            spool.put(arrival(as_json(report(sent[-1]))))
        children = [fork(take_in, where, spool) for _ in range(1 + kill % 2)]
        time.sleep(chance.uniform(0, 0.1))
        for child in children:
            os.kill(child, signal.SIGKILL)
            ended(child)
        waiting, entered = lives_of(spool, ledger)
        assert len(entered) == len(set(entered))
        assert waiting | set(entered) == set(sent)
    assert [ended(fork(take_in, where, spool)) for _ in range(2)] == [0, 0]
    assert lives_of(spool, ledger) == (set(), sorted(sent))


class Steps:
    """Counts the lines of ours that a process passes, and kills it at one of them."""

    def __init__(self, last):
        self.last = last
        self.passed = 0
        modules = (ingest, database, writing, spool_module)
        self.files = {module.__file__ for module in modules}

    def trace(self, frame, event, _argument):
        if frame.f_code.co_filename not in self.files:
            return None
        if event == "line":
            self.passed += 1
            if self.passed == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def take_in_until(last, where, spool, said):
    steps = Steps(last)
    sys.settrace(steps.trace)
    take_in(where, spool)
    sys.settrace(None)
    said.write_text(str(steps.passed))


def test_killed_at_each_of_its_steps_every_report_is_there_exactly_once(
    where, ledger, spool, tmp_path
):
    """From the first line to the last; at some the report is in both places, at none in neither."""
    writing.add(ledger, [])
    said = tmp_path / "said"
    spool.put(arrival(as_json(report("first"))))
    assert ended(fork(take_in_until, 0, where, spool, said)) == 0
    lines, sent, seen = int(said.read_text()), ["first"], set()
    for kill in range(KILLS):
        sent.append(f"at {kill}")
        spool.put(arrival(as_json(report(sent[-1]))))
        last = 1 + kill * (lines - 1) // (KILLS - 1)
        assert ended(fork(take_in_until, last, where, spool, said)) == signal.SIGKILL
        waiting, entered = lives_of(spool, ledger)
        assert len(entered) == len(set(entered))
        assert waiting | set(entered) == set(sent)
        seen.add((sent[-1] in waiting, sent[-1] in entered))
        list(ingest.take_spool(ledger, spool))
        assert lives_of(spool, ledger) == (set(), sorted(sent))
    assert seen == {(True, False), (True, True), (False, True)}
