"""Rules of what TLS reports say about a domain, joined with what is known here."""

from typing import Dict

from mtasts.rules.rule import REPORTERS, Rule

_COUNTS = "RFC 8460 section 4.4"

RULES: Dict[str, Rule] = {
    "report-mx-not-covered": Rule(
        "error",
        "the policy that the reporter used does not cover the MX host {text}",
        "RFC 8461 section 4.1",
        "Let the policy cover it, or take the host from the MX records.",
    ),
    "report-mx-covered-now": Rule(
        "info",
        "the policy that is served now covers {text}, and senders have yet to fetch it",
        "RFC 8461 section 3.3",
        "Wait until the policy that the reporter used has expired.",
    ),
    "report-policy-foreign": Rule(
        "warning",
        "{text} quotes a policy that was never served here",
        REPORTERS,
        "See whether another host serves a policy for the domain; else the report may be forged.",
    ),
    "report-policy-earlier": Rule(
        "info",
        "{text} still used a policy that was replaced on {hint}",
        "RFC 8461 section 3.3",
        "Senders keep a policy until its max_age has run out.",
    ),
    "report-seen-by-one": Rule(
        "info",
        "of {hint} reporters only {text} sees this, so its own end or its way here is suspect",
        REPORTERS,
        "If it lasts, write to the reporter.",
    ),
    "report-seen-by-all": Rule(
        "warning",
        "all {text} reporters see this, so the cause is at the receiving end",
        REPORTERS,
        "Do what the explanation of the failure says.",
    ),
    "report-at-one-mx": Rule(
        "info",
        "of {hint} MX hosts only {text} is concerned",
        REPORTERS,
        "Compare its TLS settings and certificate with those of the others.",
    ),
    "report-fetch-error-once": Rule(
        "ok",
        "a single fetch error of one reporter is normal",
        REPORTERS,
        "Nothing has to be done.",
    ),
    "report-over": Rule(
        "ok",
        "{text} was the last day on which this happened, and newer reports do not have it",
        REPORTERS,
        "Nothing has to be done, if you know what changed.",
    ),
    "report-counts-differ": Rule(
        "info",
        "some sessions were reported both under sts and under tlsa, and count once",
        _COUNTS,
        "Use the effective numbers.",
    ),
    "report-failures-unspecified": Rule(
        "warning",
        "of {text} failed sessions no report says what failed",
        _COUNTS,
        "See these reports with 'mtasts report list'; if it lasts, write to the reporter.",
    ),
    "report-counts-unknown": Rule(
        "unknown",
        "{text} of the reports do not say how many sessions there were",
        _COUNTS,
        "See these reports with 'mtasts report list'.",
    ),
}
