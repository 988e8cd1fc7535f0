"""Reports and arrivals for tests of whatever keeps them."""

import datetime

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


def entry(data, *reports, received=NEXT_DAY, source="mail", grade=Grade.FILE, error=None):
    return Entry(Arrival(data, received, source), grade, reports, error)
