"""Rules of MX hosts: the live ones against the policy, their TLS and certificates, DANE."""

from typing import Dict

from mtasts.rules.rule import DANE, MATCH, MX_TLS, Rule

_REFUSED = "In mode enforce no mail is delivered to such a host, in mode testing it is reported."

RULES: Dict[str, Rule] = {
    "mx-records-unknown": Rule(
        "unknown",
        "DNS gave no answer: {hint}",
        MATCH,
        "Check the resolver, and the domain's name servers.",
    ),
    "mx-records-null": Rule(
        "info",
        "{text} takes no mail: it publishes a null MX",
        "RFC 7505 section 3",
        "No policy is needed then.",
    ),
    "mx-records-none": Rule(
        "info",
        "{text} has no MX record, so senders take the domain itself for its MX host",
        "RFC 5321 section 5.1",
        "Publish an MX record, so that mail can move without a change of the policy.",
    ),
    "mx-host-covered": Rule("ok", "the policy covers this host by '{text}'", MATCH, ""),
    "mx-host-uncovered": Rule(
        "error",
        "mail goes to this host, and no mx line of the policy covers it: {hint}",
        MATCH,
        "Add 'mx: {text}' to the policy, or take the host out of the MX records.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-line-idle": Rule(
        "info",
        "the policy's 'mx: {text}' covers no MX host that DNS has",
        MATCH,
        "If it stands there for a move, leave it; or remove it once every older policy is gone.",
    ),
    "mx-host-without-address": Rule(
        "warning",
        "the MX host has no address",
        "RFC 5321 section 5.1",
        "Publish an A or AAAA record for it, or take it out of the MX records.",
    ),
    "mx-host-addresses-unknown": Rule(
        "unknown",
        "the MX host's addresses are not known: {hint}",
        "RFC 5321 section 5.1",
        "Check the resolver, and the host's name servers.",
    ),
    "mx-hosts-unreachable": Rule(
        "unknown",
        "no MX host could be reached on port 25, the first one so: {hint}",
        MX_TLS,
        "Look from a machine that may use port 25: many networks block it.",
    ),
    "mx-host-unreachable": Rule(
        "unknown",
        "it could not be reached on port 25: {hint}",
        "RFC 5321 section 5.1",
        "See that it takes mail at this address, from everywhere.",
        "A backup that is down harms nobody while the others are there, so this is no error.",
    ),
    "mx-host-refuses": Rule(
        "unknown",
        "it does not talk to this machine: {hint}",
        "RFC 5321 section 3.1",
        "See whether it refuses this machine's address only, as many do with unknown ones.",
    ),
    "mx-host-no-starttls": Rule(
        "error",
        "it does not offer STARTTLS",
        MX_TLS,
        "Switch TLS on for port 25, and see that no firewall on the way takes the offer out.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-tls-failed": Rule(
        "error",
        "it offers STARTTLS, but TLS fails: {hint}",
        MX_TLS,
        "See what the mail server's log says, and whether it can read key and certificate.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-tls-name": Rule(
        "error",
        "it ends TLS because it does not know its own name (TLS alert 112): {hint}",
        MX_TLS,
        "Give the mail server a certificate for the name that the MX record has.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-tls-old": Rule(
        "error",
        "it speaks no TLS as new as 1.2: {hint}",
        f"{MX_TLS}, RFC 8996",
        "Let the mail server offer TLS 1.2 and 1.3.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-certificate-untrusted": Rule(
        "error",
        "the certificate leads to no trusted root: {hint}",
        MX_TLS,
        "Get one from a public CA, and serve the CA's intermediate certificates with it.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-certificate-name": Rule(
        "error",
        "the certificate is for {hint}, not for {text}",
        f"{MX_TLS}, RFC 6125 section 6.4.3",
        "Get one that names {text} as the MX record does; a wildcard stands for one label only.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-certificate-nameless": Rule(
        "error",
        "the certificate has no DNS name; a common name does not count",
        MX_TLS,
        "Get one whose subjectAltName has {text}.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-certificate-expired": Rule(
        "error",
        "the certificate expired on {text}",
        MX_TLS,
        "Renew it, and let the mail server read it.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-certificate-early": Rule(
        "error",
        "the certificate is not valid before {text}",
        MX_TLS,
        "Check the clocks; use the former certificate until then.",
        _REFUSED,
        by_mode=True,
    ),
    "mx-host-certificate-ends": Rule(
        "warning",
        "the certificate ends on {text}, and should have been renewed by now",
        MX_TLS,
        "Renew it, and let the mail server read it.",
    ),
    "mx-host-certificate-valid": Rule(
        "ok", "{text}; the certificate names the host and is valid until {hint}", MX_TLS, ""
    ),
    "mx-host-slow": Rule(
        "info",
        "it took {text} s until TLS was there",
        "RFC 5321 section 4.5.3.2",
        "A greeting that is delayed against spam costs every sender this time.",
    ),
    "dane-matches": Rule("ok", "DANE: a TLSA record matches the certificate", DANE, ""),
    "dane-mismatch": Rule(
        "error",
        "DANE: no TLSA record matches the certificate{hint}",
        DANE,
        "Publish the new TLSA record before the certificate changes, and wait for its TTL.",
        "Senders that know DANE deliver nothing to this host, whatever MTA-STS says (RFC 8461"
        " section 2).",
    ),
    "dane-contradicts": Rule(
        "warning",
        "DANE takes the certificate, but MTA-STS refuses it",
        "RFC 8461 section 2",
        "Use a certificate of a public CA, and a TLSA record of usage 3 for its key.",
        "A sender that knows MTA-STS only does not deliver.",
    ),
    "dane-insecure": Rule(
        "info",
        "there are TLSA records, but DNSSEC does not prove them, so nobody heeds them",
        DANE,
        "Sign the zone, or remove them.",
    ),
    "dane-unproved": Rule(
        "info",
        "there are TLSA records; the resolver does not tell whether DNSSEC proves them",
        DANE,
        "Ask a resolver that validates, with --resolver.",
    ),
    "dane-without-tls": Rule(
        "error",
        "DANE: there are TLSA records, but no TLS",
        DANE,
        "Put TLS right, or remove the TLSA records.",
        "Senders that know DANE deliver nothing to this host, whatever MTA-STS says (RFC 8461"
        " section 2).",
    ),
    "dane-unusable": Rule(
        "warning",
        "DANE: senders can use none of the TLSA records",
        "RFC 7672 section 3.1.3",
        "Publish one of usage 3 (DANE-EE), selector 1, matching type 1.",
        "Usages 0 and 1 are not for SMTP; TLS is then used without a look at the certificate.",
    ),
    "dane-unknown": Rule(
        "unknown",
        "whether there are TLSA records is not known: {hint}",
        DANE,
        "See that the host's name servers answer for _25._tcp, too.",
        "Senders that know DANE wait with their mail until they get an answer.",
    ),
}
