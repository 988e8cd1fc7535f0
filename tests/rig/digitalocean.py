"""DigitalOcean as dns-lexicon sees it: the part of its API that keeps records, on loopback.

Apache takes the TLS connections for api.digitalocean.com, so that the client's own address, and its
verification of the certificate, are real.
"""

import http.server
import json
import threading
from typing import Any, Callable, Dict, List, Tuple

from rig.apache import Apache
from rig.policy_host import certificate

HOST = "api.digitalocean.com"
TOKEN = "dop_v1_0123456789abcdef"
PORT = 8600
PAGE = 2  # records on a page
SITE = """
<VirtualHost *:443>
    ServerName {host}
    SSLEngine on
    SSLCertificateFile {base}.pem
    SSLCertificateKeyFile {base}.key
    ProxyPass / http://127.0.0.1:{port}/
</VirtualHost>
"""


class DigitalOcean:
    """A provider that keeps one zone; `publish(name, texts)` is called with
    the TXT records at a name whenever they have changed.

    `root` is the file that verifies its certificate, `records` are as the API has them.
    """

    def __init__(self, zone: str, publish: Callable[[str, List[str]], None]) -> None:
        self.zone = zone
        self._publish = publish
        self.records: List[Dict[str, Any]] = []
        self.root = ""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), self._handler())

    def start(self, apache: Apache) -> None:
        """Let Apache, which does not run yet, speak for it."""
        base = certificate(HOST)
        self.root = base + ".pem"
        apache.enable("mod", "proxy", "proxy_http")
        apache.add_site(HOST, SITE.format(host=HOST, base=base, port=PORT))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, kind: str, name: str, data: str) -> Dict[str, Any]:
        """Keep one more record, and publish it."""
        record = {"id": len(self.records) + 1, "type": kind, "name": name, "data": data}
        self.records.append(dict(record, ttl=1800))
        self._changed(name)
        return record

    def answer(self, method: str, path: str, body: Dict[str, Any]) -> Tuple[int, Dict[str, Any]]:
        """What a request with the right token gets."""
        path, _, query = path.partition("?")
        zone = "/v2/domains/" + self.zone
        if path == zone:
            return 200, {"domain": {"name": self.zone}}
        if path == zone + "/records" and method == "GET":
            page = int(query[len("page=") :] or 1)
            return 200, self._page(page)
        if path == zone + "/records" and method == "POST":
            return 201, {"domain_record": self.add(body["type"], body["name"], body["data"])}
        if path.startswith(zone + "/records/") and method == "PUT":
            record = self.records[int(path.rpartition("/")[2]) - 1]
            record.update(body)
            self._changed(record["name"])
            return 200, {"domain_record": record}
        return 404, {"id": "not_found"}

    def _changed(self, name: str) -> None:
        here = [record for record in self.records if record["name"] == name]
        self._publish(name, [record["data"] for record in here if record["type"] == "TXT"])

    def _page(self, page: int) -> Dict[str, Any]:
        end = page * PAGE
        url = "https://{}/v2/domains/{}/records?page={}".format(HOST, self.zone, page + 1)
        pages = {"next": url} if len(self.records) > end else {}
        records = self.records[end - PAGE : end]
        return {"domain_records": records, "links": {"pages": pages}}

    def _handler(self) -> Any:
        class Handler(_Handler):
            provider = self

        return Handler


class _Handler(http.server.BaseHTTPRequestHandler):
    provider: DigitalOcean

    def __getattr__(self, name: str) -> Any:
        if name in ("do_GET", "do_POST", "do_PUT"):
            return self._respond
        raise AttributeError(name)

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        status, answer = 401, {"id": "unauthorized"}  # type: Tuple[int, Dict[str, Any]]
        if self.headers.get("Authorization") == "Bearer " + TOKEN:
            status, answer = self.provider.answer(self.command, self.path, body)
        text = json.dumps(answer).encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
