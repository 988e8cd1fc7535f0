"""Real certbots, old and new, run as people and timers run them: as a command, against Pebble."""

import os
from typing import Dict, List, Optional, Tuple

from rig import stacks
from rig.acme import Pebble
from rig.process import CommandFailed, Result, run

# certbot < 0.40 refuses --dry-run together with any --server: give it ours as its built-in one.
# It sleeps three seconds before it looks at a challenge, which Pebble settles at once. And it
# answers a challenge that is valid already, which Boulder takes and Pebble refuses: one order of a
# hundred gets an authorization of before, even if Pebble is told to reuse none.
OLD_CERTBOT = """
import sys
from acme import client, messages
from certbot import auth_handler, constants, main
auth_handler.AuthHandler._poll_challenges.__defaults__ = (0.2, 300)
answer = client.ClientBase.answer_challenge
client.ClientBase.answer_challenge = lambda self, challenge, response: (
    challenge.status == messages.STATUS_VALID or answer(self, challenge, response))
constants.CLI_DEFAULTS["server"] = sys.argv.pop(1)
if "--dry-run" in sys.argv:
    constants.STAGING_URI = constants.CLI_DEFAULTS["server"]
sys.exit(main.main(sys.argv[1:]))
"""


class Certbot:
    """One version of certbot (a key of stacks.CERTBOTS), on the machine's /etc/letsencrypt."""

    def __init__(self, version: str, ca: Pebble) -> None:
        self.version = version
        self._ca = ca
        self._directory = stacks.directory(stacks.CERTBOTS[version])

    def __call__(
        self, *args: str, check: bool = True, env: Optional[Dict[str, str]] = None
    ) -> Result:
        """Run ``certbot ARGS`` without questions; CommandFailed if ``check`` and it fails."""
        argv, own_env = self.command("--non-interactive", *args)
        result = run(*argv, check=False, env=dict(own_env, **(env or {})))
        if check and result.code != 0:
            raise CommandFailed("{}\n{}".format(result, _end_of_log()))
        return result

    def command(self, *args: str) -> Tuple[List[str], Dict[str, str]]:
        """The argument vector and the added environment, for who starts it in another way."""
        account = ["--agree-tos", "--register-unsafely-without-email"]
        # 0.27 knows no random sleep; everything later would wait for up to eight minutes in renew.
        sleep = [] if self.version == "0.27.0" else ["--no-random-sleep-on-renew"]
        env = {
            "REQUESTS_CA_BUNDLE": self._ca.api_ca,
            "PYTHONWARNINGS": "ignore",
            "LC_ALL": "C.UTF-8",
        }
        env["PATH"] = "{}/bin:{}".format(self._directory, os.environ["PATH"])
        return self._program() + list(args) + account + sleep, env

    def _program(self) -> List[str]:
        if self.version in ("0.27.0", "0.31.0"):
            return [self._directory + "/bin/python", "-c", OLD_CERTBOT, self._ca.url]
        return [self._directory + "/bin/certbot", "--server", self._ca.url]


def _end_of_log() -> str:
    """What certbot and the CA said to each other at last."""
    try:
        with open("/var/log/letsencrypt/letsencrypt.log", errors="replace") as log:
            return log.read()[-6000:]
    except FileNotFoundError:
        return ""
