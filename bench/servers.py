"""The servers that bench/serve compares: each as its administrator would set it up, on a port.

They share one certificate and one policy directory, where every policy is another one. Each Apache
is a newly installed Debian's, whose only site differs; ours is what apache/setup arrives at.
"""

import os
import re
import shutil
import tempfile
from typing import Sequence

from rig import distribution, machine
from rig.apache import ETC, Apache, write
from rig.policy_host import POLICIES, POLICY, VHOSTS, PolicyHosts
from rig.process import listens, run, wait_for

WORK = "/var/lib/bench"
HOST = "mta-sts.example.test"  # in the certificate, and sent as SNI
PORTS = {"static": 8441, "nginx": 8442, "flask": 8443, "bare": 8444, "ours": 443}
PID_FILES = {
    "static": "/run/apache2-static/apache2.pid",
    "nginx": WORK + "/nginx.pid",
    "flask": "/run/apache2-flask/apache2.pid",
    "bare": "/run/apache2-bare/apache2.pid",
    "ours": "/run/apache2/apache2.pid",
}

SITE = """
<VirtualHost *:{port}>
    ServerName mta-sts.example.test
    SSLEngine on
    SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1
    SSLCertificateFile {work}/cert.pem
    SSLCertificateKeyFile {work}/cert.key
    CustomLog ${{APACHE_LOG_DIR}}/access.log combined
    {serving}
</VirtualHost>
<Directory {policies}>
    Require all granted
</Directory>
<Directory {work}>
    Require all granted
</Directory>
"""

STATIC = """
    DocumentRoot {policies}
    RewriteEngine on
    RewriteCond %{{HTTP_HOST}} ^mta-sts\\.(.+)$
    RewriteRule ^/\\.well-known/mta-sts\\.txt$ {policies}/%1/mta-sts.txt [L]
    RewriteRule ^ - [F]
"""

FLASK = """
    WSGIScriptAlias / {work}/flask.wsgi
    WSGIApplicationGroup %{{GLOBAL}}
"""

FLASK_APP = """
from flask import Flask, request, send_from_directory

application = Flask(__name__)

@application.route("/.well-known/mta-sts.txt")
def policy():
    domain = request.host.split(":")[0][len("mta-sts."):]
    return send_from_directory("{policies}/" + domain, "mta-sts.txt")
"""

# What mod_wsgi itself costs: one answer for all, without a look at anything.
BARE = """
    WSGIScriptAliasMatch ^/\\.well-known/mta-sts\\.txt$ {work}/bare.wsgi
    WSGIApplicationGroup %{{GLOBAL}}
"""

BARE_APP = """
BODY = {policy!r}
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]

def application(environ, start_response):
    start_response("200 OK", HEADERS)
    return [BODY]
"""

NGINX = """
user www-data;
worker_processes auto;
pid {work}/nginx.pid;
error_log {work}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    types {{ text/plain txt; }}
    access_log {work}/nginx-access.log combined;
    server {{
        listen {port} ssl backlog=511;
        server_name "~^mta-sts\\.(?<domain>.+)$";
        ssl_certificate {work}/cert.pem;
        ssl_certificate_key {work}/cert.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        location = /.well-known/mta-sts.txt {{ alias {policies}/$domain/mta-sts.txt; }}
        location / {{ return 403; }}
    }}
}}
"""


def arrange() -> None:
    """Start all of them, without any policy."""
    machine.make_fresh()
    distribution.install(tempfile.mkdtemp())
    os.makedirs(WORK)
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    request += ["-nodes", "-days", "2", "-subj", "/CN=" + HOST]
    run(*request, "-keyout", WORK + "/cert.key", "-out", WORK + "/cert.pem")
    with open("/etc/hosts", "a") as file:
        file.write(f"127.0.0.1 {HOST}\n")
    write(WORK + "/flask.wsgi", FLASK_APP.format(policies=POLICIES))
    write(WORK + "/bare.wsgi", BARE_APP.format(policy=POLICY.encode("ascii")))
    start_debian("static", STATIC, ["rewrite"])
    start_debian("flask", FLASK, ["wsgi"])
    start_debian("bare", BARE, ["wsgi"])
    start_ours()
    nginx = NGINX.format(work=WORK, port=PORTS["nginx"], policies=POLICIES)
    write(WORK + "/nginx.conf", nginx)
    run("nginx", "-c", WORK + "/nginx.conf")
    for port in PORTS.values():
        wait_for(lambda port=port: listens(port), f"port {port}")
    # A file system as a machine has it, not one of the sandbox's layers.
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", POLICIES)


def start_debian(name: str, serving: str, modules: Sequence[str]) -> None:
    """Start one more Apache of the machine, as Debian's README.multiple-instances tells."""
    home = f"{ETC}-{name}"
    shutil.copytree(ETC, home, symlinks=True)
    os.makedirs(f"/var/log/apache2-{name}")
    instance = {"APACHE_CONFDIR": home}
    run("a2dismod", "--quiet", "wsgi", env=instance)
    run("a2enmod", "--quiet", "ssl", *modules, env=instance)
    run("a2dissite", "--quiet", "000-default", env=instance)
    port = PORTS[name]
    write(home + "/ports.conf", f"Listen {port}\nServerName localhost\n")
    serving = serving.format(work=WORK, policies=POLICIES)
    site = SITE.format(port=port, work=WORK, policies=POLICIES, serving=serving)
    write(home + "/sites-enabled/bench.conf", site)
    run("apache2ctl", "start", env=instance)


def start_ours() -> None:
    """Start Apache as apache/setup arranges it, with the certificate of all."""
    hosts = PolicyHosts(Apache(), None)
    hosts.arrange()
    lines = ["<VirtualHost *:443>", "ServerName " + HOST, "ServerAlias mta-sts.*"]
    lines += [f"SSLCertificateFile {WORK}/cert.pem", f"SSLCertificateKeyFile {WORK}/cert.key"]
    write(VHOSTS + "/bench.conf", "\n".join(lines + ["Include mtasts-tls.inc", "</VirtualHost>\n"]))
    hosts.start()


def make_policies(start: int, end: int) -> None:
    """Policies for d<start>.test to d<end - 1>.test, each of other bytes."""
    for number in range(start, end):
        directory = f"{POLICIES}/d{number}.test"
        os.mkdir(directory)
        with open(directory + "/mta-sts.txt", "w", newline="") as file:
            file.write(POLICY.replace("example", f"d{number}"))


def family(name: str) -> list:
    """The process ids of a server, its parent first."""
    with open(PID_FILES[name]) as file:
        parent = int(file.read())
    return [parent] + [int(pid) for pid in run("pgrep", "-P", str(parent)).output.split()]


def cpu_seconds(name: str) -> float:
    """CPU time of all the processes that a server has or had."""
    ticks = 0
    for number, pid in enumerate(family(name)):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        # utime, stime; of the parent cutime and cstime, too: proc(5)
        ticks += sum(map(int, fields[11 : 13 if number else 15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(name: str) -> float:
    """PSS of all the processes of a server, in MB."""
    total = 0
    for pid in family(name):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.MULTILINE).group(1))
    return total / 1024
