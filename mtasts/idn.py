"""Internationalised names: U-labels, as people write them, made into A-labels (RFC 5891)."""

from mtasts.domain import InvalidDomain
from mtasts.finding import finding

try:
    import idna
except ImportError:
    idna = None


def a_labels(text: str) -> str:
    """`text` with its U-labels as A-labels; a `*.` before it stays.

    Mapped as browsers do it (UTS 46, not transitional), so capitals and wide dots are taken. A text
    in ASCII, and any text where the package idna is missing, comes back as it is. Raises
    `InvalidDomain` for what no label can be made of.
    """
    if idna is None or all(character <= "\x7f" for character in text):
        return text
    star, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    try:
        return star + idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidDomain(finding("domain-not-ascii", text=text)) from error
