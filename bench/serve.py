"""Serving policies: our files under Apache against a static vhost, nginx and plain Flask.

All four run at once on ports of their own, with one certificate and one policy directory, and are
asked in turn, so that a machine whose speed drifts is fair to all. Only ratios to the static vhost
of the same round count. The load comes from wrk on this machine, which shares its cores.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP)]

from rig import distribution, machine  # noqa: E402
from rig.apache import Apache, write  # noqa: E402
from rig.policy_host import POLICIES, POLICY, VHOSTS, PolicyHosts  # noqa: E402
from rig.process import listens, run, wait_for  # noqa: E402

WORK = "/var/lib/bench"
PATH = "/.well-known/mta-sts.txt"
HOST = "mta-sts.example.test"  # in the certificate, and sent as SNI
PORTS = {"static": 8441, "nginx": 8442, "flask": 8443, "ours": 443}
PID_FILES = {
    "static": WORK + "/static.pid",
    "nginx": WORK + "/nginx.pid",
    "flask": WORK + "/flask.pid",
    "ours": "/run/apache2/apache2.pid",
}

APACHE = """
ServerName localhost
PidFile {work}/{name}.pid
ErrorLog {work}/{name}.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule rewrite_module {modules}/mod_rewrite.so
LoadModule wsgi_module {modules}/mod_wsgi.so
TypesConfig /etc/mime.types
User www-data
Group www-data
SSLSessionCache shmcb:{work}/{name}-cache(512000)
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {work}/{name}-access.log combined
Listen {port}
<VirtualHost *:{port}>
    ServerName mta-sts.example.test
    SSLEngine on
    SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1
    SSLCertificateFile {work}/cert.pem
    SSLCertificateKeyFile {work}/cert.key
    {serving}
</VirtualHost>
<Directory />
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

# Hosts in a random order; other answers than 200 are counted.
WRK = """
local count, close = {count}, {close}
math.randomseed({seed})
request = function()
    local headers = {{Host = "mta-sts.d" .. math.random(0, count - 1) .. ".test"}}
    if close then headers["Connection"] = "close" end
    return wrk.format("GET", "{path}", headers)
end
done = function(summary, latency)
    print("p99", latency:percentile(99))
    print("bad", summary.errors.status)
end
"""


def arrange() -> None:
    """Start all four; policies may be added later."""
    machine.make_fresh()
    distribution.install(tempfile.mkdtemp())
    os.makedirs(WORK)
    certificate = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]
    certificate += ["-nodes", "-days", "2", "-subj", "/CN=" + HOST]
    run(*certificate, "-keyout", WORK + "/cert.key", "-out", WORK + "/cert.pem")
    with open("/etc/hosts", "a") as file:
        file.write(f"127.0.0.1 {HOST}\n")
    hosts = PolicyHosts(Apache(), None)
    hosts.arrange()
    lines = ["<VirtualHost *:443>", "ServerName " + HOST, "ServerAlias mta-sts.*"]
    lines += [f"SSLCertificateFile {WORK}/cert.pem", f"SSLCertificateKeyFile {WORK}/cert.key"]
    write(VHOSTS + "/bench.conf", "\n".join(lines + ["Include mtasts-tls.inc", "</VirtualHost>\n"]))
    hosts.start()
    write(WORK + "/flask.wsgi", FLASK_APP.format(policies=POLICIES))
    for name, serving in (("static", STATIC), ("flask", FLASK)):
        values = {"work": WORK, "name": name, "port": PORTS[name]}
        values["serving"] = serving.format(work=WORK, policies=POLICIES)
        write(f"{WORK}/{name}.conf", APACHE.format(modules="/usr/lib/apache2/modules", **values))
        run("apache2", "-f", f"{WORK}/{name}.conf", "-k", "start")
    nginx = NGINX.format(work=WORK, port=PORTS["nginx"], policies=POLICIES)
    write(WORK + "/nginx.conf", nginx)
    run("nginx", "-c", WORK + "/nginx.conf")
    for port in PORTS.values():
        wait_for(lambda port=port: listens(port), f"port {port}")


def make_policies(start: int, end: int) -> None:
    """Policies for d<start>.test to d<end - 1>.test."""
    for number in range(start, end):
        directory = f"{POLICIES}/d{number}.test"
        os.mkdir(directory)
        with open(directory + "/mta-sts.txt", "w", newline="") as file:
            file.write(POLICY)


def load(name: str, count: int, close: bool, seconds: int, seed: int) -> tuple:
    """Ask one server for `seconds`: requests per second, p99 in ms, answers other than 200."""
    script = WORK + "/load.lua"
    values = {"count": count, "close": str(close).lower(), "seed": seed, "path": PATH}
    write(script, WRK.format(**values))
    argv = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", script, f"https://{HOST}:{PORTS[name]}"]
    output = subprocess.check_output(argv, universal_newlines=True)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    p99 = float(re.search(r"p99\s+([\d.]+)", output).group(1)) / 1000
    return rate, p99, int(re.search(r"bad\s+(\d+)", output).group(1))


def memory(name: str) -> float:
    """PSS of all the processes of a server, in MB."""
    with open(PID_FILES[name]) as file:
        parents = {int(file.read())}
    family = set(parents)
    for line in run("ps", "-eo", "pid=,ppid=").output.splitlines():
        pid, parent = map(int, line.split())
        if parent in parents:
            family.add(pid)
    total = 0
    for pid in family:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.MULTILINE).group(1))
    return total / 1024


def import_milliseconds() -> float:
    """The median time of what a fresh child of Apache imports, with the system's Python."""
    code = "import time; t = time.perf_counter()\nimport wsgi_policy; wsgi_policy.create_wsgi()"
    argv = ["/usr/bin/python3", "-c", code + "\nprint((time.perf_counter() - t) * 1000)"]
    return statistics.median(float(run(*argv).output) for _ in range(5))


def main() -> None:
    """Print one row per kind of load and server."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--policies", default="1,10000,100000")
    options = parser.parse_args()
    arrange()
    idle = {name: memory(name) for name in PORTS}
    made = 0
    print(f"{'policies':>8} {'load':10} {'server':7} {'req/s':>7} {'ratio':>6} {'p99 ms':>7} bad")
    for count in map(int, options.policies.split(",")):
        make_policies(made, count)
        made = count
        for kind in ("fresh TLS", "keep-alive"):
            rounds = []
            for seed in range(options.rounds):
                rounds.append(
                    {n: load(n, count, kind == "fresh TLS", options.seconds, seed) for n in PORTS}
                )
            for name in PORTS:
                rate = statistics.median(one[name][0] for one in rounds)
                ratio = statistics.median(one[name][0] / one["static"][0] for one in rounds)
                p99 = statistics.median(one[name][1] for one in rounds)
                bad = sum(one[name][2] for one in rounds)
                print(
                    f"{count:>8} {kind:10} {name:7} {rate:>7.0f} {ratio:>6.2f} {p99:>7.2f} {bad}",
                    flush=True,
                )
    print(f"imports of a fresh child: {import_milliseconds():.0f} ms")
    for name in PORTS:
        print(f"PSS of {name}: {idle[name]:.0f} MB idle, {memory(name):.0f} MB after the load")


main()
