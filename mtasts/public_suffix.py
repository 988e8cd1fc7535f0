"""Is a name one under which strangers register domains? By Mozilla's Public Suffix List.

Debian and Ubuntu keep the list up to date in the package publicsuffix. Who asks whether a name may
have mail wants its ICANN part only: what stands in the private part is a company's own domain.
"""

from typing import FrozenSet, List

from mtasts.domain import Domain

LIST = "/usr/share/publicsuffix/public_suffix_list.dat"
_END = "===END ICANN DOMAINS==="


def is_public_suffix(domain: Domain, rules: str = "") -> bool:
    """Whether `domain` is a public suffix by the list `rules`, a text as publicsuffix.org has it.

    A single label always is (the list's own default rule).
    """
    labels = [_u_label(label) for label in domain.split(".")]
    return _is_suffix(labels, _lines(rules.partition(_END)[0]))


def all_rules(text: str) -> FrozenSet[str]:
    """The rules of the list's both parts: also a company may let strangers have names below it."""
    return _lines(text)


def organizational_domain(domain: Domain, rules: FrozenSet[str]) -> Domain:
    """The name that somebody registered and `domain` belongs to (RFC 7489 section 3.2).

    A public suffix belongs to itself, and so does every name if there are no `rules`.
    """
    labels = [_u_label(label) for label in domain.split(".")]
    for start in range(len(labels) if rules else 0):
        if "!" + ".".join(labels[start:]) in rules:
            return Domain(".".join(domain.split(".")[start:]))
        if _is_suffix(labels[start:], rules):
            return Domain(".".join(domain.split(".")[max(start - 1, 0) :]))
    return domain


def _lines(text: str) -> FrozenSet[str]:
    return frozenset(line.strip() for line in text.splitlines())


def _is_suffix(labels: List[str], rules: FrozenSet[str]) -> bool:
    name = ".".join(labels)
    found = name in rules or ".".join(["*"] + labels[1:]) in rules
    return len(labels) == 1 or (found and "!" + name not in rules)


def _u_label(label: str) -> str:
    """The label as the list writes it."""
    try:
        return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label
