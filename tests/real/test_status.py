"""mtasts status against Apache, a real resolver and real certificates, on the oldest and newest."""

import json

import pytest

from rig import policy_host, stacks
from rig.process import run

HOSTS = "mta-sts.example.test A 127.0.0.1\nmta-sts.example2.test A 127.0.0.1"


@pytest.fixture(params=["bionic", "newest"])
def mtasts(request, policy_hosts):
    """Run the command on one stack; return what it prints."""

    def run_it(*arguments, code=0):
        done = run(stacks.python(request.param), "-m", "mtasts", *arguments, check=False)
        assert "Traceback" not in done.output, done
        assert done.code == code, done
        return done.output

    return run_it


def codes(row):
    return {one["code"] for one in row["findings"]}


def test_what_is_served_and_what_dns_has(mtasts, policy_hosts, resolver):
    root = policy_host.certify("mta-sts.example.test")
    policy_hosts.apache.graceful()
    for domain in ("example.test", "example2.test"):
        mtasts("dns", domain)  # which enters what was put there by hand
    (good,) = json.loads(mtasts("history", "example.test", "--json"))
    resolver.set(HOSTS, '_mta-sts.example.test TXT "v=STSv1; id={};"'.format(good["id"]))

    bad, good = json.loads(mtasts("status", "--json", "--ca", root, code=2))
    assert (good["domain"], good["severity"], good["in_step"]) == ("example.test", "ok", True)
    assert good["certificate_days"] == 29
    assert (bad["domain"], bad["in_step"], bad["certificate_days"]) == (
        "example2.test",
        False,
        None,
    )
    assert codes(bad) == {"status-record-missing", "status-certificate-invalid"}
    (line,) = mtasts("status", "example.test", "--ca", root).splitlines()
    assert line.split()[5:] == ["in-step", "29d"]

    (stranger,) = json.loads(mtasts("status", "example.test", "--json", code=2))
    assert codes(stranger) == {"status-certificate-invalid"}  # nobody else trusts that root
    resolver.set("_mta-sts.example.test SERVFAIL", "mta-sts.example.test SERVFAIL")
    (unknown,) = json.loads(mtasts("status", "example.test", "--json", "--ca", root, code=1))
    assert codes(unknown) == {"status-record-unknown", "status-certificate-unknown"}
    resolver.set(HOSTS)
    policy_hosts.apache.stop()
    (silent,) = json.loads(mtasts("status", "example.test", "--json", "--ca", root, code=2))
    assert codes(silent) == {"status-record-missing", "status-policy-host-silent"}
