"""Serving policies: our files under Apache against a static vhost, nginx and plain Flask.

All run at once (servers.py) and are asked in turn, for one, many and very many policies within each
round, so that a machine whose speed drifts is fair to all. Only ratios to the static vhost of the
same round count; CPU is the server's own time for a request. `bare` is what mod_wsgi costs whatever
it runs. The load comes from wrk on this machine, and shares its cores.
"""

import argparse
import itertools
import pathlib
import re
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP)]

from bench.servers import (  # noqa: E402
    HOST,
    PORTS,
    WORK,
    arrange,
    cpu_seconds,
    make_policies,
    memory,
)
from rig.apache import Apache, write  # noqa: E402
from rig.process import run  # noqa: E402

PATH = "/.well-known/mta-sts.txt"
KINDS = {"fresh TLS": "true", "keep-alive": "false"}  # whether connections are closed, in Lua
RELOADS = 7
WARM_UP = 6  # times every policy, so that each of two children of Apache has met nearly all

# Hosts in a random order, or one after the other. `bad` are answers other than 200, `lost` is
# whatever got no answer.
WRK = """
math.randomseed({seed})
local number = {start}
request = function()
    number = number < 0 and -math.random({count}) or (number + 1) % {count}
    local headers = {{Host = "mta-sts.d" .. math.abs(number) % {count} .. ".test"}}
    if {close} then headers["Connection"] = "close" end
    return wrk.format("GET", "{path}", headers)
end
done = function(summary, latency)
    local errors = summary.errors
    print("p99", latency:percentile(99))
    print("answers", summary.requests)
    print("bad", errors.status)
    print("lost", errors.connect + errors.read + errors.write + errors.timeout)
end
"""


class Load(NamedTuple):
    """What a server did under load: requests per second, p99 in ms, CPU in us for a request.

    `bad` counts what was not answered 200, or not at all.
    """

    rate: float
    p99: float
    cpu: float
    answers: int
    bad: int


def start_load(
    name: str, kind: str, count: int, seconds: int, seed: int = 0, start: int = -1
) -> subprocess.Popen:
    """Begin to ask one server for `count` policies; it ends after `seconds`.

    They are asked for in turn, beginning behind number `start`, or at random if that is negative.
    """
    script = WORK + "/load.lua"
    values = {"count": count, "close": KINDS[kind], "seed": seed, "start": start, "path": PATH}
    write(script, WRK.format(**values))
    argv = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", script, f"https://{HOST}:{PORTS[name]}"]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, universal_newlines=True)


def load(name: str, kind: str, count: int, seconds: int, seed: int = 0, start: int = -1) -> Load:
    """Ask one server for `count` policies, for `seconds`; see `start_load`."""
    before = cpu_seconds(name)
    wrk = start_load(name, kind, count, seconds, seed, start)
    output = wrk.communicate()[0]
    used = cpu_seconds(name) - before
    rate, p99, answers, bad, lost = (
        float(re.search(rf"^{word}\s+([\d.]+)", output, re.MULTILINE).group(1))
        for word in ("Requests/sec:", "p99", "answers", "bad", "lost")
    )
    return Load(rate, p99 / 1e3, used / answers * 1e6, int(answers), int(bad + lost))


def import_milliseconds() -> float:
    """The median time of what a fresh child of Apache imports, with the system's Python."""
    code = "import time; t = time.perf_counter()\nimport wsgi_policy; wsgi_policy.create_wsgi()"
    argv = ["/usr/bin/python3", "-c", code + "\nprint((time.perf_counter() - t) * 1000)"]
    return statistics.median(float(run(*argv).output) for _ in range(5))


def print_memory(when: str) -> None:
    """One line for all servers."""
    sizes = ", ".join(f"{name} {memory(name):.0f} MB" for name in PORTS)
    print(f"PSS {when}: {sizes}", flush=True)


def measure(counts: list, rounds: int, seconds: int) -> dict:
    """The loads of all rounds, by kind, count and server."""
    loads = {}
    for seed in range(rounds):
        for kind, count, name in itertools.product(KINDS, counts, PORTS):
            one = load(name, kind, count, seconds, seed)
            loads.setdefault((kind, count, name), []).append(one)
    return loads


def median_ratio(mine: list, theirs: list, what: str) -> float:
    """The median of the ratios within each round."""
    ratios = (getattr(one, what) / getattr(other, what) for one, other in zip(mine, theirs))
    return statistics.median(ratios)


def print_table(loads: dict) -> None:
    """One row for each kind of load, count and server: medians over the rounds."""
    print(f"{'load':10} {'policies':>8} server   req/s ratio | CPU us ratio | p99 ms ratio | bad")
    for (kind, count, name), mine in loads.items():
        columns = []
        for what, form in (("rate", "7.0f"), ("cpu", "6.0f"), ("p99", "6.1f")):
            value = statistics.median(getattr(one, what) for one in mine)
            ratio = median_ratio(mine, loads[kind, count, "static"], what)
            columns.append(f"{value:{form}} {ratio:5.2f}")
        bad = sum(one.bad for one in mine)
        print(f"{kind:10} {count:>8} {name:6} " + " | ".join(columns) + f" | {bad}")


def print_equality(loads: dict, counts: list) -> None:
    """What many policies cost ours and the static vhost, as ratios to the fewest."""
    fewest = min(counts)
    for kind in KINDS:
        for count in counts:
            for name in ("static", "ours"):
                mine, few = loads[kind, count, name], loads[kind, fewest, name]
                rate, p99 = (median_ratio(mine, few, what) for what in ("rate", "p99"))
                print(f"{kind}, {name}: {count} to {fewest}: req/s {rate:.2f}, p99 {p99:.2f}")


def warm_up(count: int, seconds: int) -> None:
    """Ask for all policies, which no child of ours has read yet."""
    first = load("ours", "keep-alive", count, seconds)
    ratio = first.rate / load("static", "keep-alive", count, seconds).rate
    print(f"keep-alive, mostly first reads of {count} policies: ours {ratio:.2f}", flush=True)
    answers = 0
    while answers < WARM_UP * count:
        answers += load("ours", "keep-alive", count, seconds, start=answers % count).answers


def print_reloads(count: int) -> None:
    """Reload ours gracefully while fresh connections saturate it, and say what was lost."""
    apache = Apache()
    seconds = 3 * RELOADS
    wrk = start_load("ours", "fresh TLS", count, seconds)
    for _ in range(RELOADS):
        time.sleep(1)
        apache.graceful()
    if wrk.poll() is not None:
        sys.exit("the load ended before the last reload")
    output = wrk.communicate()[0]
    answers, bad, lost = (
        re.search(rf"^{word}\s+(\d+)", output, re.MULTILINE).group(1)
        for word in ("answers", "bad", "lost")
    )
    print(f"{RELOADS} graceful reloads: {answers} answers, {bad} other than 200, {lost} lost")


def main() -> None:
    """Measure all there is, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="for each load of each round")
    parser.add_argument("--policies", default="1,10000,100000", help="how many, in each round")
    options = parser.parse_args()
    counts = [int(count) for count in options.policies.split(",")]
    arrange()
    print(f"imports of a fresh child: {import_milliseconds():.0f} ms")
    print_memory("idle")
    make_policies(0, 1)
    time.sleep(1)
    for kind in KINDS:
        for name in PORTS:
            load(name, kind, 1, options.seconds)
    print_memory("after load with one policy")
    make_policies(1, max(counts))
    warm_up(max(counts), options.seconds)
    loads = measure(counts, options.rounds, options.seconds)
    print_table(loads)
    print_equality(loads, counts)
    print_memory(f"after load with {max(counts)} policies")
    print_reloads(max(counts))


main()
