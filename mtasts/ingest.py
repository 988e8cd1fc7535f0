"""The way of whatever arrives into the ledger: container, reader, one transaction.

Arrivals are read before the transaction begins, and many of them share one, so that it is short
and rare. Whoever keeps the bytes so far (the spool, a mailbox, a mail server's queue) is told of a
batch only when it is committed; if this process is killed before that, the same bytes come once
more, and the ledger knows them by their hash.
"""

import contextlib
import datetime
import os
from typing import Callable, Iterable, Iterator, List, NamedTuple, Optional, Union

from mtasts.errors import LookupFailed
from mtasts.ledger import queries, writing
from mtasts.ledger.database import Database
from mtasts.ledger.entry import HTTPS, MAIL, Added, Entry, Named
from mtasts.spool import Arrival, Spool, SpoolError
from mtasts.tlsrpt import authenticity, container, mail, reader
from mtasts.tlsrpt.authenticity import Grade
from mtasts.tlsrpt.report import InvalidReport, Report

NO_REPORT = "no-report"
PATIENCE = datetime.timedelta(days=3)  # for name servers, before a mail counts as unsigned
_NOBODY_ELSE_KEEPS = (MAIL, HTTPS)
# of a batch
_MOST_ARRIVALS, _MOST_FAILURES, _MOST_BYTES = 100, 5000, 1 << 24

MailGrade = Callable[[bytes], Grade]  # how sure the origin of a mail is


class Taken(NamedTuple):
    """What became of an arrival: what was read in it, and what the ledger says of that.

    `added` is None for a mail that is no report and that somebody else keeps. What is `postponed`
    was not taken, because DNS does not say now how sure its origin is; `entry` is None then.
    """

    entry: Optional[Entry]
    added: Optional[Added]
    postponed: Optional[LookupFailed] = None


def unproven(_mail: bytes) -> Grade:
    """The grade of a mail that nobody looks at."""
    return Grade.FILE


def impatient(mail_grade: MailGrade, now: datetime.datetime) -> MailGrade:
    """`mail_grade` for a mail server's queue: what has waited there too long counts as unsigned.

    Else the mail server would give it back one day, and the report would be lost.
    """

    def graded(data: bytes) -> Grade:
        try:
            return mail_grade(data)
        except LookupFailed:
            since = authenticity.received(authenticity.header_of(data))
            if since is None or now - since < PATIENCE:
                raise
            return Grade.FILE

    return graded


def read(one: Named, mail_grade: MailGrade = unproven, limit: int = container.LIMIT) -> Entry:
    """What is in an arrival that expands to at most `limit` bytes.

    Raises what `mail_grade` does.
    """
    arrival = one.arrival
    reports: List[Report] = []
    error = None
    for item in container.documents(arrival.data, one.name, limit):
        try:
            reports.append(_report(item))
        except InvalidReport as invalid:
            error = error or invalid.code
    if not reports and not error and arrival.source in _NOBODY_ELSE_KEEPS:
        error = NO_REPORT
    is_of_use = reports or error  # else no name server is to be asked about it
    grade = _grade(arrival, reports, mail_grade) if is_of_use else Grade.FILE
    return Entry(arrival, grade, tuple(reports), error, one.name)


def batches(
    database: Database,
    arrivals: Iterable[Named],
    mail_grade: MailGrade = unproven,
    limit: int = container.LIMIT,
) -> Iterator[List[Taken]]:
    """Take the `arrivals` into the ledger; what is yielded is committed, in their order.

    Raises `LedgerError`; nothing of what was not yielded is in the ledger then.
    """
    waiting: List[Union[Entry, LookupFailed]] = []
    filled = 0.0
    for one in arrivals:
        try:
            waiting.append(read(one, mail_grade, limit))
        except LookupFailed as error:
            waiting.append(error)
        filled += _share(waiting[-1])
        if filled >= 1:
            yield _commit(database, waiting)
            waiting, filled = [], 0.0
    if waiting:
        yield _commit(database, waiting)


def take_spool(
    database: Database,
    spool: Spool,
    mail_grade: MailGrade = unproven,
    limit: int = container.LIMIT,
) -> Iterator[Union[Taken, SpoolError]]:
    """Take what waits in the `spool` into the ledger, and away from there.

    What another process has just begun with is left to it; what is postponed stays where it is,
    and so does a file that cannot be read, whose error is yielded.

    Raises `LedgerError` and `SpoolError`.
    """
    errors: List[SpoolError] = []
    with contextlib.ExitStack() as claims:
        taken_on: List[str] = []

        def arrivals() -> Iterator[Named]:
            for name in spool.waiting():
                try:
                    arrival = _claimed(spool, name, claims)
                except SpoolError as error:
                    errors.append(error)
                    continue
                if arrival:
                    taken_on.append(name)
                    yield Named(arrival)

        for batch in batches(database, arrivals(), mail_grade, limit):
            finished = [name for name, one in zip(taken_on, batch) if not one.postponed]
            spool.done(*finished)
            taken_on.clear()
            claims.close()
            yield from batch
    yield from errors


def replay(database: Database, limit: int = container.LIMIT) -> Iterator[Entry]:
    """Read everything in quarantine again, and yield what is read now.

    Raises `LedgerError`; what was yielded is in the ledger.
    """
    for facts in queries.quarantine(database):
        data = queries.raw(database, facts.id)
        arrival = Arrival(data, facts.received, facts.source, facts.domain)
        entry = read(Named(arrival, facts.name), lambda _mail, grade=facts.grade: grade, limit)
        if entry.reports or entry.error != facts.error:
            writing.read_again(database, facts.id, entry)
        yield entry


def _claimed(spool: Spool, name: str, claims: contextlib.ExitStack) -> Optional[Arrival]:
    """What waits under `name`, until `claims` are closed for nobody else; None if it is another's.

    Raises `SpoolError`.
    """
    claim = spool.claim(name)
    if claim is None:
        return None
    with contextlib.ExitStack() as unread:
        unread.callback(os.close, claim)
        arrival = spool.read(name)
        claims.push(unread.pop_all())
        return arrival


def _report(item: Union[container.Document, InvalidReport]) -> Report:
    """The report of what a container gave; raises `InvalidReport`."""
    if isinstance(item, InvalidReport):
        raise item
    return reader.read(item.data, item.hints)


def _grade(arrival: Arrival, reports: Iterable[Report], mail_grade: MailGrade) -> Grade:
    """How sure the origin of an arrival is.

    Who may post to the address of one domain has proven nothing about another one.
    """
    if arrival.source == HTTPS:
        domains = {result.policy_domain for one in reports for result in one.policies}
        return Grade.HTTPS if domains <= {arrival.domain, ""} else Grade.FILE
    return mail_grade(arrival.data) if mail.is_mail(arrival.data) else Grade.FILE


def _share(entry: Union[Entry, LookupFailed]) -> float:
    """How much of a batch `entry` fills."""
    if isinstance(entry, LookupFailed):
        return 1 / _MOST_ARRIVALS
    failures = sum(len(result.failures) for one in entry.reports for result in one.policies)
    of_bytes = len(entry.arrival.data) / _MOST_BYTES
    return 1 / _MOST_ARRIVALS + failures / _MOST_FAILURES + of_bytes


def _commit(database: Database, read_ones: List[Union[Entry, LookupFailed]]) -> List[Taken]:
    kept = [one for one in read_ones if isinstance(one, Entry) and (one.reports or one.error)]
    added = iter(writing.add(database, kept) if kept else ())
    taken = []
    for one in read_ones:
        if isinstance(one, LookupFailed):
            taken.append(Taken(None, None, one))
        else:
            taken.append(Taken(one, next(added) if one.reports or one.error else None))
    return taken
