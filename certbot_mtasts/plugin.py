"""The class that certbot sees. Its methods are short: they ask the other modules and translate.

Three things are certbot's business and stay here. Undoing: every change is registered with
certbot's checkpoints before it is made, written at the titled `save`, and only what this plugin did
is ever rolled back. Telling: an error that a person can put right passes as certbot's own, with its
remedy. Holding back: during `renew` nothing is raised from `prepare`, because certbot would then
forget, for good, that this plugin installs the certificate.
"""

import contextlib
import logging
import os
import secrets
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Set

from acme import challenges
from certbot import errors, util

from certbot_mtasts import challenge, compat
from certbot_mtasts.apachectl import Apache, Configuration, NoApache
from certbot_mtasts.deploy import Site, is_policy_host
from certbot_mtasts.options import FLAG, OPTIONS
from certbot_mtasts.preflight import Authority, Beacon, OrderWouldFail, Preflight, Problem
from certbot_mtasts.vhost import Change, VHost, installed
from mtasts.errors import MtastsError
from mtasts.store import Store

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def _told_by_certbot(kind: type = errors.PluginError) -> Iterator[None]:
    """Raise our errors as certbot's, which prints them without a traceback."""
    try:
        yield
    except MtastsError as error:
        raise kind(str(error)) from error


@compat.plugin("mtasts")
class Configurator(compat.Base):
    """Authenticator and installer for policy hosts, `mta-sts.<domain>`, that Apache serves."""

    description = "MTA-STS policy hosts (mta-sts.<domain>) with Apache"
    long_description = (
        "Obtain and install certificates for MTA-STS policy hosts, mta-sts.<domain>, that Apache "
        "serves as apache/setup arranges it."
    )

    # Directories, in this process: `renew` makes a plugin anew for each of many certificates.
    _repaired: Set[str] = set()

    @classmethod
    def add_parser_arguments(cls, add: Callable[..., None]) -> None:
        """Add our options."""
        for option, settings in OPTIONS.items():
            add(option, **settings)

    @classmethod
    def inject_parser_options(cls, parser: Any, name: str) -> None:
        """Add the flag that stands for authenticator and installer both."""
        parser.add_argument("--" + name, const=name, **FLAG)
        super().inject_parser_options(parser, name)

    def __init__(self, config: Any, name: str) -> None:
        super().__init__(config, name)
        self._deployments: Dict[str, VHost] = {}
        self._lineages: Set[str] = set()
        self._configuration: Optional[Configuration] = None
        self._changed_nothing = False

    # What certbot asks before anything else

    def more_info(self) -> str:
        """Describe the plugin at length."""
        return (
            "Answers HTTP-01 challenges from a folder that Apache's port 80 serves for every host "
            "mta-sts.<domain>, and keeps one TLS virtual host for each certificate. Set Apache up "
            "with apache/setup first."
        )

    def prepare(self) -> None:
        """See that everything is in place, put back what a crash left, and check the order."""
        try:
            self._prepare()
        except (MtastsError, errors.PluginError) as error:
            if self.config.verb == "renew":
                logger.warning("Going on with the renewal although: %s", error)
            elif self.name in self._wanted():
                # certbot shows this one as it is, and a plugin's own errors as Python prints them.
                raise errors.ConfigurationError(str(error)) from error
            elif isinstance(error, (NoApache, errors.NoInstallationError)):
                raise errors.NoInstallationError(str(error)) from error
            else:
                raise errors.MisconfigurationError(str(error)) from error

    def get_all_names(self) -> Set[str]:
        """All policy hosts whose order can succeed; the others are named, and left out."""
        with _told_by_certbot():
            names = [domain.policy_host for domain in Store(self._site.policy_dir).domains()]
            return set(names) - self._left_out(self._problems(names))

    # Authenticator

    def get_chall_pref(self, domain: str) -> List[type]:  # noqa: ARG002
        """HTTP-01 only."""
        return [challenges.HTTP01]

    def perform(self, achalls: List[Any]) -> List[Any]:
        """Write the token files."""
        responses = []
        for achall in achalls:
            response, validation = achall.response_and_validation()
            self._answer(achall.chall.encode("token"), validation)
            responses.append(response)
        return responses

    def cleanup(self, achalls: List[Any]) -> None:  # noqa: ARG002
        """Remove the token files."""
        self.revert_temporary_config()

    def auth_hint(self, failed_achalls: List[Any]) -> str:
        """Tell what to look at when the CA did not get the answer."""
        names = ", ".join(sorted({compat.identifier(achall) for achall in failed_achalls}))
        return (
            f"The CA asked {names} over plain HTTP on port 80, at an address that DNS gave it, for "
            f"a file below {challenge.URL_PATH}, and did not get what was written to "
            f"{self.conf('webroot')}. Check that all A and AAAA records lead to this machine, that "
            "a firewall lets port 80 through, and that the site zz-mtasts-80 is enabled (a2ensite)."
        )

    # Installer

    def deploy_cert(
        self,
        domain: str,
        cert_path: str,  # noqa: ARG002
        key_path: str,
        chain_path: str,  # noqa: ARG002
        fullchain_path: str,
    ) -> None:
        """Remember that `domain` is to be served with this certificate; `save` writes."""
        with _told_by_certbot():
            host = self._site.check_name(domain, self._tested()).policy_host
            lineage = self._lineage(fullchain_path)
            known = installed(self._site.vhost_dir, [lineage])
            earlier = self._deployments.get(lineage) or known.get(lineage)
            carried = compat.certificate_names(fullchain_path)
            kept = tuple(name for name in earlier.names if name in carried) if earlier else ()
            self._deployments[lineage] = VHost(lineage, (*kept, host), fullchain_path, key_path)
            self._lineages.add(lineage)

    def enhance(self, domain: str, enhancement: str, options: Any = None) -> None:  # noqa: ARG002
        """Refuse: what all policy hosts share stands in a file of the administrator's."""
        raise errors.PluginError(f"The mtasts plugin has no enhancement '{enhancement}'.")

    def supported_enhancements(self) -> List[str]:
        """None."""
        return []

    def save(self, title: Optional[str] = None, temporary: bool = False) -> None:
        """Write what was deployed and finish the checkpoint, if there is anything in it."""
        if not title or temporary:
            return
        with _told_by_certbot():
            for vhost in self._deployments.values():
                self._write(self._site.plan(vhost))
                self._see_renewal(vhost.lineage)
        self._deployments.clear()
        self._changed_nothing = not os.path.isdir(self.config.in_progress_dir)
        self.finalize_checkpoint(title)

    def rollback_checkpoints(self, rollback: int = 1) -> None:
        """Revert our last checkpoints.

        certbot asks for it whenever `restart` fails. It must then not take the checkpoint of an
        earlier run, or of another plugin: all installers share them.
        """
        if self._changed_nothing:
            return
        for path in compat.paths_in_checkpoints(self.config.backup_dir, int(rollback)):
            if os.path.dirname(path) != self._site.vhost_dir:
                raise errors.PluginError(
                    f"The checkpoint concerns {path}, which is not in {self._site.vhost_dir}. If "
                    "another plugin made it, roll back with that one: certbot rollback -i PLUGIN. "
                    "If this one did, name its directory again: --mtasts-vhost-dir."
                )
        with _told_by_certbot():
            self._site.owe_reload()
        super().rollback_checkpoints(rollback)

    def config_test(self) -> None:
        """Let Apache test its configuration."""
        with _told_by_certbot(errors.MisconfigurationError):
            self._site.apache.test()

    def restart(self) -> None:
        """Reload Apache if it owes that and runs, and see that our certificates arrived."""
        with _told_by_certbot():
            self._site.settle(self._lineages or None)

    def renew_deploy(self, lineage: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Remember, beyond this run, that Apache has to load a renewed certificate."""
        self._lineages.add(lineage.lineagename)
        with _told_by_certbot():
            self._site.owe_reload()

    def generic_updates(self, lineage: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Make up for a reload that failed earlier; called in every `renew`, due or not."""
        with _told_by_certbot():
            self._repair()
            if self._site.owes_reload([lineage.lineagename]):
                self._site.settle([lineage.lineagename])

    # What the methods above share

    @property
    def _site(self) -> Site:
        vhost_dir = os.path.abspath(self.conf("vhost-dir"))
        return Site(vhost_dir, self.conf("policy-dir"), Apache(self.conf("ctl")))

    def _wanted(self) -> Iterable[Optional[str]]:
        """The plugins that the command line asks for by name."""
        return (self.config.configurator, self.config.authenticator, self.config.installer)

    def _is_installer(self) -> bool:
        """Whether this run will install with this plugin, as far as the command line tells."""
        wanted = self.config.installer or self.config.configurator
        return wanted == self.name or (wanted is None and self.config.verb != "certonly")

    def _prepare(self) -> None:
        names = compat.hosts(self.config) if self.config.verb in ("run", "certonly") else []
        if names and self.name not in self._wanted() and not any(map(is_policy_host, names)):
            # Not asked for and of no use: certbot's menus then do not offer it.
            raise errors.NoInstallationError("None of these names is mta-sts.<domain>.")
        logger.debug("Apache is controlled by %s", self._site.apache.program)
        self._repair()
        # Not in renew, which must go on, nor in rollback, which may be what mends Apache.
        if self.config.verb in ("run", "certonly", "install", "plugins") and self._is_installer():
            self._tested()
        if names:
            self._check_order(names)

    def _repair(self) -> None:
        """Put back what a crash left, and take out what keeps Apache from starting."""
        site = self._site
        if site.vhost_dir in self._repaired:
            return
        if not os.path.isdir(site.vhost_dir):
            raise MtastsError(
                "vhost-directory-missing",
                f"there is no directory {site.vhost_dir} for the virtual hosts",
                "Set Apache up with apache/setup, or name the directory with --mtasts-vhost-dir.",
            )
        util.lock_dir_until_exit(site.vhost_dir)
        self.recovery_routine()
        if self.config.verb not in ("plugins", "rollback"):
            self._write(site.orphans())
            self.finalize_checkpoint("Took out virtual hosts whose certificate is gone")
        self._repaired.add(site.vhost_dir)

    def _tested(self) -> Configuration:
        """What Apache's configuration says; tested once in a run."""
        if self._configuration is None:
            self._configuration = self._site.apache.test()
        return self._configuration

    def _check_order(self, names: List[str]) -> None:
        """Raise if names of the order are certain to fail; or leave them out, if so told."""
        problems = self._problems(names)
        certain = [problem for problem in problems if problem.is_certain]
        failing = {problem.host for problem in certain}
        may_skip = self.conf("preflight") == "skip" and self.name in self._wanted()
        if may_skip and len(failing) < len(names):
            self._left_out(certain)
            compat.keep_hosts(self.config, [name for name in names if name not in failing])
        elif certain:
            raise OrderWouldFail(certain)

    def _problems(self, names: List[str]) -> List[Problem]:
        """What keeps `names` from a certificate; doubts are logged."""
        configuration = self._tested() if self._is_installer() else None
        beacon = None
        if not compat.has_other_authenticator(self.config, self.name):
            beacon = Beacon(secrets.token_hex(16), secrets.token_hex(16))
        config = self.config
        authority = Authority(config.server, not config.no_verify_ssl, config.accounts_dir)
        checks = Preflight(self._site, self.conf("resolver"), configuration, beacon, authority)
        try:
            if beacon:
                self._answer(beacon.token, beacon.answer)
            problems = checks.problems(names)
        finally:
            if beacon:
                self.revert_temporary_config()
        for problem in problems:
            if not problem.is_certain:
                logger.warning("Not sure whether this order will succeed: %s", problem.why)
        return problems

    def _left_out(self, problems: List[Problem]) -> Set[str]:
        """Say which names are left out and why, and return them."""
        certain = [problem for problem in problems if problem.is_certain]
        for problem in certain:
            logger.warning("Left out: %s, because %s", problem.host, problem.why)
        return {problem.host for problem in certain}

    def _answer(self, token: str, answer: str) -> None:
        """Write a token file that is removed even after a crash."""
        with _told_by_certbot():
            path = challenge.token_path(self.conf("webroot"), token)
            self.reverter.register_file_creation(True, path)
            challenge.write(path, answer)

    def _lineage(self, fullchain_path: Optional[str]) -> str:
        """The certificate's name; raises `MtastsError` if certbot does not keep it."""
        folder = os.path.dirname(fullchain_path or "")
        if os.path.realpath(os.path.dirname(folder)) != os.path.realpath(self.config.live_dir):
            raise MtastsError(
                "certificate-not-certbots",
                f"'{fullchain_path}' is not a certificate that certbot keeps and renews",
                "Install one that it keeps: certbot install -i mtasts --cert-name NAME",
            )
        return os.path.basename(folder)

    def _see_renewal(self, lineage: str) -> None:
        """Warn if certbot will renew the certificate and tell nobody; `install` stores nothing."""
        path = os.path.join(self.config.renewal_configs_dir, lineage + ".conf")
        if not compat.renewal_is_told(path):
            logger.warning(
                "certbot will renew %s, but not let Apache know. Store that it shall: certbot "
                "reconfigure --cert-name %s -i %s (before certbot 2.3, add the line 'installer = "
                "%s' at the end of %s).",
                *(lineage, lineage, self.name, self.name, path),
            )

    def _write(self, changes: List[Change]) -> None:
        """Make the changes, each registered before, so that a crash or `rollback` undoes it."""
        for change in changes:
            self._site.owe_reload()
            if change.before is None:
                self.reverter.register_file_creation(False, change.path)
                self.add_to_checkpoint(set(), f"Created {change.path}\n")
            else:
                verb = "Removed" if change.after is None else "Changed"
                self.add_to_checkpoint({change.path}, f"{verb} {change.path}\n")
            change.apply()
