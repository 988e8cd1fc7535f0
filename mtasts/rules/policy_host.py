"""Rules of the policy host: its addresses, TLS, certificate, and the policy that it serves."""

from typing import Dict

from mtasts.rules.rule import FETCH, GRAMMAR, Rule

_RENEW = "See what 'certbot renew' says; once renewed, Apache reads it by 'apachectl graceful'."
_REFUSED = "Senders refuse to fetch the policy, and go on with what they have cached, or without."

RULES: Dict[str, Rule] = {
    "policy-host-missing": Rule(
        "error",
        "{text} has no address, so nobody can fetch the policy",
        FETCH,
        "Publish an A or AAAA record (or a CNAME) for it.",
    ),
    "policy-host-unknown": Rule(
        "unknown",
        "the policy host's addresses are not known: {hint}",
        FETCH,
        "Check the resolver, and the domain's name servers.",
    ),
    "policy-host-silent": Rule(
        "error",
        "senders get no answer: {hint}",
        FETCH,
        "See that the web server listens at this address, or remove the address from DNS.",
        "Senders that try this address first wait, or give up.",
    ),
    "policy-host-unreachable": Rule(
        "unknown",
        "this machine cannot reach that address: {hint}",
        FETCH,
        "Look from a machine that has this kind of network.",
    ),
    "policy-host-unseen": Rule(
        "info",
        "this machine has no IPv6, so it saw nothing at this address",
        FETCH,
        "Look from a machine that has IPv6, too: a sender that has it may fetch the policy there.",
    ),
    "policy-host-tls-failed": Rule(
        "error",
        "TLS fails: {hint}",
        FETCH,
        "See what the web server's error log says.",
        _REFUSED,
    ),
    "policy-host-tls-name": Rule(
        "error",
        "the web server knows no site of this name (TLS alert 112): {hint}",
        FETCH,
        "Give it a virtual host for the policy host; 'certbot --mtasts' writes one.",
        _REFUSED,
    ),
    "policy-host-tls-old": Rule(
        "error",
        "the web server speaks no TLS as new as 1.2: {hint}",
        f"{FETCH}, RFC 8996",
        "Let it offer TLS 1.2 and 1.3.",
        _REFUSED,
    ),
    "policy-host-certificate-untrusted": Rule(
        "error",
        "the certificate leads to no trusted root: {hint}",
        FETCH,
        "Get one from a public CA, and serve the CA's intermediate certificates with it.",
        _REFUSED,
    ),
    "policy-host-certificate-name": Rule(
        "error",
        "the certificate is for {hint}, not for {text}",
        f"{FETCH}, RFC 6125 section 6.4.3",
        "Get one with 'certbot --mtasts -d {text}'; a wildcard stands for one label only.",
        _REFUSED,
    ),
    "policy-host-certificate-nameless": Rule(
        "error",
        "the certificate has no DNS name; a common name does not count",
        FETCH,
        "Get one whose subjectAltName has {text}: 'certbot --mtasts -d {text}' does.",
        _REFUSED,
    ),
    "policy-host-certificate-expired": Rule(
        "error", "the certificate expired on {text}", FETCH, _RENEW, _REFUSED
    ),
    "policy-host-certificate-early": Rule(
        "error",
        "the certificate is not valid before {text}",
        FETCH,
        "Check the clocks; serve the former certificate until then.",
        _REFUSED,
    ),
    "policy-host-certificate-ends": Rule(
        "warning",
        "the certificate ends on {text}, and should have been renewed by now",
        FETCH,
        _RENEW,
    ),
    "policy-host-certificate-valid": Rule(
        "ok", "{text}; the certificate names the host and is valid until {hint}", FETCH, ""
    ),
    "policy-host-same": Rule("ok", "all {text} addresses serve the same policy", FETCH, ""),
    "policy-host-differs": Rule(
        "error",
        "this address serves another policy than {text} does",
        "RFC 8461 section 8.1",
        "Bring all machines behind the name to the same policy.",
        "What a sender gets is left to chance, and by the id it cannot see the difference.",
    ),
    "policy-host-own": Rule(
        "ok",
        "the policy that is served is that of the policy directory",
        "RFC 8461 section 8.1",
        "",
    ),
    "policy-directory-unreadable": Rule(
        "unknown",
        "what should be served is not known: {hint}",
        "the policy directory",
        "Put the file right; 'mtasts status' says what is wrong.",
    ),
    "policy-taken": Rule("ok", "senders take the policy: {hint}", GRAMMAR, ""),
    "policy-testing": Rule(
        "info",
        "the mode is testing: mail goes out whatever fails, and nothing is protected yet",
        "RFC 8461 section 5",
        "Change it to enforce when the reports are clean.",
    ),
    "policy-testing-intended": Rule(
        "ok", "the mode is testing, as it is meant to be until {text}", "RFC 8461 section 5", ""
    ),
    "policy-testing-overdue": Rule(
        "warning",
        "the mode is still testing, and was meant to be until {text}",
        "RFC 8461 section 5",
        "See with 'mtasts advance {hint}' whether it may be enforced; or set a later date with "
        "'mtasts set {hint} --testing-until DATE'.",
    ),
    "policy-none": Rule(
        "info",
        "the mode is none: senders act as if there were no policy",
        "RFC 8461 section 5",
        "Keep it until all policies served before have expired, and remove it then.",
    ),
}
