"""Reports as senders write them, to be varied, compressed and mailed."""

import base64
import gzip
import io
import json
import zipfile

LINES = ["version: STSv1", "mode: testing", "mx: mx1.example.org", "max_age: 86400"]


def detail(number=0, **changes):
    """A failure detail of one session."""
    members = {
        "result-type": "certificate-host-mismatch",
        "sending-mta-ip": f"198.51.100.{number % 256}",
        "receiving-mx-hostname": "mx1.example.org",
        "receiving-ip": "192.0.2.25",
        "failed-session-count": 1,
    }
    members.update(changes)
    return members


def result(details=0, **policy):
    """The result of one policy, with so many details."""
    quoted = {"policy-type": "sts", "policy-string": LINES, "policy-domain": "example.org"}
    quoted.update({"mx-host": ["mx1.example.org"]}, **policy)
    return {
        "policy": quoted,
        "summary": {
            "total-successful-session-count": 100,
            "total-failure-session-count": details,
        },
        "failure-details": [detail(number) for number in range(details)],
    }


def report(*results, **changes):
    """A report, as JSON."""
    members = {
        "organization-name": "Example Mail",
        "date-range": {
            "start-datetime": "2026-03-01T00:00:00Z",
            "end-datetime": "2026-03-01T23:59:59Z",
        },
        "contact-info": "tls@example.net",
        "report-id": "2026-03-01-7f3a",
        "policies": list(results) or [result()],
    }
    members.update({name.replace("_", "-"): value for name, value in changes.items()})
    return json.dumps(members).encode("ascii")


def archive(*members):
    """A zip archive of names and contents."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return file.getvalue()


def mail(data=None, **changes):
    """A mail with `data`, a report as gzip if none is given, as RFC 8460 section 5.3 has it."""
    body = base64.encodebytes(gzip.compress(report()) if data is None else data).decode("ascii")
    header = {
        "From": "tls@example.net",
        "Subject": "Report Domain: example.org Submitter: example.net Report-ID: <7f3a>",
        "Content-Type": 'multipart/report; report-type="tlsrpt"; boundary="b1"',
    }
    header.update(changes)
    text = "".join(f"{name}: {value}\n" for name, value in header.items())
    text += "\n--b1\nContent-Type: text/plain\n\nA report.\n--b1\n"
    text += "Content-Type: application/tlsrpt+gzip\nContent-Transfer-Encoding: base64\n\n"
    return (text + body + "--b1--\n").encode("ascii")
