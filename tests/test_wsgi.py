"""The web application, asked in-process: what every kind of request is answered."""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

from wsgi_policy import create_app, policy_files
from wsgi_policy.policy_files import PolicyFiles

POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmax_age: 86401\r\n"
OTHER = POLICY.replace(b"testing", b"enforce")
PATH = "/.well-known/mta-sts.txt"
HOST = "mta-sts.example.org"
TOP = pathlib.Path(__file__).resolve().parent.parent
CATALOGUES = sorted((TOP / "wsgi_policy" / "catalogue").glob("*.json"))
LANGUAGES = [path.stem for path in CATALOGUES]


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "example.org"
    folder.mkdir()
    write(folder / "mta-sts.txt", POLICY)
    return tmp_path


def write(path, data):
    """As an administrator's tool does: whole, by rename."""
    aside = path.with_name(".aside")
    aside.write_bytes(data)
    aside.rename(path)


@pytest.fixture
def ask(root):
    """Send a request as a WSGI server hands it over; return status, headers and body."""
    app = create_app(policy_dir=str(root))

    def send(path=PATH, host=HOST, method="GET", scheme="https", script="", **headers):
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": script,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.input": sys.stdin,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if host is not None:
            environ["HTTP_HOST"] = host
        environ.update(("HTTP_" + name.upper(), value) for name, value in headers.items())
        begun = []
        body = b"".join(app(environ, lambda *started: begun.append(started)))
        status, sent = begun[0][0], dict(begun[0][1])
        return int(status.split()[0]), sent, body

    return send


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        "MTA-STS.Example.ORG",
        HOST + ":443",
        HOST + ".",
        HOST + ".:8443",
        "mta-sts.EXAMPLE.org.",
    ],
)
def test_a_policy_is_served_byte_for_byte(ask, host):
    status, headers, body = ask(host=host)
    assert (status, body) == (200, POLICY)
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Length"] == str(len(POLICY))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Location" not in headers


def test_head_has_the_headers_of_get_and_no_body(ask):
    _, headers, _ = ask()
    assert ask(method="HEAD") == (200, headers, b"")


def test_the_path_may_be_mounted(ask):
    """mod_wsgi's WSGIScriptAlias gives the whole path as SCRIPT_NAME."""
    assert ask(path="", script=PATH)[2] == POLICY


def test_304_for_those_who_have_it_and_only_for_them(ask):
    _, headers, _ = ask()
    tag = headers["ETag"]
    for condition in (tag, "W/" + tag, '"x", ' + tag, "*"):
        status, sent, body = ask(if_none_match=condition)
        assert (status, sent["ETag"], body) == (304, tag, b"")
    for condition in ('"x"', tag[1:-1], ""):
        assert ask(if_none_match=condition)[0] == 200
    assert ask(if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "X"])
def test_other_methods_are_refused_with_what_is_allowed(ask, method):
    status, headers, _ = ask(method=method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "host",
    [
        "mta-sts.example.com",
        "example.org",
        "www.example.org",
        "mta-sts.",
        "mta-sts",
        "",
        None,
        "127.0.0.1",
        "[::1]:443",
        "mta-sts.127.0.0.1",
        "mta-sts.example.org,mta-sts.example.org",
        "mta-sts.example.org:x",
        "mta-sts.example.org..",
        "mta-sts.../example.org",
        "mta-sts.example.org/..",
        "mta-sts..",
        "mta-sts.%65xample.org",
        "mta-sts.example.org\x00",
        "mta-sts.example.org\n",
        "mta-sts.ex\u212aample.org",
        "mta-sts." + "a" * 64 + ".org",
        "mta-sts." + "a." * 130 + "org",
        "a" * 100000,
    ],
)
def test_an_unknown_host_has_no_policy(ask, host):
    status, headers, body = ask(host=host)
    assert status == 404
    assert headers["Content-Type"].startswith("text/plain")
    assert (host or "example.org").encode("utf-8", "replace")[:60] not in body


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/index.html",
        PATH + "/",
        PATH + "/x",
        PATH.upper(),
        "/.well-known/",
        "//.well-known/mta-sts.txt",
        "/.well-known//mta-sts.txt",
        "/.well-known/%2e/mta-sts.txt",
        "/.well-known/../.well-known/mta-sts.txt",
        PATH + "\x00",
        PATH + "?x",
        "/../../etc/passwd",
        "/\xff\xfe",
        "/" + "a" * 20000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_every_other_path_is_the_page(ask, path, method):
    status, headers, body = ask(path=path, method=method)
    assert status == 403
    assert b"https://example.org" in body
    assert "Location" not in headers


def test_a_query_is_of_no_matter(ask):
    assert ask(query_string="x=1")[2] == POLICY


def test_over_plain_http_there_is_no_policy(ask):
    status, _, body = ask(scheme="http")
    assert status == 403
    assert b"STSv1" not in body


def test_the_page_says_what_the_host_is_for(ask):
    _, headers, body = ask(path="/")
    assert headers["Content-Type"].startswith("text/plain")
    assert body.decode() == (
        "403 Forbidden - This site is used to specify the MTA-STS policy for this domain, "
        "please see '/.well-known/mta-sts.txt'.\n"
        "If you were not expecting to see this, please use https://example.org instead.\n"
    )


@pytest.mark.parametrize("host", ["mta-sts.example.com", "mta-sts.evil.example", "x", None])
def test_the_page_names_no_domain_that_is_not_ours(ask, host):
    for accept in ("text/html", "*/*"):
        _, _, body = ask(path="/", host=host, accept=accept)
        assert b"https://" not in body
        assert b"evil" not in body


def test_the_page_as_html_loads_nothing(ask):
    status, headers, body = ask(path="/", accept="text/html,*/*;q=0.8")
    page = body.decode()
    assert status == 403
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<html lang="en">' in page
    assert '<a href="https://example.org" rel="noopener">https://example.org</a>' in page
    assert "This site is used to specify the MTA-STS policy for this domain" in page
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "src=" not in page
    assert "url(" not in page


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("text/html;q=0.5, text/plain;q=0.4", "text/html"),
        ("text/html;q=0.4, text/plain;q=0.5", "text/plain"),
        ("text/html;q=0", "text/plain"),
        ("*/*", "text/plain"),
        ("", "text/plain"),
        ("nonsense;;q=x", "text/plain"),
    ],
)
def test_html_is_for_those_who_ask_for_it(ask, accept, kind):
    _, headers, _ = ask(path="/", accept=accept)
    assert headers["Content-Type"].split(";")[0] == kind
    assert headers["Vary"] == "Accept, Accept-Language"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("vi", "vi"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("VI", "vi"),
        ("en-GB", "en"),
        ("de, vi;q=0.5, en;q=0.4", "vi"),
        ("vi;q=0, de", "en"),
        ("de", "en"),
        ("", "en"),
        ("*", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_page_is_in_the_visitors_language(ask, wanted, language):
    _, headers, body = ask(path="/", accept="text/html", accept_language=wanted)
    assert headers["Content-Language"] == language
    assert f'<html lang="{language}">' in body.decode()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_no_line_of_a_page_reads_as_a_field_of_a_policy(ask, language, accept):
    _, headers, body = ask(path="/", accept=accept, accept_language=language)
    assert headers["Content-Language"] == language
    fields = ("version:", "mode:", "mx:", "max_age:")
    assert not [
        line for line in body.decode().splitlines() if line.strip().lower().startswith(fields)
    ]


def test_catalogues_say_the_same_and_need_no_escaping():
    sentences = [json.loads(path.read_text(encoding="utf-8")) for path in CATALOGUES]
    assert len({tuple(sorted(one)) for one in sentences}) == 1
    assert not [text for one in sentences for text in one.values() if set(text) & set('<>&"\n')]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_change_by_rename_is_served_without_reload(ask, root):
    assert ask()[2] == POLICY
    write(root / "example.org" / "mta-sts.txt", OTHER)
    wait_for(lambda: ask()[2] == OTHER)


def test_a_policy_that_is_being_written_is_not_served_half(ask, root):
    """An editor writes in place; the half of a policy can be a valid policy."""
    assert ask()[2] == POLICY
    whole = OTHER.replace(b"max_age", b"mx: mx2.example.org\r\nmax_age")
    with open(str(root / "example.org" / "mta-sts.txt"), "wb", buffering=0) as file:
        for byte in whole:
            written = time.monotonic()
            file.write(bytes([byte]))
            served = ask()[2]
            # On a machine that stands still in between, the file has been left alone.
            assert served == POLICY or time.monotonic() - written > policy_files.QUIET_SECONDS
            time.sleep(0.005)
    wait_for(lambda: ask()[2] == whole)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: write(path, POLICY.replace(b"STSv1", b"STSv2")),
        lambda path: write(path, b""),
        lambda path: write(path, b"x" * 70000),
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.symlink_to("/etc/hostname")),
        lambda path: (path.unlink(), os.mkfifo(str(path))),
    ],
    ids=["invalid", "empty", "too large", "vanished", "outside", "fifo"],
)
def test_what_is_broken_leaves_the_last_good_policy(root, spoil):
    said = []
    files = PolicyFiles(str(root), log=said.append)
    path = root / "example.org" / "mta-sts.txt"
    assert files.find(HOST).body == POLICY
    spoil(path)
    wait_for(lambda: files.find(HOST) and said)
    assert files.find(HOST).body == POLICY
    for _ in range(3):
        time.sleep(0.3)
        files.find(HOST)
    assert len(said) == 1
    assert str(path) in said[0]
    write(path, OTHER)
    wait_for(lambda: files.find(HOST).body == OTHER)
    assert said[-1].endswith("good again, and served")


def test_what_is_broken_from_the_start_is_503_with_the_line_in_the_log(ask, root, capfd):
    write(root / "example.org" / "mta-sts.txt", POLICY + b"mode enforce\n")
    status, headers, body = ask()
    assert status == 503
    assert headers["Retry-After"]
    assert b"STSv1" not in body
    log = capfd.readouterr().err
    assert "mta-sts.txt: line 5: 'mode enforce'" in log
    assert "RFC 8461 section 3.2" in log


def test_a_domain_that_was_removed_is_unknown(ask, root):
    assert ask()[0] == 200
    (root / "example.org" / "mta-sts.txt").unlink()
    (root / "example.org").rmdir()
    wait_for(lambda: ask()[0] == 404)


def test_a_policy_directory_out_of_reach_loses_no_policy(ask, root):
    assert ask()[2] == POLICY
    away = root.with_name("away")
    root.rename(away)
    time.sleep(0.5)
    assert ask()[2] == POLICY
    away.rename(root)


def test_many_threads_get_whole_answers(ask, root):
    assert ask()[2] == POLICY
    bodies = set()

    def fetch():
        for _ in range(200):
            bodies.add(ask()[2])

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(20):
        write(root / "example.org" / "mta-sts.txt", (POLICY, OTHER)[number % 2])
    for thread in threads:
        thread.join()
    assert bodies <= {POLICY, OTHER}


def test_memory_for_policies_is_bounded_but_keeps_last_good_ones(tmp_path):
    room = 5 * 1024 * 1024
    files = PolicyFiles(str(tmp_path), log=lambda _: None, room=room)
    big = POLICY.replace(b"max_age", b"mx: *.mx.example.org\r\n" * 2000 + b"max_age")
    for number in range(300):
        (tmp_path / f"d{number}.example").mkdir()
        write(tmp_path / f"d{number}.example" / "mta-sts.txt", big)
    first = tmp_path / "d0.example" / "mta-sts.txt"
    time.sleep(0.5)
    assert files.find("mta-sts.d0.example").body == big
    first.unlink()
    wait_for(lambda: files.find("mta-sts.d0.example").fault)
    for number in range(1, 300):
        assert files.find(f"mta-sts.d{number}.example").body == big
    assert sum(kept.cost for kept in files._kept.values()) <= room + len(big)
    assert files.find("mta-sts.d0.example").body == big


def test_all_spellings_of_a_host_share_one_copy(root):
    files = PolicyFiles(str(root))
    kept = files.find("MTA-STS.Example.ORG.:443")
    assert kept.body == POLICY
    assert files.find(HOST) is kept
    assert files.find(HOST.upper()) is kept


def test_a_clock_that_was_set_back_hides_no_policy(root):
    files = PolicyFiles(str(root), clock=lambda: time.time() - 3600)
    assert files.find(HOST).body == POLICY


def test_settings_argument_before_environment_before_file(tmp_path):
    from wsgi_policy.settings import load

    file = tmp_path / "settings.py"
    file.write_text("MTASTS_POLICY_DIR = '/file'\nother = 1\nSECRET_KEY = 'x'\n")
    environment = {"MTASTS_SETTINGS": str(file)}
    assert load(None, {}, {})["MTASTS_POLICY_DIR"] == "/var/lib/mtasts/policies"
    assert load(None, {}, environment)["MTASTS_POLICY_DIR"] == "/file"
    assert load(None, {}, environment)["SECRET_KEY"] == "x"
    environment["MTASTS_POLICY_DIR"] = "/environment"
    assert load(None, {}, environment)["MTASTS_POLICY_DIR"] == "/environment"
    assert load("/argument", {}, environment)["MTASTS_POLICY_DIR"] == "/argument"


def test_a_fetch_imports_no_flask(root):
    code = (
        "import sys\n"
        "from wsgi_policy import create_wsgi\n"
        "app = create_wsgi(sys.argv[1])\n"
        "environ = {'REQUEST_METHOD': 'GET', 'wsgi.url_scheme': 'https',\n"
        "           'PATH_INFO': sys.argv[2], 'HTTP_HOST': sys.argv[3]}\n"
        "print(b''.join(app(environ, lambda *_: None)).decode())\n"
        "assert not {'flask', 'werkzeug', 'jinja2'} & set(sys.modules)\n"
    )
    argv = [sys.executable, "-c", code, str(root), PATH, HOST]
    assert "version: STSv1" in subprocess.check_output(argv, cwd=str(TOP), universal_newlines=True)


def test_a_member_of_a_class_is_served_its_policy_and_the_class_is_not(ask, root):
    (root / "@cluster").mkdir()
    write(root / "@cluster" / "mta-sts.txt", OTHER)
    (root / "example.net").mkdir()
    (root / "example.net" / "mta-sts.txt").symlink_to("../@cluster/mta-sts.txt")
    assert ask(host="mta-sts.example.net")[2] == OTHER
    write(root / "@cluster" / "mta-sts.txt", POLICY)
    wait_for(lambda: ask(host="mta-sts.example.net")[2] == POLICY)
    assert ask(host="mta-sts.@cluster")[0] == 404
