"""The one place that knows certbot's versions: 0.27.0 (Python 3.6) to today's.

Until 1.17 a plugin is a class that declares zope interfaces, from 1.18 on one with abstract base
classes. Before 1.7 certbot put the distribution's name before the plugin's; without the short name
neither the documented options would exist there, nor would the renewal files that are written then
work after an upgrade. Both differences end here.
"""

import os
import re
from typing import Any, Dict, Iterator, List, Tuple

from certbot import interfaces
from certbot.plugins import common

# 2.1 has empty zope interfaces again, so only the new names tell.
if hasattr(interfaces, "Installer"):

    class Base(common.Installer, interfaces.Authenticator):
        """What a plugin that authenticates and installs derives from."""

else:
    Base = common.Installer

_SHORTCUTS = ("apache", "nginx", "standalone", "webroot", "manual")


def plugin(name: str) -> Any:
    """Decorate the class that is the plugin `name`: make certbot see it, by that name."""

    def declare(cls: type) -> type:
        if not hasattr(interfaces, "Installer"):
            from zope.interface import implementer, provider

            cls = implementer(interfaces.IAuthenticator, interfaces.IInstaller)(cls)
            cls = provider(interfaces.IPluginFactory)(cls)
        interfaces.GenericUpdater.register(cls)
        interfaces.RenewDeployer.register(cls)
        _use_short_name(cls, name)
        return cls

    return declare


def _use_short_name(cls: type, name: str) -> None:
    """Before 1.7, enter `cls` in every registry as `name`, not as `<distribution>:<name>`.

    The name of its entry is fixed by the time that our module is imported, so the registry is what
    has to be told; it is made anew for each certificate of a `renew`.
    """
    try:
        from certbot._internal.plugins import disco
    except ImportError:  # before 1.0
        from certbot.plugins import disco
    if hasattr(disco.PluginEntryPoint, "check_name"):
        return
    original = disco.PluginsRegistry.__init__

    def init(self: Any, plugins: Dict[str, Any]) -> None:
        entries = {}
        for key, entry in plugins.items():
            if entry.plugin_cls is cls:
                entry.name = name
            entries[name if entry.plugin_cls is cls else key] = entry
        original(self, entries)

    disco.PluginsRegistry.__init__ = init


def identifier(achall: Any) -> str:
    """The host that a challenge is about; `domain` is deprecated since 5.3."""
    return achall.identifier.value if hasattr(achall, "identifier") else achall.domain


def hosts(config: Any) -> List[str]:
    """The names that were asked for; since 5.x they are objects."""
    return [str(one) for one in config.domains]


def keep_hosts(config: Any, kept: List[str]) -> None:
    """Ask for no other names than `kept`."""
    config.domains[:] = [one for one in config.domains if str(one) in kept]


def has_other_authenticator(config: Any, name: str) -> bool:
    """Whether the command line names another authenticator than `name`, also by a flag."""
    wanted = config.authenticator or config.configurator
    if wanted:
        return wanted != name
    flags = vars(config.namespace).items()
    return any(
        value is True and (flag in _SHORTCUTS or flag.startswith("dns_")) for flag, value in flags
    )


def certificate_names(path: str) -> Tuple[str, ...]:
    """The DNS names in the first certificate of a file; raises OSError or ValueError."""
    # Late, because what fails at the import of a plugin fails every command of certbot.
    from cryptography import x509

    with open(path, "rb") as file:
        data = file.read()
    try:
        certificate = x509.load_pem_x509_certificate(data)
    except TypeError:  # before cryptography 3.1
        from cryptography.hazmat.backends import default_backend

        certificate = x509.load_pem_x509_certificate(data, default_backend())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return tuple(names.value.get_values_for_type(x509.DNSName))


def renewal_is_told(path: str) -> bool:
    """Whether a renewal file names somebody who is told of a new certificate."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return False
    return bool(re.search(r"^(installer|renew_hook|post_hook) = (?!None)", text, re.MULTILINE))


def paths_in_checkpoints(backup_dir: str, count: int) -> Iterator[str]:
    """The files that certbot's last `count` checkpoints would bring back or remove."""
    for folder in sorted(os.listdir(backup_dir), reverse=True)[:count]:
        for listing in ("FILEPATHS", "NEW_FILES", "COMMANDS"):
            path = os.path.join(backup_dir, folder, listing)
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    yield from file.read().splitlines()
