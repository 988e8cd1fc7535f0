"""The page and the dashboard over two years of reports: seconds, memory, and how fast it answers.

Every domain has a report a day, every seventh three; every twentieth has failures, some that go on
and some that are over. `mtasts report page` is a whole process, its start included, and stands
beside another one that has the numbers counted and prints them as JSON: what is above 1 is the page
itself. The answers of `mtasts dashboard` stand beside what the same server needs for a page that
says that a request is wrong. CPU tells how much of the time was waiting for a busy machine; the
goals are for an idle one. The ledgers are made by plain inserts, which is not timed.
"""

import argparse
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tests")]

from mtasts.domain import Domain  # noqa: E402
from mtasts.ledger.database import Database  # noqa: E402
from mtasts.ledger.place import parse  # noqa: E402
from mtasts.policy import Mode, Policy  # noqa: E402
from mtasts.store import Store  # noqa: E402

SIZES = (10, 100, 1000)
DAYS = 730
REPORTERS = ("Example Mail", "Sample Post", "Specimen Inc.")
SECONDS_GOAL, MEMORY_GOAL, ANSWER_GOAL = 3, 300, 0.2  # s, MiB, s
NOW = datetime.datetime.now(datetime.timezone.utc)
COUNTED = """
import json, sys
from mtasts.cli.common import now
from mtasts.ledger.database import Database
from mtasts.ledger.place import parse
from mtasts.ledger.queries import Filter
from mtasts.report_numbers import first_day, numbers
from mtasts.store import Store
database, domains = Database(parse(sys.argv[1])), Store(sys.argv[2]).domains()
found = numbers(database, domains, Filter(since=first_day(now(), 30)))
json.dump(list(found.values()), open(sys.argv[3], "w"), default=str)
"""


def name(number):
    """A mail domain."""
    return f"tenant-{number}.example"


def policy(number):
    """What a domain serves."""
    return Policy(Mode.ENFORCE, 604800, (f"mx1.{name(number)}", f"mx2.{name(number)}"))


def reports(domains):
    """All reports, as rows of the three tables, in the order of their days."""
    identity, text = 0, []
    for number in range(domains):
        lines = json.dumps(str(policy(number)).strip().split("\r\n"))
        text.append((name(number), lines, json.dumps(policy(number).mx)))
    for ago in range(DAYS, 0, -1):
        start = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
        first = int(start.timestamp()) - ago * 86400
        for number in range(domains):
            for reporter in REPORTERS[: 3 if number % 7 == 0 else 1]:
                identity += 1
                fails = number % 20 == 3 and ago % 40 < 5 and (ago < 20 or number % 40 == 3)
                yield identity, first, reporter, text[number], 1000 + ago % 90, 3 if fails else 0


def fill(path, domains):
    """Make the ledger."""
    database = Database(parse(path))
    with database.writing():
        pass
    database.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    batch = []
    for one in reports(domains):
        batch.append(one)
        if len(batch) == 20000:
            insert(connection, batch)
            batch = []
    insert(connection, batch)
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()


def insert(connection, batch):
    """Enter some rows."""
    connection.executemany(
        "INSERT INTO report VALUES (?,?,?,40,?,?,?,?,?,?,NULL,'[]','[]')",
        [
            (i, f"{i:064x}", f"{i:064x}", first + 90000, first, by, str(i), first, first + 86399)
            for i, first, by, *_ in batch
        ],
    )
    connection.executemany(
        "INSERT INTO policy_result VALUES (?,0,?,?,'sts',?,?,?,?)",
        [(i, d, first, lines, mx, good, bad) for i, first, _, (d, lines, mx), good, bad in batch],
    )
    connection.executemany(
        "INSERT INTO failure (report_id, policy_position, position, result_type, sessions,"
        " receiving_mx_hostname) VALUES (?,0,0,'certificate-expired',?,?)",
        [(i, bad, "mx2." + domain) for i, _, _, (domain, *_), _, bad in batch if bad],
    )


def serve_policies(root, domains):
    """The policy directory: every third domain has changed its policy within the month."""
    store = Store(root)
    for number in range(domains):
        domain, now = Domain(name(number)), policy(number)
        before = now._replace(mode=Mode.TESTING)
        store.write(domain, before.to_bytes(), NOW - datetime.timedelta(days=800))
        ago = 12 if number % 3 == 0 else 700
        store.write(domain, now.to_bytes(), NOW - datetime.timedelta(days=ago))


def run(*argv):
    """Run a process to its end: its seconds, its peak memory in MiB, its seconds of CPU."""
    start = time.perf_counter()
    process = subprocess.Popen(argv, env=dict(os.environ, PYTHONPATH=str(TOP)))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench/page: exit code {process.returncode}: {argv}")
    cpu = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, usage.ru_maxrss / 1024, cpu


def places(folder):
    """The options that name ledger and policy directory."""
    return ["--ledger", f"{folder}/ledger.sqlite", "--policy-dir", f"{folder}/policies"]


def written(folder, rounds):
    """Measure `report page` beside the numbers alone; yield what missed its goal."""
    python, page = [sys.executable, "-W", "ignore"], f"{folder}/page.html"
    options = places(folder)
    numbers = [*python, "-c", COUNTED, options[1], options[3], f"{folder}/numbers.json"]
    pairs = [
        (run(*python, "-m", "mtasts", "report", "page", "-o", page, *options), run(*numbers))
        for _ in range(rounds)
    ]
    seconds = statistics.median(ours[0] for ours, _ in pairs)
    memory = max(ours[1] for ours, _ in pairs)
    cpu = statistics.median(ours[2] for ours, _ in pairs)
    ratio = statistics.median(ours[2] / other[2] for ours, other in pairs)
    size = os.path.getsize(page) / 1024
    print(f"  page: {seconds:.2f} s, {cpu:.2f} s of CPU, {memory:.0f} MiB, {size:.0f} KiB;", end="")
    print(f" {ratio:.2f} x the CPU of the numbers as JSON", flush=True)
    if seconds > SECONDS_GOAL or memory > MEMORY_GOAL:
        yield "page"


@contextlib.contextmanager
def dashboard(folder):
    """The command at work; its port."""
    argv = [sys.executable, "-W", "ignore", "-m", "mtasts", "dashboard", "--port", "0"]
    process = subprocess.Popen(
        argv + places(folder),
        env=dict(os.environ, PYTHONPATH=str(TOP)),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield int(re.search(r":(\d+)/", process.stdout.readline()).group(1)), process.pid
    finally:
        process.terminate()
        process.wait()


def ask(port, path):
    """One answer: its seconds and its text."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    said = connection.getresponse().read().decode("utf-8")
    connection.close()
    return time.perf_counter() - start, said


def cpu_of(pid):
    """The seconds of CPU that a process has taken."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(port, pid, path, times):
    """p50 and p99 of so many answers, and the CPU of one."""
    before = cpu_of(pid)
    seconds = sorted(ask(port, path)[0] for _ in range(times))
    cpu = (cpu_of(pid) - before) / times
    return statistics.median(seconds), seconds[min(times - 1, int(times * 0.99))], cpu


def answered(folder, domains, times):
    """Measure the dashboard; yield what missed its goal."""
    with dashboard(folder) as (port, pid):
        start = time.perf_counter()
        slowest, said = ask(port, "/")
        while "The numbers were counted" not in said:
            time.sleep(0.05)
            seconds, said = ask(port, "/")
            slowest = max(slowest, seconds)
        ready = time.perf_counter() - start
        print(f"  dashboard: all numbers after {ready:.2f} s; slowest answer until then ", end="")
        print(f"{slowest * 1000:.0f} ms", flush=True)
        _, _, bare = measured(port, pid, "/?days=nonsense", 5 * times)
        for what, path in (
            ("overview", "/"),
            ("one domain, 30 days", f"/?domain={name(3)}&days=30"),
            ("one domain, 730 days", f"/?domain={name(3)}&days=730"),
            ("three reporters, 730 days", f"/?domain={name(7)}&days=730"),
        ):
            middle, slow, cpu = measured(port, pid, path, times)
            print(f"  {what:26} p50 {middle * 1000:6.1f} ms, p99 {slow * 1000:6.1f} ms,", end="")
            print(f" CPU {cpu * 1000:5.1f} ms, {cpu / bare:5.0f} x a refusal", flush=True)
            if slow > ANSWER_GOAL or slowest > ANSWER_GOAL:
                yield f"dashboard, {domains} domains: {what}"
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            peak = re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)
        print(f"  dashboard: {int(peak) / 1024:.0f} MiB at its peak", flush=True)


def main():
    """Print all figures; fail if a goal is missed."""
    parser = argparse.ArgumentParser(description="Time the page and the dashboard.")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="domains at most")
    parser.add_argument("--rounds", type=int, default=3, help="pages of each size")
    parser.add_argument("--times", type=int, default=100, help="answers of each kind")
    parser.add_argument("--keep", metavar="DIR", help="keep ledgers there, and use those")
    options = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        for domains in (size for size in SIZES if size <= options.most):
            folder = os.path.join(options.keep or scratch, str(domains))
            if not os.path.exists(folder):
                os.makedirs(folder + "/policies")
                serve_policies(folder + "/policies", domains)
                fill(folder + "/ledger.sqlite", domains)
            size = os.path.getsize(folder + "/ledger.sqlite") / 1024**2
            print(f"{domains} domains, {DAYS} days, a ledger of {size:.0f} MiB")
            missed += written(folder, options.rounds)
            missed += answered(folder, domains, options.times)
    if missed:
        sys.exit("bench/page: missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
