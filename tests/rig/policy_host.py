"""A machine that serves policies: our files under /etc/apache2, enabled by hand, and policies.

This is what apache/setup arrives at, reached without it, so that a test needs neither its questions
nor its time. Every policy host leads to 127.0.0.1.
"""

import os
import shutil
import ssl
import stat
from typing import Dict, Optional, Tuple

from rig import http, stacks
from rig.apache import ETC, Apache, write
from rig.dns import Resolver
from rig.process import run

POLICIES = "/var/lib/mtasts/policies"
WEBROOT = "/var/lib/mtasts/webroot"
CHALLENGES = WEBROOT + "/.well-known/acme-challenge"
VHOSTS = ETC + "/mtasts"
CERTIFICATES = "/var/lib/mtasts/certificates"
LIVE = "/etc/letsencrypt/live"
RENEWAL = "/etc/letsencrypt/renewal"
CHECKPOINTS = "/var/lib/letsencrypt/backups"
POLICY = "version: STSv1\r\nmode: testing\r\nmx: mx.example.test\r\nmax_age: 86401\r\n"

PLACES = {
    "mtasts.conf": ETC + "/conf-available",
    "zz-mtasts-80.conf": ETC + "/sites-available",
    "zz-mtasts-443.conf": ETC + "/sites-available",
    "mtasts-tls.inc": ETC,
    "mtasts-pages.inc": ETC,
    "mtasts.wsgi": "/usr/local/share/mtasts",
}


class PolicyHosts:
    """Apache with our sites; ``serve`` domains, then use certbot."""

    def __init__(self, apache: Apache, resolver: Resolver) -> None:
        self.apache = apache
        self._resolver = resolver

    def arrange(self) -> None:
        """Put our files where they belong, and enable them; Apache is not started."""
        for name, directory in PLACES.items():
            os.makedirs(directory, exist_ok=True)
            shutil.copy(os.path.join(stacks.CLONE, "apache", name), directory)
        for directory in (POLICIES, CHALLENGES, VHOSTS):
            os.makedirs(directory)
        if run("id", "mtasts", check=False).code != 0:
            run("useradd", "--system", "mtasts")
        request = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]
        request += ["-nodes", "-days", "30", "-subj", "/CN=unknown host"]
        directory = os.path.dirname(POLICIES)
        run(
            *request,
            "-keyout",
            directory + "/unknown-host.key",
            "-out",
            directory + "/unknown-host.pem",
        )
        write(ETC + "/conf-enabled/name.conf", "ServerName localhost\n")
        self.apache.enable("mod", "ssl")
        self.apache.enable("conf", "mtasts")
        self.apache.enable("site", "zz-mtasts-80", "zz-mtasts-443")

    def serve(self, *domains: str) -> None:
        """Give each domain a policy, and an address to its policy host."""
        for domain in domains:
            write("{}/{}/mta-sts.txt".format(POLICIES, domain), POLICY)
        self._resolver.set(*("mta-sts.{} A 127.0.0.1".format(domain) for domain in domains))

    def start(self) -> None:
        """Start Apache; return when both ports answer."""
        self.apache.start(443)

    def reloads(self) -> int:
        """How often Apache has read its configuration since it was started."""
        return self.apache.error_log().count("resuming normal operations")

    def tokens(self) -> list:
        """What is in the challenge folder."""
        return os.listdir(CHALLENGES)


def certificate(*names: str) -> str:
    """A certificate for ``names`` that vouches for itself: ``.pem`` and ``.key`` to this path."""
    base = "{}/{}".format(CERTIFICATES, names[0])
    os.makedirs(CERTIFICATES, exist_ok=True)
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    request += ["-nodes", "-days", "30", "-subj", "/CN=" + names[0]]
    request += ["-addext", "subjectAltName=" + ",".join("DNS:" + name for name in names)]
    run(*request, "-keyout", base + ".key", "-out", base + ".pem")
    return base


def certify(*names: str) -> str:
    """One lineage: a certificate for ``names`` and its virtual host; returns what verifies it."""
    base = certificate(*names)
    lines = ["<VirtualHost *:443>", "ServerName " + names[0]]
    lines += ["ServerAlias " + name for name in names[1:]]
    lines += ["SSLCertificateFile {}.pem".format(base), "SSLCertificateKeyFile {}.key".format(base)]
    lines += ["Include mtasts-tls.inc", "</VirtualHost>", ""]
    write("{}/{}.conf".format(VHOSTS, names[0]), "\n".join(lines))
    return base + ".pem"


def presented(name: str) -> bytes:
    """The certificate that port 443 presents for ``name``, in DER."""
    with http.connect(name) as connection:
        return connection.getpeercert(True)


def kept(lineage: str) -> bytes:
    """The certificate that certbot keeps under this name, in DER."""
    with open("{}/{}/cert.pem".format(LIVE, lineage)) as source:
        return ssl.PEM_cert_to_DER_cert(source.read())


def tree(*directories: str) -> Dict[str, Tuple[int, Optional[bytes]]]:
    """Every path below with its mode and content, to be compared."""
    found = {}
    for directory in directories:
        for folder, folders, files in os.walk(directory):
            for path in (os.path.join(folder, name) for name in folders + files):
                mode = os.lstat(path).st_mode
                if stat.S_ISLNK(mode):
                    found[path] = (mode, os.readlink(path).encode())
                elif stat.S_ISREG(mode):
                    with open(path, "rb") as source:
                        found[path] = (mode, source.read())
                else:
                    found[path] = (mode, None)
    return found
