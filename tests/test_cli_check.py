"""The commands `mtasts check` and `mtasts explain`: what people and programs get, how they end."""

import json
import os
import pathlib
import re

import pytest

from json_schema import faults
from mtasts import rules
from mtasts.checks import Group, judge
from mtasts.checks.document import document
from mtasts.domain import Domain
from mtasts.facts import SubDomain
from mtasts.probe import MX
from mtasts.rules import RULES
from prometheus_text import series
from sights import NOW, answers, failure, healthy, mx_host, policy_hosts, server, sts

TOP = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = json.loads((TOP / "docs" / "check.schema.json").read_text(encoding="utf-8"))
MANUAL = (TOP / "docs" / "check.md").read_text(encoding="utf-8")
OF_CHECKS = {
    **rules.txt.RULES,
    **rules.policy_host.RULES,
    **rules.fetch.RULES,
    **rules.mx.RULES,
    **rules.reporting.RULES,
}
# Nobody listens on port 443 of this address.
SILENT = "127.0.0.153"


@pytest.fixture
def net(mtasts):
    """A domain with a record and a policy host that is silent, one without, one that fails."""
    mtasts.mx.update(
        {
            "example.org": ["10 mx1.example.org"],
            "_mta-sts.example.org": ["v=STSv1; id=1;"],
            "mta-sts.example.org": [SILENT],
            "_smtp._tls.example.org": ["v=TLSRPTv1; rua=mailto:tls@example.org"],
            "lists.example.org": ["10 mx1.example.org"],
            "example.net": ["0 ."],
            "example.com": None,
            "_mta-sts.example.com": None,
            "_smtp._tls.example.com": None,
            "mta-sts.example.com": None,
        }
    )
    return mtasts


def test_people_get_a_verdict_and_findings_by_group(net):
    code, out, err = net("check", "example.org")
    assert (code, err) == (2, "")
    lines = out.splitlines()
    assert lines[0].startswith("example.org: error: senders get no policy (error 2, ")
    assert [line for line in lines if re.match(r"  [A-Z]", line)] == [
        "  TXT record",
        "  Policy host",
        "  MX hosts",
        "  TLS reports",
    ]
    (silent,) = [number for number, line in enumerate(lines) if "[policy-host-silent]" in line]
    assert f"error   mta-sts.example.org ({SILENT}): " in lines[silent]
    assert lines[silent + 1] == "            rule: RFC 8461 section 3.3"
    assert lines[silent + 2].startswith("            remedy: ")
    assert "\x1b" not in out


def test_colour_on_a_terminal_only(net):
    code, out = net.on_terminal("check", "example.org")
    assert code == 2
    assert "\x1b[31merror\x1b[0m" in out


@pytest.mark.parametrize(("domain", "code"), [("example.org", 2), ("example.com", 3)])
def test_the_exit_code_is_that_of_a_plug_in(net, domain, code):
    for option in ((), ("--json",), ("--nagios",), ("--openmetrics", "-")):
        assert net("check", domain, *option)[0] == code


def test_of_several_domains_the_gravest_counts(net):
    code, out, _ = net("check", "example.net", "example.org", "example.com", "--nagios")
    assert code == 2
    assert out.startswith("MTA-STS CRITICAL - 3 of 3 domains need attention: example.org: policy")
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(("count", "times"), [(10, 10), (11, 1)])
def test_of_many_domains_what_they_share_is_asked_once(net, dns_table, count, times):
    names = [f"d{number}.example.org" for number in range(count)]
    net.mx.update(dict.fromkeys(names, ["10 mx1.example.net"]))
    net("check", *names, "--json")
    assert dns_table.asked.count(("mx1.example.net", "AAAA")) == times


def test_json_has_a_line_for_each_domain(net):
    _, out, _ = net("check", "example.net", "example.org", "example.org", "--json")
    found = {one["domain"]: one for one in map(json.loads, out.splitlines())}
    assert sorted(found) == ["example.net", "example.org"]
    assert len(out.splitlines()) == 2
    assert found["example.org"]["severity"] == "error"
    assert [faults(one, SCHEMA) for one in found.values()] == [[], []]


def test_metrics_appear_as_a_whole(net, tmp_path):
    path = tmp_path / "mtasts.prom"
    path.write_text("old")
    _, out, _ = net("check", "example.org", "--openmetrics", str(path))
    assert out == ""
    written = path.read_text()
    assert series(written)['mtasts_check_status{domain="example.org"}'] == 2
    assert written.endswith("# EOF\n")
    assert os.stat(str(path)).st_mode & 0o777 == 0o644
    assert sorted(os.listdir(str(tmp_path))) == ["mtasts.prom", "policies"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check"], "domains-missing"),
        (["check", "exa mple.org"], "domain-label-invalid"),
        (["check", "example.org", "--json", "--nagios"], "check-misused"),
        (["check", "example.org", "--subdomain", "lists.example.net"], "subdomain-elsewhere"),
        (["check", "example.org", "--ca", "missing.pem"], "ca-file-unusable"),
        (["check", "example.org", "--resolver", "x"], "address-invalid"),
        (["check", "example.org", "--openmetrics", "/missing/x.prom"], "metrics-unwritable"),
        (["check", "example.org", "--subdomain", "x y"], "subdomain-invalid"),
    ],
)
def test_what_cannot_be_checked_is_unknown(net, arguments, said):
    code, out, err = net(*arguments)
    assert (code, out) == (3, "")
    assert said in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--resolver", "255.255.255.255"], "DNS gives no answer at all, not even for the root: "),
        (["--resolver", "x"], "'x' is not an IP address with or without a port [address-invalid]"),
        (["--ca", "a|b"], "the roots in a/b cannot be read: "),
    ],
)
def test_what_keeps_a_plug_in_from_its_work_is_its_line(net, arguments, said):
    code, out, err = net("check", "example.org", "--nagios", *arguments)
    assert (code, err) == (3, "")
    assert out.startswith(f"MTA-STS UNKNOWN - {said}")
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize("name", ["lists", "lists.example.org", "*"])
def test_sub_domains_that_take_mail_without_a_policy(net, name):
    _, out, _ = net("check", "example.org", "--subdomain", name)
    assert "warning lists.example.org: the sub-domain takes mail and has no policy" in out


def test_a_domain_of_ours_is_compared_with_the_policy_directory(net):
    net("new", "example.org", "--mx", "mx1.example.org")
    net.mx["_mta-sts.example.org"] = []
    _, out, _ = net("check", "example.org")
    assert "[sts-record-missing]" in out


# The document


@pytest.mark.parametrize(
    "seen",
    [
        healthy(),
        healthy(sts=sts(), policy_host=failure("policy-host-without-address"), own=None),
        healthy(policy_host=policy_hosts(answers=answers(body=b"mode: \xff\nx"))),
        healthy(mx_hosts=(mx_host("mx1.example.org", servers=(("::1", server("x", tls=None)),)),)),
        healthy(sub_domains=(SubDomain(Domain("a.example.org"), (MX(1, "mx.test"),), False),)),
    ],
)
def test_a_document_is_what_the_schema_says(seen):
    assert faults(document(judge(seen, NOW)), SCHEMA) == []


def test_the_schema_refuses_what_it_should():
    good = document(judge(healthy(), NOW))
    for member in good:
        assert faults({name: value for name, value in good.items() if name != member}, SCHEMA)
    for name, value in (
        ("version", 2),
        ("mode", "on"),
        ("findings", {}),
        ("checked", "now"),
        ("x", 1),
    ):
        assert faults(dict(good, **{name: value}), SCHEMA)


def test_the_groups_of_the_schema_are_all_there_are():
    said = SCHEMA["definitions"]["finding"]["properties"]["group"]["enum"]
    assert said == [group.value for group in Group]


# The manual


def test_the_manual_has_every_code():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([a-z*]+) \| (.*) \|$", MANUAL, re.MULTILINE)
    assert rows == [
        (code, rule.severity + "*" * rule.by_mode, rule.message.format(text="…", hint="…"))
        for code, rule in OF_CHECKS.items()
    ]


def test_the_manual_names_every_member_of_the_json():
    members = set(SCHEMA["properties"]) | set(SCHEMA["definitions"]["finding"]["properties"])
    assert {name for name in members if f"`{name}`" not in MANUAL} == set()


# mtasts explain


def test_explain_says_what_why_and_what_to_do(mtasts):
    code, out, _ = mtasts("explain", "mx-host-no-starttls", "record-id-missing")
    assert code == 0
    assert out.startswith(
        "mx-host-no-starttls: error (in mode testing a warning, in mode none an info)\n"
    )
    assert "  why: In mode enforce no mail is delivered" in out
    assert "  rule: RFC 8461 section 4.2\n" in out
    assert "  remedy: Switch TLS on for port 25" in out
    assert "\nrecord-id-missing: error\n" in out


def test_explain_lists_all(mtasts):
    code, out, _ = mtasts("explain")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()][: len(RULES)] == list(RULES)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("mx-host-starttls", "mx-host-no-starttls"),
        ("zzz", "mtasts explain"),
        ("\x1b[2J", "\\x1b[2J"),
    ],
)
def test_explain_suggests_codes_that_look_alike(mtasts, asked, said):
    code, out, err = mtasts("explain", asked)
    assert (code, out) == (2, "")
    assert said in err
    assert "\x1b" not in err
