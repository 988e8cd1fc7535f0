"""Rules of what DNS says: the two TXT records, their name servers, delegation."""

from typing import Dict

from mtasts.rules.rule import RECORDS, SENDERS, TXT, Rule

RULES: Dict[str, Rule] = {
    "txt-taken": Rule("ok", "there is exactly one such record: {hint}", RECORDS, ""),
    "sts-absent": Rule(
        "warning",
        "{text} has no MTA-STS: neither a record nor a policy host",
        TXT,
        "Begin with 'mtasts new {text}', in mode testing.",
        "Whoever can come between two mail servers can have mail sent in the clear.",
    ),
    "sts-record-missing": Rule(
        "error",
        "there is no _mta-sts TXT record, so no sender looks for the policy of {text}",
        TXT,
        "Publish it at _mta-sts.{text}; for a domain of yours, 'mtasts publish {text}' does.",
    ),
    "txt-several": Rule(
        "error",
        "there are {text} such records, so everybody acts as if there were none",
        RECORDS,
        "Remove all but one of them.",
    ),
    "txt-unknown": Rule(
        "unknown",
        "what is published is not known: {hint}",
        RECORDS,
        "Check the resolver, and the domain's name servers.",
        "A sender that gets no answer acts as if there were no record, and asks again later.",
    ),
    "txt-bogus": Rule(
        "error",
        "senders get no answer: {hint}",
        f"{RECORDS}, RFC 4035 section 5",
        "See to the zone's signatures and keys, and the DS records of its parent zone.",
        "Senders whose resolvers validate get no answer, for the domain's other records neither.",
    ),
    "txt-beside": Rule(
        "warning",
        "another TXT record stands beside: '{text}'",
        SENDERS,
        "Remove it; a wildcard record no longer counts here once the name has a record.",
        "Senders have to drop it, but one is known that joins all TXT records of the name.",
    ),
    "txt-misplaced": Rule(
        "warning",
        "'{text}' stands here, where nobody looks for it",
        RECORDS,
        "Move it to {hint}.",
    ),
    "txt-servers-agree": Rule(
        "ok", "all authoritative name servers say the same ({text} of them)", TXT, ""
    ),
    "txt-server-differs": Rule(
        "warning",
        "this authoritative name server says something else: {hint}",
        TXT,
        "Wait for the zone transfer; if it lasts, see why this server does not follow.",
        "What a sender hears is left to chance.",
    ),
    "txt-server-silent": Rule(
        "unknown",
        "the authoritative name server tells nothing: {hint}",
        TXT,
        "See that it serves the zone, on all its addresses.",
        "Resolvers lose time with a server that is lame, and without any they get no answer.",
    ),
    "txt-server-unseen": Rule(
        "info",
        "this machine has no IPv6, so it did not ask this authoritative name server",
        TXT,
        "Look from a machine that has IPv6, too.",
    ),
    "txt-secure": Rule("ok", "DNSSEC proves the record", "RFC 8461 section 10.1", ""),
    "txt-insecure": Rule(
        "info",
        "DNSSEC does not prove the record",
        "RFC 8461 section 10.1",
        "MTA-STS works without; sign the zone if you want DANE, too.",
        "Whoever can forge DNS answers can hide the policy from a sender that has none cached.",
    ),
    "txt-dnssec-unknown": Rule(
        "info",
        "the resolver does not tell whether DNSSEC proves the record",
        "RFC 8461 section 10.1",
        "Ask a resolver that validates, with --resolver.",
    ),
    "sts-id-proves": Rule(
        "ok", "the id {text} was made for the very policy that is served", TXT, ""
    ),
    "sts-id-behind": Rule(
        "warning",
        "the id {text} was made for another policy than is served",
        "RFC 8461 section 8.1",
        "Give the record a new id with every change; 'mtasts publish' does.",
        "Senders that have seen this id go on with the policy that they have cached.",
    ),
    "delegation-both": Rule(
        "ok", "record and policy host are both delegated, to {hint}", "RFC 8461 section 8.2", ""
    ),
    "delegation-record-only": Rule(
        "warning",
        "the record is delegated to {text}, but the policy host is not",
        "RFC 8461 section 8.2",
        "Make mta-sts.{hint} an alias, too, or take the record back.",
        "Whoever has the record changes the id, and whoever has the host the policy: both must"
        " change at once.",
    ),
    "delegation-host-only": Rule(
        "info",
        "the policy host is delegated to {text}, but the record is not",
        "RFC 8461 section 8.2",
        "Make _mta-sts.{hint} an alias, too, or change the id whenever the policy changes.",
        "Senders notice a new policy by the id only.",
    ),
}
