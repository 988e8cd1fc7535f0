"""The first policy: what is said of the domain and its MX hosts, and who has to agree."""

import json
import os
import socket

import pytest

from mtasts import public_suffix


def codes(out):
    return [one["code"] for one in json.loads(out)["findings"]]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (["10 mx1.example.org"], []),
        (["10 mx1.example.org", "20 mx2.example.org"], ["proposal-mx-uncovered"]),
        (["0 ."], ["proposal-mx-null"]),
        ([], ["proposal-mx-self", "proposal-mx-uncovered"]),
        (None, ["proposal-mx-unknown"]),
    ],
)
def test_hosts_that_are_named_are_compared_with_dns(mtasts, records, expected):
    mtasts.mx["example.org"] = records
    code, out, _ = mtasts("new", "example.org", "--mx", "mx1.example.org", "--json")
    assert code == 0
    assert codes(out) == expected


def test_a_wildcard_is_said_to_be_wide_where_names_would_do(mtasts):
    mtasts.mx["example.org"] = ["10 mx1.example.org", "20 mx2.example.org"]
    code, out, err = mtasts("new", "example.org", "--mx", "*.example.org", "--json")
    assert code == 0
    assert codes(out) == ["proposal-wildcard"]
    assert "mx1.example.org, mx2.example.org" in err


def test_mx_hosts_elsewhere_are_said_to_be_elsewhere(mtasts):
    mtasts.mx["example.org"] = ["10 mx.example.net"]
    code, out, _ = mtasts("new", "example.org", "--yes", "--json")
    assert code == 0
    assert codes(out) == ["proposal-mx-elsewhere"]
    assert json.loads(out)["mx"] == ["mx.example.net"]


def test_a_person_agrees_to_what_dns_says(mtasts):
    mtasts.mx["example.org"] = ["10 mx.example.net"]
    code, said = mtasts.on_terminal("new", "example.org", answers=[("[y/N]", "n\n")])
    assert code == 1
    assert "mx: mx.example.net" in said
    assert "[proposal-mx-elsewhere]" in said
    assert os.listdir(str(mtasts.root)) == []
    assert mtasts.on_terminal("new", "example.org", answers=[("[y/N]", "y\n")])[0] == 0
    assert os.listdir(str(mtasts.root)) == ["example.org"]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (["10 mx.example.org"], "mx-unconfirmed"),
        (["0 ."], "mx-null"),
        (None, "dns-lookup-failed"),
        (["10 mx_1.example.org"], "mx-not-a-host-name"),
    ],
)
def test_what_dns_says_is_never_taken_silently(mtasts, records, said):
    mtasts.mx["example.org"] = records
    code, _, err = mtasts("new", "example.org")
    assert code == 3
    assert f"[{said}]" in err
    assert os.listdir(str(mtasts.root)) == []


@pytest.mark.parametrize("domain", ["test", "co.uk"])
def test_a_public_suffix_needs_a_word(mtasts, domain):
    if "." in domain and not os.path.exists(public_suffix.LIST):
        pytest.skip("the package publicsuffix is not installed")
    code, _, err = mtasts("new", domain, "--mx", "mx.example.org")
    assert code == 3
    assert "[domain-public-suffix]" in err
    assert os.listdir(str(mtasts.root)) == []
    assert mtasts("new", domain, "--mx", "mx.example.org", "--yes")[0] == 0


def test_u_labels_are_converted_and_shown(mtasts):
    code, out, err = mtasts(
        "new", "B\u00fccher.example.", "--mx", "*.mx.b\u00fccher.example", "--json"
    )
    assert code == 0
    assert json.loads(out)["domain"] == "xn--bcher-kva.example"
    assert json.loads(out)["mx"] == ["*.mx.xn--bcher-kva.example"]
    assert "is xn--bcher-kva.example in A-labels" in err
    assert os.listdir(str(mtasts.root)) == ["xn--bcher-kva.example"]


def test_a_dry_run_writes_nothing(mtasts):
    code, out, _ = mtasts("new", "example.org", "--mx", "mx.example.org", "--dry-run")
    assert code == 0
    assert "would be mode testing, mx mx.example.org" in out
    assert os.listdir(str(mtasts.root)) == []


def test_hosts_that_are_named_need_no_dns(mtasts):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = "127.0.0.1:{}".format(silent.getsockname()[1])
        code, out, _ = mtasts(
            "new", "example.org", "--mx", "mx.example.org", "--json", MTASTS_RESOLVER=resolver
        )
    assert code == 0
    assert codes(out) == ["proposal-mx-unknown"]
