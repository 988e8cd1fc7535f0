"""A sender that is in use takes a domain's policy exactly if mtasts check finds no error in it.

The sender is postfix-mta-sts-resolver; it asks the same DNS and the same policy hosts. Where it is
known to be more lenient, the case says why.
"""

import json
import os
import ssl
import subprocess
import sys
from typing import NamedTuple, Optional, Tuple

import pytest

import https_server
from certificates import ALWAYS, Issued
from rig import stacks

POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 2592000\r\n"
RECORD = "v=STSv1; id=20260101000000;"
TEXT = "Content-Type: text/plain\r\n"
EXPIRED = (-100, -10)  # days
SENDER = """
import asyncio, json, sys
from postfix_mta_sts_resolver.resolver import STSResolver

async def main():
    resolver = STSResolver(loop=asyncio.get_running_loop(), timeout=10)
    for domain in sys.argv[1:]:
        result, _ = await resolver.resolve(domain)
        print(json.dumps([domain, result.name]))

asyncio.run(main())
"""


class Case(NamedTuple):
    """What is otherwise with a domain than with a healthy one."""

    records: Tuple[str, ...] = (RECORD,)
    address: Optional[str] = "127.0.0.1"
    host: Optional[str] = None  # in the certificate
    ends: Tuple[int, int] = ALWAYS
    alternatives: Optional[Tuple[()]] = None  # none where there is a common name only
    is_trusted: bool = True
    is_known: bool = True  # to its web server
    status: str = "200 OK"
    headers: str = TEXT
    policy: str = POLICY


TAKEN = {
    "healthy": Case(),
    "line-feeds": Case(policy=POLICY.replace("\r", "")),
    "testing": Case(policy=POLICY.replace("enforce", "testing")),
    "none": Case(policy=POLICY.replace("enforce", "none")),
    "media-type-with-charset": Case(headers="Content-Type: Text/Plain; charset=utf-8\r\n"),
    "other-record-beside": Case((RECORD, "v=spf1 -all")),
    "blank-before-semicolon": Case(("v=STSv1 ; id=1;",)),
    "extension": Case(policy=POLICY + "note: hello\r\n"),
    "tab-after-colon": Case(policy=POLICY.replace("mode: ", "mode:\t")),
    "wildcard": Case(host="*.wildcard.test"),
}
REFUSED = {
    "no-record": Case(()),
    "only-another-record": Case(("v=spf1 -all",)),
    "two-records": Case((RECORD, "v=STSv1; id=2;")),
    "next-version": Case(("v=STSv2; id=1;",)),
    "no-id": Case(("v=STSv1;",)),
    "no-address": Case(address=None),
    "nobody-listens": Case(address="127.0.0.9"),
    "name-of-another": Case(host="mta-sts.example.org"),
    "name-of-the-domain": Case(host="name-of-the-domain.test"),
    "wildcard-too-high": Case(host="*.test"),
    "expired": Case(ends=EXPIRED),
    "not-yet-valid": Case(ends=(10, 100)),
    "self-signed": Case(is_trusted=False),
    "alert-112": Case(is_known=False),
    "redirect": Case(
        status="301 Moved", headers=TEXT + "Location: https://mta-sts.healthy.test/\r\n"
    ),
    "accepted": Case(status="202 Accepted"),
    "not-found-with-policy": Case(status="404 Not Found"),
    "unavailable": Case(status="503 Service Unavailable"),
    "html": Case(headers="Content-Type: text/html\r\n"),
    "no-media-type": Case(headers=""),
    "oversize": Case(policy=POLICY + "mx: mx.example.test\r\n" * 4000),
    "empty": Case(policy=""),
    "no-version": Case(policy=POLICY.replace("version: STSv1\r\n", "")),
    "no-mode": Case(policy=POLICY.replace("mode: enforce\r\n", "")),
    "unknown-mode": Case(policy=POLICY.replace("enforce", "enforced")),
    "no-mx": Case(policy=POLICY.replace("mx: mx.example.test\r\n", "")),
    "no-max-age": Case(policy=POLICY.replace("max_age: 2592000\r\n", "")),
    "max-age-beyond-a-year": Case(policy=POLICY.replace("2592000", "31557601")),
}
# The sender takes them, and is alone with that or against the RFC.
LENIENT = {
    # it does not look at the grammar of an id (RFC 8461 section 3.1), other senders do
    "hyphens-in-id": Case(("v=STSv1; id=2026-01-01;",)),
    "long-id": Case(("v=STSv1; id=" + "1" * 33 + ";",)),
    # it skips lines that it does not understand (section 3.2 has no blank lines)
    "blank-line": Case(policy=POLICY.replace("mode", "\r\nmode")),
    # it takes any text for a host
    "list-of-mx": Case(
        policy=POLICY.replace("mx.example.test", "mx1.example.test, mx2.example.test")
    ),
    # Python's ssl falls back on the common name (section 3.3: a DNS-ID)
    "common-name-only": Case(alternatives=()),
    # Python's int() takes it (section 3.2: 1*10(DIGIT))
    "underscore-in-max-age": Case(policy=POLICY.replace("2592000", "2_592_000")),
}
CASES = {**TAKEN, **REFUSED, **LENIENT}


def domain_of(name):
    return f"{name}.test"


class PolicyHosts:
    """All policy hosts, on one port: SNI chooses the certificate, Host the answer."""

    def __init__(self, root, folder):
        self.contexts = {
            f"mta-sts.{domain_of(name)}": self._context(name, case, root, folder)
            for name, case in CASES.items()
        }
        self.any = self.contexts["mta-sts.healthy.test"]
        self.any.set_servername_callback(self._choose)

    @staticmethod
    def _context(name, case, root, folder):
        host = case.host or f"mta-sts.{domain_of(name)}"
        issuer = root if case.is_trusted else None
        return https_server.context(Issued(host, case.ends, issuer, case.alternatives), folder)

    def _choose(self, connection, name, _context):
        if not CASES[name.split(".")[1]].is_known:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self.contexts[name]
        return None

    @staticmethod
    def said(request):
        case = CASES[request.headers["host"].split(".")[1]]
        status, headers, body = case.status, case.headers, case.policy
        return https_server.answer(*(part.encode("ascii") for part in (status, headers, body)))


@pytest.fixture
def net(resolver, tmp_path):
    """DNS and policy hosts of all cases; gives the file with the root that vouches for them."""
    root = Issued("root")
    table = []
    for name, case in CASES.items():
        domain = domain_of(name)
        table.append(f"{domain} MX 10 mx.example.test")
        table += [f'_mta-sts.{domain} TXT "{text}"' for text in case.records]
        table += [f"mta-sts.{domain} A {case.address}"] if case.address else []
    resolver.set(*table)
    hosts = PolicyHosts(root, str(tmp_path))
    with https_server.running(hosts.any, hosts.said, "127.0.0.1", 443):
        yield root.write(str(tmp_path / "root.pem"))


def taken_by_sender(root):
    """The domains of which the sender takes the policy."""
    environment = dict(os.environ, SSL_CERT_FILE=root)
    command = [sys.executable, "-c", SENDER, *map(domain_of, CASES)]
    output = subprocess.check_output(command, env=environment, timeout=120)
    return {domain for domain, found in map(json.loads, output.splitlines()) if found == "VALID"}


def checked(root, tmp_path):
    """What mtasts check finds: by domain, the codes of the errors in record and policy host, and
    the mode of the policy that a sender takes."""
    names = tmp_path / "domains.txt"
    names.write_text("\n".join(map(domain_of, CASES)))
    command = [sys.executable, "-m", "mtasts", "check", "--file", str(names), "--json"]
    done = subprocess.run(
        [*command, "--ca", root],
        env=dict(os.environ, PYTHONPATH=stacks.CLONE),
        stdout=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    errors, modes = {}, {}
    for found in map(json.loads, done.stdout.splitlines()):
        errors[found["domain"]] = sorted(
            one["code"]
            for one in found["findings"]
            if one["group"] in ("txt", "policy-host") and one["severity"] == "error"
        )
        modes[found["domain"]] = found["mode"]
    return errors, modes


def test_the_sender_takes_what_we_find_no_error_in(net, tmp_path):
    taken, (errors, modes) = taken_by_sender(net), checked(net, tmp_path)
    assert len(errors) == len(CASES)
    assert {domain for domain, codes in errors.items() if not codes} == set(map(domain_of, TAKEN))
    assert {domain for domain, mode in modes.items() if mode} == set(map(domain_of, TAKEN))
    assert taken == set(map(domain_of, [*TAKEN, *LENIENT]))
