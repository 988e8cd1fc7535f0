"""Reports by mail: the recipe of docs/reports.md, word for word, with a real Postfix."""

import json
import os
import re
import subprocess

import pytest

from mtasts.ledger import place
from reports import as_json, as_mail, report
from rig import account, stacks
from rig.apache import write
from rig.postfix import DELIVER, Postfix
from rig.postgres import Postgres
from rig.process import run, wait_for

COMMAND = "/usr/local/bin/mtasts"
ADDRESS = "tls-reports@mail.example.test"
SETTINGS = {
    "mydestination": "mail.example.test",
    "local_recipient_maps": "$alias_maps",
    "alias_maps": "hash:/etc/aliases",
    "minimal_backoff_time": "1s",
    "queue_run_delay": "3600s",
}


def recipe():
    """The lines of the chapter "A mail address": what stands in the file, and the commands."""
    with open(os.path.join(stacks.CLONE, "docs", "reports.md"), encoding="utf-8") as file:
        chapter = file.read().split("\n### A mail address\n")[1].split("\n### ")[0]
    alias, *commands = re.findall("^    (.*)$", chapter, re.MULTILINE)
    return alias, commands


@pytest.fixture(params=["newest", "bionic"])
def owner(request, fresh_machine, installed):
    """The account and the command as apache/setup leaves them."""
    write(COMMAND, f'#!/bin/sh\nexec {stacks.python(request.param)} -m mtasts "$@"\n')
    os.chmod(COMMAND, 0o755)  # noqa: S103 - a command
    with account.made("mtasts-reports", "/var/lib/mtasts/reports"):
        yield "mtasts-reports"


@pytest.fixture
def postfix(owner, tmp_path):
    """Postfix as somebody runs it who has followed the manual."""
    write("/etc/aliases", "root: nobody\n")
    run("postalias", "/etc/aliases")
    server = Postfix("mail.example.test", str(tmp_path))
    server.start(SETTINGS, DELIVER)
    alias, commands = recipe()
    write("/etc/postfix/tlsrpt", alias + "\n")
    for command in commands:
        run("sh", "-c", command)
    yield server
    run("postsuper", "-d", "ALL")
    server.stop()


def send(number):
    mail = as_mail(as_json(report(f"report-{number}")))
    subprocess.run(["sendmail", "-f", "tls@example.net", ADDRESS], input=mail, check=True)


def deferred():
    """Why each mail waits that could not be delivered."""
    queued = map(json.loads, run("postqueue", "-j").output.splitlines())
    recipients = [one for mail in queued for one in mail["recipients"]]
    return [one["delay_reason"] for one in recipients if "delay_reason" in one]


def wait_for_removal(postfix, count):
    """Wait until Postfix is done with so many mails.

    A list of its queue may lack a mail that goes from one folder to another meanwhile.
    """
    wait_for(lambda: postfix.log().count(": removed") == count, f"{count} mails are removed")


def held():
    return json.loads(run(COMMAND, "report", "list", "--json").output)


def test_a_mail_goes_into_the_ledger_under_the_account_that_owns_it(postfix):
    send(1)
    wait_for_removal(postfix, 1)
    assert [(one["report_id"], one["arrivals"]) for one in held()] == [("report-1", 1)]
    owner = run("stat", "-c", "%U:%G", place.DEFAULT_PATH).output
    assert owner == "mtasts-reports:mtasts-reports\n"
    assert "status=sent (delivered to command" in postfix.log()


def test_a_mail_that_cannot_be_read_does_not_bounce(postfix):
    for number in range(3):
        text = b"From: a@example.net\n\n" + [b"Lunch?", b"\x1f\x8b", b""][number] + b"%d" % number
        subprocess.run(["sendmail", "-f", "tls@example.net", ADDRESS], input=text, check=True)
    wait_for_removal(postfix, 3)
    kept = json.loads(run(COMMAND, "report", "list", "--quarantine", "--json").output)
    assert [one["error"] for one in kept] == ["no-report"] * 3
    assert "status=bounced" not in postfix.log()


def test_mails_wait_in_the_queue_for_the_database(owner, postfix):
    database = Postgres()
    database.start()
    write(place.SETTING, database.database() + "\n")
    run("chown", f"root:{owner}", place.SETTING)
    os.chmod(place.SETTING, 0o640)
    send(0)
    wait_for_removal(postfix, 1)

    database.stop()
    for number in (1, 2):
        send(number)
    wait_for(lambda: len(deferred()) == 2, "both mails wait, and it is said why")
    assert all("ledger-unusable" in reason for reason in deferred()), deferred()

    database.resume()
    run("postqueue", "-f")
    wait_for_removal(postfix, 3)
    assert sorted((one["report_id"], one["arrivals"]) for one in held()) == [
        (f"report-{number}", 1) for number in range(3)
    ]
    assert "status=bounced" not in postfix.log()
    database.stop()
