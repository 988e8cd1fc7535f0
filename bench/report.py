"""Reading TLS reports: CPU time and memory, ours beside others on the same reports.

Every figure is that of a process of its own, with all it takes to start: one thread, the CPU time
that the system counted. All read the same files, from the system's cache, as often as the others.
Ratios are those within a round, of which the median is printed, because the speed of a machine
drifts. The standard library's parsers (json; email, gzip and json) check nothing; they are what a
reader that is written in Python cannot do without.

The reports are made up after real ones: most small and without failures, some with a few, and one
kind with thousands; 60 domains, a year of days, with and without mx-host.
"""

import argparse
import base64
import gzip
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
TYPES = ("certificate-expired", "certificate-host-mismatch", "starttls-not-supported")
LARGE = 3000  # details
# Kinds of reports: how many there are, how often each is read, how many details it has.
KINDS = {
    "small": (1000, 20, (0, 0)),
    "some failures": (1000, 20, (1, 5)),
    "large": (10, 10, (LARGE, LARGE)),
}
MAILS = 1000
JSON_GOAL, MAIL_GOAL = 0.5, 4  # our rate: of json.loads, of parsedmarc
MEMORY_GOAL, IMPORT_GOAL = 50, (150, 30)  # MiB for a report of 10 MiB; ms and MiB


def detail(chance):
    """A failure detail, as senders of all kinds write them."""
    members = {
        "result-type": chance.choice(TYPES),
        "sending-mta-ip": f"198.51.{chance.randrange(4)}.{chance.randrange(256)}",
        "receiving-mx-hostname": f"mx{chance.randrange(1, 4)}.mail.example.net",
        "receiving-ip": f"2001:db8::{chance.randrange(16):x}",
        "failed-session-count": chance.randrange(1, 9),
    }
    if chance.random() < 0.5:
        members["failure-reason-code"] = "X509_V_ERR_CERT_HAS_EXPIRED"
    return members


def result(chance, domain, details):
    """A policy with its sums; half of the senders do not name the MX hosts."""
    hosts = [f"mx{number}.mail.example.net" for number in (1, 2, 3)]
    lines = ["version: STSv1", "mode: enforce", *(f"mx: {host}" for host in hosts)]
    policy = {"policy-type": "sts", "policy-string": [*lines, "max_age: 604800"]}
    policy["policy-domain"] = domain
    if chance.random() < 0.5:
        policy["mx-host"] = hosts
    found = [detail(chance) for _ in range(details)]
    failed = sum(one["failed-session-count"] for one in found)
    sums = {
        "total-successful-session-count": chance.randrange(5000),
        "total-failure-session-count": failed,
    }
    return {"policy": policy, "summary": sums, "failure-details": found}


def report(chance, details):
    """A report of one day about one domain, as JSON."""
    day = f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    domain = f"customer-{chance.randrange(60)}.example"
    members = {
        "organization-name": f"Example Mail {chance.randrange(20)}",
        "date-range": {
            "start-datetime": day + "T00:00:00Z",
            "end-datetime": day + "T23:59:59Z",
        },
        "contact-info": "tls-reports@example.net",
        "report-id": f"{day}T00:00:00Z_{domain}",
        "policies": [result(chance, domain, chance.randint(*details))],
    }
    return json.dumps(members).encode("ascii")


def mail(data):
    """A mail of RFC 8460 section 5.3, with the header that a real one has collected."""
    body = base64.encodebytes(gzip.compress(data)).decode("ascii")
    received = "Received: from mail.example.net by mx1.example.org; 2 Mar 2026 01:00:00 +0000\n" * 6
    return (
        f"{received}From: tls@example.net\nTo: tls@example.org\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=k; h=from:to:subject;\n"
        f" bh={'A' * 44}; b={'B' * 344}\n"
        "Subject: Report Domain: example.org Submitter: example.net Report-ID: <1>\n"
        "Date: Mon, 02 Mar 2026 01:00:00 +0000\nMessage-ID: <1@example.net>\n"
        "TLS-Report-Domain: example.org\nTLS-Report-Submitter: example.net\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type="tlsrpt"; boundary="b1"\n\n'
        "--b1\nContent-Type: text/plain\n\nThis is an aggregate TLS report.\n--b1\n"
        "Content-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: base64\n"
        'Content-Disposition: attachment; filename="example.net!example.org!1!2.json.gz"\n\n'
        f"{body}--b1--\n"
    ).encode("ascii")


# What a process does with one report; each imports what it needs and no more.
READERS = {
    ("json", "library"): "import json; read = json.loads",
    ("json", "ours"): "from mtasts.tlsrpt.reader import read",
    ("json", "parsedmarc"): (
        "from parsedmarc import parse_smtp_tls_report_json\n"
        "def read(data): return parse_smtp_tls_report_json(data.decode())"
    ),
    ("mail", "library"): (
        "import email, gzip, json\n"
        "def read(data):\n"
        "    part = email.message_from_bytes(data).get_payload()[1]\n"
        "    return json.loads(gzip.decompress(part.get_payload(decode=True)))"
    ),
    ("mail", "ours"): (
        "from mtasts.tlsrpt import container\n"
        "def read(data): return [found.policies for _, found in container.reports(data)]"
    ),
    ("mail", "parsedmarc"): (
        "from parsedmarc import parse_report_email\n"
        "def read(data): return parse_report_email(data, offline=True)"
    ),
}
LOOP = """
import os, sys
for _ in range(int(sys.argv[2])):
    for entry in os.scandir(sys.argv[1]):
        with open(entry.path, "rb") as file:
            read(file.read())
"""
RESIDENT = """
import sys
def resident(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) / 1024
"""
GROWTH = """
before = resident("VmRSS:")
with open(sys.argv[1], "rb") as file:
    data = file.read()
found = read(data)
print(resident("VmHWM:") - before)
"""


def run(python, code, *arguments):
    """Run code in a process of its own: its CPU time in seconds, and what it prints."""
    command = [python, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=TOP, text=True
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench/report: exit code {process.returncode}: {code}")
    return usage.ru_utime + usage.ru_stime, output


def compare(kind, found, times, pythons, rounds, scratch):
    """Print a line for each reader of these reports; our rate in times of each other one's."""
    folder = tempfile.mkdtemp(dir=scratch)
    for number, data in enumerate(found):
        with open(os.path.join(folder, str(number)), "wb") as file:
            file.write(data)
    taken = {who: [] for what, who in READERS if what == kind}
    for _ in range(rounds):
        for who, seconds in taken.items():
            used, _ = run(pythons[who], READERS[kind, who] + LOOP, folder, times)
            seconds.append(used / times / len(found))
    rates = {}
    for who, seconds in taken.items():
        ratios = [other / ours for other, ours in zip(seconds, taken["ours"])]
        rates[who] = statistics.median(ratios)
        print(
            f"  {who:<14}{statistics.median(seconds) * 1e6:>14.1f}{rates[who]:>16.2f}", flush=True
        )
    return rates


def parsing(pythons, rounds, scratch):
    """Measure all kinds of reports; yield what missed its goal."""
    chance = random.Random(8460)  # noqa: S311 - the same reports in every run
    print(f"{'':16}{'us a report':>14}{'our rate / its':>16}")
    for name, (count, times, details) in KINDS.items():
        found = [report(chance, details) for _ in range(count)]
        print(f"JSON, {name}: {sum(map(len, found)) // count} bytes")
        rates = compare("json", found, times, pythons, rounds, scratch)
        if rates["library"] < JSON_GOAL:
            yield f"JSON, {name}"
    found = [mail(report(chance, (0, 5))) for _ in range(MAILS)]
    print(f"mail with gzip: {sum(map(len, found)) // MAILS} bytes")
    rates = compare("mail", found, 5, pythons, rounds, scratch)
    if rates["parsedmarc"] < MAIL_GOAL:
        yield "mail"


def memory(pythons, scratch):
    """Measure by how much reading 10 MiB lets a process grow; yield what missed its goal."""
    path = os.path.join(scratch, "large")
    data = report(random.Random(8460), (50000, 50000))  # noqa: S311 - see above
    with open(path, "wb") as file:
        file.write(data)
    print(f"one report of {len(data) / MIB:.1f} MiB, MiB resident, its bytes included")
    for who, python in pythons.items():
        grown = float(run(python, READERS["json", who] + RESIDENT + GROWTH, path)[1])
        print(f"  {who:<14}{grown:>14.1f}", flush=True)
        if who == "ours" and grown > MEMORY_GOAL:
            yield "memory"


def importing(rounds):
    """Measure what it costs to import the reader; yield what missed its goal."""
    shown = RESIDENT + "print(resident('VmHWM:'))"
    taken, held = [], []
    for _ in range(rounds):
        (start, bare), (full, resident) = (
            run(sys.executable, code + shown) for code in ("", READERS["mail", "ours"] + "\n")
        )
        taken.append((full - start) * 1000)
        held.append(float(resident) - float(bare))
    milliseconds, mib = statistics.median(taken), statistics.median(held)
    print(f"import: {milliseconds:.0f} ms, {mib:.1f} MiB more than a bare Python")
    if milliseconds > IMPORT_GOAL[0] or mib > IMPORT_GOAL[1]:
        yield "import"


def main():
    """Print all tables; fail if a goal is missed."""
    parser = argparse.ArgumentParser(description="Measure the readers of TLS reports.")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each figure")
    parser.add_argument("--parsedmarc", required=True, help="a Python that has parsedmarc")
    options = parser.parse_args()
    pythons = dict.fromkeys(("library", "ours"), sys.executable)
    pythons["parsedmarc"] = options.parsedmarc
    with tempfile.TemporaryDirectory() as scratch:
        missed = [
            *parsing(pythons, options.rounds, scratch),
            *memory(pythons, scratch),
            *importing(options.rounds),
        ]
    if missed:
        sys.exit("bench/report: missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
