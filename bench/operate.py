"""list, status and the change of a class over many domains: time, memory, and whether it is linear.

Two policy directories of each size are made: one where every domain has a policy of its own, and
one where all are members of a class. DNS is a process on loopback that gives every domain the same
MX, so the look-ups cost what they cost without the waiting for strangers. Each command runs alone.
"""

import argparse
import datetime
import multiprocessing
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from mtasts.domain import Domain  # noqa: E402
from mtasts.history import HistoryEntry, to_bytes  # noqa: E402
from mtasts.policy import Mode, Policy  # noqa: E402

MX = b"\x03mx1\x07example\x03net\x00"
CLASS = "@mx-cluster-a"
SINCE = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
MEMORY_LIMIT = 200  # MiB
OWN, MEMBERS = "own policies", "one class"
# What is measured: the policy directory, the arguments, and what it is called in the table.
MEASURED = [
    (OWN, ["list"], "list"),
    (OWN, ["status", "--offline"], "status --offline"),
    (MEMBERS, ["list", "--json"], "list --json"),
    (MEMBERS, ["status", "--offline", "--json"], "status --offline --json"),
    (MEMBERS, ["set", CLASS, "--mx", "mx1.example.net", "--dry-run"], "class, dry run"),
    (MEMBERS, ["set", CLASS, "--mx", "mx1.example.net", "--yes"], "class, change"),
]


def policy(*mx):
    """A usual policy that names these hosts."""
    return Policy(Mode.ENFORCE, 2592000, mx).to_bytes()


def put(folder, data, link=None):
    """Make a domain's folder, or a member's with a link to the policy of its class."""
    os.makedirs(folder)
    path = os.path.join(folder, "mta-sts.txt")
    if link:
        os.symlink(link, path)
    else:
        pathlib.Path(path).write_bytes(data)
    history = to_bytes([HistoryEntry.of(data, SINCE)])
    pathlib.Path(folder, "history.jsonl").write_bytes(history)


def make(root, count):
    """Two policy directories of `count` domains; not by the command, which syncs every file."""
    for number in range(count):
        domain = Domain(f"customer-{number:06}.example")
        # Most domains share their MX hosts with others, but not all with the same ones.
        put(f"{root}/{OWN}/{domain}", policy(f"mx{number % 1000}.example.net"))
    shared = policy("mx1.example.net", "mx2.example.net")
    put(f"{root}/{MEMBERS}/{CLASS}", shared)
    for number in range(count):
        domain = f"customer-{number:06}.example"
        put(f"{root}/{MEMBERS}/{domain}", shared, f"../{CLASS}/mta-sts.txt")


def serve_dns(server):
    """Answer every question with one MX record."""
    while True:
        query, client = server.recvfrom(4096)
        end = query.index(b"\x00", 12) + 5  # the question: a name, its type and class
        header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIHH", 15, 1, 60, len(MX) + 2, 10) + MX
        server.sendto(header + query[12:end] + record, client)


def measure(root, arguments, resolver):
    """Seconds and MiB of one run of the command."""
    environment = dict(
        os.environ, PYTHONPATH=str(TOP), MTASTS_POLICY_DIR=root, MTASTS_RESOLVER=resolver
    )
    start = time.monotonic()
    with open(os.devnull, "wb") as nowhere:
        command = [sys.executable, "-m", "mtasts", *arguments]
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench/operate: exit code {process.returncode}: {' '.join(arguments)}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def main():
    """Measure all commands at all sizes; fail above the memory limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--domains", default="1000,10000,100000")
    sizes = [int(size) for size in parser.parse_args().domains.split(",")]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    dns = multiprocessing.Process(target=serve_dns, args=(server,), daemon=True)
    dns.start()
    resolver = "127.0.0.1:{}".format(server.getsockname()[1])
    print(f"{'command':<24} {'directory':<13} {'domains':>8} {'s':>8} {'ms/1000':>8} {'MiB':>6}")
    highest = 0
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            make(scratch, size)
            for directory, arguments, name in MEASURED:
                seconds, memory = measure(f"{scratch}/{directory}", arguments, resolver)
                highest = max(highest, memory)
                each = seconds * 1e6 / size
                line = f"{name:<24} {directory:<13} {size:>8} {seconds:>8.2f} {each:>8.0f}"
                print(f"{line} {memory:>6.0f}", flush=True)
    dns.terminate()
    if highest > MEMORY_LIMIT:
        sys.exit(f"bench/operate: {highest:.0f} MiB are more than {MEMORY_LIMIT}")


if __name__ == "__main__":
    main()
