"""A policy is changed: by options that say what is to be different, or in an editor."""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from typing import Any, Iterator, Optional, Tuple

import click

from mtasts.change import Wishes, changed
from mtasts.cli import findings as shown
from mtasts.cli.change import How, carry_out, change_options
from mtasts.cli.common import (
    DURATION,
    HOLDER,
    is_interactive,
    mx_option,
    testing_until_option,
)
from mtasts.domain import MXPattern
from mtasts.errors import MtastsError, printable
from mtasts.finding import InvalidText
from mtasts.folder import require_own
from mtasts.holder import Holder
from mtasts.policy import MAX_POLICY_BYTES, Mode
from mtasts.policy_file import policy_path, read_bytes
from mtasts.testing_until import Until

_EDITORS = ("editor", "nano", "vi")  # Debian's choice first


@click.command("set")
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), help="The new mode.")
@click.option("--max-age", type=DURATION, metavar="SPAN", help="Such as 1w, 30d or 2592000.")
@mx_option("--mx", "Name these MX hosts instead of those named now.")
@mx_option("--add-mx", "Name this MX host, too.")
@mx_option("--remove-mx", "Name this MX host no more.")
@testing_until_option
@change_options
def set_policy(
    name: Holder,
    mode: Optional[str],
    max_age: Optional[int],
    mx: Tuple[MXPattern, ...],
    add_mx: Tuple[MXPattern, ...],
    remove_mx: Tuple[MXPattern, ...],
    testing_until: Optional[Until],
    **options: Any,
) -> None:
    """Change the policy of DOMAIN, or of @CLASS and so of all its members.

    The difference is shown, and a person on a terminal is asked. If the change takes MX hosts away
    or is stricter, the live MX of all domains that have the policy is looked up before.

    \b
    Examples:
      mtasts set example.org --mode enforce --max-age 1w
      mtasts set example.org --add-mx mx2.example.org --dry-run
      mtasts set example.org --testing-until 2026-12-01
      mtasts set @mx-cluster-a --remove-mx mx9.example.net --max-uncovered 2
    """
    how = How(**options)
    wishes = Wishes(mode and Mode(mode), max_age, mx, add_mx, remove_mx)
    if wishes == Wishes() and not testing_until:
        raise click.UsageError(
            "Say what to change: --mode, --max-age, --mx, --add-mx, --remove-mx, --testing-until."
        )
    require_own(how.store.root, name)
    old = read_bytes(how.store.root, name)
    try:
        new = changed(old, wishes)
    except InvalidText:
        how.store.read(name)  # raises, naming the file, if it is the old policy that is invalid
        raise
    carry_out(name, old, new, how, testing_until)


@click.command()
@click.argument("name", metavar="DOMAIN|@CLASS", type=HOLDER)
@change_options
def edit(name: Holder, **options: Any) -> None:
    """Change the policy of DOMAIN, or of @CLASS, in an editor.

    The editor is $VISUAL, $EDITOR, or the machine's own. What it leaves is looked at before it
    replaces anything; an invalid text can be edited again, kept in a file, or dropped.

    \b
    Examples:
      mtasts edit example.org
      EDITOR=nano mtasts edit @mx-cluster-a
    """
    how = How(**options)
    require_own(how.store.root, name)
    old = read_bytes(how.store.root, name)
    with _working_copy(old) as path:
        while True:
            _run_editor(path)
            new = _read_back(path, old)
            try:
                carry_out(name, old, new, how)
                return
            except (MtastsError, click.Abort) as error:
                if not is_interactive():
                    raise
                _decide(error, path, policy_path(how.store.root, name))
                old = read_bytes(how.store.root, name)  # somebody else may have changed it


def _has_crlf(data: bytes) -> bool:
    return data.count(b"\r\n") == data.count(b"\n") > 0


@contextlib.contextmanager
def _working_copy(data: bytes) -> Iterator[str]:
    """A file of one's own to edit, with LF, as editors like it; gone at the end."""
    try:
        with tempfile.TemporaryDirectory(prefix="mtasts-") as folder:
            path = os.path.join(folder, "mta-sts.txt")
            with open(path, "wb") as file:
                file.write(data.replace(b"\r\n", b"\n") if _has_crlf(data) else data)
            yield path
    except OSError as error:
        raise MtastsError(
            "edit-failed",
            f"{printable(error.filename or 'the copy to edit', 300)}: {error.strerror}",
            "Nothing was changed. See whether the disk is full.",
        ) from error


def _run_editor(path: str) -> None:
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    installed = (editor for editor in _EDITORS if shutil.which(editor))
    editor = command or next(installed, "vi")
    try:
        code = subprocess.call(shlex.split(editor) + [path])
    except (OSError, ValueError) as error:
        raise _editor_failed(editor, str(error)) from error
    if code:
        raise _editor_failed(editor, f"it ended with {code}")


def _editor_failed(editor: str, why: str) -> MtastsError:
    return MtastsError(
        "editor-failed",
        f"the editor {printable(editor, 300)} failed: {printable(why, 300)}",
        "Nothing was changed. Name another one in the environment variable EDITOR.",
    )


def _read_back(path: str, old: bytes) -> bytes:
    """What was saved, at most a byte more than a policy may have, in the old line endings."""
    with open(path, "rb") as file:
        data = file.read(MAX_POLICY_BYTES + 1)
    if _has_crlf(old) and b"\r" not in data:
        return data.replace(b"\n", b"\r\n")
    return data


def _decide(error: Exception, path: str, target: str) -> None:
    """Ask what is to become of a text that did not replace the policy; return to edit it again."""
    if isinstance(error, InvalidText):
        shown.show(error.finding, "the edited policy", err=True)
    elif isinstance(error, MtastsError):
        click.echo(f"mtasts: {error}", err=True)
    question = "What now: (e)dit again, (k)eep the text in a file, or (q)uit without it"
    answer = click.prompt(question, type=click.Choice(["e", "k", "q"]), default="e", err=True)
    if answer == "k":
        folder = tempfile.mkdtemp(prefix="mtasts-kept-")
        kept = shutil.copy(path, folder)
        click.echo(f"Kept as {kept}; {target} is as it was.", err=True)
    if answer != "e":
        raise click.Abort
