"""The weekly digest in words for people and as JSON for programs, in visible ASCII."""

from typing import Any, Dict, Iterator, List, Sequence

from mtasts.alerts import WINDOW
from mtasts.digest import Digest, DomainWeek, Failing
from mtasts.domain import Domain
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.summary import Reporter
from mtasts.tlsrpt.words import NAMES, count, reports, sessions, several, text

_SPOKEN_DOMAINS = 50
_SPOKEN_FAILURES = 5
_JSON_DOMAINS = 1000
_JSON_NAMES = 100


def subject(digest: Digest) -> str:
    """The week in a line that a telephone shows."""
    of = _domains(len(digest.domains))
    if not any(one.reports for one in digest.domains):
        return f"week: no reports ({of})"
    failed, total = digest.known.failed, digest.known.total
    if not failed:
        return f"week: all of {count(total)} sessions went well ({of})"
    with_failures = sum(bool(one.known.failed) for one in digest.domains)
    return f"week: {count(failed)} of {count(total)} sessions failed ({with_failures} of {of})"


def words(digest: Digest) -> str:
    """The week for people."""
    return "\n".join(_lines(digest)) + "\n"


def _lines(digest: Digest) -> Iterator[str]:
    of = _domains(len(digest.domains))
    yield f"the last {WINDOW} days of {of}: {sessions(digest.known)} (sessions)"
    odd = [one for one in digest.domains if not one.is_clean]
    for one in odd[:_SPOKEN_DOMAINS]:
        yield from ("    " + line for line in _domain_lines(one))
    if len(odd) > _SPOKEN_DOMAINS:
        more = len(odd) - _SPOKEN_DOMAINS
        yield f"    and {more} more domains; see: mtasts report summary DOMAIN"
    clean = [one for one in digest.domains if one.is_clean and one.reports]
    if clean:
        number = sum(one.known.successful or 0 for one in clean)
        yield f"    {_domains(len(clean))} without a failure: {number} sessions"
    without = _without_reports(digest)
    if without:
        yield f"    {_domains(len(without))} without a report: {several(without)}"
    if digest.quarantined:
        yield f"    in quarantine (mtasts report list --quarantine): {digest.quarantined}"


def _domain_lines(week: DomainWeek) -> Iterator[str]:
    yield f"{week.domain}: {sessions(week.known)} (sessions), {reports(week.reports)}"
    for one in week.failing[:_SPOKEN_FAILURES]:
        yield from ("    " + line for line in _failing_lines(one))
    if len(week.failing) > _SPOKEN_FAILURES:
        yield f"    and {len(week.failing) - _SPOKEN_FAILURES} more kinds of failures"
    if week.unknown:
        yield f"    {reports(week.unknown)} with unknown numbers"
    if week.new:
        yield f"    new reporters: {several(week.new)}"
    if week.silent:
        yield f"    silent, by their own rhythm: {_silent(week.silent)}"
    old = [one.reporter for one in week.lagging if one.id]
    if old:
        yield f"    still use an earlier policy: {several(old)}"
    foreign = [one.reporter for one in week.lagging if not one.id]
    if foreign:
        yield f"    quote a policy that was never served here: {several(foreign)}"


def _failing_lines(one: Failing) -> Iterator[str]:
    failure = one.failure
    where = f" at {several(failure.mx_hosts)}" if failure.mx_hosts else ""
    when = f"since {failure.first or '?'}, last {failure.last or '?'}"
    by = several(failure.reporters)
    before = "" if one.is_now else "before that: "
    yield f"{before}{count(failure.sessions)} x {one.kind}{where}, {when}, by {by}"
    for meant in verdict.explained(failure)[:1]:
        yield f"    {meant.what}; whose end: {meant.end} ({meant.certainty})"
    if one.is_over:
        yield "    newer reports do not have it"
    if not one.is_proven:
        yield "    told only by reports whose origin is not proven"


def _silent(reporters: Sequence[Reporter]) -> str:
    told = [f"{text(one.name)} (last {one.last})" for one in reporters[:NAMES]]
    more = f" and {len(reporters) - NAMES} more" if len(reporters) > NAMES else ""
    return ", ".join(told) + more


def _domains(number: int) -> str:
    return "1 domain" if number == 1 else f"{number} domains"


def _without_reports(digest: Digest) -> List[Domain]:
    return [one.domain for one in digest.domains if not one.reports]


def as_json(digest: Digest) -> Dict[str, Any]:
    """The week for programs; of very many domains the first and their number."""
    return {
        "days": WINDOW,
        "successful": digest.known.successful,
        "failed": digest.known.failed,
        "quarantined": digest.quarantined,
        "domain_count": len(digest.domains),
        "domains": [_domain_as_json(one) for one in digest.domains[:_JSON_DOMAINS]],
    }


def _domain_as_json(week: DomainWeek) -> Dict[str, Any]:
    return {
        "domain": week.domain,
        "reports": week.reports,
        "unknown": week.unknown,
        "successful": week.known.successful,
        "failed": week.known.failed,
        "failures": [_failing_as_json(one) for one in week.failing],
        "new_reporters": [text(name) for name in week.new[:_JSON_NAMES]],
        "silent_reporters": [text(one.name) for one in week.silent[:_JSON_NAMES]],
        "other_policy": [
            {"reporter": text(one.reporter), "id": one.id} for one in week.lagging[:_JSON_NAMES]
        ],
    }


def _failing_as_json(one: Failing) -> Dict[str, Any]:
    meant = verdict.explained(one.failure)[:1]
    return {
        "result_type": one.kind.result_type,
        "reason": one.kind.reason,
        "sessions": one.failure.sessions,
        "since": one.failure.first and str(one.failure.first),
        "last": one.failure.last and str(one.failure.last),
        "reporters": [text(name) for name in one.failure.reporters[:_JSON_NAMES]],
        "mx_hosts": [text(name) for name in one.failure.mx_hosts[:_JSON_NAMES]],
        "end": meant[0].end if meant else "",
        "is_now": one.is_now,
        "is_over": one.is_over,
        "is_proven": one.is_proven,
    }
