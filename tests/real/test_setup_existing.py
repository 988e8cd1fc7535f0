"""apache/setup where something is there already: virtual hosts of the names, another httpd."""

import contextlib
import os
import threading

import pytest

from rig.apache import write
from rig.set_up import DOMAIN, OTHER, converse, difference, tree

SITES = "/etc/apache2/sites-available/"
LEGACY = "version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 604800\n"
LEGACY_ID = "20240101T000000"
# What a tutorial for static policies ends with.
TUTORIAL = """
<VirtualHost *:80>
    ServerName mta-sts.example.test
    ServerAlias mta-sts.example2.test
    Redirect permanent / https://mta-sts.example.test/
</VirtualHost>
<VirtualHost *:443>
    ServerName mta-sts.example.test
    ServerAlias mta-sts.example2.test
    DocumentRoot /var/www/mta-sts
    SSLEngine on
    SSLCertificateFile /etc/letsencrypt/live/mta-sts.example.test/fullchain.pem
    SSLCertificateKeyFile /etc/letsencrypt/live/mta-sts.example.test/privkey.pem
    ErrorDocument 403 "403 Forbidden - This site is used to specify the MTA-STS policy"
    RewriteEngine On
    RewriteRule !^/\\.well-known/mta-sts\\.txt$ - [F]
</VirtualHost>
"""
SHARED = """
<VirtualHost *:443>
    ServerName www.example.test
    ServerAlias example.test mta-sts.example.test
    DocumentRoot /var/www/mta-sts
    SSLEngine on
    SSLCertificateFile /etc/ssl/www.pem
    SSLCertificateKeyFile /etc/ssl/www.key
</VirtualHost>
"""
HTTPD = """
ServerRoot /etc/httpd
PidFile /run/httpd.pid
Listen 80
Listen 443
User www-data
Group www-data
ErrorLog logs/error_log
Include /etc/apache2/mods-available/{mpm_event,authz_core,alias,mime,socache_shmcb,ssl,wsgi}.load
TypesConfig /etc/mime.types
IncludeOptional conf.d/*.conf
"""


@pytest.fixture
def host(new_host):
    """A machine with Apache, certbot and a static policy, as an administrator left it years ago."""
    host = new_host()
    host.machine.run(
        *("sh", "-c"),
        "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "
        "--no-install-recommends apache2 certbot openssl libapache2-mod-wsgi-py3",
    )
    os.makedirs(host.machine.path("/var/www/mta-sts/.well-known"))
    write(host.machine.path("/var/www/mta-sts/.well-known/mta-sts.txt"), LEGACY)
    return host


def start_with(host, site, text):
    write(host.machine.path(SITES + site + ".conf"), text)
    host.machine.run("a2enmod", "-q", "ssl", "rewrite")
    host.machine.run("a2ensite", "-q", site)
    host.machine.run("apache2ctl", "start")


@contextlib.contextmanager
def senders(host, text):
    """Senders that fetch all the time; whatever they got but ``text`` comes out in the list."""
    wrong, stop = [], threading.Event()

    def fetch():
        while not stop.is_set():
            try:
                answer = host.policy()
            except Exception as error:
                answer = repr(error)
            if answer != text:
                wrong.append(answer)

    thread = threading.Thread(target=fetch)
    thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        thread.join()


def test_taking_over_a_tutorials_virtual_host(host):
    names = ("-d", "mta-sts.example.test", "-d", "mta-sts.example2.test")
    order = (
        "certbot",
        "certonly",
        "--standalone",
        "-n",
        "--agree-tos",
        "--server",
        host.pebble.url,
    )
    host.machine.run(*order, "--register-unsafely-without-email", *names, env=host.env)
    start_with(host, "policy", TUTORIAL)
    assert host.policy() == LEGACY

    output = host.fails("existing-vhost", DOMAIN, OTHER)
    assert "sites-enabled/policy.conf" in output
    assert "--take-over" in output
    apache = [
        line for line in difference({}, tree(host.machine)) if line.startswith("/etc/apache2")
    ]
    assert not any("zz-mtasts" in line for line in apache)
    assert "example2.test" in host.fails("vhost-shared", DOMAIN)

    question = {"switch these virtual hosts off?": "y"}
    account = ("--agree-tos", "--email", "postmaster@example.test")
    with senders(host, LEGACY) as wrong:
        done = converse(
            host.machine, question, *host.command(DOMAIN, OTHER, *account), env=host.env
        )
        assert done.code == 0, done
    assert wrong == []
    assert host.policy(OTHER) == LEGACY
    assert host.file("/var/lib/mtasts/policies/example.test/mta-sts.txt") == LEGACY
    assert not os.path.lexists(host.machine.path("/etc/apache2/sites-enabled/policy.conf"))
    assert "a2ensite policy" in host.file("/var/lib/mtasts/setup/taken-over/log")
    assert "certbot delete --cert-name mta-sts.example.test\n" in done.output.replace("\r", "")
    assert host.lineage() != "mta-sts.example.test"
    assert "Nothing had to be changed." in host.setup(DOMAIN, OTHER).output
    host.assert_renews()


def test_taking_a_name_out_of_a_site_that_serves_others(host, resolver):
    resolver.set(
        "mta-sts.example.test A 127.0.0.1",
        '_mta-sts.example.test TXT "v=STSv1; id={};"'.format(LEGACY_ID),
    )
    request = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=www -keyout /etc/ssl/www.key"
    host.machine.run(*request.split(), "-out", "/etc/ssl/www.pem")
    start_with(host, "www", SHARED)

    output = host.setup_quietly(DOMAIN, "--take-over").output
    assert host.policy() == LEGACY
    assert "id={};".format(LEGACY_ID) in output
    assert "ServerAlias example.test\n" in host.file(SITES + "www.conf")
    listing = host.machine.run("apache2ctl", "-t", "-D", "DUMP_VHOSTS").output
    assert "namevhost www.example.test" in listing
    assert host.file("/var/lib/mtasts/setup/taken-over/www.conf.before") == SHARED
    assert "Nothing had to be changed." in host.setup(DOMAIN).output


def test_another_server_root(host):
    etc = host.machine.path("/etc/httpd")
    for directory in ("conf", "conf.d", "logs"):
        os.makedirs(os.path.join(etc, directory))
    modules = ["mpm_event", "authz_core", "alias", "mime", "socache_shmcb", "ssl", "wsgi"]
    includes = ["Include /etc/apache2/mods-available/{}.load\n".format(one) for one in modules]
    start, _, end = HTTPD.partition("Include /etc/apache2")
    write(etc + "/conf/httpd.conf", start + "".join(includes) + end.partition("\n")[2])
    program = '#!/bin/sh\nexec /usr/sbin/apache2 -d /etc/httpd -f conf/httpd.conf "$@"\n'
    write(host.machine.path("/usr/local/sbin/httpd"), program)
    host.machine.run("chmod", "+x", "/usr/local/sbin/httpd")
    place = ("--server-root", "/etc/httpd", "--ctl", "httpd")

    assert host.setup_quietly(DOMAIN, *place[:2], check=False).code == 2  # --ctl is missing
    host.fails("ctl-elsewhere", DOMAIN, "--server-root", "/etc/httpd", "--ctl", "apachectl")
    host.setup_quietly(DOMAIN, *place)
    assert (
        host.policy()
        == "version: STSv1\r\nmode: testing\r\nmx: mx.example.test\r\nmax_age: 86401\r\n"
    )
    assert "Nothing had to be changed." in host.setup(DOMAIN, *place).output
    host.assert_renews()
