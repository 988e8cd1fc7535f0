"""A sender that is in use, postfix-mta-sts-resolver, finds our record and fetches our policy."""

import datetime
import json
import os
import subprocess
import sys

import pytest

from mtasts.domain import Domain
from mtasts.policy import Mode, Policy, policy_id
from mtasts.record import STSRecord
from real.test_serving import HOST, certify, replace
from rig.http import fetch
from rig.process import wait_for

DOMAIN = Domain("example.test")
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
PRINTED = [
    Policy(Mode.ENFORCE, 31536000, ("mx1.example.test", "*.mx.example.test")),
    Policy(Mode.TESTING, 86401, ("mx1.example.test",)),
    Policy(Mode.NONE, 86400, ("mx1.example.test",)),
]
# aiohttp reads the roots when it is imported, so the sender is a process of its own.
SENDER = """
import asyncio, json, sys
from postfix_mta_sts_resolver.resolver import STSResolver

async def main():
    resolver = STSResolver(loop=asyncio.get_running_loop(), timeout=10)
    result, found = await resolver.resolve(sys.argv[1])
    print(json.dumps([result.name, found]))

asyncio.run(main())
"""


def sender_takes(root):
    """What the sender says of the domain: its result and, if that is VALID, id and policy."""
    environment = dict(os.environ, SSL_CERT_FILE=root)
    output = subprocess.check_output(
        [sys.executable, "-c", SENDER, DOMAIN], env=environment, timeout=60
    )
    return json.loads(output)


@pytest.fixture
def publish(policy_hosts, resolver):
    """Serve a policy, then name it in DNS; return the root that vouches for the policy host."""
    root = certify(HOST)
    policy_hosts.apache.graceful()

    def publish(policy):
        data = policy.to_bytes()
        replace(data)
        wait_for(lambda: fetch(HOST).body == data, "the policy is served")
        record = STSRecord(policy_id(data, NOW))
        resolver.set(f"{DOMAIN.policy_host} A 127.0.0.1", f'{record.owner(DOMAIN)} TXT "{record}"')
        return root, record

    return publish


@pytest.mark.parametrize("policy", PRINTED, ids=lambda policy: policy.mode.value)
def test_the_sender_takes_what_we_publish(publish, policy):
    root, record = publish(policy)
    result, found = sender_takes(root)
    assert result == "VALID"
    name, taken = found
    assert name == record.id
    assert taken == {
        "version": "STSv1",
        "mode": policy.mode.value,
        "mx": list(policy.mx),
        "max_age": policy.max_age,
    }


def test_the_sender_has_looked_at_the_certificate(publish, tmp_path):
    publish(PRINTED[0])
    other = tmp_path / "none.pem"
    other.write_text("")
    assert sender_takes(str(other)) == ["FETCH_ERROR", None]
