"""The one base of every error that a user can cause.

Whoever catches `MtastsError` can print it as it is: its message names the file, line, host or
record, holds printable text only, and the remedy says what to do next.
"""


class MtastsError(Exception):
    """Something that a person can put right.

    `code` is stable and for programs, `message` one sentence for people, `remedy` what to do
    ("" where there is nothing to add). `said` is the message without the `place` it begins with:
    for whoever names that already.
    """

    def __init__(self, code: str, said: str, remedy: str = "", place: str = "") -> None:
        super().__init__(code, said, remedy, place)
        self.code = code
        self.said = said
        self.message = f"{place}: {said}" if place else said
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.message} [{self.code}]"
        return f"{text}\n{self.remedy}" if self.remedy else text


class LookupFailed(MtastsError):
    """DNS gave no answer, which says nothing about what is published there."""


def printable(text: object, limit: int = 80) -> str:
    """Return `text` in visible ASCII, escaped as in a Python literal and cut at `limit` characters.

    Names, policies and DNS answers come from strangers: shown like this they can neither move a
    terminal's cursor, nor forge a line of a log, nor turn the direction of a sentence.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")  # every byte as itself
    shown = str(text).encode("unicode_escape", "surrogatepass").decode("ascii")
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
