"""Postfix on port 25 of 127.0.0.1, as Debian packages it, with only the services that greet.

It takes no mail, because there is nobody to deliver to, unless it also has those that DELIVER to
aliases. Its log goes to a file of the test's.
"""

import os
from typing import Dict

from rig.process import Daemon, run, wait_for

PORT = 25
CONFIGURATION = "/etc/postfix"
SETTINGS = {
    "compatibility_level": "3.6",
    "inet_interfaces": "127.0.0.1",
    "mydestination": "",
    "local_recipient_maps": "",
    "maillog_file": "/dev/stdout",
    "smtpd_tls_loglevel": "1",
    "smtpd_peername_lookup": "no",
}
# Of Debian's master.cf, without chroot.
SERVICES = """
smtp    inet n - n - - smtpd
tlsmgr  unix - - n 1000? 1 tlsmgr
anvil   unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
postlog unix-dgram n - n - 1 postlogd
"""
DELIVER = """
pickup  unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 1 1 qmgr
proxymap unix - - n - - proxymap
local   unix - n n - - local
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
trace   unix - - n - 0 bounce
error   unix - - n - - error
retry   unix - - n - - error
showq   unix n - n - - showq
flush   unix n - n 1000? 0 flush
"""


class Postfix:
    """An MX host called ``name``; ``start`` it with the settings (main.cf) that matter."""

    def __init__(self, name: str, directory: str) -> None:
        self._name = name
        self._log = os.path.join(directory, "postfix.log")
        self._daemon = None

    def start(self, settings: Dict[str, str], more_services: str = "") -> None:
        """Start it; return when it greets."""
        run("mkdir", "-p", CONFIGURATION)
        lines = dict(SETTINGS, myhostname=self._name, **settings).items()
        with open(CONFIGURATION + "/main.cf", "w") as output:
            output.writelines(f"{key} = {value}\n" for key, value in lines)
        with open(CONFIGURATION + "/master.cf", "w") as output:
            output.write(SERVICES + more_services)
        self._daemon = Daemon(["postfix", "start-fg"], self._log)
        self._daemon.wait_until_listening(PORT)

    def said(self, text: str) -> bool:
        """Wait until its log says ``text``; AssertionError if it does not."""
        return wait_for(lambda: text in self.log(), f"Postfix says {text}")

    def log(self) -> str:
        """What it has said so far."""
        return self._daemon.output()

    def stop(self) -> None:
        """Stop it and wait until it has ended."""
        if self._daemon:
            run("postfix", "stop")
            self._daemon.stop()
        self._daemon = None
