"""Rules of how an own domain stands."""

from typing import Dict

from mtasts.rules.rule import TXT, Rule

RULES: Dict[str, Rule] = {
    "status-unentered": Rule(
        "warning",
        "the policy of {text} was changed by hand, and the change is not in its history yet",
        "RFC 8461 section 3.1",
        "Publish it with 'mtasts publish {text}'.",
    ),
    "status-testing-long": Rule(
        "info",
        "the mode has been testing for {text} days",
        "RFC 8461 section 5",
        "See with 'mtasts advance {hint}' whether it may be enforced; or say for how long it is "
        "meant to be so with 'mtasts set {hint} --testing-until DATE'.",
    ),
    "status-testing-overdue": Rule(
        "warning",
        "the mode is still testing, which was to end on {text}",
        "RFC 8461 section 5",
        "See with 'mtasts advance {hint}' whether it may be enforced; or set a later date with "
        "'mtasts set {hint} --testing-until DATE'.",
    ),
    "status-record-missing": Rule(
        "error",
        "DNS has no _mta-sts TXT record for {text}, so no sender looks for its policy",
        TXT,
        "Publish it with 'mtasts publish {text}'.",
    ),
    "status-record-several": Rule(
        "error",
        "DNS has {hint} records v=STSv1 for {text}, so senders act as if there were none",
        TXT,
        "Remove all but one of the TXT records at _mta-sts.{text}.",
    ),
    "status-record-invalid": Rule(
        "error",
        "no sender takes the _mta-sts TXT record of {text}, '{hint}'",
        TXT,
        "Publish it anew with 'mtasts publish {text}'.",
    ),
    "status-record-behind": Rule(
        "warning",
        "DNS has the id {hint} for {text}, which is that of another policy than is served",
        "RFC 8461 section 8.1",
        "Use 'mtasts publish {text}'; a resolver may keep the old record for its TTL.",
    ),
    "status-record-foreign": Rule(
        "warning",
        "DNS has the id {hint} for {text}, and what policy it stands for is not known here",
        "RFC 8461 section 8.1",
        "Use 'mtasts publish {text}', with --adopt if it is the id of this very policy.",
    ),
    "status-record-unknown": Rule(
        "unknown",
        "whether DNS is in step is not known for {text}: {hint}",
        TXT,
        "Check the resolver, and the domain's name servers.",
    ),
    "status-policy-host-missing": Rule(
        "error",
        "{text} has no address, so nobody can fetch the policy",
        "RFC 8461 section 3.3",
        "Publish an A or AAAA record (or a CNAME) for it.",
    ),
    "status-policy-host-silent": Rule(
        "error",
        "senders get no answer: {hint}",
        "RFC 8461 section 3.3",
        "See that Apache runs; if only this machine cannot reach that address, look from another.",
    ),
    "status-certificate-invalid": Rule(
        "error",
        "senders refuse the policy host: {hint}",
        "RFC 8461 section 3.3",
        "Get a certificate with 'certbot --mtasts -d {text}'.",
    ),
    "status-certificate-expired": Rule(
        "error",
        "the certificate of {text} expired on {hint}",
        "RFC 8461 section 3.3",
        "Use 'certbot renew'; if it has been renewed, let Apache read it: 'apachectl graceful'.",
    ),
    "status-certificate-ends": Rule(
        "warning",
        "the certificate of {text} ends on {hint}, and should have been renewed by now",
        "RFC 8461 section 3.3",
        "See what 'certbot renew' says; once renewed, Apache reads it by 'apachectl graceful'.",
    ),
    "status-certificate-unknown": Rule(
        "unknown",
        "until when the certificate of {text} is valid is not known: {hint}",
        "RFC 8461 section 3.3",
        "Check the resolver, and the domain's name servers.",
    ),
    "status-step-due": Rule(
        "info",
        "a step of the plan for {text} has been due since {hint}",
        "RFC 8461 section 5",
        "Do it with 'mtasts plan {text} --apply'.",
    ),
    "status-plan-unreadable": Rule(
        "warning",
        "there is a plan for {text}, but it cannot be read: {hint}",
        "the policy directory",
        "Put the file back, or forget the plan with 'mtasts plan {text} --cancel'.",
    ),
}
