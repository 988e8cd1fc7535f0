"""The drop box, asked in-process: which reports it takes, and what it answers to all the rest."""

import gzip
import io
import os
import subprocess
import sys

import pytest

from mtasts import drop_address
from mtasts.domain import Domain
from mtasts.spool import Spool
from wsgi_policy import create_app, create_wsgi
from wsgi_policy.drop_box import MAX_BODY, DropBox, RateLimit

SECRET = b"0123456789abcdef0123456789abcdef"
DOMAIN = Domain("example.org")
HOST = "mta-sts.example.org"
PATH = drop_address.PATH + drop_address.token(SECRET, DOMAIN)
REPORT = b'{"organization-name": "Example"}'
ENDS = {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    return path


@pytest.fixture
def spool(tmp_path):
    (tmp_path / "spool").mkdir()
    return Spool(str(tmp_path / "spool"))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ask(secret, spool, clock):
    """Send a request as a WSGI server hands it over; return status, headers and body."""

    def pages(environ, start_response):
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"the page"]

    def send(body=REPORT, path=PATH, method="POST", host=HOST, app=None, stream=None, **environ):
        limit = send.limit
        app = app or DropBox(pages, str(secret), send.spool, limit, clock)
        request = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.1",
            "HTTP_HOST": host,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": stream or io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        request.update(environ)
        begun = []
        answer = b"".join(
            app({k: v for k, v in request.items() if v is not None}, lambda *a: begun.append(a))
        )
        status, headers = begun[0][0], dict(begun[0][1])
        return int(status.split()[0]), headers, answer

    send.spool = spool
    send.limit = RateLimit(600, clock)
    return send


def kept(spool):
    return [spool.read(name) for name in spool.waiting()]


@pytest.mark.parametrize(
    "body",
    [REPORT, gzip.compress(REPORT), b"\x00", b"x" * MAX_BODY],
    ids=["plain", "gzip", "smallest", "largest"],
)
@pytest.mark.parametrize("kind", [None, "", "application/tlsrpt+gzip", "nonsense", "text/html"])
def test_a_report_is_kept_as_it_came(ask, spool, body, kind):
    status, headers, _ = ask(body, CONTENT_TYPE=kind)
    assert status == 201
    assert "Location" not in headers
    (arrival,) = kept(spool)
    assert (arrival.data, arrival.source, arrival.domain) == (body, "https", "example.org")


def test_a_body_without_a_length_is_read_to_its_end(ask, spool):
    assert ask(REPORT * 1000, **ENDS)[0] == 201
    assert kept(spool)[0].data == REPORT * 1000


def test_no_more_is_read_than_the_length_says(ask, spool):
    """A server that does not end the input waits for what never comes."""

    class Endless(io.BytesIO):
        def read(self, size=-1):
            assert 0 <= size <= len(REPORT) - self.tell()
            return super().read(size)

    assert ask(stream=Endless(REPORT + b"the next request"))[0] == 201
    assert kept(spool)[0].data == REPORT


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"CONTENT_LENGTH": None}, 411),
        ({"CONTENT_LENGTH": ""}, 411),
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"CONTENT_LENGTH": "1_0"}, 400),
        ({"CONTENT_LENGTH": "\u0663"}, 400),
        ({"CONTENT_LENGTH": "9" * 5000}, 400),
        ({"CONTENT_LENGTH": "0"}, 400),
        ({"CONTENT_LENGTH": str(len(REPORT) + 1)}, 400),
        ({"CONTENT_LENGTH": str(MAX_BODY + 1)}, 413),
        ({"CONTENT_LENGTH": None, "wsgi.input_terminated": True, "body": b""}, 400),
        (
            {"CONTENT_LENGTH": None, "wsgi.input_terminated": True, "body": b"x" * (MAX_BODY + 1)},
            413,
        ),
    ],
)
def test_what_is_no_whole_report_of_a_good_size_is_refused(ask, spool, environ, status):
    assert ask(**environ)[0] == status
    assert spool.waiting() == []


def test_a_client_that_leaves_has_sent_nothing(ask, spool):
    class Broken:
        def read(self, _):
            raise OSError("Apache/mod_wsgi request data read error")

    assert ask(stream=Broken())[0] == 400
    assert spool.waiting() == []


def test_a_client_that_dawdles_is_not_waited_for(ask, spool, clock):
    class Slow:
        def read(self, _):
            clock.now += 1
            return b"x"

    assert ask(stream=Slow(), CONTENT_LENGTH="1000000")[0] == 408
    assert clock.now < 30
    assert spool.waiting() == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "post"])
def test_reports_are_posted(ask, spool, method):
    status, headers, body = ask(method=method)
    assert (status, headers["Allow"]) == (405, "POST")
    assert (body == b"") == (method == "HEAD")
    assert spool.waiting() == []


@pytest.mark.parametrize(
    "environ",
    [
        {"path": PATH + "/"},
        {"path": PATH[:-1]},
        {"path": PATH.upper()},
        {"path": drop_address.PATH},
        {"path": drop_address.PATH + "\u00e4" * 32},
        {"path": drop_address.PATH + "\udc80" * 32},
        {"path": "/" + PATH},
        {"host": "mta-sts.example.com"},
        {"host": "example.org"},
        {"host": "mta-sts.." + "x" * 300},
        {"HTTP_HOST": None},
        {"wsgi.url_scheme": "http"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_without_the_very_address_there_is_only_the_page(ask, spool, environ, method):
    assert ask(method=method, **environ)[0::2] == (403, b"the page")
    assert spool.waiting() == []


@pytest.mark.parametrize("host", [HOST.upper(), HOST + ".", HOST + ":443"])
def test_the_host_may_be_spelt_otherwise(ask, spool, host):
    assert ask(host=host)[0] == 201
    assert kept(spool)[0].domain == "example.org"


def test_each_domain_has_an_address_of_its_own(ask):
    addresses = {drop_address.token(SECRET, Domain(f"example{n}.org")) for n in range(50)}
    assert len(addresses) == 50
    assert drop_address.token(SECRET[::-1], DOMAIN) not in PATH


def test_without_a_secret_there_is_no_drop_box(ask, secret, spool):
    secret.unlink()
    assert ask()[0] == 403
    secret.write_bytes(SECRET)
    assert ask()[0] == 201


def test_a_secret_that_is_too_short_is_said_to_the_administrator_only(ask, secret, capfd):
    secret.write_bytes(b"short")
    status, headers, body = ask()
    assert (status, headers["Retry-After"]) == (503, "300")
    assert str(secret).encode() not in body
    assert "[report-secret-short]" in capfd.readouterr().err


def test_a_full_spool_asks_to_come_again(ask, spool, capfd):
    ask.spool = Spool(spool.folder, max_files=1)
    assert ask()[0] == 201
    status, headers, body = ask()
    assert (status, headers["Retry-After"]) == (503, "300")
    assert spool.folder.encode() not in body
    assert "[spool-full]" in capfd.readouterr().err
    assert len(spool.waiting()) == 1


def test_a_spool_that_is_not_there_asks_to_come_again(ask, spool, capfd):
    os.rmdir(spool.folder)
    assert ask()[0] == 503
    assert "[spool-unusable]" in capfd.readouterr().err


def test_a_client_that_comes_too_often_is_told_when_to_come(ask, spool, clock):
    ask.limit = RateLimit(2, clock)
    answers = [ask()[0] for _ in range(2)] + [ask(REMOTE_ADDR="192.0.2.2")[0]]
    status, headers, _ = ask()
    assert answers == [201, 201, 201]
    assert (status, headers["Retry-After"]) == (429, "31")
    clock.now += 31
    assert ask()[0] == 201
    assert len(spool.waiting()) == 4


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.2", "::ffff:192.0.2.1", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "nonsense", True),
    ],
)
def test_what_counts_as_one_client(clock, one, other, is_same):
    limit = RateLimit(1, clock)
    assert limit.wait(one) == 0
    assert (limit.wait(other) > 0) == is_same


def test_the_number_of_clients_costs_no_more_memory_than_it_may(clock):
    limit = RateLimit(1, clock)
    for number in range(10000):
        assert limit.wait("10.0.{}.{}".format(number // 256, number % 256)) == 0
    assert limit.wait("10.0.39.15") > 0  # the last one is still known


NEW = ["new", "example.org", "--mx", "mx.example.org", "--yes"]
BOX = "https://" + HOST + PATH


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ([], ["mailto:postmaster@example.org", BOX]),
        (["mailto:a@example.com"], ["mailto:a@example.com", BOX]),
        (["https://example.com/"], ["https://example.com/"]),
        (["mailto:a@example.com", "HTTPS://example.com/"], None),
    ],
)
def test_the_record_names_the_address(mtasts, secret, named, expected):
    assert mtasts(*NEW)[0] == 0
    options = [word for uri in named for word in ("--rua", uri)]
    code, out, _ = mtasts("dns", "example.org", *options, MTASTS_REPORT_SECRET=str(secret))
    assert code == 0
    assert '"v=TLSRPTv1; rua={}"'.format(",".join(expected or named)) in out


def test_who_may_not_read_the_secret_is_told_what_to_do(mtasts, secret):
    assert mtasts(*NEW)[0] == 0
    folder = str(secret.parent)  # root, too, cannot read that
    code, _, err = mtasts("dns", "example.org", "--report-secret", folder)
    assert code == 3
    assert "[report-secret-unreadable]" in err
    assert "--rua" in err


@pytest.mark.parametrize("create", [create_wsgi, lambda **given: create_app(**given).wsgi_app])
def test_the_application_has_the_drop_box_of_its_settings(ask, create, secret, spool, tmp_path):
    settings = {"MTASTS_REPORT_SECRET": str(secret), "MTASTS_SPOOL": spool.folder}
    app = create(policy_dir=str(tmp_path), **settings)
    assert ask(app=app)[0] == 201
    assert ask(app=app, path="/")[0] == 403
    assert ask(app=app, path=PATH + "x")[0] == 403
    assert ask(app=app, path="/.well-known/mta-sts.txt", method="GET")[0] == 404
    assert len(spool.waiting()) == 1


def test_a_fetch_imports_nothing_of_it(tmp_path):
    program = """
import sys
from wsgi_policy import create_wsgi
app = create_wsgi(sys.argv[1])
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/.well-known/mta-sts.txt",
           "HTTP_HOST": "mta-sts.example.org", "wsgi.url_scheme": "https"}
app(environ, lambda *started: None)
sys.exit({"flask", "mtasts.spool", "wsgi_policy.drop_box"} & set(sys.modules) or None)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=TOP,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_secret_that_cannot_be_read_turns_no_report_away_for_good(ask, secret):
    secret.unlink()
    secret.mkdir()  # root, too, cannot read that
    assert ask()[0] == 503
