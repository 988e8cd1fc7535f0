"""The token files that answer an HTTP-01 challenge (RFC 8555 section 8.3).

Port 80 maps the challenge path to one folder for good, so answering means writing a file: no change
of Apache, no reload. The folder lies below a root as certbot's webroot plugin expects it, so that a
certbot without plugins can use the same one.
"""

import os
import re

from mtasts.errors import MtastsError, printable
from mtasts.files import replace_file

DEFAULT_WEBROOT = "/var/lib/mtasts/webroot"
URL_PATH = "/.well-known/acme-challenge/"
# base64url without padding (RFC 8555 section 8.3); it becomes the name of a file.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")


class ChallengeError(MtastsError):
    """A token file cannot be written."""


def token_path(webroot: str, token: str) -> str:
    """Where the answer to `token` has to stand; raises `ChallengeError` for an impossible token."""
    if not _TOKEN.match(token):
        raise ChallengeError(
            "challenge-token-invalid",
            f"the CA sent the token '{printable(token)}', which is not base64url",
            "Check the address of the CA (--server).",
        )
    return os.path.join(webroot, URL_PATH.strip("/"), token)


def write(path: str, answer: str) -> None:
    """Let the token file at `path` hold `answer`, readable for Apache; raises `ChallengeError`."""
    try:
        _make_folder(os.path.dirname(path))
        replace_file(path, answer.encode("ascii"))
    except OSError as error:
        raise ChallengeError(
            "challenge-write-failed",
            f"{error.filename or path} cannot be written: {error.strerror}",
            "Run the command as root, or name another folder with --mtasts-webroot.",
        ) from error


def _make_folder(path: str) -> None:
    """Make a folder and what is missing above it, passable for Apache whatever the umask is."""
    if not os.path.isdir(path):
        _make_folder(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)  # noqa: S103 - Apache's account reads it
