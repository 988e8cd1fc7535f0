"""Rules of what TLS reports say that should be known at once."""

from typing import Dict

from mtasts.rules.rule import REPORTERS, Rule

_RESULTS = "RFC 8460 section 4.3"
_ENFORCE = "RFC 8461 section 5"

RULES: Dict[str, Rule] = {
    "alert-certificate-expired": Rule(
        "error",
        "senders meet a certificate that has expired",
        "RFC 8460 section 4.3.1",
        "Renew it, and let the server read it.",
        "Every sender that keeps to the policy meets it, until it is renewed.",
        by_mode=True,
    ),
    "alert-failure-new": Rule(
        "error",
        "sessions fail in a way that no report told of in the {text} days before",
        _RESULTS,
        "See what changed on that day, and what 'mtasts report summary' says.",
        "What is new has a cause that is new, and is most easily found now.",
        by_mode=True,
    ),
    "alert-share-high": Rule(
        "error",
        "more than {text}% of all sessions fail",
        REPORTERS,
        "See which failures these are: mtasts report summary.",
        "A few failures are normal; so many are not.",
        by_mode=True,
    ),
    "alert-enforce-failure": Rule(
        "error",
        "sessions fail, the first since the mode became enforce on {text}",
        _ENFORCE,
        "If the cause is at your end and lasts, see the way back with 'mtasts advance DOMAIN'.",
        "Senders hold this mail back, or return it.",
    ),
}
