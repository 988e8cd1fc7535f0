"""How values read on the page. What comes out is text; the template escapes it."""

import datetime
from typing import Optional, Sequence

from mtasts.plan import utc
from mtasts.tlsrpt import rhythm
from mtasts.tlsrpt.counting import Sessions
from mtasts.tlsrpt.summary import FailureGroup, Reporter
from mtasts.tlsrpt.verdict import InUse

_LONGEST = 80  # characters of a name or word of a report
_WEEK = 7
_END = {"receiving": "the receiving end, yours", "sending": "the sending end"}


def shown(text: Optional[str], limit: int = _LONGEST) -> str:
    """A text of a report: what cannot be seen is escaped as Python does, what is long is cut.

    So it can neither turn the direction of what stands behind it nor fill the page.
    """
    said = text or "unknown"
    cut = "".join(one if one.isprintable() else _escaped(one) for one in said[:limit])
    return cut + "…" if len(said) > limit else cut


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def count(number: Optional[int]) -> str:
    """A number that may be unknown."""
    return "unknown" if number is None else f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """So many things, in words."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def day(value: Optional[datetime.date]) -> str:
    """A day that may be unknown."""
    return value.strftime("%Y-%m-%d") if value else "unknown"


def weekday(value: Optional[datetime.date]) -> str:
    """A day with its name, in English whatever the locale says."""
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return f"{names[value.weekday()]}, {day(value)}" if value else "an unknown day"


def moment(value: datetime.datetime) -> str:
    """A time, to the minute."""
    return utc(value)[: -len(":00 UTC")] + " UTC"


def failed(sessions: Sessions) -> str:
    """How many of how many sessions failed."""
    if sessions.total is None:
        return f"{count(sessions.failed)} failed, {count(sessions.successful)} successful"
    return f"{count(sessions.failed)} of {counted(sessions.total, 'session')} failed"


def kind(group: FailureGroup) -> str:
    """What failed, by the word of the report."""
    return shown(group.result_type) if group.result_type else "a failure of an unknown type"


def end(where: str, certainty: str) -> str:
    """Whose end it is, and how sure that is."""
    return f"at {_END.get(where, 'either end')} ({certainty})"


def several(names: Sequence[str], most: int = 5) -> str:
    """The first of some names of a report, and how many others there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


def rhythm_of(reporter: Reporter, today: datetime.date) -> str:
    """How often it reports, and whether it has fallen silent."""
    gap = rhythm.usual_gap(reporter.days)
    if gap is None:
        return "too few reports to tell"
    usual = {1: "daily", _WEEK: "weekly"}.get(gap, f"every {gap} days")
    if rhythm.is_silent(reporter.days, today):
        return f"{usual}; silent since {day(reporter.days[-1])}"
    return usual


def policy_in_use(use: Optional[InUse], first: datetime.date) -> str:
    """Which policy a reporter still uses, and since when, unless that was before `first`."""
    if use is None:
        return "quotes no policy"
    if use.entry is None:
        mode = use.policy.mode.value
        return f"a policy that was never served here (mode {mode}), since {weekday(use.since)}"
    if not use.is_current:
        name = f"id {use.entry.id}, mode {use.entry.mode}"
        return f"an earlier policy ({name}), last seen {weekday(use.last)}"
    is_old = use.entry.first.date() < first
    since = "" if is_old else f" since {weekday(use.since)}"
    return f"the policy served now (id {use.entry.id}){since}"
