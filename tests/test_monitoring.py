"""What a monitoring gets: plug-in lines with performance data, and metrics."""

import re

import pytest

from mtasts.checks import judge
from mtasts.domain import Domain
from mtasts.finding import Severity
from mtasts.monitoring import EXIT_CODES, Metrics, nagios
from sights import DAY, NOW, STS, answers, failure, handshake, healthy, policy_hosts, sts

# Plug-in output of the Monitoring Plugins Development Guidelines: text, a bar, performance data.
FIGURE = r"[a-z_]+=-?[0-9.]+s?(;[0-9.:]*){0,4}"
LINE = re.compile(rf"MTA-STS (OK|WARNING|CRITICAL|UNKNOWN) - [^|]+ \| {FIGURE}( {FIGURE})*\Z")
SAMPLE = re.compile(r'[a-z_]+\{[a-z]+="[a-z0-9.-]+"(,[a-z]+="[a-z0-9-]+")*\} [0-9.]+\Z')
HOSTILE = 'v=spf1 | x=1\n"} 2\\'


def named(name, **other):
    return judge(healthy(**other), NOW)._replace(domain=Domain(name))


def metrics(*verdicts):
    gathered = Metrics()
    for verdict in verdicts:
        gathered.add(verdict)
    return str(gathered)


BROKEN = {"policy_host": policy_hosts(answers=answers(status=404))}
WARNED = {"sts": sts(STS, HOSTILE)}
UNKNOWN = {"mx": failure("dns-lookup-failed")}


def test_the_exit_codes_are_those_of_plug_ins():
    assert [EXIT_CODES[one] for one in Severity] == [0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("other", "begin"),
    [
        ({}, "MTA-STS OK - example.org: mode enforce |"),
        (WARNED, "MTA-STS WARNING - example.org: mode enforce, txt-beside |"),
        (BROKEN, "MTA-STS CRITICAL - example.org: no policy, fetch-status |"),
        (UNKNOWN, "MTA-STS UNKNOWN - example.org: mode enforce, mx-records-unknown |"),
    ],
)
def test_the_line_about_one_domain(other, begin):
    line = nagios([named("example.org", **other)])
    assert line.startswith(begin)
    assert LINE.match(line)


def test_the_figures_of_one_domain():
    verdict = named("example.org", policy_host=policy_hosts(tls=handshake("x.test", days=-2)))
    data = nagios([verdict]).partition(" | ")[2].split(" ")
    assert data == [
        "errors=4;;;0",
        "unknowns=0;;;0",
        "warnings=0;;;0",
        "policy_host_days=-2",
        "mx_days=60",
        "fetch=0.050s;;;0",
    ]


def test_what_was_not_seen_has_no_figure():
    verdict = named("example.org", policy_host=failure("dns-lookup-failed"), mx_hosts=())
    data = nagios([verdict]).partition(" | ")[2]
    assert data == "errors=0;;;0 unknowns=1;;;0 warnings=0;;;0"


def test_the_line_about_several_domains_names_the_gravest_first():
    fine, broken = named("example.net"), named("example.org", **BROKEN)
    line = nagios([named("example.com", **WARNED), fine, broken])
    assert line == (
        "MTA-STS CRITICAL - 2 of 3 domains need attention: example.org: fetch-status;"
        " example.com: txt-beside"
        " | domains=3;;;0 errors=1;;;0 unknowns=0;;;0 warnings=1;;;0"
    )
    assert LINE.match(line)


def test_a_line_stays_short():
    verdicts = [named(f"d{number}.example.org", **BROKEN) for number in range(100)]
    assert len(nagios(verdicts)) < 400
    assert "95 more" in nagios(verdicts)
    assert LINE.match(nagios([named("example.org")] * 2))


def test_metrics_of_a_domain():
    text = metrics(named("example.org", **WARNED))
    end = (NOW + 60 * DAY).timestamp()
    assert {
        'mtasts_check_status{domain="example.org"} 1',
        'mtasts_check_policy_mode{domain="example.org",mode="enforce"} 1',
        'mtasts_check_policy_max_age_seconds{domain="example.org"} 2592000',
        f'mtasts_check_policy_host_certificate_end_timestamp_seconds{{domain="example.org"}} {end}',
        f'mtasts_check_mx_certificate_end_timestamp_seconds{{domain="example.org"}} {end}',
        'mtasts_check_fetch_seconds{domain="example.org"} 0.05',
        f'mtasts_check_timestamp_seconds{{domain="example.org"}} {NOW.timestamp()}',
        'mtasts_check_findings{domain="example.org",code="txt-beside",severity="warning"} 1',
    } == {line for line in text.splitlines() if not line.startswith("#")}


def test_metrics_are_well_formed_and_no_stranger_adds_to_them():
    text = metrics(named("example.org", **WARNED), named("example.net", **BROKEN))
    assert text.endswith("\n# EOF\n")
    lines = text.splitlines()
    assert all(SAMPLE.match(line) for line in lines if not line.startswith("#"))
    families = [line.split(" ")[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    family = ""
    for line in lines[:-1]:  # the samples of a family stand together, below its type
        if line.startswith("# TYPE"):
            family = line.split(" ")[2]
        elif not line.startswith("#"):
            assert line.startswith(family + "{")


def test_what_was_not_seen_has_no_sample():
    text = metrics(named("example.org", policy_host=failure("dns-lookup-failed"), mx_hosts=()))
    names = {line.partition("{")[0] for line in text.splitlines() if not line.startswith("#")}
    assert names == {
        "mtasts_check_status",
        "mtasts_check_timestamp_seconds",
        "mtasts_check_findings",
    }
