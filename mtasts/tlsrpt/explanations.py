"""What the words of a report mean: what happened, at whose end, how sure that is, what to do.

A reporter says `result-type`, one of a closed list (RFC 8460 section 4.3), and sometimes a
`failure-reason-code`, which is free text: the words of OpenSSL, of Go's libraries, of Microsoft and
of mox are known here. Whatever else comes is shown as it is and explained by its type alone.
"""

import re
from typing import Dict, NamedTuple, Optional, Tuple

YOURS, SENDERS, EITHER = "receiving", "sending", "either"  # whose end
SURE, LIKELY, OPEN = "sure", "likely", "open"  # how sure


class Explanation(NamedTuple):
    """What a word of a report means.

    `end` is where the cause lies: "receiving" (the domain's own mail host, policy or DNS),
    "sending" or "either". `certainty` says how sure that is: "sure", "likely" or "open".
    """

    word: str
    what: str
    end: str
    certainty: str
    remedy: str
    source: str


_NEGOTIATION = "RFC 8460 section 4.3.1"
_DANE = "RFC 8460 section 4.3.2.1"
_STS = "RFC 8460 section 4.3.2.2"
_PRACTICE = "practice of reporters"
_REST = "RFC 8460 section 4.3.4"

_CHECK_MX = (
    "Run 'mtasts check' on the domain: it looks at every address of every MX host as senders do."
)
_CHECK_HOST = (
    "Run 'mtasts check' on the domain: it fetches the policy from every address as senders do."
)


def _table(*explanations: Explanation) -> Dict[str, Explanation]:
    return {one.word: one for one in explanations}


RESULT_TYPES = _table(
    Explanation(
        "starttls-not-supported",
        "the MX host did not offer STARTTLS",
        YOURS,
        LIKELY,
        "Turn TLS on for every MX host and address, a load balancer's and a virus filter's too. If"
        " only one reporter sees this, something on its way may take STARTTLS out.",
        _NEGOTIATION,
    ),
    Explanation(
        "certificate-host-mismatch",
        "the certificate does not name the MX host, or the policy does not name the host at all",
        YOURS,
        SURE,
        "Give the MX host a certificate with its own name, as it stands in the MX record, and"
        " let the policy's mx lines cover it.",
        _NEGOTIATION,
    ),
    Explanation(
        "certificate-expired",
        "the certificate of the MX host had expired",
        YOURS,
        SURE,
        "Renew it, and reload the mail server after every renewal: a certificate that was"
        " renewed on disk only is the usual cause.",
        _NEGOTIATION,
    ),
    Explanation(
        "certificate-not-trusted",
        "no chain leads from the certificate of the MX host to a root that the sender trusts",
        YOURS,
        LIKELY,
        "Use a certificate of a public CA, and send the intermediate certificates along"
        " (fullchain.pem of certbot, not cert.pem).",
        _NEGOTIATION,
    ),
    Explanation(
        "validation-failure",
        "the session failed for a reason that has no word of its own",
        EITHER,
        OPEN,
        "See the reason that the reporter added. A few sessions of one reporter are normal:"
        " timeouts and broken connections are counted here.",
        _REST,
    ),
    Explanation(
        "tlsa-invalid",
        "no TLSA record fits the certificate of the MX host",
        YOURS,
        SURE,
        "Publish the TLSA record of the new certificate's key before the certificate changes, or"
        " keep the key when renewing.",
        _DANE,
    ),
    Explanation(
        "dnssec-invalid",
        "DNSSEC does not validate, so that no record of the domain could be used",
        YOURS,
        LIKELY,
        "Look for expired signatures and for a DS record at the parent that fits no key of the"
        " zone.",
        _DANE,
    ),
    Explanation(
        "dane-required",
        "the sender demands DANE, and the MX host has no TLSA records that DNSSEC proves",
        SENDERS,
        LIKELY,
        "If DANE was agreed upon with this sender, publish TLSA records; else tell it.",
        _DANE,
    ),
    Explanation(
        "sts-policy-fetch-error",
        "the policy could not be fetched, though the _mta-sts record says there is one",
        EITHER,
        LIKELY,
        "One reporter's single fetch error is normal. Else see that the policy host answers"
        " everybody,"
        " also without a User-Agent, and at its IPv6 address. " + _CHECK_HOST,
        _STS,
    ),
    Explanation(
        "sts-policy-invalid",
        "the policy that was fetched is not valid",
        YOURS,
        SURE,
        "Run 'mtasts lint' on what is served.",
        _STS,
    ),
    Explanation(
        "sts-webpki-invalid",
        "the certificate of the policy host could not be verified",
        YOURS,
        SURE,
        "The certificate has to name mta-sts.<domain>, be in date, and come with its"
        " intermediates. " + _CHECK_HOST,
        _STS,
    ),
)

# Reason codes, each with the pattern that knows its spellings.
_REASONS: Tuple[Tuple[str, Explanation], ...] = (
    (
        r"\AMX_HOSTS_MISMATCH\Z",
        Explanation(
            "MX_HOSTS_MISMATCH",
            "no mx line of the policy covers the MX host that DNS named (Microsoft)",
            YOURS,
            SURE,
            "Compare the domain's MX records with the policy, each label: a wildcard stands for"
            " one.",
            _PRACTICE,
        ),
    ),
    (
        r"\AVALIDATION_FAILURE\Z",
        Explanation(
            "VALIDATION_FAILURE",
            "TLS with the MX host failed, without further words (Microsoft)",
            EITHER,
            OPEN,
            _CHECK_MX,
            _PRACTICE,
        ),
    ),
    (
        r"\AX509_V_ERR_CERT_HAS_EXPIRED\Z|certificate has expired",
        Explanation(
            "X509_V_ERR_CERT_HAS_EXPIRED",
            "a certificate of the chain had expired (OpenSSL and Go say so)",
            YOURS,
            SURE,
            "Renew it and reload the mail server; look at the intermediate certificates too.",
            _PRACTICE,
        ),
    ),
    (
        r"\AX509_V_ERR_CERT_NOT_YET_VALID\Z",
        Explanation(
            "X509_V_ERR_CERT_NOT_YET_VALID",
            "a certificate of the chain was not valid yet, or the sender's clock is late (OpenSSL)",
            EITHER,
            LIKELY,
            "If several reporters say so, look at the clock of the machine that issues"
            " certificates.",
            _PRACTICE,
        ),
    ),
    (
        (
            r"\AX509_V_ERR_HOSTNAME_MISMATCH\Z"
            r"|certificate is (not )?valid for\b|cannot validate certificate for"
        ),
        Explanation(
            "X509_V_ERR_HOSTNAME_MISMATCH",
            "the certificate has other names than that of the MX host (OpenSSL and Go)",
            YOURS,
            SURE,
            "Get a certificate with the name that the MX record has, not that of the machine.",
            _PRACTICE,
        ),
    ),
    (
        (
            r"\AX509_V_ERR_(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)\Z"
            r"|self[- ]signed certificate"
        ),
        Explanation(
            "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
            "the certificate signs itself, or its root is known to nobody (OpenSSL)",
            YOURS,
            SURE,
            "Use a certificate of a public CA: the one that a mail server comes with is"
            " self-signed.",
            _PRACTICE,
        ),
    ),
    (
        (
            r"\AX509_V_ERR_UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE)\Z"
            r"|certificate signed by unknown authority|unable to get (local )?issuer certificate"
        ),
        Explanation(
            "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
            "a certificate of the chain is missing, or its CA is no public one (OpenSSL and Go)",
            YOURS,
            LIKELY,
            "Send the intermediate certificates along: fullchain.pem of certbot, not cert.pem.",
            _PRACTICE,
        ),
    ),
    (
        r"(\Atls-remote-alert-|remote error: tls: )(40\Z|handshake failure)",
        Explanation(
            "tls-remote-alert-40",
            "the MX host found no TLS parameters in common (alert handshake_failure)",
            EITHER,
            LIKELY,
            "Look whether the MX host offers TLS 1.2 with ECDHE and AES-GCM; " + _CHECK_MX,
            _PRACTICE,
        ),
    ),
    (
        r"(\Atls-remote-alert-|remote error: tls: )(42\Z|bad certificate)",
        Explanation(
            "tls-remote-alert-42",
            "the MX host refused a certificate of the sender (alert bad_certificate)",
            YOURS,
            LIKELY,
            "Let the MX host ask senders for no certificate, or take none as an answer.",
            _PRACTICE,
        ),
    ),
    (
        r"(\Atls-remote-alert-|remote error: tls: )(70\Z|protocol version not supported)",
        Explanation(
            "tls-remote-alert-70",
            "the MX host speaks no TLS version that the sender takes (alert protocol_version)",
            YOURS,
            LIKELY,
            "Turn TLS 1.2 and 1.3 on.",
            _PRACTICE,
        ),
    ),
    (
        r"(\Atls-remote-alert-|remote error: tls: )(80\Z|internal error)",
        Explanation(
            "tls-remote-alert-80",
            "the MX host broke the handshake off (alert internal_error)",
            YOURS,
            LIKELY,
            "See the mail server's log: often a certificate or key that it cannot read.",
            _PRACTICE,
        ),
    ),
    (
        r"(\Atls-remote-alert-|remote error: tls: )(112\Z|unrecognized name)",
        Explanation(
            "tls-remote-alert-112",
            "the MX host knows nothing of the name in SNI (alert unrecognized_name)",
            EITHER,
            LIKELY,
            "Let the mail server answer unknown names with its own certificate: some senders"
            " send the mail domain in place of the MX host's name.",
            _PRACTICE,
        ),
    ),
)


def result_type(word: str) -> Optional[Explanation]:
    """What a `result-type` means, in any letter case; None for one that the RFC does not have."""
    return RESULT_TYPES.get(word.lower())


def reason(text: str) -> Optional[Explanation]:
    """What a `failure-reason-code` means, if it is known."""
    for pattern, explanation in _REASONS:
        if re.search(pattern, text, re.IGNORECASE):
            return explanation
    return None


def find(word: str) -> Optional[Explanation]:
    """What a word of a report means, be it a type or a reason."""
    return result_type(word) or reason(word)


ALL = (*RESULT_TYPES.values(), *(explanation for _, explanation in _REASONS))
