"""How many mails with reports a second of CPU takes in: is it linear, what does DKIM cost?

Each figure is a whole process, its start included: `mtasts report add` with a directory of mails,
each with a report as gzip of one policy and two failure details, or `mtasts report ingest` with a
spool. CPU is that of the command, user and system; that of PostgreSQL's own processes is not in it.
The databases lie in memory (tests/sandbox), so waiting for a disk is not in the seconds either.
"""

import argparse
import base64
import functools
import gzip
import json
import multiprocessing
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tests")]

import dkim  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402

import nameserver  # noqa: E402
from mtasts.spool import Arrival, Spool  # noqa: E402
from reports import NEXT_DAY, as_json, as_mail, days, failure, policy, report  # noqa: E402
from rig import postgres  # noqa: E402

SIZES = (1000, 10000, 100000)
PROCESSES = (1, 2, 4)
SPOOLED = 10000


def mail(number):
    """The mail of one day of one of a hundred organisations."""
    details = [failure("certificate-expired", 2), failure("starttls-not-supported", 1)]
    start = NEXT_DAY + days(number // 100 % 700)
    name = f"Organisation {number % 100}"
    said = report(f"{number}@example.net", [policy(failures=details)], name, start)
    return as_mail(as_json(said))


def write_mails(directory, count, finish=lambda data: data):
    """A Maildir of so many mails."""
    for folder in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(directory, folder))
    for number in range(count):
        with open(os.path.join(directory, "new", str(number)), "wb") as file:
            file.write(finish(mail(number)))
    return directory


def mtasts(ledger, *arguments):
    """Start `mtasts report` with a ledger."""
    environment = dict(os.environ, MTASTS_LEDGER=ledger, PYTHONPATH=str(TOP))
    argv = [sys.executable, "-W", "ignore", "-m", "mtasts", "report", *arguments]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE)


def measured(*started):
    """Let processes end: the seconds that passed, and the seconds of CPU that they took in all."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    processes = [start_one() for start_one in started]
    for process in processes:
        process.communicate()
        if process.returncode != 0:
            sys.exit(f"{process.args} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return time.perf_counter() - start, cpu


def row(name, count, seconds, cpu):
    """Print one measurement."""
    rate, each = count / cpu, cpu / count * 1000
    print(f"{name:44}{count:8}{seconds:9.2f}{cpu:9.2f}{rate:10.0f}{each:9.2f}", flush=True)


def sizes(directory, databases, most):
    """Adding 1,000, 10,000 and 100,000 mails, and listing them."""
    for count in (size for size in SIZES if size <= most):
        mails = write_mails(os.path.join(directory, f"mails{count}"), count)
        for name, ledger in databases():
            for command in (("add", "--no-dkim", mails), ("list",)):
                started = functools.partial(mtasts, ledger, *command)
                row(f"{name}, {command[0]}", count, *measured(started))


def answer(table, pipe):
    """DNS in a process of its own, whose CPU does not count."""
    with nameserver.running() as server:
        server.table.update(table)
        pipe.send(server.address)
        pipe.recv()


def signatures(directory):
    """The same mails unsigned, and signed with keys of 2048 bits."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, secret = serialization.Encoding, serialization.PrivateFormat.TraditionalOpenSSL
    private = key.private_bytes(encoding.PEM, secret, serialization.NoEncryption())
    public = key.public_key().public_bytes(
        encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = "v=DKIM1; p=" + base64.b64encode(public).decode("ascii")
    ours, theirs = multiprocessing.Pipe()
    table = {"_s._domainkey.example.net": [record[:255] + '" "' + record[255:]]}
    server = multiprocessing.Process(target=answer, args=(table, theirs), daemon=True)
    server.start()
    count = SIZES[0]

    def signed(data):
        return dkim.sign(data, b"_s", b"example.net", private) + data

    mails = write_mails(os.path.join(directory, "signed"), count, signed)
    resolver = ("--resolver", ours.recv())
    for name, options in (("without DKIM", ["--no-dkim"]), ("with DKIM", resolver)):
        ledger = os.path.join(directory, f"{name}.sqlite")
        add = functools.partial(mtasts, ledger, "add", *options, mails)
        row(f"SQLite, signed mails {name}", count, *measured(add))
        listed = mtasts(ledger, "list", "--json").communicate()[0]
        grades = {one["grade"] for one in json.loads(listed)}
        print(f"    graded: {', '.join(sorted(grades))}")
    server.terminate()


def filled_spool(directory):
    """A spool with many reports; a nearly empty one takes each faster."""
    spool = Spool(tempfile.mkdtemp(dir=directory), SPOOLED)
    for first in range(0, SPOOLED, 500):
        some = Spool(tempfile.mkdtemp(dir=directory))
        for number in range(first, first + 500):
            data = gzip.compress(as_json(report(str(number))))
            name = some.put(Arrival(data, NEXT_DAY, "https", "example.org"))
            os.rename(os.path.join(some.folder, name), os.path.join(spool.folder, name))
    return spool


def processes(directory, server):
    """A spool that 1, 2 or 4 processes take in at once."""
    for number in PROCESSES:
        for name, ledger in (
            ("SQLite", os.path.join(directory, f"by{number}.sqlite")),
            ("PostgreSQL", server.database()),
        ):
            spool = filled_spool(directory)
            mtasts(ledger, "add", os.devnull).communicate()  # makes the ledger
            ingest = functools.partial(mtasts, ledger, "ingest", "--spool", spool.folder)
            row(f"{name}, ingest by {number}", SPOOLED, *measured(*[ingest] * number))
            if spool.waiting():
                sys.exit(f"not all is taken in: {ledger}")


def main():
    """Print all figures."""
    parser = argparse.ArgumentParser(description="Time how TLS reports are taken in.")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="mails at most")
    most = parser.parse_args().most
    server = postgres.Postgres()
    server.start()
    heads = ("mails", "seconds", "CPU s", "per CPU s", "ms CPU")
    print(f"{'':44}{heads[0]:>8}{heads[1]:>9}{heads[2]:>9}{heads[3]:>10}{heads[4]:>9}")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:

        def databases():
            yield "SQLite", os.path.join(tempfile.mkdtemp(dir=directory), "ledger.sqlite")
            yield "PostgreSQL", server.database()

        signatures(directory)
        processes(directory, server)
        sizes(directory, databases, most)
    server.stop()


if __name__ == "__main__":
    main()
