"""Who picked a policy up: lines of the log, their sum, and what follows from it."""

import datetime
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reports
from access_lines import NOON, PATH, line
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.finding import Severity
from mtasts.history import HistoryEntry
from mtasts.pickup import fetcher, tally, verdict
from mtasts.pickup.line import MAX_LINE, parse, text
from mtasts.pickup.tally import Tally
from mtasts.pickup.verdict import Standing
from mtasts.policy import Mode, Policy
from mtasts.tlsrpt.summary import Entry
from mtasts.tlsrpt.summing import summarise

DOMAIN = Domain("example.org")
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
OLD = Policy(Mode.TESTING, 86400, ("mx1.example.org",)).to_bytes()
NEW = Policy(Mode.ENFORCE, 30 * 86400, ("mx1.example.org",)).to_bytes()
HISTORY = (HistoryEntry.of(OLD, NOON - 9 * DAY), HistoryEntry.of(NEW, NOON))
START = NOON - 20 * DAY
COMBINED = b'192.0.2.1 - - [20/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"'


def pickup(*lines, history=HISTORY, since=START, **limits):
    found = Tally(DOMAIN, history, since, **limits)
    for one in lines:
        found.add(one)
    return found.result()


def only(*lines, **options):
    (sender,) = pickup(*lines, **options).senders
    return sender


def codes(*lines, now=NOON + DAY):
    return [one.code for one in verdict.findings(pickup(*lines), (), now)]


# A line


def test_a_fetch_is_joined_with_the_policy_that_was_sent():
    sender = only(line(OLD, NOON - HOUR), line(NEW, NOON + HOUR), line(NEW, NOON + DAY, status=304))
    assert sender.current == (2, NOON + HOUR, NOON + DAY)
    assert [(one.entry.id, one.fetches.count) for one in sender.earlier] == [(HISTORY[0].id, 1)]


@pytest.mark.parametrize("offset", [-11, -1, 0, 1, 13])
def test_times_are_utc_whatever_the_clock_of_the_server(offset):
    assert parse(line(when=NOON, offset=offset)).when == NOON.timestamp()


def test_when_the_clock_is_set_back_in_autumn_the_order_stays():
    before = datetime.datetime(2026, 10, 25, 0, 59, tzinfo=datetime.timezone.utc)
    after = before + 2 * datetime.timedelta(minutes=1)
    lines = line(NEW, after, offset=1), line(NEW, before, offset=2)
    fetches = only(*lines, since=NOON - 99 * DAY).current
    assert (fetches.first, fetches.last) == (before, after)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\x00\xff",
        COMBINED,
        line().replace(b"Nov", b"Nev"),
        line().replace(b"20/Nov", b"31/Nov"),
        line().replace(b"/2026", b"/9999"),
        line().replace(b"/2026", b"/0000"),
        line().replace(b":12:00:00", b":24:00:00"),
        line() + b" more",
        line(host="mta-sts.example.org x"),
        line()[: len(line()) // 2],
    ],
)
def test_what_has_another_format_is_counted(damaged):
    found = pickup(line(NEW), damaged)
    assert (found.lines.read, found.senders[0].current.count) == (2, 1)
    assert found.lines.other_formats == 1


def test_a_log_of_another_format_is_an_error():
    with pytest.raises(MtastsError) as raised:
        pickup(COMBINED, COMBINED)
    assert raised.value.code == "log-format"
    assert pickup().lines.read == 0


def test_a_line_that_is_too_long_is_counted():
    found = pickup(line(NEW), line(NEW, agent="x" * MAX_LINE))
    assert (found.lines.too_long, found.senders[0].current.count) == (1, 1)


@pytest.mark.parametrize("sent", ['a "b" \\c', "\x1b[2J\r\n\t", "\u00fc\u202e", "\\x41"])
def test_what_apache_escaped_is_read_back(sent):
    assert text(parse(line(agent=sent)).agent) == sent


def test_nobody_can_forge_a_line_by_what_he_sends():
    tail = line(NEW)[line(NEW).index(b'" 200') :].decode("ascii")
    for forged in (tail, "\n" + line(NEW).decode("ascii"), 'x" mta-sts.example.org TLSv1.3 '):
        found = pickup(line(agent=forged, host="mta-sts.example.net"))
        assert (found.senders, found.lines.other_hosts) == ((), 1)
        assert only(line(NEW, agent=forged)).agent == forged


@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_no_line_is_too_strange_to_be_counted(data, start, end):
    good = line(NEW, agent="\x1b")
    found = Tally(DOMAIN, HISTORY, START)
    found.add(good)
    found.add(good[:start] + data + good[end:])
    found.add(line(NEW, agent="AGENT").replace(b"AGENT", data))
    result = found.result()
    assert result.lines.read == 3
    assert sum(one.current.count for one in result.senders if one.current) >= 1


# The host


@pytest.mark.parametrize("tail", ["", ".", ":443", ".:443"])
def test_the_host_in_every_spelling_is_ours(tail):
    assert only(line(NEW, host="MTA-STS.Example.ORG" + tail)).current.count == 1


@pytest.mark.parametrize(
    "host",
    ["-", "", "mta-sts.example.net", "mta-sts.sub.example.org", "192.0.2.1", "[::1]:443"]
    + ["mta-sts.", "mta-sts.." * 99, "evilexample.org", "m\u00e4il", "mta-sts.example.org/../x"],
)
def test_other_hosts_are_counted(host):
    found = pickup(line(host=host))
    assert (found.lines.other_hosts, found.senders, found.refused) == (1, (), ())


# The sender


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("Mail.Example.NET", "mail.example.net"),  # HostnameLookups On
    ],
)
def test_a_client_is_shown_as_its_network(address, network):
    assert fetcher.network(address) == network


def test_senders_differ_by_network_and_program_but_not_by_its_version():
    found = pickup(
        line(NEW, agent="postfix-tlspol/1.8.1"),
        line(NEW, agent="postfix-tlspol/1.8.2", address="192.0.2.200"),
        line(NEW, agent="postfix-tlspol/1.8.2", address="198.51.100.1"),
        line(NEW, agent="X/1 (y/2)"),
        line(NEW, agent="X/2 (y/3)"),
        line(NEW, agent=""),
    )
    counts = {(one.agent, one.networks[0]): one.current.count for one in found.senders}
    assert counts == {
        ("postfix-tlspol/1.8.2", "192.0.2.0/24"): 2,
        ("postfix-tlspol/1.8.2", "198.51.100.0/24"): 1,
        ("X/2 (y/3)", "192.0.2.0/24"): 2,
        ("", "192.0.2.0/24"): 1,
    }


def test_google_is_one_whatever_the_network():
    agent = "Google-SMTP-STS"
    sender = only(
        line(OLD, NOON - HOUR, agent=agent), line(NEW, agent=agent, address="2001:db8::1")
    )
    assert (sender.name, sender.address) == ("Google", "2001:db8::1")
    assert sender.networks == ("2001:db8::/48", "192.0.2.0/24")
    assert verdict.standing(sender, NOON) is Standing.CURRENT


def test_the_manual_names_every_sender_that_is_known():
    manual = (pathlib.Path(__file__).parent.parent / "docs" / "pickup.md").read_text("utf-8")
    assert [one.word for one in fetcher.KNOWN if f"`{one.word}" not in manual.lower()] == []
    assert all(one.source for one in fetcher.KNOWN)


def test_looks_are_no_senders():
    browser, ours, itself = (
        line(NEW, agent="Mozilla/5.0 (X11; Linux x86_64)", address="203.0.113.1"),
        line(NEW, agent="mtasts"),
        line(NEW, agent="curl/8", address="127.0.0.1"),
    )
    found = pickup(browser, ours, itself, line(NEW, agent="Postfix"), line(NEW, agent=""))
    assert [one.is_check for one in found.senders] == [True] * 5
    # Without `mtasts fetch` from there, it is a mail server.
    assert not only(line(NEW, agent="Postfix")).is_check
    head = pickup(line(NEW, request=f"HEAD {PATH} HTTP/1.1"))
    assert (head.senders, head.refused, head.lines.other_requests) == ((), (), 1)


def test_one_network_cannot_push_others_out():
    flood = [line(NEW, agent=f"a{number}") for number in range(500)]
    found = pickup(*flood, line(NEW, address="198.51.100.1"), line(NEW, agent="Google-SMTP-STS"))
    assert len(found.senders) == tally.MAX_AGENTS + 2
    assert found.beyond == 500 - tally.MAX_AGENTS
    assert "pickup-beyond" in codes(*flood)


def test_what_is_kept_is_limited():
    many = [line(NEW, address=f"2001:db8:{number:x}::1") for number in range(300)]
    found = pickup(*many, limit=100)
    assert (len(found.senders), found.beyond) == (100, 200)


# Before and after


def test_the_period_begins_where_it_is_told():
    found = pickup(line(OLD, NOON - 2 * DAY), line(NEW), since=NOON - DAY)
    assert (found.lines.before, found.senders[0].earlier) == (1, ())


def test_a_policy_that_is_served_again_is_the_same_one():
    history = (*HISTORY, HistoryEntry.of(OLD, NOON + DAY))
    assert only(line(OLD, NOON - DAY), history=history).current.count == 1


def test_a_policy_that_the_history_lacks_keeps_a_sender_behind():
    sender = only(line(b"changed twice by hand", NOON - DAY))
    assert sender.earlier[0].entry is None
    assert verdict.until(sender) is None
    assert verdict.standing(sender, NOON + 999 * DAY) is Standing.BEHIND


def test_who_is_behind_is_so_until_what_he_fetched_runs_out():
    sender = only(line(OLD, NOON - DAY))
    assert verdict.until(sender) == NOON + 6 * DAY  # some keep every policy for a week
    assert verdict.standing(sender, NOON + 5 * DAY) is Standing.BEHIND
    assert verdict.standing(sender, NOON + 6 * DAY) is Standing.LAPSED
    later = line(NEW, NOON + HOUR)
    assert verdict.standing(only(line(OLD, NOON - DAY), later), NOON + DAY) is Standing.CURRENT


def test_who_is_behind_is_a_warning_as_long_as_it_matters():
    behind = line(OLD, NOON - DAY)
    assert codes(behind, line(NEW, address="198.51.100.1")) == ["pickup-behind", "pickup-unseen"]
    assert codes(behind, now=NOON + 6 * DAY) == ["pickup-nobody", "pickup-unseen"]


# Refused


@pytest.mark.parametrize(
    ("code", "severity", "facts"),
    [
        ("pickup-unavailable", Severity.WARNING, {"status": 503}),
        ("pickup-not-found", Severity.WARNING, {"status": 404}),
        ("pickup-redirected", Severity.WARNING, {"status": 301}),
        ("pickup-forbidden", Severity.WARNING, {"status": 403}),
        ("pickup-forbidden", Severity.WARNING, {"status": 429}),
        ("pickup-server-error", Severity.WARNING, {"status": 500}),
        ("pickup-answer-foreign", Severity.WARNING, {"status": 200}),
        ("pickup-plain-http", Severity.INFO, {"status": 403, "tls": "-"}),
        ("pickup-misdirected", Severity.INFO, {"status": 421}),
        ("pickup-method-wrong", Severity.INFO, {"status": 405, "request": f"POST {PATH} HTTP/1.1"}),
        ("pickup-request-bad", Severity.INFO, {"status": 400}),
        ("pickup-path-wrong", Severity.INFO, {"status": 403, "request": f"GET {PATH}/ HTTP/1.1"}),
        ("pickup-path-wrong", Severity.INFO, {"status": 403, "request": "GET /MTA-STS.TXT HTTP/1"}),
        ("pickup-host-wrong", Severity.INFO, {"status": 421, "host": "example.org:443"}),
        ("pickup-host-wrong", Severity.INFO, {"status": 421, "host": "mta_sts.example.org"}),
    ],
)
def test_why_a_fetch_was_refused(code, severity, facts):
    found = pickup(line(**facts), line(**dict(facts, when=NOON + HOUR, agent="last")))
    (refused,) = found.refused
    assert (refused.code, refused.status, refused.agent) == (code, facts["status"], "last")
    assert refused.fetches == (2, NOON, NOON + HOUR)
    said = verdict.of_refused(refused)
    assert (said.code, said.severity) == (code, severity)
    assert said.message.startswith(f"2 x {facts['status']}: ")


def test_a_query_and_an_absolute_target_are_the_policys_path():
    for target in (f"{PATH}?x", f"https://mta-sts.example.org{PATH}"):
        assert codes(line(status=503, request=f"GET {target} HTTP/1.1"))[1] == "pickup-unavailable"


@pytest.mark.parametrize(
    "request_line", ["GET / HTTP/1.1", "-", "", "\\x16\\x03", "GET", "a b c d"]
)
def test_who_did_not_mean_to_fetch_is_not_refused(request_line):
    found = pickup(line(status=403, request=request_line))
    assert (found.refused, found.lines.other_requests) == ((), 1)


# Reporters


def reported(lines, day, name="Example Mail"):
    quoted = reports.policy(failed=0, failures=())._replace(policy_string=tuple(lines))
    return Entry(reports.report(policies=[quoted], organization=name, start=day), "file")


def quote(data):
    return data.decode("ascii").splitlines()


def test_reporters_that_go_on_with_an_earlier_policy():
    day = NOON.replace(hour=0)
    summary = summarise(
        DOMAIN,
        [
            reported(quote(OLD), day + 2 * DAY, "late"),
            reported(quote(OLD), day, "of the day of the change"),
            reported(quote(OLD), day - DAY, "not heard of since"),
            reported(quote(OLD), day + DAY, "in time"),
            reported(quote(NEW), day + 2 * DAY, "in time"),
        ],
    )
    hour = datetime.timedelta(hours=1)
    (late,) = verdict.late_reporters(summary, HISTORY, hour)
    assert (late.name, late.id, late.last) == ("late", HISTORY[0].id, (day + 2 * DAY).date())
    assert late.until == NOON + 7 * DAY + hour
    said = verdict.findings(pickup(line(NEW)), [late], NOON + DAY)
    assert [one.code for one in said] == ["pickup-reporter-behind", "pickup-unseen"]
