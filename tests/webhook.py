"""A web server for localhost that takes what a webhook gets.

    with webhook.running(folder) as hook:
        ...  hook.url, hook.roots, hook.came

`hook.status` is what it answers, and may be changed at any time. Each in `came` is what was posted:
(path, headers, facts). Who is to trust it needs `roots`, a file.
"""

import contextlib
import http.server
import json
import os
import threading

from cryptography import x509

import https_server
from certificates import Issued


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, self.headers, json.loads(body.decode("ascii"))))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def running(folder):
    """Its certificate and the roots go into `folder`."""
    authority = Issued("authority")
    names = [x509.DNSName("localhost")]
    certificate = Issued("localhost.test", issuer=authority, alternatives=names)
    server = http.server.HTTPServer(("127.0.0.1", 0), _Handler)
    context = https_server.context(certificate, folder)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.came, server.status = [], 200
    server.roots = authority.write(os.path.join(folder, "roots.pem"))
    server.url = "https://localhost:{}/hook/secret".format(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
