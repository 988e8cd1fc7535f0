"""mtasts dashboard: filters, headers, who is let in, and numbers that follow the ledger."""

import datetime
import http.client
import re
import signal
import subprocess
import threading
import time

import pytest

import page_samples
from mtasts.cli.dashboard import listening
from mtasts.dashboard import Dashboard
from mtasts.ledger import writing
from mtasts.ledger.database import Database
from mtasts.ledger.place import parse
from mtasts.store import Store
from page_samples import SECRET, ago, result
from reports import entry, report


class Served:
    """A dashboard that runs."""

    def __init__(self, port):
        self.port = port

    def ask(self, path="/", method="GET", **headers):
        """The status, headers and text of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        said = answer.read().decode("utf-8")
        connection.close()
        return answer.status, answer.headers, said

    def counted(self, path="/", until=bool):
        """The page once the numbers are there, and say what they should."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            status, headers, said = self.ask(path)
            if "Refresh" not in headers and "counted anew" not in said and until(said):
                return said
            assert status == 200
            time.sleep(0.05)
        raise AssertionError(said)


@pytest.fixture
def options(tmp_path):
    return page_samples.fill(tmp_path)


@pytest.fixture
def dashboard(mtasts, options):
    """Start it; it is stopped at the end as by a person."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [*page_samples.COMMAND, "dashboard", "--port", "0", *options, *arguments],
            env=mtasts.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        started.append(process)
        return Served(int(re.search(r":(\d+)/", process.stdout.readline()).group(1)))

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err.strip()) == (0, "")


def test_it_shows_all_domains_with_filters(dashboard):
    served = dashboard()
    said = served.counted()
    assert "2 of 4 domains have failing sessions" in said
    assert "The numbers were counted" in said
    assert "<form" in said
    assert SECRET not in said
    one = served.ask("/?domain=example.org&days=30&reporter=&grade=")[2]
    assert "22 of 9,044 sessions failed" in one
    assert "example.com" not in re.sub(r"<datalist.*?</datalist>", "", one)


def test_filters_narrow_what_counts(dashboard):
    served = dashboard("example.org")
    assert "65 reports of 3 reporters" in served.ask("/?days=30")[2]
    assert "14 reports of 2 reporters in 7 days" in served.ask("/?days=7")[2]
    assert "14 reports of" in served.ask("/?days=7&grade=dkim")[2]


def test_a_reporter_can_be_chosen_by_a_key_that_holds_nothing_of_it(dashboard):
    served = dashboard()
    said = served.counted()
    key = re.search(r'<option value="([0-9a-f]{16})">Sample Post<', said).group(1)
    one = served.ask(f"/?domain=example.org&reporter={key}")[2]
    assert "26 reports of 1 reporter" in one
    assert "by <bdi>Sample Post</bdi> only" in one
    assert "11" in served.counted(f"/?reporter={key}")


@pytest.mark.parametrize(
    "query",
    [
        "days=31",
        "days=-1",
        "days=30&days=7",
        "domain=foreign.example",
        "domain=../../etc/passwd",
        "domain=%00",
        "reporter=Example%20Mail",
        "grade=best",
        "colour=red",
        "x=" + "y" * 2000,
    ],
)
def test_a_wrong_filter_is_explained(dashboard, query):
    status, headers, said = dashboard().ask("/?" + query)
    assert status == 400
    assert "[filter-" in said
    assert "y" * 200 not in said
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_every_answer_forbids_what_it_does_not_need(dashboard):
    served = dashboard()
    answers = {"/": 200, "/?days=3": 400, "/favicon.ico": 404, "/..//": 404, "//[": 404}
    for path, status in answers.items():
        found, headers, _ = served.ask(path)
        assert found == status
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_only_this_machine_by_its_own_name_is_let_in(dashboard):
    served = dashboard()
    for name in ("evil.example", f"evil.example:{served.port}", "localhost", "127.0.0.1:1", ""):
        assert served.ask(Host=name)[0] == 421
    for name in ("localhost", "127.0.0.1"):
        assert served.ask(Host=f"{name}:{served.port}")[0] == 200


def test_only_get_and_head_are_answered(dashboard):
    served = dashboard()
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        status, headers, _ = served.ask(method=method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
    status, headers, said = served.ask(method="HEAD")
    assert (status, said) == (200, "")
    assert int(headers["Content-Length"]) > 1000


def test_new_reports_are_counted_in_the_background(dashboard, options):
    served = dashboard()
    assert "quiet.example" in served.counted()
    database = Database(parse(options[1]))
    new = report("new", [result("quiet.example", 12345)], start=ago(1))
    writing.add(database, [entry(b"new", new, received=ago(0))])
    database.close()
    served.counted(until=lambda said: "12,345" in said)


def test_without_a_ledger_it_says_so_at_once(mtasts, tmp_path):
    code, _, err = mtasts("dashboard", "--ledger", str(tmp_path / "none"))
    assert (code, "[ledger-missing]" in err) == (3, True)


def test_a_port_that_is_taken_is_named(dashboard, mtasts, options):
    served = dashboard()
    code, _, err = mtasts("dashboard", "--port", str(served.port), *options)
    assert (code, "[dashboard-port]" in err) == (3, True)


@pytest.fixture
def counting(options):
    """A dashboard that has begun to count, and what lets it go on."""
    begun, go_on = threading.Event(), threading.Event()

    def now():
        if not begun.is_set():
            begun.set()
            assert go_on.wait(30)
        return datetime.datetime.now(datetime.timezone.utc)

    shown = Dashboard(Database(parse(options[1])), Store(options[3]), (), now)
    shown.begin()
    assert begun.wait(30)
    with listening(0, shown) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Served(server.server_address[1]), go_on
        go_on.set()
        server.shutdown()
        thread.join()


def test_who_waits_for_numbers_can_type_meanwhile(counting):
    """The page stays until they are there; it was loaded anew every two seconds."""
    served, go_on = counting
    status, headers, said = served.ask("/?days=30&grade=")
    assert (status, "are being counted" in said, "<form" in said) == (200, True, True)
    assert headers["Refresh"] == "1; url=/when-counted?days=30&grade="
    answers = []
    browser = threading.Thread(target=lambda: answers.append(served.ask("/when-counted?days=30")))
    browser.start()
    assert served.ask("/?domain=example.org")[0] == 200  # one domain's are there at once
    assert answers == []
    go_on.set()
    browser.join(30)
    [(status, headers, _)] = answers
    assert (status, headers["Location"]) == (303, "/?days=30")
    status, headers, said = served.ask("/?days=30")
    assert (status, "Refresh" in headers, "The numbers were counted" in said) == (200, False, True)


def test_what_is_asked_for_later_is_looked_at_as_well(dashboard):
    served = dashboard()
    assert served.ask("/when-counted?days=31")[0] == 400
    status, headers, _ = served.ask("/when-counted?reporter=&days=7%0d%0aX:y")
    assert status == 400
    status, headers, _ = served.ask("/when-counted")
    assert (status, headers["Location"]) == (303, "/?")
