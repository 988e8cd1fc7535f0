"""Is a name one under which strangers register domains? By Mozilla's Public Suffix List.

Debian and Ubuntu keep the list up to date in the package publicsuffix. Only its ICANN part is
asked: what stands in the private part is a company's own domain, and may well have mail.
"""

from mtasts.domain import Domain

LIST = "/usr/share/publicsuffix/public_suffix_list.dat"
_END = "===END ICANN DOMAINS==="


def is_public_suffix(domain: Domain, rules: str = "") -> bool:
    """Whether `domain` is a public suffix by the list `rules`, a text as publicsuffix.org has it.

    A single label always is (the list's own default rule).
    """
    labels = [_u_label(label) for label in domain.split(".")]
    if len(labels) == 1:
        return True
    name = ".".join(labels)
    asked = {name, ".".join(["*"] + labels[1:]), "!" + name}
    icann = rules.partition(_END)[0]
    found = asked & {line.strip() for line in icann.splitlines()}
    return bool(found) and "!" + name not in found


def _u_label(label: str) -> str:
    """The label as the list writes it."""
    try:
        return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label
