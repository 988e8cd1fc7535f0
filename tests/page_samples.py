"""A ledger and a policy directory with all that a page can show, and what it must not show."""

import datetime
import json
import sqlite3
import sys

from mtasts.domain import Domain
from mtasts.ledger import writing
from mtasts.ledger.database import Database
from mtasts.ledger.place import parse
from mtasts.policy import Mode, Policy
from mtasts.store import Store
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import PolicyResult
from reports import entry, failure, report

# The command as on a terminal: what a script starts in the background would not hear Ctrl-C.
_MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from mtasts.cli import main; main()"
)
COMMAND = [sys.executable, "-W", "ignore", "-c", _MAIN]
NOW = datetime.datetime.now(datetime.timezone.utc)
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
DOMAINS = ("example.com", "example.net", "example.org", "quiet.example")
FOREIGN = "foreign.example"
SECRET = "MARKER"  # stands in all that belongs to the foreign domain, and in contacts
HOSTILE = "</script><script>alert(1)</script><img src=\"javascript:x\" onerror='x'>{{ 7*7 }}{% x %}"
TURNED = "safe\u202egpj.exe\x1b[31m\x00\u2028"


def policy(domain, mode=Mode.ENFORCE):
    return Policy(mode, 604800, tuple(sorted(f"mx{number}.{domain}" for number in (1, 2))))


def ago(days):
    return TODAY - datetime.timedelta(days=days)


def result(domain, successful=1000, failed=0, failures=(), mode=Mode.ENFORCE, kind="sts"):
    said = policy(domain, mode)
    lines = tuple(str(said).strip().split("\r\n"))
    return PolicyResult(kind, domain, lines, said.mx, successful, failed, tuple(failures))


def _expired(domain, sessions):
    return failure("certificate-expired", sessions, receiving_mx_hostname=f"mx2.{domain}")


def _failing(domain):
    """Three reporters: a policy that changed, days without a report, a number that is unknown."""
    for day in range(29, 0, -1):
        mode = Mode.TESTING if day > 12 else Mode.ENFORCE
        bad = [_expired(domain, day % 3 + 1)] if day < 6 else []
        failed = sum(one.sessions for one in bad)
        if day not in (20, 21, 22):
            successful = None if day == 15 else 150 + 40 * (day % 7)
            yield "Example Mail", day, [result(domain, successful, failed, bad, mode)]
            yield "Sample Post", day, [result(domain, 60 + day, failed, bad, Mode.TESTING)]
        if day > 13 and day not in (20, 21, 22):
            yield "Specimen Inc.", day, [result(domain, 20, 0, (), mode)]


def _all_reports():
    for name, day, said in _failing("example.org"):
        yield name, day, said
    for day in range(28, 0, -1):
        bad = [failure("starttls-not-supported", 2)] if day > 24 else []
        both = [
            result("example.net", 300, 2 * len(bad), bad),
            result("example.net", 300, kind="tlsa"),
        ]
        yield "Example Mail", day, both
    wild = [failure(HOSTILE, 5, receiving_mx_hostname=TURNED, reason_code=HOSTILE * 40)]
    yield HOSTILE, 2, [result("example.com", 10, 5, wild)]
    yield TURNED * 500, 3, [result("example.com", 10)]
    lost = [failure(SECRET + "-type", 9, receiving_mx_hostname=f"{SECRET}.mx", reason_code=SECRET)]
    foreign = result(FOREIGN, 424242, 313131, lost)
    yield SECRET + " Org", 2, [foreign]
    yield "Example Mail", 1, [result("example.net", 300), foreign]


def fill(folder):
    """Make both there; return the options that name them."""
    (folder / "own").mkdir()
    store = Store(str(folder / "own"))
    for name in DOMAINS:
        for mode, days in ((Mode.TESTING, 100), (Mode.ENFORCE, 12)):
            store.write(Domain(name), policy(name, mode).to_bytes(), ago(days))
    database = Database(parse(str(folder / "ledger.sqlite")))
    entries = []
    for number, (by, day, said) in enumerate(_all_reports()):
        kept = report(f"{SECRET}-{number}", said, by, ago(day))._replace(
            contact_info=SECRET + "@example.net"
        )
        data = json.dumps([number, by]).encode("ascii")
        entries.append(entry(data, kept, received=ago(day - 1), grade=Grade.DKIM))
    writing.add(database, entries)
    database.close()
    return ["--ledger", str(folder / "ledger.sqlite"), "--policy-dir", str(folder / "own")]


def more_failures(ledger, domain, kinds):
    """Let yesterday's first report about `domain` have so many kinds of failures."""
    connection = sqlite3.connect(ledger)
    (number,) = connection.execute(
        "SELECT max(report_id) FROM policy_result WHERE policy_domain = ?", (domain,)
    ).fetchone()
    connection.executemany(
        "INSERT INTO failure (report_id, policy_position, position, result_type, sessions)"
        " VALUES (?, 0, ?, ?, 1)",
        [(number, 100 + kind, f"kind-{kind}") for kind in range(kinds)],
    )
    connection.commit()
    connection.close()
