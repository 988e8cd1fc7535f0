"""Plans: dated steps from vectors, and what holds of every plan that is followed on its dates."""

import datetime
import glob
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies  # noqa: F401 - its profile
from mtasts import plan_store
from mtasts.change import Wishes
from mtasts.domain import MXPattern
from mtasts.errors import MtastsError
from mtasts.history import HistoryEntry
from mtasts.horizon import SHORTEST, accepts, cacheable, horizons, lifetime
from mtasts.plan import Kind, Plan, PlanError
from mtasts.planning import LADDER, change_steps, retire_steps
from mtasts.policy import Mode, Policy

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 1, 1, tzinfo=UTC)
DAY = datetime.timedelta(days=1)
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors", "plan")


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def entry(first, mode, max_age, mx):
    return HistoryEntry(first, "1", "", Mode(mode).value, max_age, tuple(mx))


def cases():
    found = {}
    for path in sorted(glob.glob(os.path.join(VECTORS, "*.json"))):
        with open(path, encoding="utf-8") as file:
            found[os.path.basename(path)[: -len(".json")]] = json.load(file)
    return found


CASES = cases()


def planned(case):
    """The steps for a vector; None as change stands for the removal."""
    history = [
        entry(moment(one["first"]), one["mode"], one["max_age"], one["mx"])
        for one in case["history"]
    ]
    ttl, now = datetime.timedelta(seconds=case["ttl"]), moment(case["now"])
    wanted = case["change"]
    if wanted is None:
        return retire_steps(history, ttl, now)
    wishes = Wishes(
        Mode(wanted["mode"]) if "mode" in wanted else None,
        wanted.get("max_age"),
        add_mx=tuple(MXPattern(name) for name in wanted.get("add_mx", ())),
        remove_mx=tuple(MXPattern(name) for name in wanted.get("remove_mx", ())),
    )
    return change_steps([history], wishes, ttl, now)


def shown(step):
    """A step as vectors have it."""
    facts = {"due": step.due.strftime("%Y-%m-%dT%H:%M:%SZ"), "kind": step.kind.value}
    if step.policy and step.kind is Kind.SERVE:
        facts.update(
            mode=step.policy.mode.value, max_age=step.policy.max_age, mx=list(step.policy.mx)
        )
    if step.mx:
        facts.update(mx=list(step.mx))
    return facts


@pytest.mark.parametrize("name", CASES)
def test_plan(name):
    case = CASES[name]
    if "error" in case:
        with pytest.raises(MtastsError) as caught:
            planned(case)
        assert caught.value.code == case["error"]
    else:
        assert [shown(step) for step in planned(case)] == case["steps"]


@pytest.mark.parametrize("name", CASES)
def test_a_vector_says_why_and_where_it_is_written(name):
    assert CASES[name]["why"].endswith(".")
    assert CASES[name]["rfc"].startswith("RFC 8461 section ")


def test_every_step_says_what_and_why():
    for name in CASES:
        for step in planned(CASES[name]) if "error" not in CASES[name] else ():
            assert step.what.endswith(".")
            assert step.why.endswith(".")


# What follows holds of every plan. Hosts are few, so that patterns, records and policies meet.
HOSTS = [f"{host}.{domain}.example" for domain in "ab" for host in ("mx1", "mx2")]
PATTERNS = st.sampled_from([MXPattern(name) for name in [*HOSTS, "*.a.example", "*.b.example"]])
MX = st.lists(PATTERNS, max_size=3, unique=True).map(tuple)
MAX_AGES = st.sampled_from((86400, *LADDER, 12345678))
TTLS = st.sampled_from([datetime.timedelta(0), datetime.timedelta(hours=1), 2 * DAY])


@st.composite
def worlds(draw):
    """MX hosts in DNS, and a history of policies in which none that is cached misses one."""
    live = draw(st.lists(st.sampled_from(HOSTS), min_size=1, max_size=3, unique=True))
    history = []
    first = NOW - 400 * DAY
    for _ in range(draw(st.integers(1, 4))):
        extra = draw(MX)
        needed = tuple(host for host in live if not any(one.covers(host) for one in extra))
        mode = draw(st.sampled_from(list(Mode)))
        history.append(entry(first, mode, draw(MAX_AGES), extra + needed))
        first += draw(st.integers(0, 130)) * DAY
    return set(live), history


@st.composite
def changes(draw, history):
    """A change that the last policy of the history allows."""
    lines = history[-1].policy.mx
    add = draw(MX)
    candidates = [line for line in dict.fromkeys(lines) if line not in add]
    remove = draw(st.lists(st.sampled_from(candidates), unique=True)) if candidates else []
    if not add and set(remove) == set(lines):
        remove = remove[1:]
    mode = draw(st.sampled_from([None, Mode.TESTING, Mode.ENFORCE]))
    return Wishes(mode, draw(st.one_of(st.none(), MAX_AGES)), (), add, tuple(remove))


def hosts_of(pattern):
    return {host for host in HOSTS if pattern.covers(host)}


def moments_of(history, steps, ttl):
    """Every moment at which something begins or ends, and a second before it."""
    found = {step.due for step in steps} | {step.due + ttl for step in steps}
    found |= {end for _, end in horizons(history, ttl)}
    return sorted(found | {one - datetime.timedelta(seconds=1) for one in found})


def follow(live, history, steps):
    """What DNS and the policy host have, step by step: times with MX hosts, and the history."""
    dns, served = [(NOW - 1000 * DAY, set(live))], list(history)
    for step in steps:
        hosts = dns[-1][1]
        if step.kind is Kind.SERVE:
            served.append(entry(step.due, *step.policy))
        elif step.kind is Kind.ADD_MX:
            dns.append((step.due, hosts.union(*(hosts_of(name) for name in step.mx))))
        elif step.kind is Kind.REMOVE_MX:
            dns.append((step.due, {host for host in hosts if step.policy.covers(host)}))
    return dns, served


def hosts_at(dns, when, ttl):
    """The MX hosts that a sender may have at that moment: the zone's, and those in caches."""
    ends = [first for first, _ in dns[1:]] + [None]
    return set().union(
        *(
            hosts
            for (first, hosts), end in zip(dns, ends)
            if first <= when and (end is None or end + ttl > when)
        )
    )


@given(st.data(), worlds(), TTLS)
def test_at_no_moment_a_cached_policy_misses_an_mx_host(data, world, ttl):
    live, history = world
    steps = change_steps([history], data.draw(changes(history)), ttl, NOW)
    dns, served = follow(live, history, steps)
    for when in moments_of(served, steps, ttl):
        if when < NOW:
            continue
        so_far = [one for one in served if one.first <= when]
        for policy in cacheable(so_far, ttl, when):
            for host in hosts_at(dns, when, ttl):
                assert accepts(policy, MXPattern(host)), (when, policy, host)


@given(st.data(), worlds(), TTLS)
def test_a_plan_ends_in_what_was_wanted_and_is_then_empty(data, world, ttl):
    _, history = world
    change = data.draw(changes(history))
    steps = change_steps([history], change, ttl, NOW)
    assert [step.due for step in steps] == sorted(step.due for step in steps)
    policies = [step.policy for step in steps if step.kind is Kind.SERVE]
    last = policies[-1] if policies else history[-1].policy
    assert set(change.add_mx) <= set(last.mx)
    assert not set(change.remove_mx) & set(last.mx)
    assert last.mode is (change.mode or history[-1].policy.mode)
    assert last.max_age == (change.max_age or history[-1].policy.max_age)
    later = (steps[-1].due if steps else NOW) + 1000 * DAY
    history = history + [entry(step.due, *step.policy) for step in steps if step.policy]
    again = change._replace(remove_mx=())
    assert change_steps([history], again, ttl, later) == ()


@given(worlds(), TTLS)
def test_a_plan_for_no_change_is_empty(world, ttl):
    assert change_steps([world[1]], Wishes(), ttl, NOW) == ()


@given(worlds(), TTLS)
def test_what_is_retired_is_served_until_nobody_applies_it(world, ttl):
    _, history = world
    steps = retire_steps(history, ttl, NOW)
    served = history + [entry(step.due, *step.policy) for step in steps if step.policy]
    *_, record, stop = steps
    assert (record.kind, stop.kind) == (Kind.REMOVE_TXT, Kind.STOP)
    assert {policy.mode for policy in cacheable(served, ttl, record.due)} == {Mode.NONE}
    assert stop.due >= record.due + ttl
    assert all(step.policy.mx == history[-1].policy.mx for step in steps if step.policy)


@given(st.data(), worlds(), TTLS)
def test_no_step_is_due_early_and_a_late_one_moves_the_others(data, world, ttl):
    _, history = world
    steps = change_steps([history], data.draw(changes(history)), ttl, NOW)
    plan = Plan(NOW, ttl, "1", steps)
    for _ in steps:
        due = plan.next.due
        with pytest.raises(PlanError) as caught:
            plan.step_due(due - datetime.timedelta(seconds=1))
        assert caught.value.code == "plan-not-due"
        assert due.strftime("%Y-%m-%d %H:%M:%S UTC") in caught.value.message
        late = due + data.draw(st.integers(0, 50)) * DAY
        waits = plan.step_due(late).wait
        assert waits == plan.next.wait
        plan = plan.after(late, "1")
        assert plan.next is None or plan.next.due >= late + plan.next.wait
    with pytest.raises(PlanError) as caught:
        plan.step_due(NOW + 10000 * DAY)
    assert caught.value.code == "plan-finished"


@given(st.data(), worlds(), TTLS)
def test_a_plan_comes_back_from_its_file(data, world, ttl):
    _, history = world
    steps = change_steps([history], data.draw(changes(history)), ttl, NOW)
    plan = Plan(NOW, ttl, "20260101000000abcdef01", steps)
    if steps:
        plan = plan.after(steps[0].due, "20260102000000abcdef01")
    assert plan_store.from_json(json.loads(json.dumps(plan_store.as_json(plan)))) == plan


def test_a_history_that_goes_back_in_time_shortens_no_horizon():
    """A file copied with its old time: its predecessor was served at least until it began."""
    ttl = datetime.timedelta(hours=1)
    history = [
        entry(NOW, "enforce", 604800, ["mx1.a.example"]),
        entry(NOW - 90 * DAY, "enforce", 604800, ["mx2.a.example"]),
    ]
    ((policy, end),) = horizons(history, ttl)
    assert end == NOW + lifetime(policy, ttl) == NOW + SHORTEST + ttl


def test_earlier_policies_of_the_members_of_a_class_count():
    shared = [entry(NOW - 300 * DAY, "enforce", 86401, ["*.a.example"])]
    member = [entry(NOW - 90 * DAY, "enforce", 2592000, ["mx1.b.example"])]
    member.append(shared[0]._replace(first=NOW - 10 * DAY))
    change = Wishes(add_mx=(MXPattern("mx1.a.example"),))
    steps = change_steps([shared, member], change, DAY, NOW)
    (add,) = [step for step in steps if step.kind is Kind.ADD_MX]
    assert add.due == NOW + 21 * DAY


def test_policies_of_mode_none_ask_nothing():
    none = entry(NOW - DAY, "none", 31536000, ["mx1.a.example"])
    (served, published, added) = change_steps(
        [[none]], Wishes(add_mx=(MXPattern("mx2.a.example"),)), DAY, NOW
    )
    assert (served.policy, added.due) == (
        Policy(Mode.NONE, 31536000, ("mx1.a.example", "mx2.a.example")),
        NOW,
    )
    assert published.kind is Kind.PUBLISH
