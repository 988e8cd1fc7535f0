"""Rules of what the access log of the policy hosts tells: who fetched, and who was refused."""

from typing import Dict

from mtasts.rules.rule import FETCH, SENDERS, Rule

_CACHE = "RFC 8461 section 3.3, practice of senders"
_LOG = "the access log of Apache"
_FOREIGN_FETCH = "Nothing, unless a sender that you know does so: tell its operator."

RULES: Dict[str, Rule] = {
    "pickup-nobody": Rule(
        "info",
        "no sender has fetched the policy of {text} with the id {hint}",
        FETCH,
        "Senders fetch when they have mail and see a new id: 'mtasts status {text}' says whether "
        "DNS has it.",
    ),
    "pickup-behind": Rule(
        "warning",
        "senders that have an earlier policy, and have not fetched the new one: {text}; the last "
        "of them may apply it until {hint}",
        _CACHE,
        "Wait with what the earlier policy forbids. Nobody has to look for a new id before that.",
        "a sender may keep a policy for its max_age, and some keep every policy for a week.",
    ),
    "pickup-reporter-behind": Rule(
        "warning",
        "{text} reported under an earlier policy after it was replaced, and may apply it until "
        "{hint}",
        _CACHE,
        "Wait with what the earlier policy forbids; see 'mtasts report summary'.",
    ),
    "pickup-unavailable": Rule(
        "warning",
        "{text} x 503: there was no good policy to be served",
        FETCH,
        "Apache's error log names the file, the line and the rule.",
        "a sender keeps what it has cached, and one that has nothing delivers without a policy.",
    ),
    "pickup-not-found": Rule(
        "warning",
        "{text} x {hint}: the domain had no folder in the policy directory",
        FETCH,
        "If it has one now, nothing; else take the _mta-sts TXT record out of DNS.",
        "a sender keeps what it has cached, and one that has nothing delivers without a policy.",
    ),
    "pickup-redirected": Rule(
        "warning",
        "{text} x {hint}: fetches were sent elsewhere, where no sender follows",
        FETCH,
        "See which site or rewrite rule of Apache answers before the policy host.",
    ),
    "pickup-forbidden": Rule(
        "warning",
        "{text} x {hint}: something in Apache turned fetches away",
        FETCH,
        "See which rule does so (Require, mod_security, mod_evasive) and leave this path out.",
        "the policy host itself never answers a fetch over HTTPS like that.",
    ),
    "pickup-server-error": Rule(
        "warning",
        "{text} x {hint}: Apache failed",
        FETCH,
        "See Apache's error log of that time.",
    ),
    "pickup-answer-foreign": Rule(
        "warning",
        "{text} x {hint}: fetches were answered, but not with a policy of ours",
        FETCH,
        "See which site or rewrite rule of Apache answers before the policy host.",
    ),
    "pickup-plain-http": Rule(
        "info",
        "{text} x {hint}: the policy was asked for over plain HTTP",
        FETCH,
        _FOREIGN_FETCH,
        "no policy is served there, because anybody on the way could change it.",
    ),
    "pickup-path-wrong": Rule(
        "info",
        "{text} x {hint}: a path was asked for that only looks like the policy's",
        FETCH,
        _FOREIGN_FETCH,
    ),
    "pickup-host-wrong": Rule(
        "info",
        "{text} x {hint}: the policy was asked for at another host of the domain",
        FETCH,
        _FOREIGN_FETCH,
        "senders ask mta-sts. and the domain only.",
    ),
    "pickup-method-wrong": Rule(
        "info",
        "{text} x {hint}: a method was used that fetches nothing",
        FETCH,
        _FOREIGN_FETCH,
    ),
    "pickup-misdirected": Rule(
        "info",
        "{text} x {hint}: TLS was opened for another name than was asked for",
        SENDERS,
        "If it happens to senders, see that a certificate and its virtual host name the host.",
    ),
    "pickup-request-bad": Rule(
        "info",
        "{text} x {hint}: the request was none that is answered with a policy",
        SENDERS,
        _FOREIGN_FETCH,
    ),
    "pickup-beyond": Rule(
        "info",
        "{text} fetches are of senders past the limits of this program, and in no line",
        "limit of this program",
        "Somebody fetches under very many names: see the log itself.",
    ),
    "pickup-unseen": Rule(
        "info",
        "the log has only what reached Apache: not who failed in DNS or TLS, and not whom a "
        "firewall, a CAPTCHA or a proxy in front turned away",
        _LOG,
        "'mtasts check' fetches as senders do, and TLS reports tell of failed fetches.",
    ),
}
