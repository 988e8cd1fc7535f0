"""Whether the policy that a report quotes was ever served by us, as our own history says.

A report about a policy that we never had is suspicious: its sender looked at something else, or it
is made up. Senders order and space the lines as they like, so what they mean is compared.
"""

from typing import Iterable, Optional

from mtasts.history import HistoryEntry
from mtasts.tlsrpt import policy_string
from mtasts.tlsrpt.report import STS, PolicyResult


def was_served(result: PolicyResult, history: Iterable[HistoryEntry]) -> Optional[bool]:
    """Whether the `history` of its domain has the policy of `result`; None if it quotes none."""
    if result.policy_type.lower() != STS or not result.policy_string:
        return None
    said = policy_string.fields(result.policy_string)
    mode, max_age = (said.get(name, [""])[0].lower() for name in ("mode", "max_age"))
    mx = {_host(pattern) for pattern in said.get("mx", ())}
    return any(
        (entry.mode, str(entry.max_age), set(map(_host, entry.mx))) == (mode, max_age, mx)
        for entry in history
    )


def _host(pattern: str) -> str:
    return pattern.lower().rstrip(".")
