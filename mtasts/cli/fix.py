"""`mtasts lint --fix`: a file is rewritten to the careful form, and the difference is shown."""

import os
import stat
from typing import Any, Dict, List, NamedTuple, Optional

import click

from mtasts.cli.difference import difference, show_difference
from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file
from mtasts.policy import MAX_POLICY_BYTES, read
from mtasts.tidy import Undecided, careful

_SAME_MEANING = (
    "rewritten; a sender that reads as RFC 8461 demands takes from it what it took before"
)
_NEW_MEANING = "rewritten; a sender that reads as RFC 8461 demands took no policy from it before"


class Rewriting(NamedTuple):
    """What became of a file: its text now, the difference to before, and what there is to say.

    Of a file that is too large to be read as a whole there is no text.
    """

    text: Optional[bytes]
    diff: List[str]
    said: str

    def as_json(self) -> Dict[str, Any]:
        """The members that --fix adds to the JSON object of a file."""
        return {
            "rewritten": bool(self.diff),
            "diff": self.diff,
            "text": None if self.text is None else self.text.decode("utf-8", "backslashreplace"),
            "said": self.said,
        }


def rewrite(path: str, data: bytes) -> Rewriting:
    """Rewrite the file `path` that holds `data`; "-" is not written. Raises `MtastsError`.

    A file whose meaning a person has to decide is left as it is.
    """
    try:
        text = careful(data)
    except Undecided as error:
        whole = data if len(data) <= MAX_POLICY_BYTES else None
        return Rewriting(whole, [], f"left as it is, because {error.message}. {error.remedy}")
    if text == data:
        return Rewriting(data, [], "left as it is: the form that every sender accepts")
    if path != "-":
        _write(path, text)
    said = _SAME_MEANING if read(data).policy else _NEW_MEANING
    return Rewriting(text, difference(path, data, text), said)


def _write(path: str, text: bytes) -> None:
    """Replace the file's content; a link stays a link, owner and permissions stay."""
    real = os.path.realpath(path)
    try:
        facts = os.stat(real)
        if not stat.S_ISREG(facts.st_mode):
            raise MtastsError("file-irregular", f"{printable(path, 300)} is not a regular file")
        owner = (facts.st_uid, facts.st_gid)
        replace_file(real, text, stat.S_IMODE(facts.st_mode), owner)
    except OSError as error:
        raise MtastsError(
            "file-unwritable",
            f"{printable(path, 300)} cannot be rewritten: {error.strerror}",
            "Nothing was changed. Run this as the owner of the file and its directory.",
        ) from error


def show_rewriting(name: str, rewriting: Rewriting, to_stdout: bool) -> None:
    """Print the difference and what there is to say; with `to_stdout` the text goes there."""
    show_difference(rewriting.diff, err=to_stdout)
    click.echo(f"{name}: {rewriting.said}", err=to_stdout)
    if to_stdout and rewriting.text is not None:
        click.get_binary_stream("stdout").write(rewriting.text)
