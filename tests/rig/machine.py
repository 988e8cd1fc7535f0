"""What tests change of the machine: brought to Debian's defaults once, and back for each test.

Whatever Apache or certbot were set to on the real machine is not seen here: a test begins with
Apache as its package installs it, without certificates, and without anything of ours.
"""

import os
import shutil
from typing import Iterator

from rig.process import run

#: directories that tests change; the value of each is restored, its absence too
CHANGED = (
    "/etc/apache2",
    "/etc/letsencrypt",
    "/etc/mtasts",
    "/usr/local/share/mtasts",
    "/var/lib/letsencrypt",
    "/var/lib/mtasts",
    "/var/log/apache2",
    "/var/log/letsencrypt",
)
FRESH = "/run/fresh-machine"
# What Debian's apache2 and libapache2-mod-wsgi-py3 enable when they are installed.
MODULES = (
    "access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user "
    "autoindex deflate dir env filter mime mpm_event negotiation reqtimeout setenvif status wsgi"
)
CONFIGURATIONS = "charset localized-error-pages other-vhosts-access-log security serve-cgi-bin"


def make_fresh() -> None:
    """Bring everything to the state of a new machine and remember it; once per sandbox."""
    for path in CHANGED:
        if path != "/etc/apache2":
            shutil.rmtree(path, ignore_errors=True)
    os.makedirs("/var/log/apache2")
    packaged = set(_packaged_below("/etc/apache2"))
    for directory, _, names in os.walk("/etc/apache2"):
        for path in (os.path.join(directory, name) for name in names):
            if path not in packaged:
                os.unlink(path)
    run("a2enmod", "--quiet", "--force", *MODULES.split())
    run("a2enconf", "--quiet", *CONFIGURATIONS.split())
    run("a2ensite", "--quiet", "000-default")
    for path in CHANGED:
        if os.path.exists(path):
            shutil.copytree(path, FRESH + path, symlinks=True)


def restore() -> None:
    """Back to what make_fresh left. Whatever runs must have been stopped."""
    for path in CHANGED:
        shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(FRESH + path):
            shutil.copytree(FRESH + path, path, symlinks=True)


def _packaged_below(directory: str) -> Iterator[str]:
    # One line per path, "package[, package]: path"; diversions have lines of their own.
    for line in run("dpkg-query", "--search", directory + "/*").output.splitlines():
        if not line.startswith("diversion "):
            yield line.split(": ", 1)[1]
