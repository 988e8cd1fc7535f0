"""The cases of tests/vectors, read as vectors/README.md describes them."""

import glob
import json
import os

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")


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


POLICIES, RECORDS, MATCHES = load("policy"), load("txt"), load("match")
