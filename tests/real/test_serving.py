"""Policies as the world fetches them: real Apache, real TLS, every mod_wsgi and MPM that counts."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import threading

import pytest

from rig import stacks
from rig.apache import write
from rig.http import connect, exchange, fetch, fetch_plain
from rig.policy_host import CHALLENGES, POLICIES, POLICY, PolicyHosts, certify
from rig.process import run, wait_for

HOST = "mta-sts.example.test"
PATH = "/.well-known/mta-sts.txt"
FILE = POLICIES + "/example.test/mta-sts.txt"
BYTES = POLICY.encode("ascii")
OTHER = POLICY.replace("testing", "enforce").encode("ascii")
SETUPS = [(wsgi, mpm) for wsgi in stacks.WSGI_STACKS for mpm in ("event", "prefork")]
ACCESS_LOG = "/var/log/apache2/mtasts_access.log"


@pytest.fixture
def make_hosts(make_apache, installed, resolver):
    """A running machine with policies for example.test and example2.test."""

    def make(wsgi="system", mpm="event", modules=()):
        hosts = PolicyHosts(make_apache(wsgi, mpm), resolver)
        hosts.arrange()
        hosts.apache.enable("mod", *modules)
        hosts.serve("example.test", "example2.test")
        hosts.root = certify(HOST, "mta-sts.example2.test")
        hosts.start()
        return hosts

    return make


@pytest.fixture(params=SETUPS, ids="-".join)
def any_hosts(request, make_hosts):
    return make_hosts(*request.param)


def replace(data, path=FILE):
    """As an administrator's tool does: whole, by rename."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def test_a_policy_is_fetched_byte_for_byte(any_hosts):
    answer = fetch(HOST, root=any_hosts.root)
    assert (answer.status, answer.body) == (200, BYTES)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == str(len(BYTES))
    assert answer.headers["x-content-type-options"] == "nosniff"
    tag = answer.headers["etag"]
    head = fetch(HOST, method="HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(BYTES)), b"")
    assert fetch(HOST, headers={"If-None-Match": tag}).status == 304
    assert fetch(HOST, headers={"If-None-Match": '"other"'}).body == BYTES
    refused = fetch(HOST, method="POST", headers={"Content-Length": "0"})
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")
    assert fetch("mta-sts.example2.test", root=any_hosts.root).body == BYTES


def test_everything_else_is_the_page(any_hosts):
    """It comes from the daemon, which has an account of its own."""
    for answer in (
        fetch(HOST, "/"),
        fetch(HOST, "/index.html?x", method="PROPFIND"),
        fetch(HOST, PATH + "/"),
        fetch(HOST, PATH.upper()),
        fetch_plain(HOST, "/"),
        fetch_plain(HOST, PATH),
    ):
        assert answer.status == 403
        assert "STSv1" not in answer.text
        assert "please use https://example.test instead" in answer.text
    vietnamese = {"Accept": "text/html", "Accept-Language": "vi-VN, en;q=0.5"}
    answer = fetch(HOST, "/", headers=vietnamese)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="vi">' in answer.text
    assert run("ps", "-C", "apache2", "-o", "user=", "--no-headers").output.split().count("mtasts")


def test_challenges_need_no_application(any_hosts):
    write(CHALLENGES + "/token", "token.thumbprint")
    write("/usr/local/share/mtasts/mtasts.wsgi", "this is not Python")
    any_hosts.apache.graceful()
    answer = fetch_plain(HOST, "/.well-known/acme-challenge/token")
    assert (answer.status, answer.body) == (200, b"token.thumbprint")
    assert fetch_plain(HOST, "/.well-known/acme-challenge/").status in (403, 404)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3(make_hosts, version):
    hosts = make_hosts()
    context = ssl.create_default_context(cafile=hosts.root)
    context.minimum_version = context.maximum_version = version
    plain = socket.create_connection(("127.0.0.1", 443), timeout=15)
    with context.wrap_socket(plain, server_hostname=HOST) as connection:
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode("ascii"))
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.read() == BYTES


def test_tls_1_1_is_refused(make_hosts):
    make_hosts()
    argv = ["openssl", "s_client", "-connect", "127.0.0.1:443", "-servername", HOST, "-tls1_1"]
    seen = run(*argv, "-cipher", "DEFAULT:@SECLEVEL=0", check=False)
    assert "alert protocol version" in seen.output


@pytest.mark.parametrize("wsgi", stacks.WSGI_STACKS)
def test_http_2(make_hosts, wsgi):
    hosts = make_hosts(wsgi, modules=["http2"])
    argv = ["curl", "--silent", "--show-error", "--http2", "--cacert", hosts.root]
    argv += ["--resolve", HOST + ":443:127.0.0.1", "--write-out", "%{http_version}"]
    seen = subprocess.check_output(argv + [f"https://{HOST}{PATH}"])
    assert seen == BYTES + b"2"
    page = subprocess.check_output(argv + [f"https://{HOST}/"])
    assert page.startswith(b"403 Forbidden")
    assert page.endswith(b"2")


def request_line(target=PATH, host=HOST, method="GET", version="HTTP/1.1", more=""):
    """The bytes of a request; `host` None leaves the header out."""
    header = "" if host is None else f"Host: {host}\r\n"
    return f"{method} {target} {version}\r\n{header}{more}Connection: close\r\n\r\n".encode(
        "latin-1"
    )


# What a stranger may send over TLS, and what comes back. 400 is Apache's own word, before any code
# of ours; 404 is ours at the policy's address, Apache's where it says so; 403 is the page.
HOSTILE = {
    "host in capitals": (request_line(host=HOST.upper()), 200),
    "host with port": (request_line(host=HOST + ":443"), 200),
    "host with final dot": (request_line(host=HOST + "."), 200),
    "host with final dot and port": (request_line(host=HOST + ".:443"), 200),
    "http/1.0 with host": (request_line(version="HTTP/1.0"), 200),
    "http/1.0 without host": (request_line(host=None, version="HTTP/1.0"), 400),
    "http/1.1 without host": (request_line(host=None), 400),
    "two hosts": (request_line(more=f"Host: {HOST}\r\n"), 400),
    "empty host": (request_line(host=""), 400),
    "parent folder as host": (request_line(host="mta-sts..."), 400),
    "path in host": (request_line(host="mta-sts.example.test/../x"), 400),
    "backslash in host": (request_line(host="mta-sts.example.test\\x"), 400),
    "nul in host": (request_line(host="mta-sts.example.test\0"), 400),
    "percent in host": (request_line(host="mta-sts.%65xample.test"), 400),
    "non-ascii host": (request_line(host="mta-sts.ex\xe4mple.test"), 400),
    "query": (request_line(PATH + "?mode=none"), 200),
    "encoded dot": (request_line("/%2ewell-known/mta-sts%2etxt"), 200),
    "encoded letter": (request_line("/.well-known/%6dta-sts.txt"), 200),
    "doubled slash at the start": (request_line("/" + PATH), 200),
    "doubled slash inside": (request_line("/.well-known//mta-sts.txt"), 200),
    "dot segment": (request_line("/./.well-known/mta-sts.txt"), 200),
    "parent segment": (request_line("/x/.." + PATH), 200),
    "above the root": (request_line("/../../etc/passwd"), 400),
    "above the root, encoded": (request_line("/%2e%2e/%2e%2e/etc/passwd"), 400),
    "encoded slash": (request_line("/.well-known%2fmta-sts.txt"), 404),
    "encoded nul": (request_line(PATH + "%00"), 404),
    "trailing slash": (request_line(PATH + "/"), 403),
    "more path": (request_line(PATH + "/x"), 403),
    "path in capitals": (request_line(PATH.upper()), 403),
    "one more letter": (request_line(PATH + "x"), 403),
    "doubly encoded": (request_line("/%252ewell-known/mta-sts.txt"), 403),
    "semicolon": (request_line(PATH + ";x"), 403),
    "connect": (request_line(method="CONNECT", target=HOST + ":443"), 403),
    "unknown method": (request_line(method="BREW"), 405),
    "options": (request_line(method="OPTIONS"), 405),
    "a name of 8 kB": (request_line("/" + "a" * 8000), 404),
    "a name of 9 kB": (request_line("/" + "a" * 9000), 414),
    "host of 300 bytes": (request_line(host="mta-sts." + "a." * 146 + "test"), 421),
    "address as host": (request_line(host="127.0.0.1"), 421),
    "ipv6 address as host": (request_line(host="[::1]"), 421),
    "unknown policy host": (request_line(host="mta-sts.example.com"), 421),
}


@pytest.mark.parametrize("wsgi", ["system", "bionic"])
def test_hostile_requests(make_hosts, wsgi):
    make_hosts(wsgi)
    wrong = {}
    for name, (request, expected) in HOSTILE.items():
        answer = exchange(request, connect(HOST))
        policy = BYTES if expected == 200 else None
        if answer.status != expected or (answer.body == BYTES) != bool(policy):
            wrong[name] = (expected, answer.status)
        assert "location" not in answer.headers, name
    assert not wrong


def test_names_that_nobody_knows_get_the_harmless_host(make_hosts):
    """Without a lineage, whatever the name: a certificate nobody trusts and no foreign word."""
    hosts = make_hosts()
    for name in ("mta-sts.example.com", "www.example.com"):
        with pytest.raises(ssl.SSLError):
            fetch(name, root=hosts.root)
        assert fetch(name).status == 404
        page = fetch(name, "/")
        assert page.status == 403
        assert name not in page.text
        assert "example.test" not in page.text
    assert exchange(request_line(), connect("mta-sts.example.com")).status == 421


def test_mod_deflate_leaves_the_bytes_alone(make_hosts):
    make_hosts(modules=["deflate"])
    answer = fetch(HOST, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert answer.body == BYTES
    assert "content-encoding" not in answer.headers


def test_changes_are_served_without_reload(any_hosts):
    assert fetch(HOST).body == BYTES
    replace(OTHER)
    wait_for(lambda: fetch(HOST).body == OTHER, "a change by rename is served")
    with open(FILE, "wb") as file:
        file.write(BYTES)
    wait_for(lambda: fetch(HOST).body == BYTES, "a change in place is served")
    git = ["git", "-C", POLICIES, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    run(*git, "init", "--quiet")
    run(*git, "add", ".")
    run(*git, "commit", "--quiet", "-m", "testing")
    replace(OTHER)
    run(*git, "commit", "--quiet", "-a", "-m", "enforce")
    wait_for(lambda: fetch(HOST).body == OTHER, "a change by rename is served")
    run(*git, "checkout", "--quiet", "HEAD~")
    wait_for(lambda: fetch(HOST).body == BYTES, "a change by git is served")


def test_an_invalid_policy_is_not_served_and_the_log_says_why(any_hosts):
    write(FILE, POLICY.replace("STSv1", "STSv2"))
    answer = fetch("mta-sts.example2.test")
    assert answer.body == BYTES
    answer = fetch(HOST)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "STSv" not in answer.text
    log = any_hosts.apache.error_log()
    assert f"{FILE}: line 1: " in log
    assert "RFC 8461 section 3.2" in log
    replace(BYTES)
    wait_for(lambda: fetch(HOST).body == BYTES, "the repaired policy is served")


class Load:
    """Fresh TLS connections, one after the other, from a few threads, until told to end."""

    def __init__(self, threads=4, most=20000):
        self.bad = []
        self.good = 0
        self._most = most
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        while not self._over.is_set() and self.good < self._most:
            try:
                answer = fetch(HOST)
                if (answer.status, answer.body) == (200, BYTES):
                    self.good += 1
                else:
                    self.bad.append(answer)
            except (OSError, http.client.HTTPException) as error:
                self.bad.append(error)


def test_seven_graceful_reloads_lose_no_fetch(any_hosts):
    with Load() as load:
        for _ in range(7):
            before = load.good
            any_hosts.apache.graceful()
            wait_for(lambda before=before: load.good > before + 20, "fetches after the reload")
    assert not load.bad


@pytest.mark.parametrize(
    "off", [("conf", "mtasts"), ("mod", "wsgi"), ("mod", "ssl"), ("site", "zz-mtasts-443")]
)
def test_whatever_is_switched_off_apache_starts(make_hosts, off):
    hosts = make_hosts()
    hosts.apache.stop()
    kind, name = off
    hosts.apache.disable(kind, name)
    hosts.apache.configtest()
    hosts.apache.start()


def test_no_place_of_another_site_is_taken(make_hosts):
    """The administrator's own site for a policy host, and the default of the port, come first."""
    hosts = make_hosts()
    hosts.apache.stop()
    for name, host in (("000-default", "www.example.org"), ("tutorial", "mta-sts.example.org")):
        root = "/var/www/" + name
        write(root + "/index.html", name)
        site = f"<VirtualHost *:80>\nServerName {host}\nDocumentRoot {root}\n</VirtualHost>\n"
        hosts.apache.add_site(name, site)
    hosts.apache.start(443)
    assert fetch_plain("mta-sts.example.org", "/").text == "tutorial"
    assert fetch_plain("unknown.example.org", "/").text == "000-default"
    assert fetch_plain(HOST, "/").status == 403


def test_the_access_log_says_who_fetched_which_bytes(make_hosts):
    make_hosts()
    tag = fetch(HOST, headers={"User-Agent": "Postfix"}).headers["etag"].strip('"')

    def logged():
        with open(ACCESS_LOG) as log:
            return [line for line in log if tag in line]

    line = wait_for(logged, "the fetch is in the log")[0]
    assert '"Postfix"' in line
    assert f" {HOST} TLSv1.3 " in line
    assert '" 200 ' in line


@pytest.mark.parametrize("stack", ["bionic", "newest"])
def test_mtasts_pickup_tells_who_has_fetched_what(make_hosts, stack):
    hosts = make_hosts(modules=["http2"])
    places = {"Google-SMTP-STS": "192.0.2.10", "Postfix": "198.51.100.10"}
    for address in places.values():
        run("ip", "address", "replace", address + "/32", "dev", "lo")

    def ask(agent, host=HOST, path=PATH, **options):
        address = (places.get(agent, "192.0.2.10"), 443)
        headers = dict(options.pop("headers", {}), **{"User-Agent": agent})
        return fetch(host, path, headers=headers, address=address, server_name=HOST, **options)

    def mtasts(*arguments, code=0):
        done = run(stacks.python(stack), "-m", "mtasts", *arguments, check=False)
        assert done.code == code, done.output
        return done.output

    mtasts("dns", "example.test")  # which enters the policy that was put there by hand
    assert {ask(agent).body for agent in places} == {BYTES}
    mtasts("set", "example.test", "--max-age", "2w", "--max-uncovered", "1", "--yes")
    hosts.apache.graceful()  # no child has looked at the policy before it was changed
    assert ask("mtasts").status == 200
    tag = ask("Google-SMTP-STS", HOST.upper() + ".:443").headers["etag"]
    assert ask('a/1 "b"', headers={"If-None-Match": tag}).status == 304
    forged = f'x" {HOST} TLSv1.3 {tag}\\'
    assert ask(forged, "mta-sts.example2.test").status == 200
    curl = ["curl", "--silent", "--http2", "--cacert", hosts.root, "--user-agent", "h2/1"]
    run(*curl, "--resolve", HOST + ":443:192.0.2.10", f"https://{HOST}{PATH}")
    assert ask("x", method="HEAD").status == 200
    assert ask("x", method="POST", headers={"Content-Length": "0"}).status == 405
    assert ask("x", path=PATH + "/").status == 403
    assert ask("x", "example.test").status == 421
    assert fetch_plain(HOST, PATH).status == 403
    assert exchange(b"\x16\x03\x01 garbage\r\n\r\n", connect(HOST)).status == 400
    write(FILE, "version: STSv1\n")
    hosts.apache.stop()
    hosts.apache.start(443)  # the new processes have no last good bytes
    assert ask("x").status == 503
    hosts.apache.stop()

    found = json.loads(mtasts("pickup", "example.test", "--json", code=1))
    senders = {one["user_agent"]: one for one in found["senders"]}
    google, postfix = senders["Google-SMTP-STS"], senders["Postfix"]
    assert (google["standing"], google["current"]["count"]) == ("current", 1)
    assert (postfix["standing"], postfix["networks"]) == ("behind", ["198.51.100.0/24"])
    assert postfix["earlier"][0]["id"] == google["earlier"][0]["id"] != found["id"]
    assert senders["mtasts"]["standing"] == "check"
    assert senders['a/1 "b"']["current"]["count"] == senders["h2/1"]["current"]["count"] == 1
    assert len(senders) == 5
    assert {(one["code"], one["status"]) for one in found["refused"]} == {
        ("pickup-unavailable", 503),
        ("pickup-method-wrong", 405),
        ("pickup-path-wrong", 403),
        ("pickup-plain-http", 403),
        ("pickup-host-wrong", 421),
    }
    assert found["tls"] == {"TLSv1.3": sum(one["count"] for one in fetches(found))}
    (other,) = json.loads(mtasts("pickup", "example2.test", "--json"))["senders"]
    assert other["user_agent"] == forged


def fetches(found):
    """All fetches of all senders that `mtasts pickup` tells of."""
    for one in found["senders"]:
        yield from one["earlier"]
        yield from [one["current"]] if one["current"] else []
