"""A certificate is installed without certbot, on a real Apache: what fails leaves all as it was."""

import os

import pytest

from certbot_mtasts import deploy_hook
from certbot_mtasts.apachectl import Apache as Control
from certbot_mtasts.deploy import NotServed, Site
from certbot_mtasts.vhost import VHost
from mtasts.errors import MtastsError
from rig import http
from rig.apache import ETC, PID_FILE, write
from rig.policy_host import LIVE, POLICIES, POLICY, VHOSTS, kept, presented, tree
from rig.process import run

ONE, OTHER = "mta-sts.example.test", "mta-sts.example2.test"
CTL = "/usr/local/bin/ctl"
REFUSES = '[ "$2" != graceful ] || { echo "out of order"; exit 1; }\n'
# What an editor does in the moment between test and reload.
BREAKS = """[ "$2" != graceful ] || {{
    echo Nonsense on >{etc}/conf-enabled/nonsense.conf
    exec kill -USR1 $(cat {pid_file})
}}
""".format(etc=ETC, pid_file=PID_FILE)
SITE = """<VirtualHost {address}:443>
    ServerName {name}
    ServerAlias {alias}
    SSLEngine on
    SSLCertificateFile /var/lib/mtasts/unknown-host.pem
    SSLCertificateKeyFile /var/lib/mtasts/unknown-host.key
</VirtualHost>
"""


def certificate(lineage):
    """Let certbot's directory hold a new certificate for `lineage`, as after a renewal."""
    live = "{}/{}".format(LIVE, lineage)
    os.makedirs(live, exist_ok=True)
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    request += ["-nodes", "-days", "30", "-subj", "/CN=" + lineage]
    run(*request, "-keyout", live + "/privkey.pem", "-out", live + "/fullchain.pem")
    run("cp", live + "/fullchain.pem", live + "/cert.pem")
    return live


def hook(lineage, *names, ctl="apache2ctl"):
    """Run the deploy hook as certbot does after it got a certificate for `names`; its exit code."""
    os.environ["RENEWED_LINEAGE"] = "{}/{}".format(LIVE, lineage)
    os.environ["RENEWED_DOMAINS"] = " ".join(names)
    try:
        return deploy_hook.main(["--ctl", ctl])
    finally:
        del os.environ["RENEWED_LINEAGE"], os.environ["RENEWED_DOMAINS"]


def control_program(text):
    write(CTL, "#!/bin/sh\n" + text + 'exec apache2ctl "$@"\n')
    os.chmod(CTL, 0o755)  # noqa: S103 - it is a program
    return CTL


def site(ctl="apache2ctl"):
    return Site(VHOSTS, POLICIES, Control(ctl))


def vhost(lineage, *names):
    live = "{}/{}".format(LIVE, lineage)
    return VHost(lineage, names, live + "/fullchain.pem", live + "/privkey.pem")


def test_hook_installs_at_first_and_reloads_after_a_renewal(policy_hosts):
    certificate("all")
    assert hook("all", "www.example.test", ONE, OTHER) == 0
    assert presented(ONE) == presented(OTHER) == kept("all")
    files = tree(ETC)
    certificate("all")
    assert presented(ONE) != kept("all")
    assert hook("all", "www.example.test", ONE, OTHER) == 0
    assert presented(ONE) == presented(OTHER) == kept("all")
    assert tree(ETC) == files


def test_hook_passes_over_certificates_of_others(policy_hosts):
    certificate("www")
    before, reloads = tree(ETC), policy_hosts.reloads()
    assert hook("www", "www.example.test") == 0
    assert tree(ETC) == before
    assert policy_hosts.reloads() == reloads


def test_hook_serves_on_what_it_serves_though_the_policy_is_gone(policy_hosts):
    certificate(ONE)
    assert hook(ONE, ONE) == 0
    run("rm", "-r", POLICIES + "/example.test")
    certificate(ONE)
    assert hook(ONE, ONE) == 0
    assert presented(ONE) == kept(ONE)


def test_hook_refuses_a_domain_without_a_policy(policy_hosts, capsys):
    certificate("new")
    before = tree(ETC)
    assert hook("new", "mta-sts.unknown.test") == 1
    assert "mtasts new unknown.test" in capsys.readouterr().err
    assert tree(ETC) == before


def test_hook_does_not_need_certbot():
    block = "import sys; sys.modules['certbot'] = sys.modules['acme'] = None"
    run("python3", "-c", block + "; import certbot_mtasts.deploy_hook")


@pytest.mark.parametrize("fault", ["test", "reload"])
def test_what_fails_leaves_everything_as_it_was_and_running(policy_hosts, capsys, fault):
    certificate("all")
    assert hook("all", ONE) == 0
    before = tree(ETC)
    certificate("new")
    if fault == "test":
        write(LIVE + "/new/privkey.pem", "")  # configtest sees that it is empty
        assert hook("new", ONE, OTHER) == 1
        assert "privkey.pem" in capsys.readouterr().err
    else:
        assert hook("new", ONE, OTHER, ctl=control_program(REFUSES)) == 1
        assert "out of order" in capsys.readouterr().err
        assert deploy_hook.main([]) == 0  # it could not go back either, so that is owed
    assert tree(ETC) == before
    assert presented(ONE) == kept("all")


def test_reload_that_was_refused_is_made_up_for(policy_hosts):
    certificate(ONE)
    assert hook(ONE, ONE) == 0
    certificate(ONE)
    assert hook(ONE, ONE, ctl=control_program(REFUSES)) == 1
    assert presented(ONE) != kept(ONE)
    assert deploy_hook.main([]) == 0
    assert presented(ONE) == kept(ONE)
    reloads = policy_hosts.reloads()
    assert deploy_hook.main([]) == 0  # nothing is owed now
    assert policy_hosts.reloads() == reloads


def test_deleted_certificate_is_taken_out(policy_hosts):
    certificate(ONE)
    certificate(OTHER)
    assert hook(ONE, ONE) == hook(OTHER, OTHER) == 0
    run("rm", "-r", LIVE + "/" + ONE)
    assert policy_hosts.apache.configtest(check=False).code != 0
    assert deploy_hook.main([]) == 0
    policy_hosts.apache.configtest()
    assert os.listdir(VHOSTS) == [OTHER + ".conf"]
    assert presented(OTHER) == kept(OTHER) != presented(ONE)


def test_apache_that_dies_of_a_reload_is_noticed(policy_hosts):
    certificate(ONE)
    with pytest.raises(MtastsError) as caught:
        site(control_program(BREAKS)).install(vhost(ONE, ONE))
    assert caught.value.code == "apache-died"
    assert policy_hosts.apache.pid() is None


def test_virtual_host_of_somebody_else_is_not_shadowed(policy_hosts):
    policy_hosts.apache.add_site("tutorial", SITE.format(address="*", name=ONE, alias="x.test"))
    certificate(ONE)
    with pytest.raises(MtastsError) as caught:
        site().install(vhost(ONE, ONE))
    assert caught.value.code == "vhost-taken"
    assert "/etc/apache2/sites-enabled/tutorial.conf, line 1" in caught.value.message
    assert "apache/setup --take-over example.test" in caught.value.remedy


def test_wildcard_of_somebody_else_that_takes_the_name_is_noticed(policy_hosts):
    any_host = SITE.format(address="*", name="www.test", alias="mta-sts.*")
    policy_hosts.apache.add_site("any", any_host)
    certificate(ONE)
    before = tree(ETC)
    with pytest.raises(NotServed) as caught:
        site().install(vhost(ONE, ONE))
    assert ONE in caught.value.message
    assert tree(ETC) == before


def test_names_are_looked_at_where_apache_listens(policy_hosts):
    """Not on loopback: `Listen` with one address is common on machines with several."""
    policy_hosts.apache.stop()
    write(ETC + "/ports.conf", "Listen 80\nListen 192.0.2.1:443\n")
    policy_hosts.apache.start()
    certificate(ONE)
    site().install(vhost(ONE, ONE))
    assert not site().owes_reload()
    certificate(ONE)
    assert site().owes_reload()


def test_reload_is_over_although_a_slow_client_holds_an_old_child(policy_hosts):
    certificate(ONE)
    site().install(vhost(ONE, ONE))
    certificate(ONE)
    with http.connect(ONE) as slow:
        slow.sendall(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n")
        site().install(vhost(ONE, ONE))
        assert presented(ONE) == kept(ONE)
        answer = http.exchange(b"Host: " + ONE.encode() + b"\r\nConnection: close\r\n\r\n", slow)
    assert (answer.status, answer.text) == (200, POLICY)
