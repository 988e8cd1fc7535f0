"""mtasts report watch: days of reports in, what is told on which day out, from a real ledger."""

import datetime
import json
import os

import pytest

from mtasts import alert_state
from mtasts.alerts import Known
from mtasts.domain import Domain
from mtasts.ledger import place, writing
from mtasts.ledger.database import Database
from mtasts.notify import NotTold
from mtasts.policy import Mode, Policy
from mtasts.report_watch import Run, watch
from mtasts.store import Store
from mtasts.telling import Way
from mtasts.tlsrpt.authenticity import Grade
from mtasts.told import StateUnusable
from reports import as_json, days, entry, failure, policy, report

ORG, NET = Domain("example.org"), Domain("example.net")
FIRST = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
EXPIRED, NEW = "alert-certificate-expired", "alert-failure-new"
SHARE, ENFORCE = "alert-share-high", "alert-enforce-failure"
FETCH = "sts-policy-fetch-error"


def said(about, *failures, good=1000, **other):
    """A report about the day of this number, which comes on the next one."""
    facts = {"by": "Example Mail", "comes": about + 1, "grade": Grade.DKIM, "domain": ORG}
    return dict(facts, about=about, good=good, failures=failures, **other)


def clean(first, last, **other):
    return [said(day, **other) for day in range(first, last + 1)]


def failed(kind, sessions=1, **facts):
    return failure(kind, sessions, **facts)


BAD = failed("certificate-expired", 3, receiving_mx_hostname="mx2.example.org")
NAME = failed("certificate-host-mismatch", 2)

# What happens: the reports, the modes that are served from a day on, and what is told on which day.
# The runs are at noon of the days from 0 on; digests are left out.
STORIES = {
    "nothing happens": (clean(0, 40), {}, {}),
    "what happened to no session has not happened": (
        [*clean(0, 9), said(10, failed("certificate-expired", 0)), *clean(11, 20)],
        {},
        {},
    ),
    "a certificate expires, is renewed, and expires again": (
        [*clean(0, 9), said(10, BAD), said(11, BAD), *clean(12, 24), said(25, BAD), *clean(26, 27)],
        {},
        {
            11: [("new", EXPIRED, "certificate-expired")],
            19: [("ended", EXPIRED, "certificate-expired")],
            26: [("new", EXPIRED, "certificate-expired")],
            33: [("ended", EXPIRED, "certificate-expired")],
        },
    ),
    "a kind of failure is new, lasts, and is new again after thirty days without it": (
        [*clean(0, 4), *(said(day, NAME) for day in range(5, 20)), *clean(20, 40)]
        + [said(41, NAME), *clean(42, 60), said(80, NAME)],
        {},
        {6: [("new", NEW, NAME.result_type)], 81: [("new", NEW, NAME.result_type)]},
    ),
    "a reason makes a difference only where the type leaves the cause open": (
        [
            said(5, failed("validation-failure", reason_code="tls-remote-alert-70")),
            said(6, failed("validation-failure", reason_code="remote error: tls: bad certificate")),
            said(7, failed("certificate-host-mismatch", reason_code="one")),
            said(8, failed("certificate-host-mismatch", reason_code="two")),
        ],
        {},
        {
            6: [("new", NEW, "validation-failure (tls-remote-alert-70)")],
            7: [("new", NEW, "validation-failure (tls-remote-alert-42)")],
            8: [("new", NEW, "certificate-host-mismatch")],
        },
    ),
    "words that nobody knows are one kind, however many they are": (
        [said(day, failed(f"odd-{day}", reason_code=f"why-{day}")) for day in range(5, 15)],
        {},
        {6: [("new", NEW, "other")]},
    ),
    "a single fetch error is never told": (
        [*clean(0, 9), said(10, failed(FETCH)), *clean(11, 15)],
        {5: Mode.ENFORCE},
        {},
    ),
    "two reporters that cannot fetch the policy are": (
        [*clean(0, 9), said(10, failed(FETCH)), said(10, failed(FETCH), by="Sample Post")],
        {},
        {11: [("new", NEW, FETCH)]},
    ),
    "what is over when a late report tells of it is not told": (
        [*clean(0, 20), said(15, BAD, NAME, comes=20, report_id="late")],
        {},
        {},
    ),
    "what a report tells of that is weeks late is not told": (
        [*clean(0, 9), said(10, BAD, NAME, by="Sample Post", comes=34), *clean(10, 40)],
        {},
        {},
    ),
    "a report that comes some days late about what lasts is told": (
        [*clean(0, 9), said(10, BAD, by="Sample Post", comes=14)],
        {},
        {14: [("new", EXPIRED, "certificate-expired")]},
    ),
    "what only unproven reports say is not told at once": (
        [said(5, BAD, NAME, grade=grade, by=grade.value) for grade in (Grade.FILE, Grade.HTTPS)],
        {},
        {},
    ),
    "the word of our own mail server is proof": (
        [said(5, BAD, grade=Grade.AUTHENTICATION_RESULTS)],
        {},
        {6: [("new", EXPIRED, "certificate-expired")]},
    ),
    "silence is no end": (
        [*clean(0, 4), said(5, BAD), *clean(30, 32)],
        {},
        {6: [("new", EXPIRED, "certificate-expired")], 31: [("ended", EXPIRED, BAD.result_type)]},
    ),
    "a share that is too large, until it is far from it": (
        [*clean(0, 9), said(10, failed("validation-failure", 200)), *clean(11, 20)],
        {},
        {11: [("new", NEW, "validation-failure"), ("new", SHARE, "")], 18: [("ended", SHARE, "")]},
    ),
    "a share that goes up and down around what is too much is told once": (
        [said(day, failed("validation-failure", 13 if day % 2 else 8)) for day in range(40)],
        {},
        {
            1: [("new", NEW, "validation-failure")],
            2: [("new", SHARE, "")],
        },
    ),
    "few failures are no share": (
        [said(day, failed("validation-failure", 1), good=5) for day in range(8)],
        {},
        {1: [("new", NEW, "validation-failure")]},
    ),
    "a share that a late report tells of is over, whatever else goes on": (
        [said(day, failed("validation-failure"), by="Sample Post") for day in range(21)]
        + [*clean(0, 20), said(15, failed("dane-required", 900), comes=20, report_id="late")],
        {},
        {1: [("new", NEW, "validation-failure")]},
    ),
    "what goes on has not ended because the mode has become none": (
        [said(day, BAD) for day in range(9)],
        {5: Mode.NONE},
        {1: [("new", EXPIRED, "certificate-expired")]},
    ),
    "the first failure under enforce, also of a kind that is known": (
        [said(day, NAME) for day in range(60)],
        {40: Mode.ENFORCE, 50: Mode.TESTING, 52: Mode.ENFORCE},
        {
            1: [("new", NEW, NAME.result_type)],
            42: [("new", ENFORCE, "2026-04-10")],
            54: [("new", ENFORCE, "2026-04-22")],
        },
    ),
    "on the day of the change it is the policy that the reporter used that counts": (
        [*(said(day, NAME) for day in range(10)), said(10, NAME, mode="enforce"), *clean(11, 12)],
        {10: Mode.ENFORCE},
        {1: [("new", NEW, NAME.result_type)], 11: [("new", ENFORCE, "2026-03-11")]},
    ),
    "a policy that cannot be fetched holds no mail back": (
        [*clean(0, 11), said(12, failed(FETCH)), said(12, failed(FETCH), by="Sample Post")],
        {10: Mode.ENFORCE},
        {13: [("new", NEW, FETCH)]},
    ),
    "what does not hang on the mode is no failure under enforce": (
        [said(day, failed("tlsa-invalid")) for day in range(15)],
        {10: Mode.ENFORCE},
        {1: [("new", NEW, "tlsa-invalid")]},
    ),
    "mode none: only what DANE says stops mail": (
        [*clean(0, 4), said(5, NAME), said(6, failed("tlsa-invalid"))],
        {0: Mode.TESTING, 2: Mode.NONE},
        {7: [("new", NEW, "tlsa-invalid")]},
    ),
    "days that have yet to come are none": (
        [*(said(day, NAME) for day in range(10)), said(900, NAME, BAD, comes=8)],
        {},
        {1: [("new", NEW, NAME.result_type)]},
    ),
    "other domains": ([said(5, BAD, domain="example.com")], {}, {}),
    "reports in conflict: the one that counts": (
        [
            said(5, report_id="same"),
            said(5, BAD, report_id="same", comes=7),
            said(5, BAD, report_id="same", comes=8, grade=Grade.FILE),
        ],
        {},
        {},
    ),
}


class Reader:
    """Somebody who is told, as long as he listens."""

    def __init__(self, name="reader"):
        self.way = Way(name, self.tell)
        self.listens = True
        self.news = []

    def tell(self, news):
        if not self.listens:
            raise NotTold("not-told", "nobody listens")
        self.news.append(news)

    @property
    def alerts(self):
        """What was told, of each time."""
        return [
            [(one["what"], one["code"], one["about"]) for one in news.facts["alerts"]]
            for news in self.news
        ]


class World:
    """A ledger, a policy directory and a state, at noon of a day."""

    def __init__(self, folder):
        self.database = Database(place.parse(str(folder / "ledger.sqlite")))
        self.path = str(folder / "watch" / "state.json")
        (folder / "policies").mkdir()
        self.store = Store(str(folder / "policies"))
        self.reports = 0
        writing.add(self.database, [])

    def serve(self, day, mode=Mode.TESTING, domain=ORG):
        """Let the domain have a policy of this mode from nine in the morning of this day on."""
        data = Policy(mode, 86400, ("mx1.example.org",)).to_bytes()
        self.store.write(domain, data, FIRST + days(day) + datetime.timedelta(hours=9))

    def get(self, facts):
        """Let a report come, in the morning."""
        self.reports += 1
        lost = sum(one.sessions for one in facts["failures"])
        about = policy(facts["domain"], facts["good"], lost, facts["failures"])
        if "mode" in facts:
            lines = tuple(line.replace("testing", facts["mode"]) for line in about.policy_string)
            about = about._replace(policy_string=lines)
        name = facts.get("report_id", str(self.reports))
        one = report(name, [about], facts["by"], FIRST + days(facts["about"]))
        came = FIRST + days(facts["comes"]) + datetime.timedelta(hours=6)
        data = f"{self.reports}".encode("ascii") + as_json(one)
        writing.add(self.database, [entry(data, one, received=came, grade=facts["grade"])])

    def run(self, day, *readers, share=1, weakest=Grade.AUTHENTICATION_RESULTS, digest=False):
        """Run it at noon of the day; return why somebody was not told."""
        noon = FIRST + days(day) + datetime.timedelta(hours=12)
        run = Run("here", noon, weakest, share, digest)
        ways = [reader.way for reader in readers]
        outcomes = watch(self.path, ways, self.database, self.store, run)
        return [one.error.code for one in outcomes if one.error]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.database.close()


@pytest.mark.parametrize("name", STORIES)
def test_stories(world, name):
    reports, modes, expected = STORIES[name]
    world.serve(-40, modes.get(0, Mode.TESTING))
    told = {}
    for day in range(max(one["comes"] for one in reports) + 9):
        if day in modes:
            world.serve(day, modes[day])
        for one in reports:
            if one["comes"] == day:
                world.get(one)
        reader = Reader()
        world.run(day, reader)
        if reader.news:
            told[day] = reader.alerts[0]
    assert told == expected


def test_what_one_way_does_not_take_is_told_there_again_and_nothing_twice(world):
    world.serve(-40)
    deaf, reader = Reader("deaf"), Reader("reader")
    deaf.listens = False
    world.get(said(5, BAD))
    assert world.run(6, deaf, reader) == ["not-told"]
    assert world.run(7, deaf, reader) == ["not-told"]
    deaf.listens = True
    assert world.run(8, deaf, reader) == []
    assert world.run(8, deaf, reader) == []
    assert deaf.alerts == reader.alerts == [[("new", EXPIRED, "certificate-expired")]]


def test_what_is_told_is_why_whose_end_what_to_do_and_where_to_see_more(world):
    for domain in (ORG, NET):
        world.serve(-40, Mode.ENFORCE, domain)
        world.get(said(4, domain=domain))
        world.get(said(5, BAD, domain=domain))
    reader = Reader()
    world.run(6, reader)
    (news,) = reader.news
    assert news.subject == "mtasts: certificate-expired (2 domains)"
    numbers = (
        "3 of 2003 sessions in 7 days, since 2026-03-06, from 1 reporter (Example Mail; dkim), to "
        "mx2.example.org\n"
    )
    assert news.text.startswith(
        "new error: senders meet a certificate that has expired [alert-certificate-expired]\n"
        "    certificate-expired: the certificate of the MX host had expired\n"
        "    whose end: receiving (sure)\n"
        f"    example.net: {numbers}    example.org: {numbers}"
        "    remedy: Renew it, and reload the mail server after every renewal: "
    )
    see = "mtasts report summary example.net --days 7 --grade authentication-results"
    assert news.text.endswith(f"    see: {see}\n")
    (alert,) = news.facts["alerts"]
    assert (alert["severity"], alert["end"], alert["command"]) == ("error", "receiving", see)
    assert alert["domains"][1] == {
        "domain": "example.org",
        "since": "2026-03-06",
        "failed": 3,
        "total": 2003,
        "reporter_count": 1,
        "reporters": ["Example Mail"],
        "mx_hosts": ["mx2.example.org"],
        "grades": ["dkim"],
    }


def test_reports_with_unknown_numbers_are_told_beside_the_others(world):
    world.serve(-40)
    world.get(said(4))
    world.get(said(5, BAD, good=None))
    reader = Reader()
    world.run(6, reader)
    of = "3 of 1000 sessions in 7 days, and 1 report with unknown numbers, since 2026-03-06, from"
    assert f"    example.org: {of}" in reader.news[0].text


def test_in_mode_testing_it_is_a_warning(world):
    world.serve(-40)
    world.get(said(5, BAD))
    reader = Reader()
    world.run(6, reader)
    assert reader.news[0].text.startswith("new warning: ")


def test_the_operator_says_how_sure_the_origin_has_to_be_and_how_many_failures_are_many(world):
    world.serve(-40)
    world.get(said(5, failed("validation-failure", 10), good=1990, grade=Grade.FILE))
    strict, lax, laxer = Reader("a"), Reader("b"), Reader("c")
    world.run(6, strict)
    world.run(6, lax, weakest=Grade.FILE)
    world.run(6, laxer, weakest=Grade.FILE, share=0.4)
    assert strict.news == []
    assert lax.alerts == [[("new", NEW, "validation-failure")]]
    assert laxer.alerts == [[("new", NEW, "validation-failure"), ("new", SHARE, "")]]
    assert "--grade" not in lax.news[0].text


def test_a_digest_comes_at_first_and_then_every_week_also_if_nothing_is_wrong(world):
    world.serve(-40)
    reports = clean(0, 16)
    for facts in reports[:9]:
        world.get(facts)
    reader = Reader()
    told = []
    for day in range(10, 18):
        world.get(reports[day - 1])
        before = len(reader.news)
        world.run(day, reader, digest=True)
        told += [day] if len(reader.news) > before else []
    assert told == [10, 17]
    assert {news.subject for news in reader.news} == {
        "mtasts: week: all of 7000 sessions went well (1 domain)",
    }
    assert reader.news[1].facts["digest"]["domains"][0]["reports"] == 7


def test_a_digest_that_was_not_told_comes_with_the_next_run(world):
    world.serve(-40)
    reader = Reader()
    reader.listens = False
    assert world.run(10, reader, digest=True) == ["not-told"]
    reader.listens = True
    world.run(11, reader, digest=True)
    assert [news.subject for news in reader.news] == ["mtasts: week: no reports (1 domain)"]


def test_the_digest_has_what_is_not_told_at_once(world):
    for domain in (ORG, NET, Domain("example.com")):
        world.serve(-40, domain=domain)
    reports = [
        *clean(0, 29),
        *clean(20, 29, domain=NET, good=10),
        *(said(day, by="Gone") for day in range(8)),
        said(10, failed("tlsa-invalid", 4), comes=29, by="Late", report_id="late"),
        said(25, failed(FETCH), by="Sample Post"),
        said(28, NAME, by="Forger", grade=Grade.FILE, mode="enforce"),
    ]
    for facts in reports:
        world.get(facts)
    reader = Reader()
    world.run(30, reader, digest=True)
    (news,) = reader.news
    assert news.facts["alerts"] == []
    org, com, net = news.facts["digest"]["domains"]
    failures = {one["result_type"]: one for one in org["failures"]}
    assert failures[NAME.result_type]["is_proven"] is False
    assert failures[FETCH]["is_now"] is True
    assert (failures["tlsa-invalid"]["is_now"], failures["tlsa-invalid"]["sessions"]) == (False, 4)
    assert org["silent_reporters"] == ["Gone"]
    assert org["new_reporters"] == ["Forger", "Sample Post"]
    assert org["other_policy"] == [{"reporter": "Forger", "id": None}]
    assert (org["failed"], net["failed"], com["reports"]) == (3, 0, 0)
    assert news.subject == "mtasts: week: 3 of 9073 sessions failed (1 of 3 domains)"
    assert "before that: 4 x tlsa-invalid, since 2026-03-11, last 2026-03-11, by Late" in news.text
    assert "told only by reports whose origin is not proven" in news.text
    assert "    1 domain without a failure: 70 sessions\n" in news.text
    assert "    1 domain without a report: example.com\n" in news.text


def test_two_years_of_reports_are_no_flood(world):
    world.serve(-800)
    for number in range(200):
        world.get(said(number - 199, failed(("validation-failure", FETCH)[number % 2], 900)))
    reader = Reader()
    world.run(60, reader, digest=True)
    (news,) = reader.news
    assert news.subject == "mtasts: week: no reports (1 domain)"


HOSTILE = "=cmd|'/c'\x1b[2J\r\nBcc: x@example.net\u202e" + "x" * 3000


def test_hostile_text_reaches_nobody(world):
    world.serve(-40)
    wild = failed(HOSTILE, 20, reason_code=HOSTILE, receiving_mx_hostname=HOSTILE)
    for number in range(300):
        world.get(said(5, wild, by=f"{number}{HOSTILE}", good=0, grade=Grade.DKIM))
    reader = Reader()
    world.run(6, reader, digest=True)
    (news,) = reader.news
    assert news.subject == "mtasts: new failure: other (example.org), and 1 more"
    assert len(news.text) < 20000
    every = news.text.replace("\n", "") + news.subject + flat(news.facts)
    assert all(" " <= character <= "~" for character in every)


def flat(value):
    """All texts in a JSON document."""
    if isinstance(value, dict):
        return "".join(map(flat, [*value, *value.values()]))
    return "".join(map(flat, value)) if isinstance(value, list) else str(value)


def test_very_many_domains_are_counted(world):
    names = [Domain(f"d{number}.example") for number in range(1100)]
    reports = []
    for number, name in enumerate(names):
        os.mkdir(os.path.join(world.store.root, name))
        one = report(str(number), [policy(name, failures=[BAD])], start=FIRST + days(5))
        reports.append(entry(as_json(one), one, received=FIRST + days(6), grade=Grade.DKIM))
    writing.add(world.database, reports)
    reader = Reader()
    world.run(6, reader, digest=True)
    (news,) = reader.news
    assert news.subject == "mtasts: certificate-expired (1100 domains)"
    assert "    and 1090 more domains\n" in news.text
    assert "    and 1050 more domains; see: mtasts report summary DOMAIN\n" in news.text
    (alert,) = news.facts["alerts"]
    assert (alert["domain_count"], len(alert["domains"])) == (1100, 1000)
    assert (news.facts["digest"]["domain_count"], len(news.facts["digest"]["domains"])) == (
        1100,
        1000,
    )


def test_what_is_no_longer_ours_is_forgotten(world):
    world.serve(-40)
    world.get(said(5, BAD))
    reader = Reader()
    world.run(6, reader)
    os.rename(os.path.join(world.store.root, ORG), os.path.join(world.store.root, "away"))
    world.run(6, reader)
    os.rename(os.path.join(world.store.root, "away"), os.path.join(world.store.root, ORG))
    world.run(6, reader)
    assert len(reader.news) == 2


GOOD_STATE = {
    "schema": "mtasts-report-watch-state/1",
    "told": {
        "reader": {
            "digest": "2026-03-01T12:00:00Z",
            "domains": {"example.org": [[EXPIRED, "certificate-expired", "2026-03-01"]]},
        }
    },
}


def test_the_state_is_as_it_is_said_to_be(tmp_path):
    memory = alert_state.memory(str(tmp_path / "state.json"))
    (tmp_path / "state.json").write_text(json.dumps(GOOD_STATE))
    told = memory.read()
    known = Known(EXPIRED, "certificate-expired", FIRST.date())
    assert told["reader"].domains == {ORG: [known]}
    memory.write(told)
    assert json.loads((tmp_path / "state.json").read_text()) == GOOD_STATE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("state/1", "state/2"),
        ('"digest"', '"other"'),
        ("T12:00:00Z", ""),
        ("example.org", "../etc"),
        ('"2026-03-01"]', "7]"),
        ('"2026-03-01"]', '"2026-03-01", 1]'),
        ("alert-certificate-expired", "alert\\u001b[2J"),
        ('"alert-certificate-expired"', "7"),
    ],
)
def test_a_foreign_state_is_left_as_it_is(world, old, new):
    text = json.dumps(GOOD_STATE).replace(old, new)
    assert text != json.dumps(GOOD_STATE)
    os.mkdir(os.path.dirname(world.path))
    with open(world.path, "w") as file:
        file.write(text)
    with pytest.raises(StateUnusable):
        world.run(6, Reader())
    with open(world.path) as file:
        assert file.read() == text
