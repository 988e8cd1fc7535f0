"""Reports posted as reporters do: real Apache, real TLS, every mod_wsgi that counts."""

import contextlib
import http.client
import os
import signal
import subprocess
import threading

import pytest

from mtasts import drop_address
from mtasts.domain import Domain
from mtasts.spool import Spool
from rig import stacks
from rig.apache import write
from rig.http import connect, exchange, fetch_plain
from rig.policy_host import PolicyHosts, certify
from rig.process import run, wait_for

HOST = "mta-sts.example.test"
SPOOL = "/var/lib/mtasts/spool"
SECRET = b"0123456789abcdef0123456789abcdef"
PATH = drop_address.PATH + drop_address.token(SECRET, Domain("example.test"))
REPORT = b'{"organization-name": "Example"}'
LIMIT = 10 * 1024 * 1024


@pytest.fixture
def make_box(make_apache, installed, resolver):
    """A running machine with a policy for example.test and a drop box."""

    def make(wsgi="system", mpm="event", modules=()):
        hosts = PolicyHosts(make_apache(wsgi, mpm), resolver)
        hosts.arrange()
        for module in modules:
            hosts.apache.enable("mod", module)
        hosts.serve("example.test")
        hosts.root = certify(HOST)
        write(drop_address.DEFAULT_SECRET, SECRET.decode())
        run("chown", "root:mtasts", drop_address.DEFAULT_SECRET)
        os.chmod(drop_address.DEFAULT_SECRET, 0o640)
        run("install", "-d", "-m", "2770", "-o", "mtasts", "-g", "daemon", SPOOL)
        hosts.start()
        return hosts

    return make


@pytest.fixture(params=stacks.WSGI_STACKS)
def any_box(request, make_box):
    return make_box(request.param)


def request(body=REPORT, path=PATH, more=(), length=True, method="POST"):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", "Connection: close", *more]
    lines += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def post(body=REPORT, **options):
    return exchange(request(body, **options), connect(HOST), "POST")


def chunked(body, size=1000, last=b"0\r\n\r\n"):
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + last


def post_chunked(data):
    header = request(b"", more=["Transfer-Encoding: chunked"], length=False)
    return exchange(header + data, connect(HOST), "POST")


def kept():
    spool = Spool(SPOOL)
    return [spool.read(name).data for name in spool.waiting()]


def test_a_report_is_kept_however_it_is_framed(any_box):
    assert post().status == 201
    assert post(more=["Content-Type: application/tlsrpt+gzip"]).status == 201
    assert post(more=["Content-Type: \xff;;", "Content-Encoding: gzip"]).status == 201
    assert post_chunked(chunked(REPORT * 3000)).status == 201
    assert kept() == [REPORT] * 3 + [REPORT * 3000]
    for name in os.listdir(SPOOL):
        mode = os.stat(os.path.join(SPOOL, name))
        assert oct(mode.st_mode)[-4:] == "0640"
    assert run("stat", "-c", "%U:%G", SPOOL + "/" + name).output == "mtasts:daemon\n"


def test_a_reporter_may_ask_before_it_sends(any_box):
    with connect(HOST, any_box.root) as connection:
        connection.sendall(request(b"", more=["Expect: 100-continue"], length=False)[:-2])
        connection.sendall(b"Content-Length: %d\r\n\r\n" % len(REPORT))
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(REPORT)
        assert connection.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert kept() == [REPORT]


def test_curl_posts_over_http_2(make_box, tmp_path):
    box = make_box(modules=["http2"])
    (tmp_path / "report").write_bytes(REPORT * 5000)
    argv = ["curl", "-sS", "--http2", "--cacert", box.root, "--resolve", HOST + ":443:127.0.0.1"]
    argv += ["--data-binary", "@" + str(tmp_path / "report"), "-w", "%{http_version} %{http_code}"]
    seen = subprocess.check_output([*argv, f"https://{HOST}{PATH}"])
    assert seen.endswith(b"2 201")
    assert kept() == [REPORT * 5000]


def test_what_is_too_large_is_refused(any_box):
    assert post(b"x" * LIMIT).status == 201
    assert post(b"x" * (LIMIT + 1)).status == 413
    assert post_chunked(chunked(b"x" * (LIMIT + 1), 100000)).status == 413
    assert [len(one) for one in kept()] == [LIMIT]


def test_a_report_that_breaks_off_is_not_kept(any_box):
    header = request(b"", more=["Transfer-Encoding: chunked"], length=False)
    for data in (request()[:-5], header + chunked(REPORT, last=b"")):
        with connect(HOST) as connection:
            connection.sendall(data)
    assert post_chunked(chunked(REPORT, last=b"nonsense\r\n")).status == 400
    assert post(b"the last").status == 201
    assert kept() == [b"the last"]


def test_without_the_very_address_it_is_the_page(any_box):
    for answer in (
        post(path=PATH[:-1]),
        post(path=PATH + "/"),
        post(path="/tlsrpt/"),
        post(path="/"),
        fetch_plain(HOST, PATH),
    ):
        assert answer.status == 403
        assert "location" not in answer.headers
    assert exchange(request(b"", method="GET"), connect(HOST)).status == 405
    assert kept() == []


def test_no_secret_no_drop_box(make_box):
    make_box()
    os.unlink(drop_address.DEFAULT_SECRET)
    assert post().status == 403


def test_who_posts_without_end_is_asked_to_wait(make_box):
    make_box()
    one = request().replace(b"Connection: close\r\n", b"")
    answers = b""
    while b"HTTP/1.1 429 " not in answers:  # Apache closes a connection after a hundred requests
        assert answers.count(b"HTTP/1.1 201 ") < 2000
        answers += _pipelined(one * 99 + request())
    assert answers.count(b"HTTP/1.1 201 ") >= 600
    assert b"Retry-After: 1\r\n" in answers


def _pipelined(requests):
    with connect(HOST) as connection:
        sender = threading.Thread(target=connection.sendall, args=(requests,))
        sender.start()
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
        sender.join()
    return answers


@pytest.fixture
def small_disk():
    """Mount a disk of 64 KiB on the spool, until the test is over."""
    yield lambda: run("mount", "-t", "tmpfs", "-o", "size=64k,mode=2770,uid=mtasts", "tmpfs", SPOOL)
    run("umount", SPOOL)


def test_a_full_disk_asks_to_come_again(make_box, small_disk):
    box = make_box()
    small_disk()
    assert post(b"x" * 20000).status == 201
    answer = post(b"x" * 100000)
    assert (answer.status, answer.headers["retry-after"]) == (503, "300")
    assert "[spool-full]" in box.apache.error_log()
    assert post(b"x" * 20000).status == 201
    assert [len(one) for one in kept()] == [20000, 20000]


def _daemon():
    """The process of the daemon group: the one that belongs to the account mtasts."""
    found = run("ps", "-u", "mtasts", "-o", "pid=", check=False).output.split()
    return int(found[0]) if found else None


class Reporters:
    """Three that post without end, each report another; what was answered 201 is `acknowledged`."""

    def __init__(self):
        self.acknowledged = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._post, args=(n,)) for n in range(3)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _post(self, number):
        for count in range(100000):
            if self._over.is_set():
                return
            body = b"%d of %d" % (count, number)
            # The process that was to answer may just have been killed.
            with contextlib.suppress(OSError, http.client.HTTPException):
                if post(body).status == 201:
                    self.acknowledged.append(body)


def test_what_was_acknowledged_survives_any_kill(make_box):
    make_box()
    with Reporters() as reporters:
        for _ in range(5):
            before = len(reporters.acknowledged)
            wait_for(
                lambda before=before: len(reporters.acknowledged) > before + 5,
                "reports are taken",
            )
            os.kill(wait_for(_daemon, "the daemon runs"), signal.SIGKILL)
    waiting = kept()
    assert set(reporters.acknowledged) <= set(waiting)
    assert len(set(waiting)) == len(waiting)
