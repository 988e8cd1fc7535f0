"""What the certbot door reads and writes as text: CAA values, virtual hosts, Apache's listing."""

import glob
import os
import re

import pytest

from certbot_mtasts import caa, challenge, vhost
from certbot_mtasts.apachectl import Apache, ApacheError, NoApache
from certbot_mtasts.options import OPTIONS
from certbot_mtasts.vhost import VHost, VHostError
from mtasts.probe import CAA

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs")
CA = ["ca.example.net"]
ACCOUNT = "https://ca.example.net/acct/1"

JUDGED = [
    ([], caa.Verdict.ALLOWED),
    ([(0, "iodef", "mailto:a@example.org")], caa.Verdict.ALLOWED),
    ([(0, "issue", "ca.example.net")], caa.Verdict.ALLOWED),
    ([(0, "ISSUE", " CA.example.NET ; policy=ev")], caa.Verdict.ALLOWED),
    ([(0, "issue", "other.example"), (0, "issue", "ca.example.net")], caa.Verdict.ALLOWED),
    ([(0, "issue", ";")], caa.Verdict.FORBIDDEN),
    ([(0, "issue", "other.example")], caa.Verdict.FORBIDDEN),
    ([(0, "issue", "ca.example.net; nonsense")], caa.Verdict.FORBIDDEN),
    ([(0, "issuewild", ";")], caa.Verdict.ALLOWED),
    ([(128, "unheard-of", "x")], caa.Verdict.FORBIDDEN),
    ([(0, "unheard-of", "x")], caa.Verdict.ALLOWED),
    ([(0, "issue", "ca.example.net; validationmethods=dns-01")], caa.Verdict.FORBIDDEN),
    ([(0, "issue", "ca.example.net; validationmethods=dns-01,http-01")], caa.Verdict.ALLOWED),
    ([(0, "issue", "ca.example.net; accounturi=" + ACCOUNT)], caa.Verdict.ALLOWED),
    ([(0, "issue", "ca.example.net; accounturi=https://x.example/2")], caa.Verdict.FORBIDDEN),
]


@pytest.mark.parametrize(("records", "verdict"), JUDGED)
def test_caa_records_are_judged_as_the_ca_does(records, verdict):
    assert caa.judge([CAA(*record) for record in records], CA, [ACCOUNT]) is verdict


def test_caa_for_an_account_is_doubtful_before_there_is_one():
    records = [CAA(0, "issue", "ca.example.net; accounturi=" + ACCOUNT)]
    assert caa.judge(records, CA, []) is caa.Verdict.ACCOUNT


def a_vhost(lineage="one", names=("mta-sts.example.org", "mta-sts.example.net")):
    return VHost(lineage, names, "/live/one/fullchain.pem", "/live/one/privkey.pem")


def install(directory, one):
    for change in vhost.plan(directory, one):
        change.apply()


def test_virtual_host_is_read_back_as_it_was_written(tmp_path):
    install(str(tmp_path), a_vhost())
    assert vhost.installed(str(tmp_path)) == {"one": a_vhost()}
    assert vhost.plan(str(tmp_path), a_vhost()) == []


def test_name_moves_to_the_certificate_that_was_installed_last(tmp_path):
    install(str(tmp_path), a_vhost())
    install(str(tmp_path), a_vhost("two", ("mta-sts.example.org",)))
    found = vhost.installed(str(tmp_path))
    assert found["one"].names == ("mta-sts.example.net",)
    install(str(tmp_path), a_vhost("two"))
    assert list(vhost.installed(str(tmp_path))) == ["two"]


def test_file_of_somebody_else_is_never_replaced(tmp_path):
    path = tmp_path / "one.conf"
    path.write_text("# mine\n")
    with pytest.raises(VHostError) as caught:
        vhost.plan(str(tmp_path), a_vhost())
    assert caught.value.code == "vhost-not-ours"
    assert path.read_text() == "# mine\n"


@pytest.mark.parametrize("lineage", ["", ".hidden", "a/b", 'a"b', "a\nb", "a${b}"])
def test_lineage_that_could_break_out_is_refused(lineage):
    with pytest.raises(VHostError):
        a_vhost(lineage)


def control_program(directory, code, output):
    listing = directory / "output"
    listing.write_text(output)
    program = directory / "ctl"
    program.write_text("#!/bin/sh\ncat '{}'\nexit {}\n".format(listing, code))
    os.chmod(str(program), 0o755)  # noqa: S103 - it is a program
    return Apache(str(program))


LISTING = """VirtualHost configuration:
192.0.2.1:8443         one.example.org (/etc/apache2/sites-enabled/one.conf:3)
*:443                  is a NameVirtualHost
         default server first.example.org (/etc/apache2/sites-enabled/first.conf:1)
         port 443 namevhost first.example.org (/etc/apache2/sites-enabled/first.conf:1)
         port 443 namevhost Mta-Sts.example.org (/etc/a b (c)/two.conf:7)
                 alias mta-sts.example.net
                 wild alias mta-sts.*
PidFile: "/run/apache2/no-such.pid"
"""


def test_listing_of_virtual_hosts_is_read(tmp_path):
    found = control_program(tmp_path, 0, LISTING).test()
    assert [(one.port, one.names, one.file, one.line) for one in found.vhosts] == [
        ("8443", ("one.example.org",), "/etc/apache2/sites-enabled/one.conf", 3),
        ("443", ("first.example.org",), "/etc/apache2/sites-enabled/first.conf", 1),
        ("443", ("mta-sts.example.org", "mta-sts.example.net"), "/etc/a b (c)/two.conf", 7),
    ]
    assert found.pid() is None


def test_broken_configuration_is_told_in_apaches_words(tmp_path):
    with pytest.raises(ApacheError) as caught:
        control_program(tmp_path, 1, "Syntax error on line 1: \x1b[31mNonsense\n").test()
    assert "Nonsense" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_missing_control_program_is_told(tmp_path):
    with pytest.raises(NoApache):
        Apache(str(tmp_path / "none")).test()


def test_file_that_certbots_apache_plugin_edited_is_still_read(tmp_path):
    install(str(tmp_path), a_vhost())
    path = tmp_path / "one.conf"
    edited = "Include /etc/letsencrypt/options-ssl-apache.conf\n</VirtualHost>"
    text = path.read_text().replace("</VirtualHost>", edited)
    path.write_text(text.replace('"/live/one/fullchain.pem"', "/live/other/fullchain.pem"))
    assert vhost.installed(str(tmp_path))["one"].certificate == "/live/other/fullchain.pem"
    install(str(tmp_path), a_vhost())
    assert path.read_text() == str(a_vhost())


def test_change_is_undone_whatever_it_was(tmp_path):
    path = tmp_path / "file"
    for before, after in ((None, b"new"), (b"old", b"new"), (b"old", None)):
        if before is not None:
            path.write_bytes(before)
        one = vhost.Change(str(path), before, after)
        one.apply()
        assert (path.read_bytes() if path.exists() else None) == after
        one.undo()
        assert (path.read_bytes() if path.exists() else None) == before
        assert len(list(tmp_path.iterdir())) <= 1


@pytest.mark.parametrize("token", ["", "..", "a/b", "../../etc/passwd", "a\n", "a" * 129, "é"])
def test_token_that_is_no_file_name_is_refused(token):
    with pytest.raises(challenge.ChallengeError):
        challenge.token_path("/webroot", token)


def test_token_file_can_be_read_by_apache_whatever_the_umask_is(tmp_path):
    path = challenge.token_path(str(tmp_path / "webroot"), "token")
    umask = os.umask(0o077)
    try:
        challenge.write(path, "answer")
    finally:
        os.umask(umask)
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o755


def test_options_survive_a_renewal_file():
    for option, settings in OPTIONS.items():
        assert not {"action", "nargs", "type"} & set(settings), option
        assert isinstance(settings["default"], (str, type(None))), option


def test_manual_names_every_option_and_its_default():
    with open(os.path.join(DOCS, "certbot.md"), encoding="utf-8") as source:
        manual = source.read()
    rows = re.findall(r"^\| `--mtasts-([a-z-]+)` \| (.+) \|$", manual, re.MULTILINE)
    assert [option for option, _ in rows] == list(OPTIONS)
    for option, meaning in rows:
        if OPTIONS[option]["default"] is not None:
            assert "`{}`".format(OPTIONS[option]["default"]) in meaning


def test_manual_names_codes_that_exist():
    codes = set()
    for folder in ("certbot_mtasts", "mtasts"):
        for path in glob.glob(os.path.join(DOCS, "..", folder, "*.py")):
            with open(path, encoding="utf-8") as source:
                codes.update(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', source.read()))
    with open(os.path.join(DOCS, "certbot.md"), encoding="utf-8") as source:
        told = re.findall(r"^\| `([a-z]+(?:-[a-z0-9]+)+)` \|", source.read(), re.MULTILINE)
    assert told
    assert not set(told) - codes
