"""A step gathered and taken: real files, a real ledger; the network is what stands in `sights`."""

import re

import pytest

import nameserver
from mtasts import advance_apply, advance_gather, publications
from mtasts.advance import Answer
from mtasts.change import Wishes
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.holder import ClassName
from mtasts.ledger import place, writing
from mtasts.ledger.database import Database
from mtasts.plan import PlanError
from mtasts.plan_apply import Site, make
from mtasts.planning import LADDER
from mtasts.policy import Mode, Policy
from mtasts.policy_file import StoreError, policy_path, read_bytes
from mtasts.publications import Publication
from mtasts.publish_record import Options
from mtasts.store import Store
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import PolicyResult
from reports import entry, report
from sights import DAY, NOW, handshake, healthy, policy_hosts, sts

ORG, NET, CLASS = Domain("example.org"), Domain("example.net"), ClassName("@a")
MX = ("mx1.example.org", "mx2.example.org")
TESTING = Policy(Mode.TESTING, 86401, MX)
ENFORCE = Policy(Mode.ENFORCE, LADDER[0], MX)
WEEK = Policy(Mode.ENFORCE, LADDER[1], MX)
TTL = DAY


@pytest.fixture
def site(tmp_path):
    store = Store(str(tmp_path / "policies"))
    (tmp_path / "policies").mkdir()
    store.write(ORG, TESTING.to_bytes(), NOW - 20 * DAY)
    return Site(store, ORG)


@pytest.fixture
def ledger(tmp_path):
    database = Database(place.parse(str(tmp_path / "ledger.sqlite")))
    yield database
    database.close()


def fill(ledger, policy=TESTING, domain=ORG, grade=Grade.DKIM, days=range(1, 10)):
    lines = tuple(str(policy).strip().split("\r\n"))
    for day in days:
        result = PolicyResult("sts", domain, lines, MX, 100, 0, ())
        start = (NOW - day * DAY).replace(hour=0)
        one = report(f"{domain} {grade} {day}", [result], start=start)
        writing.add(ledger, [entry(one.report_id.encode(), one, grade=grade)])


def numbers(ledger, *domains, grade=Grade.AUTHENTICATION_RESULTS):
    return advance_gather.numbers(ledger, domains or (ORG,), NOW, 30, grade)


def looks(site):
    """What a look sees of every domain, all of which are in order."""
    for domain in site.domains():
        data, last = read_bytes(site.store.root, domain), site.store.last(domain)
        hosts = tuple(
            one._replace(
                tls=handshake(domain.policy_host),
                answers=tuple(each._replace(body=data) for each in one.answers),
            )
            for one in policy_hosts()
        )
        record = sts(f"v=STSv1; id={last.id};")
        yield healthy(domain=domain, sts=record, policy_host=hosts, own=None)


def judged(site, said):
    asked = advance_gather.question(site, TTL)
    cases = list(advance_gather.cases(site, asked, said, looks(site), NOW))
    return advance_gather.judgement(site, asked, cases, NOW)


def take(site, found):
    return advance_apply.take(site, found.question.data, found.question.rung, clock)


def refused(function, *arguments):
    with pytest.raises(MtastsError) as caught:
        function(*arguments)
    return caught.value.code


def clock():
    return NOW


def publish(site, *domains):
    for domain in domains:
        data, last = read_bytes(site.store.root, domain), site.store.last(domain)
        publications.add(site.store.root, Publication(domain, last.id, NOW, data))


def test_the_step_is_taken_and_nothing_else(site, ledger):
    fill(ledger)
    found = judged(site, numbers(ledger))
    assert found.answer is Answer.YES
    take(site, found)
    assert site.store.read(ORG) == ENFORCE
    assert [one.first for one in site.store.history(ORG)] == [NOW - 20 * DAY, NOW]


def test_line_endings_and_order_of_the_policy_stay(site, ledger):
    mixed = TESTING.to_bytes().replace(b"\r\n", b"\n")
    site.store.write(ORG, mixed, NOW - 19 * DAY)
    fill(ledger)
    take(site, judged(site, numbers(ledger)))
    expected = mixed.replace(b"testing", b"enforce")
    assert read_bytes(site.store.root, ORG) == expected


def test_what_somebody_else_has_changed_meanwhile_stays(site, ledger):
    fill(ledger)
    found = judged(site, numbers(ledger))
    other = TESTING.to_bytes().replace(b"mx2", b"mx3")
    site.store.write(ORG, other, NOW)
    assert refused(take, site, found) == "policy-changed-meanwhile"
    assert read_bytes(site.store.root, ORG) == other


def test_a_plan_is_not_fought(site, ledger):
    fill(ledger)
    found = judged(site, numbers(ledger))
    make(site, Wishes(Mode.ENFORCE), 86400, NOW)
    assert refused(take, site, found) == "advance-planned"
    assert judged(site, numbers(ledger)).answer is Answer.YES
    assert site.store.read(ORG) == TESTING


def test_asking_writes_nothing_also_not_a_change_by_hand(site, tmp_path):
    with open(policy_path(site.store.root, ORG), "wb") as file:
        file.write(ENFORCE.to_bytes())
    history = tmp_path / "policies" / ORG / "history.jsonl"
    before = history.read_bytes()
    asked = advance_gather.question(site, TTL)
    assert (asked.rung.policy, len(asked.history)) == (WEEK, 2)
    assert history.read_bytes() == before


def test_a_plan_that_cannot_be_read_is_no_plan_to_go_by(site, tmp_path):
    (tmp_path / "policies" / ORG / "plan.json").write_text("{}")
    with pytest.raises(PlanError):
        advance_gather.question(site, TTL)


def test_dates_without_end_are_named(site, tmp_path):
    site.store.write(ORG, ENFORCE.to_bytes(), NOW)
    history = tmp_path / "policies" / ORG / "history.jsonl"
    history.write_text(re.sub(r"\d{4}-\d\d-\d\dT", "9999-12-31T", history.read_text()))
    assert refused(advance_gather.question, site, TTL) == "plan-without-date"
    assert refused(advance_apply.is_unfinished, site, TTL) == "plan-without-date"


def test_reports_count_from_their_grade_on(ledger):
    fill(ledger)
    fill(ledger, grade=Grade.FILE, days=range(1, 4))
    said = numbers(ledger).of(ORG)
    assert (said.counted.reports, said.every.reports) == (9, 12)
    assert numbers(ledger, grade=Grade.FILE).of(ORG).counted.reports == 12
    assert numbers(ledger).of(NET).counted.reports == 0


def test_without_a_ledger_it_is_said_what_is_missing(ledger, tmp_path):
    assert "there is no ledger" in numbers(ledger).of(ORG).missing
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    assert refused(numbers, ledger) == "ledger-damaged"


def test_every_member_of_a_class_is_asked_by_its_own_history(site, ledger):
    store = site.store
    store.write(CLASS, TESTING.to_bytes(), NOW - 30 * DAY)
    store.assign(ORG, CLASS, NOW - 20 * DAY)
    store.assign(NET, CLASS, NOW - 3 * DAY)
    for domain in (ORG, NET):
        fill(ledger, domain=domain)
    cluster = site._replace(holder=CLASS)
    found = judged(cluster, numbers(ledger, ORG, NET))
    assert found.answer is Answer.UNKNOWN
    assert {case.domain: case.answer for case in found.cases} == {
        ORG: Answer.YES,
        NET: Answer.UNKNOWN,
    }
    with pytest.raises(StoreError) as caught:
        advance_gather.question(site, TTL)
    assert "@a" in caught.value.message


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([], False),
        ([ENFORCE], True),
        ([ENFORCE, WEEK], True),
        ([WEEK], False),
        ([Policy(Mode.ENFORCE, LADDER[0], MX[:1])], False),
        ([ENFORCE, TESTING], False),
    ],
    ids=["no step", "a step", "two steps", "a leap", "other hosts", "a step back"],
)
def test_a_step_that_was_not_published_is_known_by_what_is_there(site, policies, expected):
    for number, policy in enumerate(policies):
        site.store.write(ORG, policy.to_bytes(), NOW - (9 - number) * DAY)
    assert advance_apply.is_unfinished(site, TTL) is expected
    publish(site, ORG)
    assert advance_apply.is_unfinished(site, TTL) is False


def test_a_step_is_known_though_the_policy_named_a_host_twice(site, ledger):
    twice = TESTING.to_bytes().replace(b"max_age", b"mx: mx1.example.org\r\nmax_age")
    site.store.write(ORG, twice, NOW - 20 * DAY)
    fill(ledger)
    take(site, judged(site, numbers(ledger)))
    assert advance_apply.is_unfinished(site, TTL)


def test_what_a_plan_has_begun_is_for_the_plan_to_finish(site):
    site.store.write(ORG, ENFORCE.to_bytes(), NOW)
    make(site, Wishes(Mode.ENFORCE, LADDER[1]), 86400, NOW)
    assert not advance_apply.is_unfinished(site, TTL)


def test_a_step_is_finished_when_every_domain_is_published(site):
    site.store.alias(NET, ORG)
    site.store.write(ORG, ENFORCE.to_bytes(), NOW)
    publish(site, ORG)
    assert advance_apply.is_unfinished(site, TTL)
    publish(site, NET)
    assert not advance_apply.is_unfinished(site, TTL)


def test_one_domain_that_cannot_be_published_does_not_keep_the_others(site):
    site.store.alias(NET, ORG)
    with nameserver.running() as dns:
        dns.table.update({ORG.policy_host: {}, NET.policy_host: {}})
        asked = site._replace(options=Options(resolver=dns.address, wait=0))
        went = [(domain, step.name) for domain, step in advance_apply.publish(asked, clock)]
    assert went == [(NET, "policy"), (NET, "served"), (ORG, "policy"), (ORG, "served")]
