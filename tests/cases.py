"""The cases of tests/vectors, read as vectors/README.md describes them, and a policy to vary."""

import glob
import json
import os

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")
# The form that every sender accepts, without anything to be said about it.
CAREFUL = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 2592000\r\n"


def load(kind):
    """The cases of a directory: what their file's name says is tried, to what the file says."""
    cases = {}
    for path in sorted(glob.glob(os.path.join(VECTORS, kind, "*.json"))):
        with open(path, encoding="utf-8") as file:
            cases[os.path.basename(path)[: -len(".json")]] = json.load(file)
    return cases


def octets(parts):
    """The octets of an input: its parts joined."""
    return b"".join(_octets(part) for part in parts)


def _octets(part):
    if isinstance(part, dict):
        return bytes.fromhex(part["hex"])
    text, times = (part, 1) if isinstance(part, str) else part
    return (text * times).encode("utf-8")


def report_octets(case):
    """The octets of a case of a report, which may be given as the JSON that it is."""
    if "report" in case:
        return json.dumps(case["report"]).encode("ascii")
    return octets(case["input"])


POLICIES, RECORDS, MATCHES = load("policy"), load("txt"), load("match")
REPORTS = load("report")


def with_line(line):
    """The policy with a line more."""
    return CAREFUL + line + b"\r\n"


def instead(old, new):
    """The policy with something else in place of `old`."""
    assert old in CAREFUL
    return CAREFUL.replace(old, new)
