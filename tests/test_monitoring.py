"""What a monitoring gets: plug-in lines with performance data, and metrics."""

import re

import pytest

from mtasts import check_metrics
from mtasts.checks import judge
from mtasts.domain import Domain
from mtasts.exposition import Samples
from mtasts.finding import Severity
from mtasts.monitoring import EXIT_CODES, nagios
from prometheus_text import series
from sights import DAY, NOW, STS, answers, failure, handshake, healthy, policy_hosts, sts

# Plug-in output of the Monitoring Plugins Development Guidelines: text, a bar, performance data.
FIGURE = r"[a-z_]+=-?[0-9.]+s?(;[0-9.:]*){0,4}"
LINE = re.compile(rf"MTA-STS (OK|WARNING|CRITICAL|UNKNOWN) - [^|]+ \| {FIGURE}( {FIGURE})*\Z")
HOSTILE = 'v=spf1 | x=1\n"} 2\\'


def named(name, **other):
    return judge(healthy(**other), NOW)._replace(domain=Domain(name))


def metrics(*verdicts):
    samples = Samples(check_metrics.FAMILIES)
    for verdict in verdicts:
        check_metrics.add(samples, verdict)
    return series(samples.text().decode())


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
    of_domain, end = 'domain="example.org"', (NOW + 60 * DAY).timestamp()
    assert metrics(named("example.org", **WARNED)) == {
        f"mtasts_check_status{{{of_domain}}}": 1,
        f'mtasts_check_findings{{code="txt-beside",{of_domain},severity="warning"}}': 1,
        f'mtasts_check_policy_mode{{{of_domain},mode="enforce"}}': 1,
        f"mtasts_check_policy_max_age_seconds{{{of_domain}}}": 2592000,
        f"mtasts_check_policy_host_certificate_end_timestamp_seconds{{{of_domain}}}": end,
        f"mtasts_check_mx_certificate_end_timestamp_seconds{{{of_domain}}}": end,
        f"mtasts_check_fetch_seconds{{{of_domain}}}": 0.05,
        f"mtasts_check_timestamp_seconds{{{of_domain}}}": NOW.timestamp(),
    }


def test_metrics_of_several_domains():
    found = metrics(named("example.org", **WARNED), named("example.net", **BROKEN))
    assert found['mtasts_check_status{domain="example.org"}'] == 1
    assert found['mtasts_check_status{domain="example.net"}'] == 2


def test_what_was_not_seen_has_no_sample():
    found = metrics(named("example.org", policy_host=failure("dns-lookup-failed"), mx_hosts=()))
    assert {one.partition("{")[0] for one in found} == {
        "mtasts_check_status",
        "mtasts_check_timestamp_seconds",
        "mtasts_check_findings",
    }
