"""Which domain a person should look at first, and the two lines with which the page begins."""

import enum
from typing import List, NamedTuple, Sequence, Tuple

from mtasts.page import words
from mtasts.page.facts import About, Asked
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.summary import FailureGroup, Summary

JUDGED = 50  # groups of failures of a domain; whoever has more has failures that go on


class Level(enum.Enum):
    """How a domain is, by its reports; the gravest first."""

    FAILING = "failing"
    UNKNOWN = "unknown"
    OVER = "over"
    SILENT = "no report"
    CLEAN = "clean"


_GRAVEST_FIRST = list(Level)


class Headline(NamedTuple):
    """The two lines: is anything broken, and since when and at whose end."""

    level: Level
    first: str
    second: str


def groups(summary: Summary) -> Tuple[FailureGroup, ...]:
    """All groups of failures; at the end, with no type, those of which nothing else is known."""
    unspecified = (summary.unspecified,) if summary.unspecified else ()
    return (*summary.failures, *unspecified)


def open_failures(about: About) -> Tuple[FailureGroup, ...]:
    """The failures that go on, as far as is known: neither over nor the usual noise."""
    found, failures = about.summary, groups(about.summary)
    judged = [one for one in failures[:JUDGED] if not verdict.is_settled(one, found)]
    return (*judged, *failures[JUDGED:])


def level(about: About) -> Level:
    """How the domain is."""
    found = about.summary
    if not found.reports:
        return Level.SILENT
    if open_failures(about):
        return Level.FAILING
    if found.unknown:
        return Level.UNKNOWN
    return Level.OVER if groups(found) else Level.CLEAN


def in_order(abouts: Sequence[About]) -> List[Tuple[Level, About]]:
    """The gravest first; of these the one with the most failed sessions, then by name."""
    found = [(level(about), about) for about in abouts]
    return sorted(found, key=_gravity)


def _gravity(found: Tuple[Level, About]) -> Tuple[int, int, str]:
    how, about = found
    return _GRAVEST_FIRST.index(how), -(about.summary.known.failed or 0), about.summary.domain


def headline(ordered: Sequence[Tuple[Level, About]], asked: Asked) -> Headline:
    """The two lines about domains that are `in_order`.

    That nobody reports about some of them is said in the second: small domains have quiet weeks.
    """
    if not ordered:
        return Headline(
            Level.SILENT, "There are no domains yet.", "Make a policy with: mtasts new DOMAIN"
        )
    worst, about = next((one for one in ordered if one[0] is not Level.SILENT), ordered[0])
    same = sum(how is worst for how, _ in ordered)
    of_all = _of_all(same, len(ordered), about)
    them = about.summary.domain if len(ordered) == 1 else f"any of the {len(ordered):,} domains"
    first = {
        Level.FAILING: f"Yes, something is broken: {_failing(of_all, about, len(ordered))}.",
        Level.UNKNOWN: f"Not known: {of_all} reports that do not say how many sessions failed.",
        Level.OVER: f"Not any more: {of_all} failures in the period, and none that goes on.",
        Level.SILENT: f"Not known: no report yet about {them}.",
        Level.CLEAN: f"Nothing is broken: no session failed with {them}.",
    }[worst]
    return Headline(worst, first, _second(worst, about, ordered, asked))


def _of_all(some: int, domains: int, about: About) -> str:
    if domains == 1:
        return f"{about.summary.domain} has"
    have = "has" if some == 1 else "have"
    return f"{some:,} of {words.counted(domains, 'domain')} {have}"


def _failing(of_all: str, about: About, domains: int) -> str:
    known = about.summary.known
    said = words.failed(known) if known.failed else _failed_of_unknown(open_failures(about))
    worst = f"{said} with {about.summary.domain}"
    return worst if domains == 1 else f"{of_all} failing sessions; worst: {worst}"


def _failed_of_unknown(failures: Sequence[FailureGroup]) -> str:
    """What failed only by reports that do not say how many sessions there were."""
    numbers = [one.sessions for one in failures]
    failed = None if None in numbers else sum(filter(None, numbers))
    return f"{words.count(failed)} of an unknown number of sessions failed"


def _second(
    worst: Level, about: About, ordered: Sequence[Tuple[Level, About]], asked: Asked
) -> str:
    if worst in (Level.FAILING, Level.OVER):
        return when_and_whose((open_failures(about) or groups(about.summary))[0])
    if worst is Level.UNKNOWN:
        return f"Known of {about.summary.domain}: {words.failed(about.summary.known)}."
    if worst is Level.SILENT:
        return (
            "Reports come a day late, from senders that have brought mail. See that DNS names where"
            " they go (mtasts check), and that they are kept (mtasts report add)."
        )
    silent = sum(how is Level.SILENT for how, _ in ordered)
    sessions = sum(one.summary.known.total or 0 for _, one in ordered)
    without = f"; no report about {words.counted(silent, 'domain')}" if silent else ""
    return f"{words.counted(sessions, 'session')} in {asked.days} days{without}."


def when_and_whose(group: FailureGroup) -> str:
    """Since when something fails, and at whose end."""
    where = f" at {words.several(group.mx_hosts, 3)}" if group.mx_hosts else ""
    said = f"{words.kind(group)}{where}"
    explained = verdict.explained(group)[:1]
    whose = [words.end(one.end, one.certainty) for one in explained] or ["at an unknown end"]
    return (
        f"Since {words.day(group.first)}, {whose[0]}: {said}, reported by"
        f" {words.several(group.reporters, 3)}, last for {words.day(group.last)}."
    )
