"""Reading the access log: lines a second and memory, ours beside others on the same log.

Every figure is that of a process of its own, with all it takes to start: the CPU time and the peak
memory that the system counted. Ratios are those within a round, of which the median is printed,
because the speed of a machine drifts.

awk and apachelogs count the fetches of each network, User-Agent and ETag for one host, the same
question without the answers; awk checks nothing and takes off no escapes. GoAccess makes its report
of all hosts, with the same fields.
"""

import argparse
import datetime
import hashlib
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
DOMAIN = "customer-0.example"
POLICY = "version: STSv1\r\nmode: testing\r\nmx: mx.example.net\r\nmax_age: 86400\r\n"
AGENTS = (
    "Google-SMTP-STS",
    "Postfix",
    "",
    "postfix-tlspol/1.8.2",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
)
# Kinds of logs: of how many domains, and whether each line has a User-Agent of its own.
KINDS = {
    "one domain": (1, False),
    "1,000 domains": (1000, False),
    "one domain, a User-Agent a line": (1, True),
}
RATE_GOAL, MEMORY_GOAL = 1, 128  # our rate in times of apachelogs' and GoAccess's; MiB
AWK = r"""
{ host = $(NF - 2) }
host == wanted {
    split($0, part, "\"")
    sub(/[0-9]+$/, "", $1)
    count[$1 " " part[6] " " $NF]++
}
END { for (key in count) n++; print n }
"""
APACHELOGS = r"""
import collections, sys
from apachelogs import InvalidEntryError, LogParser
parser = LogParser(
    '%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %{Host}i %{SSL_PROTOCOL}x %{ETag}o'
)
count = collections.Counter()
with open(sys.argv[1]) as log:
    for line in log:
        try:
            one = parser.parse(line)
        except InvalidEntryError:
            continue
        headers = one.headers_in
        if headers["Host"] == sys.argv[2]:
            network = one.remote_host.rpartition(".")[0]
            count[network, headers["User-Agent"], one.headers_out["ETag"]] += 1
print(len(count))
"""
GOACCESS_FORMAT = '%h %^ %^ [%d:%t %^] "%r" %s %b "%R" "%u" %v %^ %^'


def write_log(path, lines, domains, has_many_agents):
    """The log of a day, as Apache writes it: a thousand networks, some fetches refused."""
    chance = random.Random(8461)  # noqa: S311 - the same log in every run
    tag = hashlib.sha256(POLICY.encode("ascii")).hexdigest()[:32]
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%d/%b/%Y")
    with open(path, "w", encoding="ascii") as log:
        for number in range(lines):
            second = number * 86400 // lines
            time = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            agent = f"agent-{number}/1" if has_many_agents else chance.choice(AGENTS)
            answer = "503 40" if number % 50 == 0 else "200 512"
            end = "-" if number % 50 == 0 else f'\\"{tag}\\"'
            log.write(
                f"198.{chance.randrange(4)}.{chance.randrange(256)}.{chance.randrange(256)} - - "
                f'[{day}:{time} +0000] "GET /.well-known/mta-sts.txt HTTP/1.1" {answer} "-" '
                f'"{agent}" mta-sts.customer-{chance.randrange(domains)}.example TLSv1.3 {end}\n'
            )


def run(command):
    """Run a command: its CPU time in seconds, and its peak memory in MiB."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=TOP, text=True
    )
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: fetches were refused
        sys.exit(f"bench/pickup: exit code {process.returncode}: {command}\n{said}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def commands(log, policies, apachelogs):
    """What is compared, by name."""
    host = f"mta-sts.{DOMAIN}"
    ours = [sys.executable, "-W", "ignore", "-m", "mtasts", "pickup", DOMAIN, "--log", log]
    goaccess = ["goaccess", log, f"--log-format={GOACCESS_FORMAT}", "--date-format=%d/%b/%Y"]
    return {
        "ours": [*ours, "--json", "--policy-dir", policies],
        "awk": ["awk", "-v", f"wanted={host}", AWK, log],
        "GoAccess": [*goaccess, "--time-format=%H:%M:%S", "--no-global-config", "-o", "json"],
        "apachelogs": [apachelogs, "-c", APACHELOGS, log, host],
    }


def compare(kind, lines, compared, rounds):
    """Print a line for each; yield what missed its goal."""
    taken = {who: [] for who in compared}
    for _ in range(rounds):
        for who, command in compared.items():
            taken[who].append(run(command))
    print(f"{kind}, {lines} lines")
    for who, figures in taken.items():
        seconds = [one for one, _ in figures]
        rate = statistics.median(theirs / ours for theirs, (ours, _) in zip(seconds, taken["ours"]))
        memory = max(one for _, one in figures)
        per_second = lines / statistics.median(seconds)
        print(f"  {who:<12}{per_second:>14.0f}{rate:>16.2f}{memory:>10.0f}", flush=True)
        if who == "ours" and memory > MEMORY_GOAL:
            yield f"{kind}: memory"
        if who in ("GoAccess", "apachelogs") and rate < RATE_GOAL:
            yield f"{kind}: {who}"


def main():
    """Print the table; fail if a goal is missed."""
    parser = argparse.ArgumentParser(description="Measure the readers of access logs.")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each figure")
    parser.add_argument("--lines", type=int, default=1000000)
    parser.add_argument("--apachelogs", required=True, help="a Python that has apachelogs")
    options = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        log = os.path.join(scratch, "access.log")
        folder = os.path.join(scratch, "policies", DOMAIN)
        os.makedirs(folder)
        with open(os.path.join(folder, "mta-sts.txt"), "w", newline="") as file:
            file.write(POLICY)
        compared = commands(log, os.path.dirname(folder), options.apachelogs)
        print(f"{'':14}{'lines a second':>14}{'our rate / its':>16}{'MiB':>8}")
        for kind, facts in KINDS.items():
            write_log(log, options.lines, *facts)
            missed += compare(kind, options.lines, compared, options.rounds)
    if missed:
        sys.exit("bench/pickup: missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
