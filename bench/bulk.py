"""Very many domains that share 20 MX hosts, checked by us and by checkdmarc, on the same servers.

The servers (simulated.py) answer after a delay that stands for the round trip of a network, or at
once: then only what the programs compute counts, and nothing that they do side by side. checkdmarc
looks at what we look at, and no further: MTA-STS, TLSRPT, MX with STARTTLS. It keeps what it learnt
of an MX host as we do. Each program runs alone, and what it found is compared with what there is.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests")]

import simulated  # noqa: E402

# checkdmarc's own functions, one domain after the other, as its check_domains() calls them.
CHECKDMARC = """
import logging, sys
from checkdmarc.mta_sts import check_mta_sts
from checkdmarc.smtp import check_mx
from checkdmarc.smtp_tls_reporting import check_smtp_tls_reporting

logging.disable(logging.CRITICAL)
asked = {"nameservers": [sys.argv[1]]}
good = 0
for domain in open(sys.argv[2]).read().split():
    sts = check_mta_sts(domain, **asked)
    patterns = sts["policy"]["mx"] if sts["valid"] else None
    mx = check_mx(domain, check_mx_tls=True, mta_sts_mx_patterns=patterns, **asked)
    reports = check_smtp_tls_reporting(domain, **asked)
    starttls = all(host["starttls"] for host in mx["hosts"])
    good += bool(sts["valid"] and reports["valid"] and mx["hosts"] and starttls)
print(good)
"""
MIB = 1024


def table(sizes, delay, longest):
    """Print a line for each size and program; the ratios are of domains a second.

    What would take checkdmarc longer than `longest` seconds is left out: its speed is then that of
    the size before, which is said.
    """
    speed = 0
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            names = os.path.join(folder, "domains")
            with open(names, "w") as file:
                file.write("".join(f"{simulated.domain(number)}\n" for number in range(size)))
            with simulated.running(size, folder, delay) as root:
                is_left_out = speed and size / speed > longest
                if not is_left_out:
                    other = measured(size, *_checkdmarc(names, root))
                    speed = size / other[0]
                ours = measured(size, *_ours(folder, names, root))
        if is_left_out:
            print(f"{size:7} {delay * 1000:7g} ms  checkdmarc {size / speed:8.0f}   (not run)")
        else:
            line(size, delay, "checkdmarc", other, 1)
        line(size, delay, "mtasts", ours, size / ours[0] / speed)


def line(size, delay, name, figures, ratio):
    """Print the figures of one program."""
    wall, cpu, memory = figures
    print(
        f"{size:7} {delay * 1000:7g} ms  {name:10} {wall:8.1f} {size / wall:9.1f}"
        f" {cpu / size * 1000:11.1f} {memory:9.0f} {ratio:6.1f}",
        flush=True,
    )


def measured(size, command, environment, good):
    """Run a program alone; seconds of the clock and of the CPU, and the most memory, in MiB.

    `good` says from its output how many domains it found to be as they are.
    """
    begin = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        program = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.PIPE)
        errors = program.stderr.read()
        _, status, used = os.wait4(program.pid, 0)
        wall = time.monotonic() - begin
        program.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        found = good(output.read())
    if found != size:
        sys.exit(f"{command[:3]}: {found} of {size} domains are as they are\n{errors.decode()}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / MIB


def _ours(folder, names, root):
    results = os.path.join(folder, "results.jsonl")
    command = [sys.executable, "-m", "mtasts", "check", "--file", names, "--output", results]
    command += ["--resolver", simulated.RESOLVER, "--ca", root]

    def good(_output):
        with open(results) as file:
            return sum(json.loads(result)["severity"] in ("ok", "info") for result in file)

    return command, dict(os.environ, PYTHONPATH=str(TOP)), good


def _checkdmarc(names, root):
    command = [sys.executable, "-c", CHECKDMARC, simulated.RESOLVER, names]
    return command, dict(os.environ, REQUESTS_CA_BUNDLE=root, SSL_CERT_FILE=root), int


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="Check many domains that share 20 MX hosts.")
    parser.add_argument("--domains", default="100,1000,10000", help="how many, with commas")
    parser.add_argument("--round-trips", default="10,0", help="of the network, in ms, with commas")
    parser.add_argument(
        "--longest", type=float, default=400, help="seconds that checkdmarc may take"
    )
    arguments = parser.parse_args()
    print("domains round trip              seconds  a second CPU ms each  peak MiB  ratio")
    for delay in arguments.round_trips.split(","):
        sizes = [int(size) for size in arguments.domains.split(",")]
        table(sizes, float(delay) / 1000, arguments.longest)


if __name__ == "__main__":
    main()
