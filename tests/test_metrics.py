"""The metrics of own domains: what becomes a number or a label, and what is made of them."""

import datetime
import json
import pathlib
import re

import pytest

from mtasts import check_metrics, metrics, status
from mtasts.domain import Domain
from mtasts.exposition import Samples
from mtasts.history import HistoryEntry
from mtasts.plan import Kind, Step
from mtasts.policy import Mode, Policy
from mtasts.probe import LookupFailed
from mtasts.tlsrpt.explanations import RESULT_TYPES
from mtasts.tlsrpt.report import Report
from mtasts.tlsrpt.summary import Entry
from mtasts.tlsrpt.summing import summarise
from prometheus_text import series
from reports import DAY, days, failure, policy

TOP = pathlib.Path(__file__).resolve().parent.parent
FAMILIES = {one.name: one for one in (*metrics.FAMILIES, *check_metrics.FAMILIES)}
ORG = Domain("example.org")
TESTING = Policy(Mode.TESTING, 86401, ("mx.example.org",)).to_bytes()
WIDER = Policy(Mode.TESTING, 604801, ("mx.example.org", "mx2.example.org")).to_bytes()
HISTORY = [HistoryEntry.of(TESTING, DAY), HistoryEntry.of(WIDER, DAY + days(5))]


def of_row(row):
    samples = Samples(metrics.FAMILIES)
    metrics.add_row(samples, row)
    return series(samples.text().decode())


def of_reports(*results, start=DAY):
    """The metrics of a domain with a report a day, each about one of the `results`."""
    entries = []
    for number, each in enumerate(results):
        day = start and start + days(number)
        said = Report("Example Mail", str(number), day, day, None, tuple(each), ())
        entries.append(Entry(said, "dkim"))
    samples = Samples(metrics.FAMILIES)
    metrics.add_summary(samples, summarise(ORG, entries))
    return series(samples.text().decode())


def names(found):
    return {one.partition("{")[0] for one in found}


def value(found, name, **labels):
    """The value of a series of example.org, or None if there is none."""
    said = sorted(dict(labels, domain=ORG).items())
    selector = ",".join(f'{label}="{word}"' for label, word in said)
    return found.get(f"mtasts_{name}{{{selector}}}")


def test_how_a_domain_stands():
    certificate = status.Certificate(DAY, DAY + days(90))
    seen = status.Seen((f"v=STSv1; id={HISTORY[-1].id};",), certificate)
    row = status.seen(status.row(ORG, ORG, WIDER, HISTORY), WIDER, seen, DAY + days(6))
    found = of_row(row)
    assert value(found, "status") == 0
    assert value(found, "policy_mode", mode="testing") == 1
    assert value(found, "policy_mode_since_timestamp_seconds") == DAY.timestamp()
    assert value(found, "policy_since_timestamp_seconds") == (DAY + days(5)).timestamp()
    assert value(found, "policy_max_age_seconds") == 604801
    assert value(found, "dns_in_step") == 1
    end = value(found, "policy_host_certificate_end_timestamp_seconds")
    assert end == (DAY + days(90)).timestamp()


def test_what_is_wrong_with_a_domain():
    seen = status.Seen(("v=STSv1; id=20200101000000;",), LookupFailed("dns-lookup-failed", "no"))
    row = status.seen(status.row(ORG, ORG, WIDER, HISTORY), WIDER, seen, DAY + days(6))
    found = of_row(row)
    assert value(found, "status") == 3
    assert value(found, "dns_in_step") == 0
    for code, severity in (
        ("status-record-foreign", "warning"),
        ("status-certificate-unknown", "unknown"),
    ):
        assert value(found, "findings", code=code, severity=severity) == 1
    assert value(found, "policy_host_certificate_end_timestamp_seconds") is None


def test_what_is_not_known_of_a_domain_is_absent():
    unasked = of_row(status.row(ORG, ORG, WIDER, HISTORY))
    assert not {"mtasts_dns_in_step"} & names(unasked)
    assert names(of_row(status.row(ORG, ORG, b"", []))) == {"mtasts_status", "mtasts_findings"}
    by_hand = of_row(status.row(ORG, ORG, TESTING, HISTORY))
    assert value(by_hand, "policy_since_timestamp_seconds") is None
    assert value(by_hand, "policy_max_age_seconds") == 86401


def test_the_next_step_of_a_plan():
    step = Step(Kind.SERVE, DAY + days(7), "", "", days(0), DAY)
    row = status.planned(status.row(ORG, ORG, WIDER, HISTORY), step, DAY)
    due = value(of_row(row), "plan_step_due_timestamp_seconds", step="serve")
    assert due == (DAY + days(7)).timestamp()


def test_sessions_by_outcome_type_and_day():
    lost = failure("certificate-expired", 3), failure("sts-webpki-invalid", 1)
    tlsa = policy(successful=90, failed=0, failures=())._replace(policy_type="tlsa")
    found = of_reports([policy(successful=100, failed=4, failures=lost), tlsa], [policy()])
    assert value(found, "report_received") == 2
    assert value(found, "report_unknown") == 0
    for outcome, effective, sts in (("successful", 200, 200), ("failed", 7, 7)):
        assert value(found, "report_sessions", outcome=outcome) == effective
        assert value(found, "report_known_sessions", outcome=outcome) == effective
        of_type = {"outcome": outcome, "policy_type": "sts"}
        assert value(found, "report_policy_sessions", **of_type) == sts
    of_type = {"outcome": "successful", "policy_type": "tlsa"}
    assert value(found, "report_policy_sessions", **of_type) == 90
    for word, sessions, day in (("certificate-expired", 6, 1), ("sts-webpki-invalid", 1, 0)):
        assert value(found, "report_failed_sessions", result_type=word) == sessions
        last = value(found, "report_failure_last_timestamp_seconds", result_type=word)
        assert last == (DAY + days(day)).timestamp()
    assert value(found, "report_last_timestamp_seconds") == (DAY + days(1)).timestamp()


def test_unknown_numbers_are_absent_and_counted():
    silent = policy(successful=None, failed=1, failures=[failure("certificate-expired", None)])
    found = of_reports([silent], [policy()])
    assert value(found, "report_unknown") == 1
    assert value(found, "report_sessions", outcome="successful") is None
    assert value(found, "report_known_sessions", outcome="successful") == 100
    word = {"result_type": "certificate-expired"}
    assert value(found, "report_failed_sessions", **word) is None
    assert value(found, "report_failure_last_timestamp_seconds", **word) == (
        (DAY + days(1)).timestamp()
    )
    assert "mtasts_report_known_sessions" not in names(of_reports([silent]))


def test_without_reports_there_is_only_their_number():
    assert of_reports() == {'mtasts_report_received{domain="example.org"}': 0}


def test_reports_without_a_day_are_counted():
    found = of_reports([policy()], start=None)
    assert value(found, "report_received") == 1
    assert value(found, "report_last_timestamp_seconds") is None


def test_a_day_is_named_by_its_midnight():
    late = datetime.datetime(2026, 3, 1, 23, tzinfo=datetime.timezone.utc)
    found = of_reports([policy()], start=late)
    assert value(found, "report_last_timestamp_seconds") == DAY.timestamp()


HOSTILE = 'x"} 1\nmtasts_status{domain="evil.example"} 2\n# \\ \x1b[31m'


@pytest.mark.parametrize("word", [HOSTILE, "", "certificate-expired\0", "sts-"])
def test_a_report_names_no_series(word):
    wild = [failure(f"{word}{number}", 1, reason_code=word) for number in range(50)]
    result = policy(failures=wild)._replace(policy_type=word)
    found = of_reports([result], [result._replace(policy_type=word + "2")])
    assert value(found, "report_failed_sessions", result_type="other") == 100
    of_type = {"policy_type": "other", "outcome": "successful"}
    assert value(found, "report_policy_sessions", **of_type) == 200
    tame = policy(failures=[failure("new-word")])._replace(policy_type="new-type")
    assert set(found) == set(of_reports([tame], [tame]))


def test_words_of_the_rfc_are_labels_in_any_letter_case():
    wild = [failure(word.upper(), 1) for word in RESULT_TYPES] + [failure("new-word", 1)]
    result = policy(failures=wild)._replace(policy_type="TLSA")
    found = of_reports([result])
    for word in (*RESULT_TYPES, "other"):
        assert value(found, "report_failed_sessions", result_type=word) == 1
    assert value(found, "report_policy_sessions", policy_type="tlsa", outcome="failed") == 3


def test_a_domain_has_no_more_series_than_the_manual_says():
    wild = [failure(word, 1) for word in (*RESULT_TYPES, *map(str, range(99)))]
    kinds = ("sts", "tlsa", "no-policy-found", *map(str, range(99)))
    found = of_reports(*([policy(failures=wild)._replace(policy_type=kind)] for kind in kinds))
    step = Step(Kind.SERVE, DAY + days(7), "", "", days(0), DAY)
    seen = status.Seen((f"v=STSv1; id={HISTORY[-1].id};",), status.Certificate(DAY, DAY + days(90)))
    row = status.planned(status.row(ORG, ORG, WIDER, HISTORY), step, DAY)
    stands = of_row(status.seen(row, WIDER, seen, DAY))
    most = len(found) + len([one for one in stands if "mtasts_findings" not in one])
    page = (TOP / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert f"at most {most} series" in page


def table(page):
    """The rows of the tables of metrics on a page of the manual: name and labels."""
    text = (TOP / "docs" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(mtasts_[a-z_]+)` \| ([^|]*)\| [^|]+ \|$", text, re.MULTILINE)
    return {name: tuple(re.findall("`([a-z_]+)`", labels)) for name, labels in rows}


@pytest.mark.parametrize(("page", "module"), [("metrics.md", metrics), ("check.md", check_metrics)])
def test_the_manual_has_every_metric(page, module):
    assert table(page) == {one.name: one.labels for one in module.FAMILIES}


def used(expression):
    """The metrics in a PromQL expression, and all labels that are named in it."""
    selectors = re.findall(r"\{([^}]*)\}", expression)
    labels = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", ",".join(selectors))
    groups = re.findall(r"\b(?:by|without|on|ignoring|group_left)\s*\(([^)]*)\)", expression)
    labels += [label for group in groups for label in re.findall(r"\w+", group)]
    return set(re.findall(r"\bmtasts_\w+", re.sub(r'"[^"]*"', "", expression))), set(labels)


def expressions():
    """All expressions that ship: those of the rules and of the dashboard's panels."""
    yield from of_rules()
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def of_rules():
    pattern = r"^ +expr: \|\n((?: {10,}.*\n)+)|^ +expr: (.*)$"
    for text in re.findall(pattern, rules(), re.MULTILINE):
        yield "".join(text)


def rules():
    return (TOP / "docs" / "monitoring" / "rules.yml").read_text(encoding="utf-8")


def dashboard():
    text = (TOP / "docs" / "monitoring" / "grafana.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_what_ships_uses_metrics_and_labels_that_there_are():
    seen = set()
    for expression in expressions():
        found, labels = used(expression)
        assert found, expression
        assert found <= set(FAMILIES), expression
        known = {label for name in found for label in FAMILIES[name].labels}
        assert labels <= known | {"instance", "job"}, expression
        seen |= found
    assert {
        "mtasts_check_status",
        "mtasts_report_failed_sessions",
        "mtasts_metrics_timestamp_seconds",
    } <= seen


def test_the_manual_has_every_alert():
    page = (TOP / "docs" / "metrics.md").read_text(encoding="utf-8")
    alerts = re.findall(r"- alert: (\w+)", rules())
    assert len(list(of_rules())) == len(alerts)
    assert re.findall(r"`(Mtasts\w+)`", page) == alerts
    assert len(re.findall(r"^ +remedy: .*mtasts ", rules(), re.MULTILINE)) == len(alerts)


def test_the_dashboard_can_be_imported():
    """What Grafana's documentation says of the model of a dashboard."""
    board = dashboard()
    assert (board["id"], board["title"]) == (None, "MTA-STS and TLS reports")
    assert board["schemaVersion"] >= 36
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    assert used(variables["domain"]["query"]["query"])[0] <= set(FAMILIES)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert panel["title"]
            assert panel["description"]
            refs = [target["refId"] for target in panel["targets"]]
            assert len(refs) == len(set(refs))


def test_panels_do_not_cover_each_other():
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in dashboard()["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
