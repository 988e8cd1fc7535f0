"""What reports say about a domain as JSON, the same for every command that prints it."""

import datetime
from typing import Any, Dict, Optional, Sequence

from mtasts.cli import findings
from mtasts.history import HistoryEntry
from mtasts.tlsrpt import verdict
from mtasts.tlsrpt.summary import FailureGroup, Reporter, Summary
from mtasts.tlsrpt.verdict import Background


def as_json(found: Summary, served: Sequence[HistoryEntry]) -> Dict[str, Any]:
    """The members of a summary, joined with the history `served` (oldest first)."""
    facts = found._asdict()
    for name in ("effective", "known", "plain"):
        facts[name] = facts[name]._asdict()
    facts["types"] = {kind: sessions._asdict() for kind, sessions in found.types}
    facts["days"] = [
        dict(one._asdict(), day=day_text(one.day), known=one.known._asdict()) for one in found.days
    ]
    facts["reporters"] = [_reporter(one, served) for one in found.reporters]
    beside = verdict.background(found, served)
    facts["failures"] = [_group(group, beside) for group in found.failures]
    facts["unspecified"] = found.unspecified and _group(found.unspecified, beside)
    facts["findings"] = [findings.as_json(one) for one in verdict.of_summary(found)]
    return facts


def _reporter(one: Reporter, served: Sequence[HistoryEntry]) -> Dict[str, Any]:
    facts = dict(one._asdict(), sessions=one.sessions._asdict(), last=day_text(one.last))
    facts["days"] = [day_text(day) for day in one.days]
    facts["policies"] = []
    for under in one.policies:
        entry = verdict.was_served(under.policy, served)
        facts["policies"].append(
            {
                "mode": under.policy.mode.value,
                "max_age": under.policy.max_age,
                "mx": list(under.policy.mx),
                "id": entry and entry.id,
                "first": day_text(under.first),
                "last": day_text(under.last),
                "sessions": under.sessions._asdict(),
            }
        )
    return facts


def _group(group: FailureGroup, beside: Background) -> Dict[str, Any]:
    said = verdict.of_group(group, beside)
    return dict(
        group._asdict(),
        first=day_text(group.first),
        last=day_text(group.last),
        used=[used._asdict() for used in group.used],
        days=[day_text(day) for day in group.days],
        explanations=[one._asdict() for one in verdict.explained(group)],
        findings=[findings.as_json(one) for one in said],
    )


def day_text(day: Optional[datetime.date]) -> Optional[str]:
    """A day as everything of ours writes it."""
    return day and day.strftime("%Y-%m-%d")
