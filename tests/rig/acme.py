"""An ACME CA: Pebble on loopback, validating over the real ports 80 and 443 of the sandbox."""

import json
import os
import ssl
import urllib.request
from typing import Optional

from rig.process import Daemon, run


class Pebble:
    """A CA that resolves names with the machine's resolver and forgets everything when stopped.

    ``url`` is its ACME directory, ``api_ca`` the file that verifies the ACME server itself, and
    ``root`` the file that verifies the certificates it issues. ``lifetime`` of certificates is in
    seconds (without it five years). ``port`` and the one after it must be free.
    """

    def __init__(self, directory: str, lifetime: Optional[int] = None, port: int = 24000) -> None:
        self.directory = directory
        self.port = port
        self.url = "https://localhost:{}/dir".format(port)
        self.api_ca = self._path("api-ca.pem")
        self.root = self._path("root.pem")
        self._lifetime = lifetime
        self._daemon = None  # type: Optional[Daemon]

    def start(self) -> None:
        """Return when certificates can be ordered."""
        if not os.path.exists(self.api_ca):
            self._make_api_certificate()
        with open(self._path("pebble.json"), "w") as output:
            json.dump({"pebble": self._settings()}, output)
        # Every order is validated, at once, and no nonce is refused at random.
        env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        argv = ["pebble", "-config", self._path("pebble.json"), "-dnsserver", "127.0.0.1:53"]
        self._daemon = Daemon(argv, self._path("pebble.log"), env)
        self._daemon.wait_until_listening(self.port)
        self._daemon.wait_until_listening(self.port + 1)
        self._fetch_root()

    def stop(self) -> None:
        if self._daemon:
            self._daemon.stop()
        self._daemon = None

    def log(self) -> str:
        """What Pebble printed."""
        with open(self._path("pebble.log"), encoding="utf-8") as log:
            return log.read()

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def _settings(self) -> dict:
        settings = {
            "listenAddress": "127.0.0.1:{}".format(self.port),
            "managementListenAddress": "127.0.0.1:{}".format(self.port + 1),
            "certificate": self._path("api.pem"),
            "privateKey": self._path("api.key"),
            "httpPort": 80,
            "tlsPort": 443,
        }
        if self._lifetime is not None:
            settings["certificateValidityPeriod"] = self._lifetime
        return settings

    def _make_api_certificate(self) -> None:
        with open(self._path("api.ext"), "w") as output:
            output.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        key, request = self._path("api.key"), self._path("api.csr")
        ca_key = self._path("api-ca.key")
        new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
        authority = ["-x509", "-subj", "/CN=Pebble's API", "-days", "30"]
        authority += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        run(*new, *authority, "-keyout", ca_key, "-out", self.api_ca)
        run(*new, "-subj", "/CN=localhost", "-keyout", key, "-out", request)
        sign = ["openssl", "x509", "-req", "-CAcreateserial", "-days", "30"]
        sign += ["-CA", self.api_ca, "-CAkey", ca_key, "-extfile", self._path("api.ext")]
        run(*sign, "-in", request, "-out", self._path("api.pem"))

    def _fetch_root(self) -> None:
        url = "https://localhost:{}/roots/0".format(self.port + 1)
        trust = ssl.create_default_context(cafile=self.api_ca)
        answer = urllib.request.urlopen(url, timeout=60, context=trust)
        with answer, open(self.root, "wb") as output:
            output.write(answer.read())
