"""Reports and arrivals for tests of whatever keeps them."""

import datetime
import gzip
import json
from email.mime import application, multipart, text

from mtasts.ledger.entry import Entry
from mtasts.spool import Arrival
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import Failure, Note, PolicyResult, Report

UTC = datetime.timezone.utc
DAY = datetime.datetime(2026, 3, 1, tzinfo=UTC)
POLICY = ("version: STSv1", "mode: testing", "mx: mx1.example.org", "max_age: 86400")


NEXT_DAY = DAY + datetime.timedelta(days=1)


def days(number):
    return datetime.timedelta(days=number)


def failure(result_type="certificate-expired", sessions=3, **facts):
    return Failure(result_type, sessions, **facts)


EXPIRED = failure()


def policy(domain="example.org", successful=100, failed=3, failures=(EXPIRED,)):
    return PolicyResult(
        "sts", domain, POLICY, ("mx1.example.org",), successful, failed, tuple(failures)
    )


def report(
    report_id="2026-03-01-a", policies=None, organization="Example Mail", start=DAY, notes=()
):
    policies = (policy(),) if policies is None else policies
    end = start and start + datetime.timedelta(seconds=86399)
    notes = tuple(Note(*note) for note in notes)
    return Report(organization, report_id, start, end, "tls@example.net", tuple(policies), notes)


def entry(data, *reports, received=None, source="mail", grade=Grade.FILE, error=None):
    starts = [one.start for one in reports if one.start]
    received = received or max(starts, default=DAY) + days(1)
    return Entry(Arrival(data, received, source), grade, reports, error)


def as_json(said):
    """The JSON text of a report, as its sender writes it (RFC 8460 section 4.4)."""
    members = {
        "organization-name": said.organization_name,
        "date-range": {
            "start-datetime": said.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "end-datetime": said.end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "contact-info": said.contact_info,
        "report-id": said.report_id,
        "policies": [_policy_as_json(one) for one in said.policies],
    }
    return json.dumps(members).encode("ascii")


def _policy_as_json(result):
    return {
        "policy": {
            "policy-type": result.policy_type,
            "policy-string": result.policy_string,
            "policy-domain": result.policy_domain,
            "mx-host": result.mx_host,
        },
        "summary": {
            "total-successful-session-count": result.successful,
            "total-failure-session-count": result.failed,
        },
        "failure-details": [
            {
                "result-type": one.result_type,
                "failed-session-count": one.sessions,
                "receiving-mx-hostname": one.receiving_mx_hostname,
            }
            for one in result.failures
        ],
    }


def as_mail(*reports):
    """A mail that brings these bytes as its reports (RFC 8460 section 5.3)."""
    mail = multipart.MIMEMultipart("report", **{"report-type": "tlsrpt"})
    mail["From"] = "tls@example.net"
    mail["To"] = "reports@example.org"
    mail["Subject"] = "TLS reports"
    mail.attach(text.MIMEText("These are reports."))
    for data in reports:
        attached = application.MIMEApplication(gzip.compress(data), "tlsrpt+gzip")
        mail.attach(attached)
    return mail.as_bytes()
