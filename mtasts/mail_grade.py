"""The grade of a mail: by our own look at its signatures, or by what our MTA says of them."""

import functools
from typing import FrozenSet, Iterable, Optional

from mtasts import dkim_check, public_suffix
from mtasts.errors import LookupFailed
from mtasts.tlsrpt import authenticity
from mtasts.tlsrpt.authenticity import Grade


class MailGrader:
    """Grades mails; `authserv_ids` are the names of our own MTA in Authentication-Results.

    Signatures are verified unless `with_dkim` is False; `resolver` is asked for the keys instead of
    the machine's own. `suffix_list` is the file that says which names belong to one organisation.
    """

    def __init__(
        self,
        authserv_ids: Iterable[str] = (),
        with_dkim: bool = True,
        resolver: Optional[str] = None,
        suffix_list: str = public_suffix.LIST,
    ) -> None:
        if with_dkim:
            dkim_check.require_dkimpy()
        self._authserv_ids = tuple(authserv_ids)
        self._with_dkim = with_dkim
        self._resolver = resolver
        self._suffix_list = suffix_list

    def __call__(self, mail: bytes) -> Grade:
        """The grade of `mail`; raises `LookupFailed` if DNS may give a better one later."""
        header = authenticity.header_of(mail)
        author = authenticity.author_domain(header)
        if author is None:
            return Grade.FILE
        suffixes = _suffixes(self._suffix_list)
        signers = authenticity.trusted_signers(header, self._authserv_ids)
        is_trusted = any(authenticity.is_aligned(one, author, suffixes) for one in signers)
        try:
            if self._with_dkim and dkim_check.is_signed(mail, author, suffixes, self._resolver):
                return Grade.DKIM
        except LookupFailed:
            if not is_trusted:
                raise
        return Grade.AUTHENTICATION_RESULTS if is_trusted else Grade.FILE


@functools.lru_cache(maxsize=1)
def _suffixes(path: str) -> FrozenSet[str]:
    """The rules of the Public Suffix List in the file `path`; none if there is no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            return public_suffix.all_rules(file.read())
    except (OSError, UnicodeDecodeError):
        return frozenset()
