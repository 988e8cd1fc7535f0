"""certbot with our plugin when things go wrong: Apache, the order, a crash, missing software."""

import os
import pty
import shutil
import signal
import subprocess

import pytest

from rig import stacks
from rig.apache import ETC, write
from rig.policy_host import CHALLENGES, CHECKPOINTS, RENEWAL, VHOSTS, WEBROOT, kept, presented, tree
from rig.process import run, wait_for

ONE, OTHER = "mta-sts.example.test", "mta-sts.example2.test"
NEIGHBOUR = "www.neighbour.test"
CTL = "/usr/local/bin/ctl"
REFUSES_TO_RELOAD = '[ "$2" != graceful ] || { echo out of order; exit 1; }\n'
WORKS = ""


def use_control_program(text):
    """Let CTL do what `text` says, and Apache's own program the rest."""
    write(CTL, "#!/bin/sh\n" + text + 'exec apache2ctl "$@"\n')
    os.chmod(CTL, 0o755)  # noqa: S103 - it is a program


def renewal_file(lineage=ONE):
    with open("{}/{}.conf".format(RENEWAL, lineage)) as source:
        return source.read()


def test_a_reload_that_failed_is_made_up_for_by_the_next_renew(certbot_of_both_ends, policy_hosts):
    certbot = certbot_of_both_ends
    use_control_program(WORKS)
    certbot("--mtasts", "--mtasts-ctl", CTL, "-d", ONE)
    first = kept(ONE)
    use_control_program(REFUSES_TO_RELOAD)
    failed = certbot("renew", "--force-renewal", check=False)
    assert failed.code == 1
    assert "out of order" in failed.output
    assert presented(ONE) == first != kept(ONE)
    use_control_program(WORKS)
    certbot("renew")  # nothing is due
    assert presented(ONE) == kept(ONE)


def test_a_failure_of_a_run_that_changes_nothing_leaves_everything(
    certbot_of_both_ends, policy_hosts
):
    certbot = certbot_of_both_ends
    use_control_program(WORKS)
    certbot("--mtasts", "--mtasts-ctl", CTL, "-d", ONE)
    write(VHOSTS + "/.reload-owed", "")
    before = tree(ETC, CHECKPOINTS, WEBROOT)
    use_control_program(REFUSES_TO_RELOAD)
    assert certbot("--mtasts", "--mtasts-ctl", CTL, "-d", ONE, check=False).code == 1
    assert tree(ETC, CHECKPOINTS, WEBROOT) == before
    assert presented(ONE) == kept(ONE)


def test_a_foreign_syntax_error_does_not_cost_the_installer(certbot_of_both_ends, policy_hosts):
    certbot = certbot_of_both_ends
    certbot("run", "-a", "webroot", "-w", WEBROOT, "-i", "mtasts", "-d", ONE)
    policy_hosts.apache.add_configuration("foreign", "Nonsense on\n")
    failed = certbot("renew", "--force-renewal", check=False)
    assert failed.code == 1
    assert "Nonsense" in failed.output
    assert "installer = mtasts" in renewal_file()
    policy_hosts.apache.disable("conf", "foreign")
    certbot("renew")
    assert presented(ONE) == kept(ONE)


def test_a_syntax_error_stops_an_order_before_the_ca_is_asked(newest_certbot, policy_hosts):
    policy_hosts.apache.add_configuration("foreign", "Nonsense on\n")
    failed = newest_certbot("--mtasts", "-d", ONE, check=False)
    assert failed.code == 1
    assert "Nonsense" in failed.output
    assert "Traceback" not in failed.output
    assert not os.path.exists(RENEWAL + "/" + ONE + ".conf")


@pytest.mark.parametrize(
    ("name", "code"),
    [("www.example.test", "domain-not-policy-host"), ("mta-sts.example.net", "policy-unknown")],
)
def test_a_name_without_a_policy_is_refused(certbot_of_both_ends, policy_hosts, name, code):
    before = tree(ETC, CHECKPOINTS, WEBROOT)
    failed = certbot_of_both_ends("--mtasts", "-d", ONE, "-d", name, check=False)
    assert failed.code == 1
    assert "[{}]".format(code) in failed.output
    assert "Traceback" not in failed.output
    assert tree(ETC, CHECKPOINTS, WEBROOT) == before


def test_a_hopeless_name_is_left_out_if_so_told(certbot_of_both_ends, policy_hosts):
    order = ("--mtasts", "--mtasts-preflight", "skip", "-d", ONE, "-d", "mta-sts.example.net")
    assert "Left out: mta-sts.example.net" in certbot_of_both_ends(*order).output
    assert presented(ONE) == kept(ONE)


def test_a_host_that_another_site_serves_is_refused(newest_certbot, policy_hosts):
    key = "/var/lib/mtasts/unknown-host"
    site = "<VirtualHost *:443>\nServerName {0}\nSSLEngine on\nSSLCertificateFile {1}.pem\n"
    site += "SSLCertificateKeyFile {1}.key\n</VirtualHost>\n"
    policy_hosts.apache.add_site("own", site.format(ONE, key))
    policy_hosts.apache.graceful()
    failed = newest_certbot("--mtasts", "-d", ONE, check=False)
    assert failed.code == 1
    assert "vhost-taken" in failed.output


def test_a_stopped_apache_stays_stopped(certbot_of_both_ends, policy_hosts):
    certbot = certbot_of_both_ends
    certbot("--mtasts", "-d", ONE)
    policy_hosts.apache.stop()
    certbot("install", "-i", "mtasts", "--cert-name", ONE)
    certbot("renew")
    assert policy_hosts.apache.pid() is None


def answers_the_ca():
    """Whether a key authorization (RFC 8555 section 8.1) is there: unlike ours, it has a dot."""
    return any(b"." in content for _, content in tree(CHALLENGES).values() if content)


def test_a_token_that_a_crash_left_is_removed(certbot_of_both_ends, policy_hosts):
    certbot = certbot_of_both_ends
    argv, env = certbot.command("certonly", "-a", "mtasts", "-d", ONE, "--debug-challenges")
    keyboard, terminal = pty.openpty()
    with subprocess.Popen(
        argv,
        env=dict(os.environ, **env),
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        # certbot now waits for a key, with the CA's token in place.
        wait_for(answers_the_ca, "the CA's token is there")
        process.send_signal(signal.SIGKILL)
    os.close(keyboard)
    os.close(terminal)
    assert policy_hosts.tokens()
    certbot("--mtasts", "-d", ONE)
    assert not policy_hosts.tokens()
    assert presented(ONE) == kept(ONE)


def test_deploy_hook_without_the_plugin(certbot_of_both_ends, policy_hosts):
    certbot = certbot_of_both_ends
    hook = "{} -m certbot_mtasts.deploy_hook".format(stacks.python("newest"))
    certbot("certonly", "--webroot", "-w", WEBROOT, "-d", ONE, "--deploy-hook", hook)
    first = kept(ONE)
    assert presented(ONE) == first
    certbot("renew", "--force-renewal")
    assert first != kept(ONE) == presented(ONE)


@pytest.mark.parametrize("version", list(stacks.CERTBOTS))
def test_the_plugin_needs_only_what_certbot_brings(make_certbot, version):
    shutil.rmtree(ETC)
    assert "No cert" in make_certbot(version)("certificates").output
    foreign = ["flask", "click", "dns", "wsgi_policy"]
    block = "import sys; sys.modules.update(dict.fromkeys({!r}))".format(foreign)
    python = stacks.python(stacks.CERTBOTS[version])
    run(python, "-c", block + "; import certbot_mtasts.plugin")


@pytest.mark.parametrize("name", [NEIGHBOUR, OTHER])
def test_certbots_own_apache_plugin_works_beside_ours(newest_certbot, policy_hosts, resolver, name):
    newest_certbot("--mtasts", "-d", ONE)
    resolver.set(*("{} A 127.0.0.1".format(host) for host in (ONE, OTHER, NEIGHBOUR)))
    site = "<VirtualHost *:80>\nServerName {}\nDocumentRoot /var/www/html\n</VirtualHost>\n"
    policy_hosts.apache.add_site("neighbour", site.format(NEIGHBOUR))
    policy_hosts.apache.graceful()
    newest_certbot("--apache", "-d", name)
    wait_for(lambda: presented(name) == kept(name), "Apache has reloaded")
    assert presented(ONE) == kept(ONE)


def test_checkpoints_of_another_plugin_are_never_rolled_back(
    newest_certbot, policy_hosts, resolver
):
    use_control_program(WORKS)
    newest_certbot("--mtasts", "--mtasts-ctl", CTL, "-d", ONE)
    resolver.set(*("{} A 127.0.0.1".format(host) for host in (ONE, NEIGHBOUR)))
    site = "<VirtualHost *:80>\nServerName {}\nDocumentRoot /var/www/html\n</VirtualHost>\n"
    policy_hosts.apache.add_site("neighbour", site.format(NEIGHBOUR))
    policy_hosts.apache.graceful()
    newest_certbot("--apache", "-d", NEIGHBOUR)
    wait_for(lambda: presented(NEIGHBOUR) == kept(NEIGHBOUR), "Apache has reloaded")

    write(VHOSTS + "/.reload-owed", "")
    before = tree(ETC, CHECKPOINTS)
    use_control_program(REFUSES_TO_RELOAD)
    failed = newest_certbot("--mtasts", "--mtasts-ctl", CTL, "-d", ONE, check=False)
    assert failed.code == 1
    assert tree(ETC, CHECKPOINTS) == before

    refused = newest_certbot("rollback", "-i", "mtasts", check=False)
    assert refused.code == 1
    assert "sites-" in refused.output
    assert tree(ETC, CHECKPOINTS) == before


def test_what_certbots_apache_plugin_wrote_into_our_file_goes_and_can_come_back(
    newest_certbot, policy_hosts
):
    newest_certbot("--mtasts", "-d", ONE)
    ours = tree(VHOSTS)
    newest_certbot("--apache", "--no-redirect", "--reinstall", "-d", ONE)
    theirs = tree(VHOSTS)
    assert theirs != ours
    newest_certbot("--mtasts", "-d", ONE)
    assert tree(VHOSTS) == ours
    assert presented(ONE) == kept(ONE)
    newest_certbot("rollback", "-i", "mtasts")
    assert tree(VHOSTS) == theirs


def test_an_installation_that_is_not_served_is_taken_back(certbot_of_both_ends, policy_hosts):
    key = "/var/lib/mtasts/unknown-host"
    site = "<VirtualHost *:443>\nServerName www.test\nServerAlias mta-sts.*\nSSLEngine on\n"
    site += "SSLCertificateFile {0}.pem\nSSLCertificateKeyFile {0}.key\n</VirtualHost>\n"
    policy_hosts.apache.add_site("any", site.format(key))
    before = tree(ETC, CHECKPOINTS)
    failed = certbot_of_both_ends("--mtasts", "-d", ONE, check=False)
    assert failed.code == 1
    assert "certificate-not-served" in failed.output
    assert "successfully restored your server to its prior configuration" in " ".join(
        failed.output.split()
    )
    assert tree(ETC, CHECKPOINTS) == before
    assert kept(ONE)  # to be installed when the other site is gone
