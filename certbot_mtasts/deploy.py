"""From a certificate to an Apache that serves it; the plugin and the deploy hook meet here.

    refuse what cannot be served -> change files -> test -> reload -> look again

Between changing a file and a reload that worked, the machine owes a reload; a mark in the directory
of the virtual hosts says so, and outlives the program. Whoever comes next makes up for it:
certbot's twice-daily `renew` does, although it finds nothing due. A certificate that was renewed
under an unchanged file leaves no mark, but a look shows that Apache presents another one.
"""

import contextlib
import logging
import os
import time
from typing import Collection, List, NamedTuple, Optional

from certbot_mtasts import vhost as vhosts
from certbot_mtasts.apachectl import TLS_PORT, Apache, ApacheError, Configuration
from certbot_mtasts.served import Seen, look
from certbot_mtasts.vhost import Change, VHost, VHostError
from mtasts.domain import Domain, InvalidDomain
from mtasts.errors import MtastsError
from mtasts.store import Store

DEFAULT_VHOST_DIR = "/etc/apache2/mtasts"
_MARK = ".reload-owed"
_SERVED_SECONDS = 5

logger = logging.getLogger(__name__)


class NotServed(ApacheError):
    """Apache presents something else than the installed certificate for a name."""


class TakenElsewhere(MtastsError):
    """Somebody else's virtual host serves the name."""


def is_policy_host(name: str) -> bool:
    """Whether `name` is mta-sts.<domain>."""
    try:
        Domain.from_policy_host(name)
    except InvalidDomain:
        return False
    return True


class Site(NamedTuple):
    """Where this machine keeps its virtual hosts and policies, and the Apache that serves them."""

    vhost_dir: str
    policy_dir: str
    apache: Apache

    def check_name(self, name: str, configuration: Configuration) -> Domain:
        """Return the domain whose policy `name` would serve.

        Raises `MtastsError` if `name` is not mta-sts.<domain>, if the domain has no valid policy,
        or if a virtual host that is not ours serves it: that one is never shadowed.
        """
        domain = Domain.from_policy_host(name)
        Store(self.policy_dir).read(domain)
        host = domain.policy_host
        ours = os.path.join(os.path.realpath(self.vhost_dir), "")
        for one in configuration.vhosts:
            on_port = one.port in (str(TLS_PORT), "*")
            if on_port and host in one.names and not os.path.realpath(one.file).startswith(ours):
                raise TakenElsewhere(
                    "vhost-taken",
                    f"{host} is served already on port {TLS_PORT} by {one.file}, line {one.line}",
                    "Remove the name there, or let apache/setup keep its policy and take it over: "
                    f"apache/setup --take-over {domain}",
                )
        return domain

    def plan(self, vhost: VHost) -> List[Change]:
        """What has to change so that the files say `vhost`; raises `MtastsError`."""
        return vhosts.plan(self.vhost_dir, vhost)

    def orphans(self) -> List[Change]:
        """What has to change so that Apache can start again: files whose certificate is gone.

        `certbot delete` tells nobody. Raises `VHostError`.
        """
        found = [
            vhost
            for vhost in vhosts.installed(self.vhost_dir).values()
            if not (os.path.exists(vhost.certificate) and os.path.exists(vhost.key))
        ]
        for orphan in found:
            logger.warning(
                "The certificate %s is gone, which keeps Apache from starting: its virtual host "
                "for %s is taken out of %s.",
                orphan.lineage,
                ", ".join(orphan.names),
                self.vhost_dir,
            )
        return [vhosts.change(self.vhost_dir, None, orphan.lineage) for orphan in found]

    def owe_reload(self) -> None:
        """Leave the mark; raises `VHostError`."""
        try:
            with open(self._mark, "ab"):
                pass
        except OSError as error:
            raise VHostError(
                "vhost-write-failed",
                f"{self._mark} cannot be written: {error.strerror}",
                "Run the command as root, and check the disk's free space.",
            ) from error

    def owes_reload(self, lineages: Optional[Collection[str]] = None) -> bool:
        """Whether the mark is there, or Apache presents other certificates than the files name.

        `lineages` are looked at, or all of them. A machine that presents nothing at all owes
        nothing: Apache is stopped.
        """
        return os.path.exists(self._mark) or any(
            look(vhost.names[0], vhost.certificate) is Seen.OTHER
            for vhost in vhosts.installed(self.vhost_dir, lineages).values()
        )

    def settle(self, lineages: Optional[Collection[str]] = None) -> None:
        """Test the configuration, reload Apache if it owes that, and see that `lineages` arrived.

        Without `lineages` all of them are looked at before, and none after. A stopped Apache is
        left alone: it reads its files when somebody starts it. Raises `MtastsError`; a reload that
        is still owed then stays owed.
        """
        configuration = self.apache.test()
        pid = configuration.pid()
        if pid is None:
            logger.warning("Apache is not running, so it was not reloaded; it is not started here.")
        elif self.owes_reload(lineages):
            self.apache.reload(pid)
        if pid is not None:
            self._see_served(lineages or ())
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._mark)

    def catch_up(self) -> None:
        """Take out what keeps Apache from starting, and make up for a reload that is owed.

        Raises `MtastsError`.
        """
        for change in self.orphans():
            self.owe_reload()
            change.apply()
        if self.owes_reload():
            self.settle()

    def install(self, vhost: VHost) -> None:
        """Let Apache serve `vhost`; raises `MtastsError`, and then everything is as before."""
        for change in self.orphans():
            change.apply()
        known = vhosts.installed(self.vhost_dir, [vhost.lineage]).get(vhost.lineage)
        configuration = self.apache.test()
        for name in vhost.names:
            if not (known and name in known.names):  # what is served stays, whatever became of it
                self.check_name(name, configuration)
        done: List[Change] = []
        try:
            for change in self.plan(vhost):
                self.owe_reload()
                change.apply()
                done.append(change)
            self.settle([vhost.lineage])
        except MtastsError:
            self._restore(done)
            raise

    def _restore(self, changes: List[Change]) -> None:
        """Undo `changes` and let Apache have what was before; what fails stays owed."""
        if not changes:
            return
        for change in reversed(changes):
            change.undo()
        self.owe_reload()
        with contextlib.suppress(MtastsError):
            self.settle()

    def _see_served(self, lineages: Collection[str]) -> None:
        """Wait until all names of `lineages` present their certificate; raises `NotServed`."""
        waiting = [
            (name, vhost.certificate)
            for vhost in vhosts.installed(self.vhost_dir, lineages).values()
            for name in vhost.names
        ]
        deadline = time.monotonic() + _SERVED_SECONDS
        while waiting:
            is_last = time.monotonic() > deadline  # before the look, so that none is too early
            waiting = [one for one in waiting if look(*one) is not Seen.CURRENT]
            if waiting and is_last:
                name, certificate = waiting[0]
                raise NotServed(
                    "certificate-not-served",
                    f"Apache runs, but it does not present {certificate} for {name}",
                    "Is the site zz-mtasts-443 enabled (a2ensite)? Does another virtual host take "
                    f"the name? See: {os.path.basename(self.apache.program)} -t -D DUMP_VHOSTS",
                )
            if waiting:
                time.sleep(0.1)

    @property
    def _mark(self) -> str:
        return os.path.join(self.vhost_dir, _MARK)
