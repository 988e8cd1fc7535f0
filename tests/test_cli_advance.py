"""mtasts advance as people and scripts use it, where the network shows little."""

import datetime
import json

import pytest

from mtasts.domain import Domain
from mtasts.policy import Mode, Policy
from mtasts.store import Store

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
MX = ("mx1.example.org",)


@pytest.fixture
def advance(mtasts, tmp_path):
    """The command, with a ledger that is not there, and DNS that cannot tell where hosts are."""
    for name in ("mta-sts.example.org", "mx1.example.org"):
        mtasts.mx[name] = None
    mtasts.mx["example.org"] = ["10 mx1.example.org"]

    def run(name, *options):
        ledger = ("--ledger", str(tmp_path / "ledger.sqlite"))
        return mtasts("advance", name, *ledger, *options)

    run.store = Store(str(mtasts.root))
    run.mtasts = mtasts
    return run


def serve(advance, mode=Mode.TESTING, max_age=86401, days=20, name="example.org"):
    """Let a policy be served for some days, and DNS have its id."""
    data = Policy(mode, max_age, MX).to_bytes()
    entry = advance.store.write(Domain(name), data, NOW - days * DAY)
    advance.mtasts.mx[f"_mta-sts.{name}"] = [f"v=STSv1; id={entry.id};"]


def test_the_verdict_comes_first_and_then_why(advance):
    serve(advance)
    code, out, err = advance("example.org")
    assert (code, err) == (1, "")
    first, second, *rest = out.splitlines()
    to = "mode testing, max_age 86401 to mode enforce, max_age 86401"
    assert first == f"example.org: unknown: from {to}"
    assert second == "  Enforcing would have stopped 0 of 0 sessions in the last 30 days."
    assert any("[advance-observed]" in line for line in rest)
    assert any("[advance-ledger-missing]" in line for line in rest)
    assert "            remedy: Check the resolver, and the domain's name servers." in rest
    assert "--apply" not in out


def test_json_has_all_of_it(advance):
    serve(advance)
    code, out, _ = advance("example.org", "--json", "--days", "9", "--grade", "dkim")
    facts = json.loads(out)
    assert (code, facts["verdict"], facts["days"], facts["grade"]) == (1, "unknown", 9, "dkim")
    assert facts["from"]["mode"] == "testing"
    assert facts["from"]["since"] == (NOW - 20 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert facts["to"] == {"mode": "enforce", "max_age": 86401, "mx": list(MX)}
    assert facts["would_stop"] == {"sessions": 0, "total": 0, "senders": [], "mx_hosts": []}
    assert (facts["back"], facts["written"], facts["steps"]) == (None, False, [])
    (domain,) = facts["domains"]
    assert (domain["domain"], domain["verdict"]) == ("example.org", "unknown")
    said = {one["code"]: one for one in domain["evidence"]}
    assert said["policy-host-unknown"]["host"] == "mta-sts.example.org"
    assert said["advance-ledger-missing"]["severity"] == "unknown"
    assert {"rule", "remedy", "message", "part"} <= set(said["advance-observed"])


def test_nothing_is_done_without_a_yes(advance):
    serve(advance)
    before = (advance.mtasts.root / "example.org" / "mta-sts.txt").read_bytes()
    code, out, err = advance("example.org", "--apply", "--yes")
    assert (code, out.startswith("example.org: unknown"), err) == (
        1,
        True,
        "Nothing was changed.\n",
    )
    assert (advance.mtasts.root / "example.org" / "mta-sts.txt").read_bytes() == before


def test_at_the_top_there_is_nothing_to_do(advance):
    serve(advance, Mode.ENFORCE, 31536000, 500)
    code, out, _ = advance("example.org")
    assert (code, out.splitlines()[0]) == (
        0,
        "example.org: nothing to do: there is no step from mode enforce, max_age 31536000",
    )
    code, out, _ = advance("example.org", "--json")
    assert (code, json.loads(out)["verdict"], json.loads(out)["to"]) == (0, "nothing to do", None)
    assert advance("example.org", "--apply")[0] == 0


def test_from_mode_none_it_is_said_what_comes_first_and_nobody_is_asked(advance):
    serve(advance, Mode.NONE)
    code, out, _ = advance("example.org", "--resolver", "127.0.0.1:1")
    assert (code, "mtasts set example.org --mode testing" in out) == (2, True)


def test_a_failing_host_under_enforce_shows_the_way_back(advance):
    serve(advance, Mode.ENFORCE, 604800, 50)
    advance.mtasts.mx["example.org"] = ["10 mx9.example.org"]
    code, out, _ = advance("example.org")
    assert code == 2
    assert "[mx-host-uncovered]" in out
    assert "The way back" in out
    assert "    mtasts set example.org --mode testing --max-age 86401\n" in out
    assert "    mtasts publish example.org\n" in out
    until = NOW + 8 * DAY
    assert f"mode enforce, max_age 604800: until {until:%Y-%m-%d}" in out
    back = json.loads(advance("example.org", "--json")[1])["back"]
    assert back["to"] == {"mode": "testing", "max_age": 86401, "mx": list(MX)}
    assert [one["max_age"] for one in back["kept"]] == [604800]


def test_the_commands_of_the_way_back_go_back(advance):
    serve(advance, Mode.ENFORCE, 604800, 50)
    advance.mtasts.mx["example.org"] = ["10 mx9.example.org"]
    for command in json.loads(advance("example.org", "--json")[1])["back"]["commands"][:1]:
        assert advance.mtasts(*command.split()[1:])[0] == 0
    assert advance.store.read(Domain("example.org")) == Policy(Mode.TESTING, 86401, MX)


def test_aliases_and_members_are_told_whose_policy_it_is(advance):
    serve(advance)
    advance.mtasts("alias", "example.net", "example.org")
    code, _, err = advance("example.net")
    assert (code, "example.net is an alias of example.org" in err) == (3, True)
    advance.mtasts("new", "@a", "--mx", "mx1.example.org")
    advance.mtasts("assign", "@a", "example.com", "--max-uncovered", "1")
    code, _, err = advance("example.com", "--apply")
    assert (code, "example.com has the policy of @a" in err) == (3, True)


def test_a_class_names_those_that_are_against_it_but_not_without_end(advance):
    advance.mtasts("new", "@a", "--mx", "mx1.example.org")
    names = [f"d{number}.example" for number in range(25)]
    for name in names:
        advance.mtasts.mx[name] = ["10 mx1.example.org"]
        advance.mtasts.mx[f"mta-sts.{name}"] = None
    assert advance.mtasts("assign", "@a", *names)[0] == 0
    code, out, _ = advance("@a")
    assert code == 2  # DNS has no record of any of them
    assert "  asked: 25 domains: no 25\n" in out
    assert out.count(": no\n") == 20
    assert "  ... and 5 more (--json lists them all)\n" in out
    assert len(json.loads(advance("@a", "--json")[1])["domains"]) == 25


def test_a_class_without_domains_has_nobody_to_ask(advance):
    advance.mtasts("new", "@a", "--mx", "mx1.example.org")
    code, out, _ = advance("@a")
    assert (code, "[advance-domains-none]" in out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["example.org", "--grade", "none"], ""),
        (["example.org", "--days", "0"], ""),
        (["none.example"], "policy-unknown"),
        (["example.org", "--ttl", "soon"], "duration-invalid"),
        (["example.org", "--resolver", "nowhere"], "address-invalid"),
        (["example.org", "--ca", "/none.pem"], "ca-file-unusable"),
    ],
)
def test_what_cannot_run_ends_with_3(advance, arguments, code):
    serve(advance)
    ended, _, err = advance(*arguments)
    assert (ended, code in err) == (3, True), err


def test_a_ledger_that_is_none_is_an_error(advance, tmp_path):
    serve(advance)
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    code, _, err = advance("example.org")
    assert (code, "[ledger-damaged]" in err) == (3, True)
