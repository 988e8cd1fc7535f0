"""A real IMAP server: Dovecot with Maildirs, on port 993 of 127.0.0.1 only.

Every user has the same password, or a token that `token` makes.
"""

import base64
import glob
import hashlib
import hmac
import json
import os
import shutil
import signal
from typing import List, Optional

from rig.apache import write
from rig.policy_host import certificate
from rig.process import Daemon, run

HOST = "imap.example.test"
PASSWORD = 'pass"word\\ \u00e4'
HOME = "/var/lib/dovecot-test"
KEY = b"a key of 32 bytes for signatures"
CONFIGURATION = """
base_dir = /run/dovecot-test
protocols = imap
listen = 127.0.0.1
log_path = {home}/log
auth_failure_delay = 0
auth_mechanisms = plain xoauth2
mail_location = maildir:{home}/%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
ssl = required
ssl_cert = <{base}.pem
ssl_key = <{base}.key
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = 993
    ssl = yes
  }}
}}
passdb {{
  driver = passwd-file
  mechanisms = plain
  args = scheme=PLAIN {home}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={home}/%u allow_all_users=yes
}}
"""
OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={home}/keys/
username_attribute = sub
"""


class Dovecot:
    """The server; `ca` is the file that verifies it."""

    def __init__(self) -> None:
        shutil.rmtree(HOME, ignore_errors=True)
        self.ca = certificate(HOST) + ".pem"
        self._daemon: Optional[Daemon] = None

    def start(self) -> None:
        """Return when it answers."""
        base = self.ca[: -len(".pem")]
        write(HOME + "/dovecot.conf", CONFIGURATION.format(home=HOME, base=base))
        write(HOME + "/oauth2", OAUTH2.format(home=HOME))
        write(HOME + "/users", "reports:{PLAIN}" + PASSWORD + "\n")
        write(HOME + "/keys/default/HS256/default", base64.b64encode(KEY).decode())
        os.chmod(HOME, 0o755)  # noqa: S103 - the account mail goes through it
        argv = ["dovecot", "-F", "-c", HOME + "/dovecot.conf"]
        self._daemon = Daemon(argv, HOME + "/output")
        self._daemon.wait_until_listening(993)

    def stop(self) -> None:
        """End it, by force: politely it takes six seconds, and its files begin anew."""
        if self._daemon:
            self._daemon.stop(signal.SIGKILL)

    def deliver(self, *mails: bytes, user: str = "reports") -> None:
        """Put mails into the inbox, the first one with the smallest UID."""
        folder = f"{HOME}/{user}"
        if not os.path.exists(folder):
            run("install", "-d", "-m", "0700", "-o", "mail", "-g", "mail", folder)
            for name in ("cur", "new", "tmp"):
                run("install", "-d", "-m", "0700", "-o", "mail", "-g", "mail", f"{folder}/{name}")
        start = len(self.mails(user=user, folder="*")) + 1000000
        for number, mail in enumerate(mails, start):
            name = f"{number}.{hashlib.sha256(mail).hexdigest()[:8]}.host"
            with open(os.path.join(folder, "tmp", name), "wb") as file:
                file.write(mail)
            shutil.chown(file.name, "mail", "mail")
            os.rename(file.name, os.path.join(folder, "new", name))

    def mails(self, folder: str = "", user: str = "reports") -> List[str]:
        """The files of the mails in a folder, with their flags; `*` means in all folders."""
        below = {"": "", "*": "**/"}.get(folder, f".{folder}/")
        found = glob.glob(f"{HOME}/{user}/{below}[nc]*/*", recursive=True)
        return sorted(os.path.basename(path) for path in found)

    def make(self, folder: str, user: str = "reports") -> None:
        """Make a folder."""
        run("doveadm", "-c", HOME + "/dovecot.conf", "mailbox", "create", "-u", user, folder)

    def mark_deleted(self, uid: int, user: str = "reports") -> None:
        """Mark a mail in the inbox as to be deleted, as somebody's mail program does."""
        argv = ["doveadm", "-c", HOME + "/dovecot.conf", "flags", "add", "-u", user]
        run(*argv, "\\Deleted", "mailbox", "INBOX", "uid", str(uid))

    def forget(self, user: str = "reports") -> None:
        """Give the inbox a new UIDVALIDITY."""
        os.unlink(f"{HOME}/{user}/dovecot-uidlist")
        for path in glob.glob(f"{HOME}/{user}/dovecot.index*"):
            os.unlink(path)


def token(user: str = "reports", key: bytes = KEY) -> str:
    """A token of OAuth (RFC 7519) that lets `user` in."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": user, "iat": 1, "exp": 9999999999}]
    signed = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    return (signed + b"." + _base64(hmac.new(key, signed, "sha256").digest())).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
