"""certbot with our plugin, as people use it: get, keep, renew, reconfigure, roll back, delete."""

import configparser
import os
import pty
import re
import select

import pytest

from rig import http, stacks
from rig.apache import ETC
from rig.policy_host import (
    CHECKPOINTS,
    LIVE,
    POLICY,
    RENEWAL,
    VHOSTS,
    WEBROOT,
    kept,
    presented,
    tree,
)
from rig.process import CommandFailed, run

ONE, OTHER = "mta-sts.example.test", "mta-sts.example2.test"
BOTH = ("-d", ONE, "-d", OTHER)


def renewal_parameters(lineage=ONE):
    parser = configparser.ConfigParser(interpolation=None)
    with open("{}/{}.conf".format(RENEWAL, lineage)) as source:
        parser.read_string("[top]\n" + source.read())
    return dict(parser["renewalparams"])


def vhost(lineage=ONE):
    with open("{}/{}.conf".format(VHOSTS, lineage)) as source:
        return source.read()


def test_get_keep_renew_and_roll_back(certbot, policy_hosts, pebble):
    before = tree(ETC, CHECKPOINTS, WEBROOT)
    unknown = presented(ONE)

    certbot("--mtasts", "--mtasts-preflight", "skip", "--mtasts-resolver", "127.0.0.1", *BOTH)
    first = kept(ONE)
    assert presented(ONE) == presented(OTHER) == first
    for name in (ONE, OTHER):
        answer = http.fetch(name, root=pebble.root)
        assert (answer.status, answer.text) == (200, POLICY)
    assert not policy_hosts.tokens()

    stored = renewal_parameters()
    assert stored.pop("account")
    stored.pop("key_type", None)  # from 2.0 on
    assert stored == {
        "authenticator": "mtasts",
        "installer": "mtasts",
        "server": pebble.url,
        "mtasts_preflight": "skip",
        "mtasts_resolver": "127.0.0.1",
    }

    installed, reloads = tree(ETC, CHECKPOINTS, WEBROOT), policy_hosts.reloads()
    certbot("--mtasts", *BOTH)
    assert tree(ETC, CHECKPOINTS, WEBROOT) == installed
    assert policy_hosts.reloads() == reloads

    certbot("renew", "--force-renewal")
    assert first != kept(ONE) == presented(ONE) == presented(OTHER)
    assert tree(ETC, CHECKPOINTS, WEBROOT) == installed

    certbot("rollback", "-i", "mtasts")
    assert tree(ETC, CHECKPOINTS, WEBROOT) == before
    assert presented(ONE) == unknown


def test_long_form_does_the_same(certbot_of_both_ends, policy_hosts):
    certbot_of_both_ends("run", "-a", "mtasts", "-i", "mtasts", "-d", ONE)
    assert presented(ONE) == kept(ONE)


def test_plugins_and_help_name_the_plugin_plainly(certbot):
    assert re.search(r"^\* mtasts$", certbot("plugins").output, re.MULTILINE)
    shown = " ".join(certbot("--help", "mtasts").output.split())
    assert "--mtasts " in shown
    for option in ("policy-dir", "webroot", "vhost-dir", "ctl", "preflight", "resolver"):
        assert "--mtasts-" + option in shown
    assert "None" not in shown


def test_prepared_plugin_tells_what_is_wrong_with_apache(newest_certbot, policy_hosts):
    policy_hosts.apache.add_configuration("broken", "Nonsense on\n")
    assert "Nonsense" in newest_certbot("plugins", "--prepare").output


def test_certificate_of_the_oldest_renews_after_every_upgrade(make_certbot, policy_hosts):
    make_certbot("0.27.0")("--mtasts", *BOTH)
    for later in ("1.21.0", "2.1.0", "newest"):
        earlier = kept(ONE)
        make_certbot(later)("renew", "--force-renewal")
        assert earlier != kept(ONE) == presented(ONE)
        assert renewal_parameters()["installer"] == "mtasts"


def test_renewal_file_with_the_long_name_is_mended_as_the_manual_says(newest_certbot, policy_hosts):
    newest_certbot("--mtasts", "--mtasts-preflight", "skip", "-d", ONE)
    path = "{}/{}.conf".format(RENEWAL, ONE)
    run("sed", "-i", "s/= mtasts/= mtasts:mtasts/; s/^mtasts_/mtasts:mtasts_/", path)
    assert newest_certbot("renew", "--force-renewal", check=False).code == 1
    with open(os.path.join(stacks.CLONE, "docs", "certbot.md"), encoding="utf-8") as manual:
        (command,) = re.findall(r"^    (sed .*)$", manual.read(), re.MULTILINE)
    run("sh", "-c", command)
    newest_certbot("renew", "--force-renewal")
    assert presented(ONE) == kept(ONE)


def test_dry_run_changes_nothing(certbot_of_both_ends, policy_hosts):
    certbot_of_both_ends("--mtasts", "-d", ONE)
    files, reloads = tree(ETC, CHECKPOINTS, WEBROOT, LIVE), policy_hosts.reloads()
    certbot_of_both_ends("renew", "--dry-run")
    assert tree(ETC, CHECKPOINTS, WEBROOT, LIVE) == files
    assert policy_hosts.reloads() == reloads


def test_certonly_then_install(certbot_of_both_ends, policy_hosts):
    certbot = certbot_of_both_ends
    certbot("certonly", "-a", "mtasts", *BOTH)
    assert os.listdir(VHOSTS) == []
    installed = certbot("install", "-i", "mtasts", "--cert-name", ONE)
    first = kept(ONE)
    assert presented(ONE) == presented(OTHER) == first

    assert "installer" not in renewal_parameters()  # so it warns, and says what to do
    assert "certbot reconfigure --cert-name {} -i mtasts".format(ONE) in installed.output
    if certbot.version == "newest":
        certbot("reconfigure", "--cert-name", ONE, "-i", "mtasts")
    else:
        with open("{}/{}.conf".format(RENEWAL, ONE), "a") as renewal_file:
            renewal_file.write("installer = mtasts\n")
    certbot("renew", "--force-renewal")
    assert first != kept(ONE) == presented(ONE) == presented(OTHER)


def test_install_of_one_name_keeps_the_others(newest_certbot, policy_hosts):
    certbot = newest_certbot
    certbot("--mtasts", *BOTH)
    text = vhost()
    certbot("install", "-i", "mtasts", "--cert-name", ONE, "-d", OTHER)
    assert vhost() == text


def test_a_name_that_leaves_the_certificate_leaves_the_virtual_host(newest_certbot, policy_hosts):
    certbot = newest_certbot
    certbot("--mtasts", "--cert-name", "all", *BOTH)
    certbot("--mtasts", "--cert-name", "all", "--renew-with-new-domains", "-d", ONE)
    assert OTHER not in vhost("all")
    assert presented(ONE) == kept("all") != presented(OTHER)


def test_a_name_that_moves_leaves_its_old_certificate(newest_certbot, policy_hosts):
    certbot = newest_certbot
    certbot("--mtasts", "--cert-name", "all", *BOTH)
    before = tree(VHOSTS)
    certbot("--mtasts", "--cert-name", "own", "-d", OTHER)
    assert OTHER not in vhost("all")
    assert presented(OTHER) == kept("own")
    assert presented(ONE) == kept("all")
    certbot("rollback", "-i", "mtasts")
    assert tree(VHOSTS) == before


def test_webroot_authenticator_with_our_installer(certbot_of_both_ends, policy_hosts):
    certbot_of_both_ends("run", "-a", "webroot", "-w", WEBROOT, "-i", "mtasts", "-d", ONE)
    assert presented(ONE) == kept(ONE)


def test_reconfigure_stores_options_and_leaves_apache_alone(newest_certbot, policy_hosts):
    newest_certbot("--mtasts", "-d", ONE)
    files, reloads = tree(ETC, CHECKPOINTS), policy_hosts.reloads()
    newest_certbot("reconfigure", "--cert-name", ONE, "--mtasts-preflight", "skip")
    assert renewal_parameters()["mtasts_preflight"] == "skip"
    assert tree(ETC, CHECKPOINTS) == files
    assert policy_hosts.reloads() == reloads


def test_delete_and_again(certbot, policy_hosts):
    certbot("--mtasts", "-d", ONE)
    certbot("delete", "--cert-name", ONE)
    assert policy_hosts.apache.configtest(check=False).code != 0
    assert "is gone" in certbot("--mtasts", "-d", ONE).output
    assert presented(ONE) == kept(ONE)


def test_renew_mends_what_delete_left(certbot_of_both_ends, policy_hosts):
    certbot = certbot_of_both_ends
    certbot("--mtasts", "-d", ONE)
    certbot("--mtasts", "-d", OTHER)
    certbot("delete", "--cert-name", ONE)
    certbot("renew")  # nothing is due
    policy_hosts.apache.configtest()
    assert os.listdir(VHOSTS) == [OTHER + ".conf"]
    assert presented(OTHER) == kept(OTHER)


def on_a_terminal(certbot, *args, choice):
    """Run certbot on a terminal, and enter the number of the line that begins with ``choice``."""
    argv, env = certbot.command(*args)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, dict(os.environ, **env))  # noqa: S606
    shown, entered = "", False
    while select.select([terminal], [], [], 120)[0]:
        try:
            shown += os.read(terminal, 4096).decode("utf-8", "replace")
        except OSError:  # the program has ended
            break
        line = re.search(r"^([0-9]+): " + choice, shown, re.MULTILINE)
        if line and not entered and "to cancel" in shown:
            os.write(terminal, line.group(1).encode() + b"\n")
            entered = True
    os.close(terminal)  # a program that still waits for something gets a hang-up
    if os.waitpid(pid, 0)[1] != 0:
        raise CommandFailed(shown)
    return shown


def test_installer_alone_offers_our_authenticator(certbot_of_both_ends, policy_hosts):
    ours = r"MTA-STS policy hosts \(mta-sts\.<domain>\) with Apache"
    shown = on_a_terminal(certbot_of_both_ends, "--installer", "mtasts", "-d", ONE, choice=ours)
    assert "How would you like to authenticate with the ACME CA?" in shown
    assert presented(ONE) == kept(ONE)


def test_names_that_are_not_ours_are_not_offered_to_us(certbot_of_both_ends, policy_hosts):
    order = ("certonly", "--http-01-port", "8080", "-d", "www.example.test")
    with pytest.raises(CommandFailed) as caught:  # www.example.test has no address
        on_a_terminal(certbot_of_both_ends, *order, choice="(Spin up|Runs an HTTP server)")
    assert "(standalone)" in str(caught.value)
    assert "MTA-STS" not in str(caught.value)


def test_without_names_those_with_a_policy_are_offered(certbot_of_both_ends, policy_hosts):
    result = certbot_of_both_ends("-a", "mtasts", "-i", "mtasts", check=False)
    assert result.code == 1
    assert ONE in result.output
    assert OTHER in result.output


@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_files_can_be_read_whatever_the_umask_is(newest_certbot, policy_hosts, umask):
    mask = os.umask(umask)
    try:
        newest_certbot("--mtasts", "-d", ONE)
    finally:
        os.umask(mask)
    assert os.stat("{}/{}.conf".format(VHOSTS, ONE)).st_mode & 0o777 == 0o644
    assert presented(ONE) == kept(ONE)
