"""Handing news over: a mail to a sendmail of shell, a POST to a web server with a certificate."""

import datetime
import email
import email.policy
import json
import os
import socket
import time

import pytest

import webhook
from certificates import Issued
from mtasts import notify
from mtasts.changes import Change, Notice, What
from mtasts.domain import Domain
from mtasts.finding import Severity
from mtasts.notice import Report, as_json, news, subject, text
from mtasts.notify import InvalidWay, NotTold
from mtasts.troubles import Trouble

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.timezone.utc)
EXPIRED = Trouble(
    "mx",
    "mx1.example.net",
    "192.0.2.25",
    "mx-host-certificate-expired",
    Severity.ERROR,
    "the certificate expired on 2026-05-31",
    "Renew it.",
)


def notice(what=What.NEW, *domains, **other):
    names = tuple(Domain(name) for name in domains or ("example.org",))
    before = Severity.ERROR if what is What.ENDED else None
    return Notice(Change(what, EXPIRED._replace(**other), NOW, before), names)


def report(*notices):
    return Report("mail.example.net", NOW, notices)


def said_by(*notices):
    return news(report(*notices))


@pytest.mark.parametrize(
    ("notices", "expected"),
    [
        ([notice()], "mtasts: 1 error (example.org)"),
        ([notice(What.ENDED)], "mtasts: 1 ended (example.org)"),
        (
            [notice(), notice(severity=Severity.WARNING), notice(What.ENDED, "example.net")],
            "mtasts: 1 error, 1 warning, 1 ended (2 domains)",
        ),
        ([notice(), notice(What.NEW, "example.net")], "mtasts: 2 errors (2 domains)"),
    ],
)
def test_the_subject_says_how_much_of_what(notices, expected):
    assert subject(report(*notices)) == expected


def test_people_are_told_what_where_since_when_and_what_to_do():
    assert text(report(notice(), notice(What.ENDED, address=""))) == (
        "new error: example.org\n"
        "    mx1.example.net (192.0.2.25): the certificate expired on 2026-05-31"
        " [mx-host-certificate-expired]\n"
        "    since 2026-06-01T12:00:00Z\n"
        "    remedy: Renew it.\n"
        "\n"
        "ended error: example.org\n"
        "    mx1.example.net: the certificate expired on 2026-05-31 [mx-host-certificate-expired]\n"
        "    since 2026-06-01T12:00:00Z\n"
    )


def test_very_many_domains_and_changes_are_counted():
    names = [f"d{number}.{'x' * 60}.example" for number in range(1200)]
    said = report(*[notice(What.NEW, *names)] * 1100)
    assert "and 1190 more" in text(said)
    assert "... and 900 more changes." in text(said)
    assert max(map(len, text(said).splitlines())) < 998  # RFC 5322 section 2.1.1
    facts = as_json(said)
    assert (facts["change_count"], len(facts["changes"])) == (1100, 1000)
    assert (facts["changes"][0]["domain_count"], len(facts["changes"][0]["domains"])) == (
        1200,
        1000,
    )


def test_programs_are_told_in_a_schema():
    assert as_json(report(notice(What.ENDED))) == {
        "schema": "mtasts-watch/1",
        "by": "mail.example.net",
        "time": "2026-06-01T12:00:00Z",
        "subject": "mtasts: 1 ended (example.org)",
        "change_count": 1,
        "changes": [
            {
                "what": "ended",
                "group": "mx",
                "host": "mx1.example.net",
                "address": "192.0.2.25",
                "code": "mx-host-certificate-expired",
                "severity": "error",
                "message": "the certificate expired on 2026-05-31",
                "remedy": "Renew it.",
                "before": "error",
                "since": "2026-06-01T12:00:00Z",
                "domain_count": 1,
                "domains": ["example.org"],
            }
        ],
    }


@pytest.fixture
def sendmail(tmp_path, monkeypatch):
    """A sendmail that keeps its arguments and the mail, then ends as it is told."""
    program = tmp_path / "bin" / "sendmail"
    program.parent.mkdir()

    def make(ending="exit 0"):
        lines = [
            "#!/bin/sh",
            f'printf "%s\\n" "$@" >{tmp_path}/arguments',
            f"cat >{tmp_path}/mail",
            ending,
        ]
        program.write_text("\n".join(lines) + "\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        return tmp_path

    return make


def test_a_mail_is_given_to_sendmail(sendmail):
    place = sendmail()
    recipients = ("postmaster@example.org", "root")
    notify.mail(recipients, "mtasts@example.org").tell(said_by(notice()))
    assert (place / "arguments").read_text().split("\n")[:-1] == [
        "-i",
        "-f",
        "mtasts@example.org",
        "--",
        *recipients,
    ]
    data = (place / "mail").read_bytes()
    assert b"\r" not in data  # sendmail wants the machine's own line endings
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message["To"] == "postmaster@example.org, root"
    assert message["From"] == "mtasts@example.org"
    assert message["Subject"] == "mtasts: 1 error (example.org)"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content() == (
        "mtasts watch on mail.example.net:\n\n" + text(report(notice()))
    )


def test_without_a_sender_the_mta_takes_its_own(sendmail):
    place = sendmail()
    notify.mail(("root",), None).tell(said_by(notice()))
    assert (place / "arguments").read_text() == "-i\n--\nroot\n"
    assert email.message_from_bytes((place / "mail").read_bytes())["From"] is None


@pytest.mark.parametrize(
    ("ending", "why"),
    [
        ("printf 'queue \\033[2J full' >&2; exit 75", "ended with 75: queue \\x1b[2J full"),
        ("kill -9 $$", "ended with -9"),
    ],
)
def test_a_mail_that_is_not_taken_is_not_told(sendmail, ending, why):
    sendmail(ending)
    with pytest.raises(NotTold) as caught:
        notify.mail(("root",), None).tell(said_by(notice()))
    assert caught.value.code == "sendmail-failed"
    assert why in caught.value.message


def test_a_machine_without_sendmail_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(notify, "SENDMAIL_PLACES", str(tmp_path))
    with pytest.raises(NotTold) as caught:
        notify.mail(("root",), None).tell(said_by(notice()))
    assert caught.value.code == "sendmail-missing"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "-oQ/etc",
        "@example.org",
        "a@b@c",
        "a@",
        "root, postmaster",
        "root\nBcc: other@example.net",
        "a..b@example.org",
        "a@-example.org\x00",
        "pöstmaster@example.org",
        "a" * 250 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidWay) as caught:
        notify.mail((address,), None)
    assert caught.value.code == "mail-address-invalid"
    with pytest.raises(InvalidWay):
        notify.mail(("root",), address or " ")


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """A web server for localhost, whose certificate the machine trusts."""
    with webhook.running(str(tmp_path)) as hook:
        monkeypatch.setenv("SSL_CERT_FILE", hook.roots)
        yield hook


@pytest.mark.parametrize("status", [200, 204])
def test_a_webhook_gets_the_json(hook, status):
    said = report(notice())
    hook.status = status
    notify.webhook(f"{hook.url}?token=abc&day=1").tell(news(said))
    ((path, headers, facts),) = hook.came
    assert path == "/hook/secret?token=abc&day=1"
    assert headers["Content-Type"] == "application/json"
    assert facts == as_json(said)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_is_not_told_and_not_followed(hook, status):
    hook.status = status
    with pytest.raises(NotTold) as caught:
        notify.webhook(hook.url).tell(said_by(notice()))
    assert caught.value.code == "webhook-failed"
    assert str(status) in caught.value.message
    assert len(hook.came) == 1


def test_a_webhook_that_nobody_trusts_learns_nothing(hook, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", Issued("other").write(str(tmp_path / "other.pem")))
    with pytest.raises(NotTold) as caught:
        notify.webhook(hook.url).tell(said_by(notice()))
    assert "CERTIFICATE_VERIFY_FAILED" in caught.value.message
    assert "secret" not in str(caught.value)
    assert hook.came == []


def test_a_webhook_where_nobody_listens_is_not_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(NotTold) as caught:
        notify.webhook(f"https://127.0.0.1:{port}/secret").tell(said_by(notice()))
    assert "127.0.0.1" in caught.value.message
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.org/",
        "https:///hook",
        "https://user:word@example.org/",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://[::1/",
        "https://example.org/a b",
        "https://example.org/\r\nHost: other",
        "https://bücher.example/",
    ],
)
def test_what_is_no_webhook_is_refused(url):
    with pytest.raises(InvalidWay) as caught:
        notify.webhook(url)
    assert caught.value.code == "webhook-url-invalid"


@pytest.fixture
def program(tmp_path):
    """An executable script of the operator."""
    path = tmp_path / "a program"

    def make(*lines):
        path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_a_command_gets_json_and_the_subject_and_no_arguments(program, tmp_path):
    keep = f'cat >"{tmp_path}/facts"; echo "$# $MTASTS_SUBJECT" >"{tmp_path}/subject"; echo said'
    notify.command(program(keep)).tell(said_by(notice()))
    assert json.loads((tmp_path / "facts").read_text()) == as_json(report(notice()))
    assert (tmp_path / "subject").read_text() == "0 mtasts: 1 error (example.org)\n"


def test_a_command_need_not_read(program):
    many = said_by(*[notice()] * 1000)
    assert len(json.dumps(many.facts)) > 100000  # more than a pipe holds
    notify.command(program("exit 0")).tell(many)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["printf 'no \\033[2J' >&2", "exit 4"], "ended with 4: no \\x1b[2J"),
        (["exit 1"], "ended with 1"),
        (["kill -9 $$"], "ended with -9"),
    ],
)
def test_a_command_that_fails_was_not_told(program, lines, why):
    with pytest.raises(NotTold) as caught:
        notify.command(program(*lines)).tell(said_by(notice()))
    assert caught.value.code == "command-failed"
    assert caught.value.message.endswith(why)


def test_a_command_that_hangs_is_ended_with_all_it_has_started(program, tmp_path):
    path = program(f"sh -c 'echo $$ >\"{tmp_path}/started\"; exec sleep 600'", "true")
    for seconds in (1, 10, 60):  # a busy machine may need longer to start it
        with pytest.raises(NotTold) as caught:
            notify.command(path)._replace(seconds=seconds).tell(said_by(notice()))
        assert f"not ended after {seconds} seconds" in caught.value.message
        started = tmp_path / "started"
        if started.exists() and started.read_text():
            break
    number = int(started.read_text())
    assert any(is_gone(number) for _ in range(1200))


def is_gone(number):
    """Whether the process has ended, be it that nobody has asked for its end yet."""
    time.sleep(0.05)
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_command_that_has_gone_was_not_told(program, tmp_path):
    way = notify.command(program())
    os.unlink(way.program)
    with pytest.raises(NotTold) as caught:
        way.tell(said_by(notice()))
    assert "cannot be started: No such file" in caught.value.message


@pytest.mark.parametrize("name", ["", "no-such-program", "./sh", "/etc/passwd", "/bin", "sh -c ls"])
def test_what_is_no_program_is_refused(name):
    with pytest.raises(InvalidWay) as caught:
        notify.command(name)
    assert caught.value.code == "command-missing"


def test_a_command_is_found_on_path(program, monkeypatch, tmp_path):
    path = program("exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert notify.command("a program") == notify.command(path)


def test_the_name_of_a_way_gives_no_secret_away():
    one, other = (notify.webhook(f"https://example.org/{secret}") for secret in ("abc", "xyz"))
    assert one.name != other.name
    assert "abc" not in one.name
    assert notify.mail(("b", "a"), None).name == notify.mail(("a", "b"), "c").name
