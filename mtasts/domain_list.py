"""Lists of domains as people keep them: one in a line, with comments and blank lines.

    # customers
    example.org
    bücher.example      # U-labels are taken

A line that names no domain does not stop what is done with the others.
"""

from typing import IO, Iterator, NamedTuple, Union

from mtasts import idn
from mtasts.domain import Domain, InvalidDomain

_MAX_LINE = 4096  # octets; a name has 253, a comment may be longer


class NotADomain(NamedTuple):
    """A line, counted from 1, that names no domain, and why."""

    line: int
    error: InvalidDomain


def read(file: IO[bytes], source: str) -> Iterator[Union[Domain, NotADomain]]:
    """What each line of `file` names, as it is read; errors name `source` and the line.

    A name may have a final dot and capitals, and comes as often as it is there.
    """
    number, is_rest = 0, False
    for line in iter(lambda: file.readline(_MAX_LINE), b""):
        if is_rest:  # of a line that is too long
            is_rest = not line.endswith(b"\n")
            continue
        number += 1
        is_rest = len(line) == _MAX_LINE and not line.endswith(b"\n")
        # Octets that are no UTF-8 become what no name can have.
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", "replace")
        name = text.partition("#")[0].strip(" \t\r\n")
        if name or is_rest:
            yield _domain(name, number, source)


def _domain(name: str, number: int, source: str) -> Union[Domain, NotADomain]:
    try:
        return Domain(idn.a_labels(name[:-1] if name.endswith(".") else name))
    except InvalidDomain as error:
        found = error.finding._replace(line=number)
        return NotADomain(number, InvalidDomain(found, source))
