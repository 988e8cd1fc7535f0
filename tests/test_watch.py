"""mtasts watch: what is told, whom, how often, and what is remembered of it."""

import datetime
import json
import os
import subprocess
import sys

import pytest

from mtasts.domain import Domain
from mtasts.finding import Severity
from mtasts.notify import NotTold
from mtasts.telling import Way
from mtasts.told import StateUnusable
from mtasts.troubles import Trouble
from mtasts.watch import Run, watch

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
ORG, NET = Domain("example.org"), Domain("example.net")
DOWN = Trouble("mx", "mx.example.org", "", "mx-host-tls-failed", Severity.ERROR, "TLS fails")
LOST = Trouble("mx", "example.org", "", "mx-records-unknown", Severity.UNKNOWN, "no answer")


class Reader:
    """Somebody who is told, as long as he listens."""

    def __init__(self, name):
        self.way = Way(name, self.tell)
        self.listens = True
        self.told = []

    def tell(self, news):
        if not self.listens:
            raise NotTold("not-told", "nobody listens")
        self.told += [
            (one["what"], one["code"], tuple(one["domains"])) for one in news.facts["changes"]
        ]


@pytest.fixture
def run(tmp_path):
    """Run it once: what is wrong with each domain, who is told; return why somebody was not."""
    path = str(tmp_path / "state.json")

    def run_it(seen, *readers, asked=None, is_all=True):
        run = Run("here", NOW, frozenset(seen if asked is None else asked), is_all)
        ways = [reader.way for reader in readers]
        outcomes = watch(path, ways, iter(seen.items()), run)
        return [one.error.code for one in outcomes if one.error]

    run_it.path = path
    return run_it


NEW = ("new", DOWN.code, (ORG,))
ENDED = ("ended", DOWN.code, (ORG,))


def test_what_was_not_told_is_told_by_the_next_run(run):
    reader = Reader("a")
    reader.listens = False
    assert run({ORG: (DOWN,)}, reader) == ["not-told"]
    assert run({ORG: (DOWN,)}, reader) == ["not-told"]
    reader.listens = True
    assert run({ORG: (DOWN,)}, reader) == []
    assert run({ORG: (DOWN,)}, reader) == []
    assert reader.told == [NEW]


def test_what_came_and_went_while_nobody_listened_is_no_news(run):
    reader = Reader("a")
    reader.listens = False
    run({ORG: (DOWN,)}, reader)
    reader.listens = True
    run({ORG: ()}, reader)
    assert reader.told == []


def test_who_was_told_does_not_hear_it_again_because_of_another(run):
    deaf, reader = Reader("a"), Reader("b")
    deaf.listens = False
    for _ in range(3):
        assert run({ORG: (DOWN,)}, deaf, reader) == ["not-told"]
    assert reader.told == [NEW]
    deaf.listens = True
    run({ORG: (DOWN,)}, deaf, reader)
    run({ORG: ()}, deaf, reader)
    assert reader.told == deaf.told == [NEW, ENDED]


def test_what_is_not_known_yet_counts_from_run_to_run(run):
    reader = Reader("a")
    run({ORG: (LOST,)}, reader)
    assert reader.told == []
    run({ORG: (LOST,)}, reader)
    assert [code for _, code, _ in reader.told] == [LOST.code]


def test_domains_that_share_what_is_wrong_are_told_together(run):
    reader = Reader("a")
    run({ORG: (DOWN,), NET: (DOWN,)}, reader)
    assert reader.told == [("new", DOWN.code, (NET, ORG))]


def test_domains_that_are_named_leave_the_others_alone(run):
    reader = Reader("a")
    run({ORG: (DOWN,)}, reader, is_all=False)
    run({NET: ()}, reader, is_all=False)
    run({ORG: (DOWN,), NET: ()}, reader)
    assert reader.told == [NEW]


def test_what_is_no_longer_ours_is_forgotten(run):
    reader = Reader("a")
    run({ORG: (DOWN,), NET: ()}, reader)
    run({NET: ()}, reader)
    run({ORG: (DOWN,), NET: ()}, reader)
    assert reader.told == [NEW, NEW]


def test_a_domain_that_was_not_come_to_is_as_it_was(run):
    reader = Reader("a")
    run({ORG: (DOWN,)}, reader)
    run({NET: ()}, reader, asked=[ORG, NET])
    run({ORG: (DOWN,), NET: ()}, reader)
    assert reader.told == [NEW]


def test_a_state_that_is_not_ours_is_left_as_it_is(run, tmp_path):
    reader = Reader("a")
    (tmp_path / "state.json").write_text('{"mine": 1}\n')
    with pytest.raises(StateUnusable):
        run({ORG: (DOWN,)}, reader)
    assert (tmp_path / "state.json").read_text() == '{"mine": 1}\n'
    assert reader.told == []


def test_where_nothing_can_be_remembered_nothing_is_told(tmp_path):
    reader = Reader("a")
    path = str(tmp_path / "no" / "where" / "state.json")
    with pytest.raises(StateUnusable) as caught:
        list(watch(path, [reader.way], iter({ORG: (DOWN,)}.items()), Run("", NOW, [ORG], True)))
    assert caught.value.code == "watch-state-failed"
    assert reader.told == []


def test_the_folder_of_the_state_is_made(tmp_path):
    path = tmp_path / "watch" / "state.json"
    assert list(watch(str(path), [], iter(()), Run("", NOW, [], True))) == []
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


# The command: DNS is that of the test. It knows no address of a policy host, which stands for
# whatever is wrong, and no zones: so it is not known what their name servers say, which is news in
# the second run.


@pytest.fixture
def command(mtasts, tmp_path):
    """Run the command with a state of its own; return exit code, output and errors."""
    state = str(tmp_path / "state.json")
    table = mtasts.mx
    table.update({"example.org": ["10 mx.example.org"], "example.net": ["10 mx.example.org"]})
    mtasts("new", "example.org", "--mx", "mx.example.org")

    def run(*arguments, **variables):
        return mtasts("watch", "--state", state, *arguments, **variables)

    run.mtasts, run.state, run.dns = mtasts, state, table
    return run


@pytest.fixture
def sendmail(tmp_path):
    """PATH with a sendmail that takes mails as long as there is no file `full`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "sendmail"
    program.write_text(f"#!/bin/sh\n[ ! -e {tmp_path}/full ] || exit 75\ncat >>{tmp_path}/mails\n")
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_the_first_run_tells_what_is_wrong_and_the_next_one_nothing(command):
    code, out, err = command()
    assert (code, err) == (0, "")
    assert "new error: example.org\n    mta-sts.example.org: " in out
    assert "[policy-host-missing]" in out
    assert "policy-host-missing" not in command()[1]
    assert command() == (0, "", "")


def test_where_dns_answers_nobody_nothing_is_told_of_domains(command, dns_table):
    command()
    command()
    dns_table.is_cut_off = True
    for _ in range(2):
        code, out, err = command()
        assert (code, out) == (3, "")
        assert "[dns-resolver-useless]" in err
    dns_table.is_cut_off = False
    assert command() == (0, "", "")


def test_a_tenant_that_moved_its_mail_away(command):
    mtasts = command.mtasts
    mtasts("new", "@cluster", "--mx", "mx.example.org")
    assert mtasts("assign", "@cluster", "example.net", "--yes")[0] == 0
    mtasts("alias", "example.com", "example.org")
    command.dns["example.com"] = ["10 mx.example.org"]
    command()
    command.dns.update({"example.net": ["10 mx.elsewhere.test"], "example.com": ["5 mail.test"]})
    command.dns.update({"example.org": ["10 mx2.example.org"]})
    changes = json.loads(command("--json")[1])["changes"]
    told = {(domain, one["code"]) for one in changes for domain in one["domains"]}
    assert {("example.net", "watch-mx-moved"), ("example.com", "watch-mx-moved")} <= told
    assert ("example.org", "mx-host-uncovered") in told
    assert ("example.org", "watch-mx-moved") not in told


def test_programs_get_a_document_in_any_case(command):
    command()
    command()
    nothing = json.loads(command("--json")[1])
    assert (nothing["schema"], nothing["change_count"]) == ("mtasts-watch/1", 0)


def test_what_could_not_be_mailed_is_mailed_by_the_next_run(command, sendmail, tmp_path):
    (tmp_path / "full").write_text("")
    secret = "https://127.0.0.1:1/secret"
    code, out, err = command("--mail", "root", "--webhook", secret, PATH=sendmail)
    assert (code, out) == (3, "")
    assert "[sendmail-failed]" in err
    assert "[webhook-failed]" in err
    assert "secret" not in err
    (tmp_path / "full").unlink()
    assert command("--mail", "root", PATH=sendmail) == (0, "", "")
    (mail,) = (tmp_path / "mails").read_text().split("Subject: ")[1:]
    assert "policy-host-missing" in mail


def test_a_reader_that_has_gone_was_not_told(command):
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-m", "mtasts", "watch", "--state", command.state]
    subprocess.run(program, stdout=writer, env=command.mtasts.environment, check=False)
    os.close(writer)
    assert "policy-host-missing" in command()[1]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--mail-from", "root"], "mail-recipient-missing"),
        (["--webhook", "http://example.org/"], "webhook-url-invalid"),
        (["--webhook", "https://example.org/", "--json"], "watch-json-elsewhere"),
        (["--ca", "/nowhere/roots.pem"], "ca-file-unusable"),
    ],
)
def test_wrong_options_are_said_before_anybody_is_asked(command, options, code):
    exit_code, out, err = command(*options)
    assert (exit_code, out, err.count(f"[{code}]")) == (3, "", 1)
    assert not os.path.exists(command.state)
