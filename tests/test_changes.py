"""What is told of what changed: of checks that see a domain one after the other."""

import datetime

import pytest

from mtasts.changes import What, compare, notices
from mtasts.checks import judge
from mtasts.domain import Domain
from mtasts.facts import Own, PolicyHost
from mtasts.finding import Severity
from mtasts.probe import MX
from mtasts.rules import RULES
from mtasts.told import StateUnusable
from mtasts.troubles import _BY_MX_RECORDS, _BY_POLICY, _OBSTACLES, troubles
from mtasts.watch_state import memory
from sights import (
    ADDRESSES,
    DAY,
    NOW,
    TESTING,
    answers,
    failure,
    handshake,
    healthy,
    mx_host,
    policy_hosts,
    server,
    sts,
)

ORG = Domain("example.org")
NO_ANSWER = failure("dns-lookup-failed")
SILENT = tuple(PolicyHost(one, failure("connect-refused")) for one in ADDRESSES)
OLD = handshake("mta-sts.example.org", days=3, age=87)
MOVED = (MX(10, "mx.example.net"),)
UNCOVERED = (MX(10, "mx1.example.org"), MX(20, "mx9.example.org"))
NO_PORT_25 = tuple(
    mx_host(host, servers=(("192.0.2.25", failure("connect-timeout")),))
    for host in ("mx1.example.org", "mx9.example.org")
)


def of(seen, is_tenant=False):
    return troubles(ORG, judge(seen, NOW).findings, is_tenant)


def told(*sights, is_tenant=False):
    """What is told after each of `sights`, a day apart: pairs of what and code."""
    known, said = [], []
    for day, seen in enumerate(sights):
        changes, known = compare(ORG, known, of(seen, is_tenant), NOW + day * DAY)
        said.append(sorted((one.what.value, one.trouble.code) for one in changes))
    return said


def in_mode(data, **other):
    """The domain with its policy in another mode, served and in DNS."""
    hosts = policy_hosts(answers=answers(body=data))
    return healthy(policy_host=hosts, own=Own(data), **other)


def mx_without(what):
    return (mx_host("mx1.example.org", servers=(("192.0.2.25", what),)),)


NO_STARTTLS = mx_without(server("mx1.example.org", tls=None))


def test_nothing_wrong_is_nothing_told():
    assert told(healthy(), healthy()) == [[], []]


def test_what_is_wrong_is_told_once_and_then_that_it_ended():
    silent = healthy(policy_host=SILENT)
    new = ("new", "policy-host-silent")
    ended = ("ended", "policy-host-silent")
    assert told(silent, silent, healthy(), healthy()) == [[new, new], [], [ended, ended], []]


def test_what_is_worth_knowing_only_is_not_told():
    assert told(healthy(tlsrpt=healthy().tlsrpt._replace(secure=None))) == [[]]


def test_it_is_the_same_trouble_whatever_is_said_of_it():
    one = healthy(policy_host=policy_hosts(tls=OLD))
    other = healthy(policy_host=policy_hosts(tls=OLD._replace(end=OLD.end - DAY)))
    assert told(one, other)[1] == []


@pytest.mark.parametrize(
    ("sights", "expected"),
    [
        ((healthy(mx=UNCOVERED), healthy()), "ended"),
        ((healthy(mx=UNCOVERED, mx_hosts=NO_PORT_25), healthy(mx_hosts=NO_PORT_25)), "ended"),
        ((healthy(mx=UNCOVERED), healthy(mx=NO_ANSWER)), None),
        ((healthy(mx=UNCOVERED), healthy(mx=UNCOVERED, policy_host=SILENT)), None),
    ],
)
def test_an_mx_host_that_is_not_covered_needs_dns_only(sights, expected):
    first, then = told(*sights)
    assert ("new", "mx-host-uncovered") in first
    assert {what for what, code in then if code == "mx-host-uncovered"} == (
        {expected} if expected else set()
    )


def test_what_lasts_while_it_is_out_of_sight_is_not_told_twice():
    moved, out_of_sight = healthy(mx=UNCOVERED), healthy(mx=NO_ANSWER)
    new = [("new", "mx-host-uncovered")]
    assert told(moved, out_of_sight, moved) == [new, [], []]
    ended = [("ended", "mx-host-uncovered")]
    assert told(moved, out_of_sight, healthy()) == [new, [], ended]


def test_a_policy_host_that_is_silent_hides_its_certificate_and_the_id():
    late = healthy(
        policy_host=policy_hosts(tls=OLD), sts=sts("v=STSv1; id=20260101000000deadbeef;")
    )
    down = late._replace(policy_host=SILENT)
    first, second, third = told(late, down, late)
    assert {code for _, code in first} == {"policy-host-certificate-ends", "sts-id-behind"}
    assert second == [("new", "policy-host-silent")] * 2
    assert third == [("ended", "policy-host-silent")] * 2


def test_a_record_that_cannot_be_looked_up_hides_what_is_wrong_with_it():
    behind = healthy(sts=sts("v=STSv1; id=20260101000000deadbeef;"))
    lost = healthy(sts=sts(texts=NO_ANSWER))
    assert told(behind, lost, behind, healthy()) == [
        [("new", "sts-id-behind")],
        [],
        [],
        [("ended", "sts-id-behind")],
    ]


def test_what_a_machine_without_ipv6_does_not_see_has_not_ended_and_is_not_told():
    no_ipv6 = failure("connect-no-ipv6")
    first, second = policy_hosts()
    expired = second._replace(tls=handshake("mta-sts.example.org", days=-1))
    behind = healthy(policy_host=(first, expired))
    blind = healthy(policy_host=(first, PolicyHost(second.address, no_ipv6, (no_ipv6, no_ipv6))))
    assert told(healthy(), blind, blind) == [[], [], []]
    assert told(behind, blind, blind, behind, healthy()) == [
        [("new", "policy-host-certificate-expired")],
        [],
        [],
        [],
        [("ended", "policy-host-certificate-expired")],
    ]


def test_an_address_is_what_was_missing():
    unreachable = (PolicyHost(ADDRESSES[0], failure("connect-no-route")),)
    missing = healthy(policy_host=failure("policy-host-without-address"))
    found = healthy(policy_host=unreachable)
    assert told(missing, found)[1] == [("ended", "policy-host-missing")]


def test_one_failed_look_up_is_no_news():
    lost = healthy(mx=NO_ANSWER)
    assert told(healthy(), lost, healthy(), lost, healthy()) == [[], [], [], [], []]


def test_two_runs_in_a_row_are_news_and_so_is_the_end_of_it():
    lost = healthy(mx=NO_ANSWER)
    expected = [[], [("new", "mx-records-unknown")], [], [("ended", "mx-records-unknown")], []]
    assert told(lost, lost, lost, healthy(), healthy()) == expected


def test_another_mode_makes_it_graver_or_milder():
    strict, mild = healthy(mx_hosts=NO_STARTTLS), in_mode(TESTING, mx_hosts=NO_STARTTLS)
    expected = [("milder", "mx-host-no-starttls")]
    assert [one for one in told(strict, mild)[1] if "mx" in one[1]] == expected
    expected = [("graver", "mx-host-no-starttls")]
    assert [one for one in told(mild, strict)[1] if "mx" in one[1]] == expected


def test_a_policy_host_that_is_silent_makes_nothing_milder():
    strict = healthy(mx_hosts=NO_STARTTLS)
    down = strict._replace(policy_host=SILENT)
    assert told(strict, down)[1] == [("new", "policy-host-silent")] * 2


def test_which_address_serves_the_policy_does_not_matter():
    until = Own(TESTING, (NOW - DAY).date())
    overdue = in_mode(TESTING)._replace(own=until)
    first_down = overdue._replace(policy_host=(SILENT[0], overdue.policy_host[1]))
    assert ("new", "policy-testing-overdue") in told(overdue)[0]
    assert told(overdue, first_down)[1] == [("new", "policy-host-silent")]


def test_a_tenant_that_moved_away_is_said_to_have():
    moved = healthy(mx=MOVED, mx_hosts=())
    assert told(moved, healthy(), is_tenant=True) == [
        [("new", "watch-mx-moved")],
        [("ended", "watch-mx-moved")],
    ]
    assert told(moved) == [[("new", "mx-host-uncovered")]]
    half = healthy(mx=UNCOVERED)
    assert told(half, is_tenant=True) == [[("new", "mx-host-uncovered")]]
    (trouble,) = of(moved, is_tenant=True)
    assert "the tenant's mail no longer comes to you" in trouble.message
    assert "mx.example.net" in trouble.message
    mild = of(in_mode(TESTING, mx=MOVED, mx_hosts=()), is_tenant=True)
    assert [one.severity for one in mild if one.code == "watch-mx-moved"] == [Severity.WARNING]


def test_codes_that_this_relies_on_are_rules():
    assert (_OBSTACLES | _BY_MX_RECORDS | _BY_POLICY | {"mx-records-unknown"}) <= set(RULES)


def test_domains_that_share_what_is_wrong_share_a_notice():
    names = [Domain(f"{letter}.example") for letter in "cab"]
    (trouble,) = of(healthy(mx_hosts=NO_STARTTLS))
    changes = [(name, change) for name in names for change in compare(name, [], [trouble], NOW)[0]]
    (notice,) = notices(changes)
    assert notice.domains == ("a.example", "b.example", "c.example")
    assert (notice.change.what, notice.change.trouble) == (What.NEW, trouble)


def test_the_gravest_comes_first_and_what_ended_last():
    known = compare(ORG, [], of(healthy(mx_hosts=NO_STARTTLS)), NOW)[1]
    now = of(healthy(policy_host=policy_hosts(tls=OLD), mx=UNCOVERED))
    found = notices((ORG, change) for change in compare(ORG, known, now, NOW + DAY)[0])
    assert [(one.change.what.value, one.change.trouble.severity.value) for one in found] == [
        ("new", "error"),
        ("new", "warning"),
        ("new", "warning"),
        ("ended", "error"),
    ]
    assert found[-1].change.since == NOW


def known_of(seen):
    return compare(ORG, [], of(seen), NOW)[1]


def test_the_state_is_remembered_as_it_was(tmp_path):
    path = str(tmp_path / "state.json")
    assert memory(path).read() == {}
    known = known_of(healthy(policy_host=SILENT, mx=NO_ANSWER))
    assert {one.is_told for one in known} == {True, False}
    memory(path).write({"output": {ORG: known, Domain("example.net"): known}, "mail:root": {}})
    plain = [one._replace(trouble=one.trouble._replace(remedy="")) for one in known]
    assert memory(path).read() == {
        "output": {ORG: plain, Domain("example.net"): plain},
        "mail:root": {},
    }
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_a_hundred_thousand_domains_share_what_they_share(tmp_path):
    path = tmp_path / "state.json"
    known = known_of(healthy(policy_host=SILENT))
    domains = {Domain(f"d{number}.example"): known for number in range(1000)}
    memory(str(path)).write({"output": domains})
    assert path.stat().st_size < 100 * len(domains)
    read = memory(str(path)).read()["output"]
    assert len({id(one.trouble) for known in read.values() for one in known}) == 2


TROUBLE = (
    '{"group": "mx", "host": "a", "address": "", "code": "b", "severity": "error", "message": "c"}'
)
FORM = '{"schema": "mtasts-watch-state/1", "told": {"output": %s}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"schema": "mtasts-watch-state/2", "told": {}}',
        '{"schema": "mtasts-watch-state/1", "told": []}',
        FORM % '{"troubles": [], "domains": {"example.org": [[0, "2026-01-01T00:00:00Z", true]]}}',
        FORM % '{"troubles": [%s], "domains": {"../etc": []}}' % TROUBLE,
        FORM % '{"troubles": [%s], "domains": {"example.org": [[-1, "2026", true]]}}' % TROUBLE,
        FORM % '{"troubles": [%s], "domains": {"example.org": [[0, "soon", true]]}}' % TROUBLE,
        FORM % '{"troubles": [%s], "domains": {"example.org": [0]}}' % TROUBLE,
        FORM % '{"troubles": [%s], "domains": {}}' % TROUBLE.replace('"c"', '"\\u001b[2J"'),
        FORM % '{"troubles": [%s], "domains": {}}' % TROUBLE.replace('"c"', "7"),
        FORM % '{"troubles": [%s], "domains": {}}' % TROUBLE.replace("error", "fatal"),
        "[" * 100000,
    ],
)
def test_a_foreign_state_is_refused_and_left_as_it_is(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(StateUnusable) as caught:
        memory(str(path)).read()
    assert caught.value.code == "watch-state-foreign"
    assert path.read_text() == text


def test_the_form_of_those_is_the_right_one(tmp_path):
    path = tmp_path / "state.json"
    good = '{"troubles": [%s], "domains": {"example.org": [[0, "2026-01-01T00:00:00Z", true]]}}'
    path.write_text(FORM % good % TROUBLE)
    (known,) = memory(str(path)).read()["output"][ORG]
    assert known.since == datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def test_two_runs_do_not_have_the_state_at_once(tmp_path):
    path = str(tmp_path / "state.json")
    with memory(path).held():
        another = memory(path).held(patience=0)
        with pytest.raises(StateUnusable) as caught, another:
            pass
    assert caught.value.code == "watch-busy"
    with memory(path).held(patience=0):
        pass


def test_a_place_that_cannot_hold_a_state_is_named(tmp_path):
    state = memory(str(tmp_path / "no" / "where" / "state.json")).held()
    with pytest.raises(StateUnusable) as caught, state:
        pass
    assert caught.value.code == "watch-state-failed"
    assert "--state" in caught.value.remedy
    with pytest.raises(StateUnusable):
        memory(str(tmp_path)).read()
