"""Judgements about what was seen on the network: facts in, findings out."""

from typing import List

from mtasts.finding import Finding, finding
from mtasts.probe import Fetch


def served(fetch: Fetch, expected: bytes) -> List[Finding]:
    """What is wrong with the answer of a policy host that should serve the bytes `expected`."""
    found = []
    if fetch.status != 200:
        found.append(finding("fetch-status", text=fetch.status))
    if fetch.content_type.split(";")[0].strip().lower() != "text/plain":
        found.append(finding("fetch-content-type", text=fetch.content_type))
    if fetch.status == 200 and fetch.body != expected:
        found.append(finding("fetch-body"))
    return found
