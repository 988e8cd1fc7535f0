"""How news reach people: by mail through the machine's own MTA, a webhook, or a command.

Whatever could not be handed over raises `NotTold`: who told it keeps it for the next time. A mail
is handed over when sendmail(8) has taken it, to a webhook when it answers with a status of 2xx, to
a command when it ends with 0.
"""

import contextlib
import email.policy
import email.utils
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import urllib.parse
from email.message import EmailMessage
from typing import Any, List, NamedTuple, Optional, Tuple

from mtasts import __version__
from mtasts.errors import MtastsError, printable
from mtasts.news import News

_SECONDS = 30  # for a webhook to connect, and then for each answer of it
_PROGRAM_SECONDS = 60  # for sendmail, or the operator's command, to take the news
SENDMAIL_PLACES = "/usr/sbin:/usr/lib"
# A local name, or the dot-atoms of RFC 5322 section 3.2.3 around an @; none that a program could
# take for an option, a file or a command.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(
    rf"(?=[A-Za-z0-9_]){_ATOM}(?:\.{_ATOM})*(?:@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)?\Z"
)
_MAX_ADDRESS = 254


class NotTold(MtastsError):
    """The news were not taken."""


class InvalidWay(MtastsError):
    """Nobody can be told in this way."""


class Mail(NamedTuple):
    """Mail to `recipients`, from `sender` or else from whom the MTA takes for it."""

    recipients: Tuple[str, ...]
    sender: Optional[str] = None

    @property
    def name(self) -> str:
        """By what the state knows this way."""
        return "mail:" + ",".join(sorted(self.recipients))

    def tell(self, news: News) -> None:
        """Hand the mail to sendmail; raises `NotTold`."""
        program = shutil.which("sendmail", path=f"{os.environ.get('PATH', '')}:{SENDMAIL_PLACES}")
        if program is None:
            raise NotTold(
                "sendmail-missing",
                "this machine has no sendmail, so no mail can be sent",
                "Install an MTA, such as postfix, exim4, dma or msmtp-mta.",
            )
        sender = ["-f", self.sender] if self.sender else []
        data = self._message(news).as_bytes(policy=email.policy.default)
        _sendmail([program, "-i", *sender, "--", *self.recipients], data)

    def _message(self, news: News) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = news.subject
        message["To"] = ", ".join(self.recipients)
        if self.sender:
            message["From"] = self.sender
        message["Date"] = email.utils.format_datetime(news.time)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
        message.set_content(f"{news.program} on {news.by}:\n\n{news.text}")
        return message


class Webhook(NamedTuple):
    """A POST of JSON to a URL, which may hold a secret and is therefore never shown whole."""

    url: str

    @property
    def name(self) -> str:
        """By what the state knows this way, which does not give the URL away."""
        return "webhook:" + hashlib.sha256(self.url.encode("ascii")).hexdigest()

    def tell(self, news: News) -> None:
        """Have the news taken; raises `NotTold`."""
        parts = urllib.parse.urlsplit(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPSConnection(
            str(parts.hostname), parts.port, timeout=_SECONDS, context=ssl.create_default_context()
        )
        headers = {"Content-Type": "application/json", "User-Agent": f"mtasts/{__version__}"}
        try:
            connection.request("POST", path, json.dumps(news.facts).encode("ascii"), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failed(f"cannot be reached: {printable(error, 200)}") from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise self._failed(f"answers with status {status}")

    def _failed(self, why: str) -> NotTold:
        host = printable(urllib.parse.urlsplit(self.url).hostname, 300)
        return NotTold(
            "webhook-failed",
            f"the webhook of {host} {why}",
            "What is new is told again by the next run.",
        )


class Command(NamedTuple):
    """A `program` that gets JSON on its standard input, and the subject in MTASTS_SUBJECT.

    No shell is asked, and nothing of the news becomes an argument.
    """

    program: str
    seconds: float = _PROGRAM_SECONDS

    @property
    def name(self) -> str:
        """By what the state knows this way."""
        return "command:" + self.program

    def tell(self, news: News) -> None:
        """Have the news taken; raises `NotTold`."""
        try:
            running: Any = subprocess.Popen(
                [self.program],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=dict(os.environ, MTASTS_SUBJECT=news.subject),
                start_new_session=True,  # so that what it has started ends with it
            )
        except OSError as error:
            raise self._failed(f"cannot be started: {error.strerror}") from error
        with running:
            try:
                said = running.communicate(json.dumps(news.facts).encode("ascii"), self.seconds)[1]
            except subprocess.TimeoutExpired as error:
                raise self._failed(f"has not ended after {self.seconds:g} seconds") from error
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
        if running.returncode:
            words = printable(said.strip(), 400)
            raise self._failed(f"ended with {running.returncode}" + (f": {words}" if words else ""))

    def _failed(self, why: str) -> NotTold:
        return NotTold(
            "command-failed",
            f"the command {printable(self.program, 300)} {why}",
            "What is new is told again by the next run.",
        )


def mail(recipients: Tuple[str, ...], sender: Optional[str]) -> Mail:
    """Mail to these addresses; raises `InvalidWay`."""
    for address in (*recipients, *([sender] if sender else [])):
        if not _ADDRESS.match(address) or len(address) > _MAX_ADDRESS:
            raise InvalidWay(
                "mail-address-invalid",
                f"'{printable(address)}' is no address that mail can be sent to",
                "Write it as in postmaster@example.org, or a local name such as root.",
            )
    return Mail(recipients, sender)


def webhook(url: str) -> Webhook:
    """The webhook at `url`; raises `InvalidWay`."""
    try:
        parts = urllib.parse.urlsplit(url)
        is_good = (
            re.match(r"[!-~]+\Z", url)
            and parts.scheme == "https"
            and parts.hostname
            and parts.port != 0
            and parts.username is None
        )
    except ValueError:
        is_good = False
    if not is_good:
        raise InvalidWay(
            "webhook-url-invalid",
            "the URL of the webhook does not begin with https:// and a host",
            "Write it as in https://example.org/hook, in ASCII and without a user's name.",
        )
    return Webhook(url)


def command(program: str) -> Command:
    """The `program` of this name on PATH, or at this absolute path; raises `InvalidWay`."""
    found = shutil.which(program) if program.startswith("/") or "/" not in program else None
    if found is None:
        raise InvalidWay(
            "command-missing",
            f"'{printable(program, 300)}' is no program",
            "Name an executable file by its absolute path, without arguments.",
        )
    return Command(os.path.abspath(found))


def _sendmail(command: List[str], data: bytes) -> None:
    try:
        done: Any = subprocess.run(
            command,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_PROGRAM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refused(str(error)) from error
    if done.returncode:
        said = done.stderr.strip().decode("latin-1")
        raise _refused(f"it ended with {done.returncode}: {said}")


def _refused(why: str) -> NotTold:
    return NotTold(
        "sendmail-failed",
        f"sendmail did not take the mail: {printable(why, 400)}",
        "See the mail log. What is new is told again by the next run.",
    )
