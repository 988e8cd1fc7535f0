"""Rules of whether a policy may go one step further: to `enforce`, or to a longer `max_age`.

What is an error here speaks against the step, and what is unknown leaves it open; all else is told.
"""

from typing import Dict

from mtasts.rules.rule import REPORTERS, TXT, Rule

_TESTING = "RFC 8461 sections 5 and 10.2"
_CAUTION = "RFC 8461 section 10.2"
_EXPLAINED = "See what happened, and what to do, with 'mtasts report summary {text}'."
_NOTHING = "Nothing has to be done."

RULES: Dict[str, Rule] = {
    "advance-mode-none": Rule(
        "error",
        "the mode of {text} is none, and nobody reports what would fail",
        "RFC 8461 section 5",
        "Serve testing first, with 'mtasts set {text} --mode testing', and publish it.",
    ),
    "advance-domains-none": Rule(
        "unknown",
        "no domain has the policy of {text}, so there is nobody to ask",
        _CAUTION,
        "Let domains have it with 'mtasts assign'.",
    ),
    "advance-plan-agrees": Rule(
        "info",
        "the plan for {text} takes the same step: {hint}",
        _CAUTION,
        "Carry it out with 'mtasts plan {text} --apply'.",
    ),
    "advance-plan-otherwise": Rule(
        "error",
        "there is a plan for {text}, and its next step is another one: {hint}",
        _CAUTION,
        "Carry it out with 'mtasts plan {text} --apply', or forget it with --cancel.",
    ),
    "advance-observed": Rule(
        "ok", "in testing with these mx lines since {text}, for {hint} days", _TESTING, ""
    ),
    "advance-observed-briefly": Rule(
        "unknown",
        "in testing with these mx lines since {text} only",
        _TESTING,
        "Wait until {hint}: a week of mail and its reports are in by then.",
        "What fails on some days of the week only has not been seen yet.",
    ),
    "advance-kept": Rule(
        "ok", "what this policy promised has been kept, since {text}, for {hint} days", _CAUTION, ""
    ),
    "advance-unkept": Rule(
        "unknown",
        "this policy has been served since {text}, and its promise is not kept yet",
        _CAUTION,
        "Wait until {hint}: by then whoever has cached it has had to fetch it once more.",
        "Who promises more before that cannot know whether the smaller promise held.",
    ),
    "advance-ledger-missing": Rule(
        "unknown",
        "no reports are kept here: {hint}",
        REPORTERS,
        'Let reports come in: docs/reports.md, "Let reports come in".',
    ),
    "advance-reports-missing": Rule(
        "unknown",
        "no report counts that came in this time",
        REPORTERS,
        "See that they come in, with 'mtasts report list --domain {text}' and docs/reports.md.",
        "Without reports nobody knows what would fail where mail comes from.",
    ),
    "advance-reports-few": Rule(
        "unknown",
        "no reporter tells of sessions under this policy for {text} days: {hint}",
        _TESTING,
        "Wait for more reports; where none come, see docs/reports.md.",
        "Until a sender has used the policy for a week, nobody has seen a week of mail under it.",
    ),
    "advance-reports-uncounted": Rule(
        "info",
        "left out, because too little proves their origin: {hint}",
        REPORTERS,
        "Let mails with reports be verified, docs/reports.md; or say with --grade what is enough.",
        "Whoever could add to the numbers could push or block enforcement.",
    ),
    "advance-grade-weak": Rule(
        "warning",
        "reports count of which no signature proves the origin ({text})",
        REPORTERS,
        "Do so only if you know where all of them came from.",
        "Anybody can have written them, to push or to block enforcement.",
    ),
    "advance-reporter": Rule("ok", "{hint}", REPORTERS, ""),
    "advance-reporter-behind": Rule(
        "info",
        "{hint}",
        "RFC 8461 section 3.3",
        "Senders keep a policy until its max_age has run out.",
    ),
    "advance-reporter-silent": Rule(
        "info",
        "{hint}",
        REPORTERS,
        "See whether its reports still come in.",
        "What it sees now is not known.",
    ),
    "advance-reporters-more": Rule(
        "info", "{text} more reporters, with fewer sessions", REPORTERS, _NOTHING
    ),
    "advance-failures-none": Rule("ok", "no failure is reported", _TESTING, ""),
    "advance-failures-receiving": Rule(
        "error",
        "at the receiving end, and not over: {hint}",
        _TESTING,
        _EXPLAINED,
        "Under enforce no mail is delivered in such sessions, or no policy is fetched any more.",
    ),
    "advance-failures-unclear": Rule(
        "unknown",
        "nobody can tell at whose end, and it is not over: {hint}",
        _TESTING,
        _EXPLAINED,
    ),
    "advance-failures-over": Rule(
        "ok", "over, newer reports do not have it: {hint}", REPORTERS, ""
    ),
    "advance-failures-covered": Rule(
        "info",
        "under an earlier policy, and the hosts are covered now: {hint}",
        "RFC 8461 section 4.1",
        _NOTHING,
    ),
    "advance-failures-once": Rule("ok", "a single fetch error is normal: {hint}", REPORTERS, ""),
    "advance-failures-rare": Rule(
        "info", "so few that connections which break explain it: {hint}", REPORTERS, _EXPLAINED
    ),
    "advance-failures-sending": Rule(
        "info", "at the sender's own end: {hint}", REPORTERS, _EXPLAINED
    ),
    "advance-failures-foreign": Rule(
        "warning",
        "under policies that were never served here, so it does not count: {hint}",
        REPORTERS,
        "See whether another host serves a policy for {text}; else the report may be forged.",
    ),
    "advance-failures-elsewhere": Rule(
        "info",
        "under no policy of MTA-STS, which enforcing does not change: {hint}",
        "RFC 8461 section 2",
        _EXPLAINED,
    ),
    "advance-failures-more": Rule(
        "unknown",
        "there are more than {hint} kinds of failures, and the others were not looked at",
        "limit of this program",
        _EXPLAINED,
    ),
    "advance-record-in-step": Rule(
        "ok", "the _mta-sts record has the id of the policy that is served, {text}", TXT, ""
    ),
    "advance-policy-host-passes": Rule(
        "ok",
        "it serves the policy at {text}, and its certificate is valid for {hint} days",
        "RFC 8461 section 3.3",
        "",
    ),
    "advance-mx-passes": Rule("ok", "every MX host passes, at {text}", "RFC 8461 section 4", ""),
}
