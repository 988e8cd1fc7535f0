"""Plans carried out: one step at a time, on its date, by whoever it is for, with real files."""

import datetime
import json
import os

import pytest

import nameserver
from mtasts import plan_apply, plan_store, publications
from mtasts.change import Wishes
from mtasts.domain import Domain, MXPattern
from mtasts.holder import ClassName
from mtasts.plan import Kind, PlanError
from mtasts.plan_apply import Site
from mtasts.policy import InvalidPolicy, Mode, Policy
from mtasts.policy_file import StoreError, policy_path, read_bytes
from mtasts.probe import LookupFailed
from mtasts.publications import Publication
from mtasts.publish_record import Options
from mtasts.store import Store

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)
ORG, NET = Domain("example.org"), Domain("example.net")
ENFORCE = Policy(Mode.ENFORCE, 604800, ("mx1.example.org",)).to_bytes()
ADD = Wishes(add_mx=(MXPattern("mx2.example.org"),))
MOVE = ADD._replace(remove_mx=(MXPattern("mx1.example.org"),))


@pytest.fixture
def dns():
    with nameserver.running() as running:
        running.table[ORG] = ["10 mx1.example.org"]
        yield running


@pytest.fixture
def site(tmp_path, dns):
    store = Store(str(tmp_path))
    store.write(ORG, ENFORCE, NOW - 100 * DAY)
    return Site(store, ORG, Options(resolver=dns.address))


def make(site, change=MOVE, now=NOW, **options):
    return plan_apply.make(site, change, 86400, now, **options)


def apply(site, now, answer=True):
    return plan_apply.apply(site, lambda _step: answer, lambda: now)


def publish(site, *domains, now=NOW):
    """What `mtasts publish` leaves behind."""
    for domain in domains or (ORG,):
        data, name = read_bytes(site.store.root, domain), site.store.last(domain).id
        publications.add(site.store.root, Publication(domain, name, now, data))


def refused(function, *arguments):
    with pytest.raises(PlanError) as caught:
        function(*arguments)
    return caught.value.code


def mx(site):
    return site.store.read(site.holder).mx


def test_mail_moves_from_one_host_to_another(site, dns):
    plan = make(site)
    assert [step.kind.value for step in plan.steps] == [
        *("serve", "publish", "add-mx", "remove-mx", "serve", "publish")
    ]
    assert apply(site, NOW).missing == ""
    assert mx(site) == ("mx1.example.org", "mx2.example.org")
    assert "example.org" in apply(site, NOW).missing  # nobody has published it
    publish(site)
    assert apply(site, NOW + HOUR).plan.next.due == NOW + 8 * DAY + HOUR
    assert refused(apply, site, NOW + 8 * DAY) == "plan-not-due"
    later = NOW + 9 * DAY
    assert "mx2.example.org" in apply(site, later).missing
    dns.table[ORG] = ["10 MX2.example.org", "20 mx1.example.org"]
    assert apply(site, later).missing == ""
    assert "mx1.example.org (example.org)" in apply(site, later).missing
    dns.table[ORG] = ["10 mx2.example.org"]
    assert apply(site, later).missing == ""
    assert refused(apply, site, later + 23 * HOUR) == "plan-not-due"
    assert apply(site, later + DAY).missing == ""
    assert mx(site) == ("mx2.example.org",)
    publish(site)
    assert apply(site, later + DAY).plan.next is None
    assert plan_store.read(site.folder) is None
    assert refused(apply, site, later + DAY) == "plan-unknown"


def test_a_step_is_done_alone(site):
    make(site)
    apply(site, NOW)
    before = read_bytes(site.store.root, ORG)
    for _ in range(3):
        apply(site, NOW + 100 * DAY)
    assert read_bytes(site.store.root, ORG) == before


def test_making_a_plan_changes_nothing_else(site):
    before = read_bytes(site.store.root, ORG)
    plan = make(site)
    assert read_bytes(site.store.root, ORG) == before
    assert plan_apply.current(site) == plan
    assert refused(make, site) == "plan-exists"
    plan_apply.cancel(site)
    assert refused(plan_apply.current, site) == "plan-unknown"
    assert refused(plan_apply.cancel, site) == "plan-unknown"


@pytest.mark.parametrize(
    ("change", "options"), [(MOVE, {"is_kept": False}), (Wishes(mode=Mode.ENFORCE), {})]
)
def test_what_is_not_to_be_kept_or_has_no_steps_is_not_kept(site, change, options):
    make(site, change, **options)
    assert "plan.json" not in os.listdir(site.folder)


def test_reports_are_the_operators_word(site):
    site.store.write(ORG, ENFORCE.replace(b"enforce", b"testing"), NOW - 50 * DAY)
    plan = make(site, Wishes(mode=Mode.ENFORCE))
    assert plan.next.kind is Kind.REPORTS
    assert apply(site, NOW, answer=False).missing
    assert apply(site, NOW).missing == ""
    assert site.store.read(ORG).mode is Mode.TESTING
    assert apply(site, NOW).missing == ""
    assert site.store.read(ORG) == Policy(Mode.ENFORCE, 86401, ("mx1.example.org",))


@pytest.mark.parametrize(
    ("records", "code"),
    [
        (["10 mx9.example.org"], "plan-mx-uncovered"),
        ([], "plan-mx-uncovered"),
        (None, "plan-mx-unseen"),
    ],
    ids=["another host", "the domain itself", "no answer"],
)
def test_enforce_waits_for_live_hosts_that_the_policy_covers(site, dns, records, code):
    site.store.write(ORG, ENFORCE.replace(b"enforce", b"testing"), NOW - 50 * DAY)
    make(site, Wishes(mode=Mode.ENFORCE))
    apply(site, NOW)
    dns.table[ORG] = records
    before = read_bytes(site.store.root, ORG)
    assert refused(apply, site, NOW) == code
    assert read_bytes(site.store.root, ORG) == before
    dns.table[ORG] = ["0 ."]  # takes no mail: nothing can be held back
    assert apply(site, NOW).missing == ""


def test_a_host_that_comes_back_is_not_cut_off(site, dns):
    site.store.write(ORG, ENFORCE.replace(b"max", b"mx: mx2.example.org\r\nmax"), NOW - 50 * DAY)
    dns.table[ORG] = ["10 mx2.example.org"]
    make(site, Wishes(remove_mx=(MXPattern("mx1.example.org"),)))
    assert apply(site, NOW).missing == ""
    dns.table[ORG] = ["10 mx1.example.org"]
    assert refused(apply, site, NOW + DAY) == "plan-mx-uncovered"


@pytest.mark.parametrize("is_taken_back", [False, True])
def test_a_policy_changed_by_hand_ends_the_plan(site, dns, is_taken_back):
    make(site)
    apply(site, NOW)
    publish(site)
    narrow, wide = ENFORCE, read_bytes(site.store.root, ORG)
    path = policy_path(site.store.root, ORG)
    for moment, data in ((NOW + HOUR, narrow), (NOW + 2 * HOUR, wide))[: 1 + is_taken_back]:
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, (moment.timestamp(), moment.timestamp()))
        site.store.current(ORG)
    assert refused(apply, site, NOW + 100 * DAY) == "plan-overtaken"
    plan_apply.cancel(site)
    (add,) = [step for step in make(site, now=NOW + DAY).steps if step.kind is Kind.ADD_MX]
    assert add.due >= NOW + HOUR + 8 * DAY


def test_a_policy_changed_while_the_operator_thinks_ends_the_plan(site):
    site.store.write(ORG, ENFORCE.replace(b"enforce", b"testing"), NOW - 50 * DAY)
    make(site, Wishes(mode=Mode.ENFORCE))

    def change_meanwhile(_step):
        site.store.write(ORG, ENFORCE.replace(b"mx1", b"mx3"), NOW)
        return True

    plan_apply.apply(site, change_meanwhile, lambda: NOW)
    assert refused(apply, site, NOW) == "plan-overtaken"


def test_an_id_that_was_adopted_is_no_change(site, dns):
    make(site)
    apply(site, NOW)
    entry = site.store.last(ORG)
    path = os.path.join(site.folder, "history.jsonl")
    with open(path, "a") as file:
        file.write(entry._replace(id="2020", first=NOW + HOUR).to_json() + "\n")
    publish(site)
    assert apply(site, NOW + 2 * HOUR).missing == ""


def test_an_invalid_policy_stops_the_plan(site):
    make(site)
    with open(policy_path(site.store.root, ORG), "ab") as file:
        file.write(b"mode enforce\r\n")
    with pytest.raises(InvalidPolicy):
        apply(site, NOW)


def test_a_step_that_was_interrupted_is_done_again(site):
    """The policy was written, the plan was not."""
    made = make(site)
    apply(site, NOW)
    history = site.store.history(ORG)
    plan_store.replace(site.folder, plan_store.read(site.folder), made)
    outcome = apply(site, NOW + HOUR)
    assert outcome.missing == ""
    assert outcome.plan.next.kind is Kind.PUBLISH
    assert site.store.history(ORG) == history


def test_a_policy_that_was_published_before_is_not_taken_for_this_one(site):
    """It was published, changed, and came back with another id."""
    wide = make(site, ADD).steps[0].policy.to_bytes()
    site.store.write(ORG, wide, NOW - 20 * DAY)
    publish(site)
    site.store.write(ORG, ENFORCE, NOW - 10 * DAY)
    plan_apply.cancel(site)
    make(site)
    apply(site, NOW)
    assert "mta-sts.example.org has no address" in apply(site, NOW).missing


def test_dns_that_does_not_answer_is_an_error_and_no_step(site, dns):
    make(site)
    apply(site, NOW)
    publish(site)
    plan = apply(site, NOW).plan
    dns.table[ORG] = None
    with pytest.raises(LookupFailed):
        apply(site, NOW + 8 * DAY)
    assert plan_apply.current(site) == plan


def test_aliases_count(site, dns):
    site.store.alias(NET, ORG)
    dns.table[NET] = ["10 mx1.example.org"]
    make(site)
    apply(site, NOW)
    publish(site, ORG)
    assert "example.net" in apply(site, NOW).missing
    publish(site, ORG, NET)
    apply(site, NOW)
    dns.table[ORG] = ["10 mx2.example.org"]
    assert apply(site, NOW + 9 * DAY).missing == ""
    assert "mx1.example.org (example.net)" in apply(site, NOW + 9 * DAY).missing


@pytest.mark.parametrize("change", [MOVE, None])
def test_an_alias_is_not_planned_for(site, change):
    site.store.alias(NET, ORG)
    with pytest.raises(StoreError) as caught:
        make(site._replace(holder=NET), change)
    assert caught.value.code == "alias-not-writable"


def test_members_of_a_class_count(site, dns):
    """One had a policy of its own before, which may still be cached."""
    name = ClassName("@all")
    shared = Policy(Mode.ENFORCE, 86401, ("mx1.example.org",)).to_bytes()
    site.store.write(name, shared, NOW - 50 * DAY)
    site.store.assign(ORG, name, NOW - DAY)
    site.store.assign(NET, name, NOW - 40 * DAY)
    old = Policy(Mode.ENFORCE, 86401, ("*.example.org",)).to_bytes()
    site.store.write(Domain("example.com"), old, NOW - 30 * DAY)
    everyone = site._replace(holder=name)
    steps = make(everyone, ADD).steps
    assert steps[2].due == NOW + 8 * DAY
    apply(everyone, NOW)
    assert set(site.store.read(NET).mx) == {"mx1.example.org", "mx2.example.org"}
    publish(everyone, NET)
    assert "example.org" in apply(everyone, NOW).missing


def test_a_policy_is_retired(site, dns):
    site.store.alias(NET, ORG)
    plan = make(site, None)
    assert apply(site, NOW).missing == ""
    assert site.store.read(ORG) == Policy(Mode.NONE, 86401, ("mx1.example.org",))
    publish(site, ORG, NET)
    dns.table["_mta-sts.example.org"] = ["v=STSv1; id=1;"]
    dns.table["_mta-sts.example.net"] = ["foreign", "v=STSv1;"]
    assert apply(site, NOW).missing == ""
    assert refused(apply, site, NOW + 8 * DAY - HOUR) == "plan-not-due"
    assert "example.net, example.org" in apply(site, NOW + 8 * DAY).missing
    del dns.table["_mta-sts.example.org"]
    assert (
        apply(site, NOW + 8 * DAY).missing
        == "DNS still has the _mta-sts TXT record of example.net."
    )
    dns.table["_mta-sts.example.net"] = ["foreign"]
    assert apply(site, NOW + 8 * DAY).missing == ""
    assert refused(apply, site, NOW + 9 * DAY - HOUR) == "plan-not-due"
    assert list(site.store.domains()) == [NET, ORG]
    outcome = apply(site, NOW + 9 * DAY)
    assert (outcome.missing, outcome.plan.next) == ("", None)
    assert list(site.store.domains()) == []
    kept = os.path.join(site.store.root, ".retired", "example.org-20260110T000000Z")
    assert {"mta-sts.txt", "history.jsonl"} <= set(os.listdir(kept))
    assert len(plan.steps) == 4
    site.store.write(ORG, ENFORCE, NOW + 10 * DAY)  # and it can come back


@pytest.mark.parametrize("change", [MOVE, None])
@pytest.mark.parametrize("date", [(3000, 1, 1), (9999, 12, 31)])
def test_a_history_from_beyond_the_calendar_is_refused(site, change, date):
    moment = datetime.datetime(*date, tzinfo=datetime.timezone.utc)
    site.store.write(ORG, ENFORCE + b"mx: mx3.example.org\r\n", moment)
    assert refused(make, site, change) == "plan-without-date"


def test_a_ttl_that_no_record_has_is_refused(site):
    assert refused(plan_apply.make, site, MOVE, 2**31, NOW) == "plan-ttl"


def test_a_plan_cancelled_while_the_operator_thinks_does_not_come_back(site):
    site.store.write(ORG, ENFORCE.replace(b"enforce", b"testing"), NOW - 50 * DAY)
    make(site, Wishes(mode=Mode.ENFORCE))

    def cancel_meanwhile(_step):
        plan_apply.cancel(site)
        return True

    assert (
        refused(plan_apply.apply, site, cancel_meanwhile, lambda: NOW) == "plan-changed-meanwhile"
    )
    assert refused(plan_apply.current, site) == "plan-unknown"


def damaged(facts):
    yield b""
    yield b"{"
    yield b"[]"
    yield b"\xff"
    yield b"[" * 100000
    yield b" " * (5 * 1024 * 1024)
    for key in facts:
        yield {name: value for name, value in facts.items() if name != key}
        yield dict(facts, **{key: 7 if key != "ttl" else -1})
    first = facts["steps"][0]
    for key in first:
        yield dict(facts, steps=[{name: value for name, value in first.items() if name != key}])
    yield dict(facts, steps=[dict(first, what="\x1b[2J")])
    yield dict(facts, steps=[dict(first, policy=None)])
    yield dict(facts, steps=[dict(first, policy="mode: enforce\r\n")])
    yield dict(facts, steps=[dict(first, mx=["*"])])
    yield dict(facts, steps=[dict(first, wait=10**30)])
    yield dict(facts, steps=[dict(first, due="yesterday")])
    yield dict(facts, steps=[dict(first, done="9999-12-31T23:59:59Z"), first])


def test_a_damaged_plan_is_named_and_kept(site):
    make(site)
    path = os.path.join(site.folder, "plan.json")
    with open(path, encoding="ascii") as file:
        facts = json.load(file)
    for damage in damaged(facts):
        data = damage if isinstance(damage, bytes) else json.dumps(damage).encode()
        with open(path, "wb") as file:
            file.write(data)
        assert refused(apply, site, NOW) == "plan-damaged", data[:200]
        with open(path, "rb") as file:
            assert file.read() == data
    plan_apply.cancel(site)
    make(site)
