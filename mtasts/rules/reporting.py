"""Rules of where TLS reports go, and of sub-domains."""

from typing import Dict

from mtasts.rules.rule import TLSRPT, Rule

RULES: Dict[str, Rule] = {
    "tlsrpt-missing": Rule(
        "warning",
        "there is no _smtp._tls TXT record, so nobody reports what fails",
        TLSRPT,
        "Publish 'v=TLSRPTv1; rua=mailto:postmaster@{text}' at _smtp._tls.{text}.",
        "Without reports nobody hears that senders fail, and in mode testing that is all there is.",
    ),
    "tlsrpt-only": Rule(
        "info",
        "senders report on TLS for {text}, which has neither MTA-STS nor DANE to report on",
        TLSRPT,
        "Add a policy in mode testing: 'mtasts new {text}'.",
    ),
    "tlsrpt-address-taken": Rule("ok", "'{text}' can take reports", TLSRPT, ""),
    "tlsrpt-mailto-no-mx": Rule(
        "error",
        "the domain of '{text}' takes no mail: it has neither an MX record nor an address",
        "RFC 5321 section 5.1",
        "Send the reports to an address whose domain takes mail.",
    ),
    "tlsrpt-mailto-null": Rule(
        "error",
        "the domain of '{text}' takes no mail: it publishes a null MX",
        "RFC 7505 section 3",
        "Send the reports to an address whose domain takes mail.",
    ),
    "tlsrpt-https-status": Rule(
        "warning",
        "'{text}' answers with status {hint}",
        "RFC 8460 section 5.4",
        "See that it takes a POST: any 2xx tells the reporter that the report has arrived.",
    ),
    "tlsrpt-https-silent": Rule(
        "error",
        "'{text}' does not answer: {hint}",
        "RFC 8460 section 5.4",
        "See that the web server runs and can be reached, or remove the URI.",
        "Reporters try again for a day, and then drop the report.",
    ),
    "tlsrpt-address-unknown": Rule(
        "unknown",
        "whether '{text}' can take reports is not known: {hint}",
        TLSRPT,
        "Check the resolver, and the name servers of its domain.",
    ),
    "sub-domain-taken": Rule(
        "ok", "the sub-domain has an _mta-sts record of its own", "RFC 8461 section 3.4", ""
    ),
    "sub-domain-uncovered": Rule(
        "warning",
        "the sub-domain takes mail and has no policy: that of {text} does not cover it",
        "RFC 8461 section 3.4",
        "Give it a policy of its own, for example as an alias: 'mtasts alias'.",
        "Mail to the sub-domain is as open to attack as without any MTA-STS.",
    ),
    "sub-domain-unknown": Rule(
        "unknown",
        "whether the sub-domain takes mail and has a policy is not known: {hint}",
        "RFC 8461 section 3.4",
        "Check the resolver, and the domain's name servers.",
    ),
}
