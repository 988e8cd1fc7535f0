"""Names, made once and right: the only types that may become a path or a query.

`Domain` and `MXPattern` are strings that cannot hold anything else than a name in lower-case
A-labels without a final dot, so nobody has to look at the text again.
"""

import re
from typing import Optional

from mtasts.finding import InvalidText, finding

MAX_NAME = 253
_POLICY_HOST = "mta-sts."
# sub-domain of RFC 5321 section 4.1.2, with the length of RFC 1035 section 2.3.4
_SUB_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Domain of RFC 5321 section 4.1.2
_NAME = re.compile(rf"{_SUB_DOMAIN}(?:\.{_SUB_DOMAIN})*\Z")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
# A label of an MX host as DNS may give it: '_' is common although RFC 5321 has no such host.
_DNS_LABEL = re.compile(r"[a-z0-9_-]{1,63}\Z")
# What may follow a host name in a Host header: the final dot of an absolute name, then a port.
_HOST_TAIL = re.compile(r"\.?(?::[0-9]{0,5})?\Z")


class InvalidDomain(InvalidText):
    """The text is not a domain name, or not the kind that was asked for."""


def _fault(text: str) -> Optional[str]:
    """Return the code of what keeps `text` from being a domain name, or None."""
    if not text:
        return "domain-empty"
    if len(text) > MAX_NAME:
        return "domain-too-long"
    if _NAME.match(text):
        return "domain-address" if _is_address(text) else None
    if _NOT_ASCII.search(text):
        return "domain-not-ascii"
    labels = text.split(".")
    if not all(1 <= len(label) <= 63 for label in labels):
        return "domain-label-length"
    return "domain-label-invalid"


def _is_address(name: str) -> bool:
    """Whether the name has the form #.#.#.#, which no host name has (RFC 1123 section 2.1)."""
    labels = name.split(".")
    return len(labels) == 4 and all(label.isdigit() for label in labels)


class Domain(str):
    """A domain name: lower-case A-labels, no final dot, no address (RFC 5321 section 4.1.2).

    `Domain(text)` takes any case and raises `InvalidDomain`.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "Domain":
        """Check `text` once and for all."""
        if isinstance(text, cls):
            return text
        code = _fault(text)
        if code:
            raise InvalidDomain(finding(code, text=text))
        # Only now that it is ASCII: str.lower() makes a 'k' of the Kelvin sign.
        return super().__new__(cls, text.lower())

    @property
    def policy_host(self) -> str:
        """The host that serves this domain's policy (RFC 8461 section 3.3)."""
        return _POLICY_HOST + self

    @classmethod
    def from_policy_host(cls, host: str) -> "Domain":
        """Return the policy domain of a host such as `MTA-STS.example.org.:443`.

        Takes a Host header or server name in any case, with or without final dot and port; raises
        `InvalidDomain` for any other host.
        """
        if len(host) > MAX_NAME + len(".:65535"):
            raise InvalidDomain(finding("domain-too-long", text=host))
        name = _HOST_TAIL.sub("", host, count=1)
        if name[: len(_POLICY_HOST)].lower() != _POLICY_HOST:
            raise InvalidDomain(finding("domain-not-policy-host", text=host))
        return cls(name[len(_POLICY_HOST) :])


class MXPattern(str):
    """What an `mx` line names: a host, or `*.` and a domain (RFC 8461 sections 3.2 and 4.1).

    `MXPattern(text)` takes any case and raises `InvalidDomain`.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "MXPattern":
        """Check `text` once and for all."""
        if isinstance(text, cls):
            return text
        if len(text) > MAX_NAME:
            raise InvalidDomain(finding("domain-too-long", text=text))
        name = text[2:] if text.startswith("*.") else text
        if "*" in name:
            raise InvalidDomain(finding("mx-wildcard", text=text))
        return super().__new__(cls, text[: len(text) - len(name)] + Domain(name))

    @property
    def is_wildcard(self) -> bool:
        """Whether the pattern stands for all hosts one label below a domain."""
        return self.startswith("*.")

    def covers(self, host: str) -> bool:
        """Whether `host`, an MX host of any case with or without final dot, matches.

        A wildcard stands for exactly one label (RFC 8461 section 4.1). Hosts are compared as
        DNS gave them, because names such as `mx_1.example.org` exist although they are invalid.
        """
        name = mx_host(host)
        if not self.is_wildcard:
            return name == self
        return name.partition(".")[2] == self[2:]


def mx_host(text: str) -> str:
    """The host that an MX record names, in lower case and without final dot; "" if it is none."""
    if len(text) > MAX_NAME + 1 or _NOT_ASCII.search(text):
        return ""
    name = text.lower()
    name = name[:-1] if name.endswith(".") else name
    is_host = len(name) <= MAX_NAME and not _is_address(name)
    return name if is_host and all(_DNS_LABEL.match(label) for label in name.split(".")) else ""
