"""The page about domains and their reports with filters, served to this machine only."""

import http.server
import socketserver
import sys
import urllib.parse
from typing import Any, Dict, Mapping, Optional, Tuple

import click

from mtasts.cli.common import DOMAIN, now, policy_dir_option
from mtasts.cli.report.ledger import ledger_option, opened
from mtasts.cli.report.page import imported_document
from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.store import Store

_ADDRESS = "127.0.0.1"
_PORT = 8460  # the number of the RFC
_NAMES = ("127.0.0.1", "localhost")  # by which this machine calls itself
_LATER = "/when-counted"  # answered with the way to / as soon as the numbers are there
_PATIENCE = 10  # seconds for a client to say what it wants
_HEADERS = {
    "Allow": "GET, HEAD",
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@click.command()
@click.argument("domains", metavar="[DOMAIN]...", nargs=-1, type=DOMAIN)
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 for any that is free.",
)
@ledger_option
@policy_dir_option
def dashboard(domains: Tuple[Domain, ...], port: int, ledger: Optional[str], store: Store) -> None:
    """Show the page of `mtasts report page` with filters, about all own domains or each DOMAIN.

    It listens on 127.0.0.1 only, until Ctrl-C. From elsewhere come by SSH, with the same port at
    both ends.

    \b
    Examples:
      mtasts dashboard
      ssh -t -L 8460:127.0.0.1:8460 mail.example.org mtasts dashboard
    """
    database = opened(ledger)
    imported_document()
    from mtasts.dashboard import Dashboard

    shown = Dashboard(database, store, tuple(dict.fromkeys(domains)), now)
    shown.begin()
    with listening(port, shown) as server:
        click.echo(f"http://{_ADDRESS}:{server.server_address[1]}/ until Ctrl-C")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("", err=True)  # a terminal shows ^C


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A server for a few people: a thread for each request, none of which keeps it from ending."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, shown: Any) -> None:
        self.shown = shown
        super().__init__((_ADDRESS, port), _Handler)

    def server_bind(self) -> None:
        """Bind, without asking DNS for the name of the address as the base class does."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that has gone away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Answer with the page, or the one that says why there is none."""
        self._answer()

    def do_HEAD(self) -> None:
        """The same without the page."""
        self._answer()

    def version_string(self) -> str:
        """What the header Server says."""
        return "mtasts"

    def log_message(self, *_: Any) -> None:
        """Nothing: the terminal is for errors."""

    def send_error(self, code: int, *_: Any) -> None:
        """Refuse what is no request, and all methods but those above."""
        self.close_connection = True
        if code == http.HTTPStatus.NOT_IMPLEMENTED:
            code = http.HTTPStatus.METHOD_NOT_ALLOWED
        self._trouble(int(code), "this is no request that can be answered", "Use the form.")

    def _answer(self) -> None:
        port = self.server.server_address[1]
        # A page of the Internet whose name leads to 127.0.0.1 (DNS rebinding) is not let in.
        if self.headers.get("Host", "").lower() not in [f"{name}:{port}" for name in _NAMES]:
            self._trouble(
                421, "this is not the name of the dashboard", f"http://{_ADDRESS}:{port}/"
            )
            return
        path, _, query = self.path.partition("?")
        try:
            if path == "/":
                self._answer_page(_filters(query))
            elif path == _LATER:
                self._answer_later(_filters(query))
            else:
                self._trouble(404, "there is only one page here", "It is at /")
        except MtastsError as error:
            status = 400 if error.code.startswith("filter-") else 503
            self._trouble(status, f"{error.message} [{error.code}]", error.remedy)

    def _answer_page(self, filters: Dict[str, str]) -> None:
        """Answer with the page; until there are numbers, the browser is to ask for it `_LATER`.

        It shows what it has until that is answered, and so leaves what somebody types alone.
        """
        answer = self.server.shown.page(filters)
        refresh = {"Refresh": f"1; url={_LATER}?{urllib.parse.urlencode(filters)}"}
        self._send(200, answer.document, refresh if answer.is_waiting else {})

    def _answer_later(self, filters: Dict[str, str]) -> None:
        self.server.shown.wait(filters)
        self.send_response(303)
        self.send_header("Location", f"/?{urllib.parse.urlencode(filters)}")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _trouble(self, status: int, said: str, remedy: str) -> None:
        from mtasts.page import document

        self._send(status, document.trouble(said, remedy), {})

    def _send(self, status: int, document: Any, headers: Mapping[str, str]) -> None:
        data = document.html.encode("utf-8")
        self.send_response(status)
        for name, value in {**_HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", document.security_policy)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _filters(query: str) -> Dict[str, str]:
    """The filters of a URL; raises `MtastsError` if one stands there twice."""
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise MtastsError("filter-twice", "a filter is there twice", "Use the form.")
    return dict(pairs)


def listening(port: int, shown: Any) -> _Server:
    """A server of the dashboard `shown`; raises `MtastsError` if the port is taken."""
    try:
        return _Server(port, shown)
    except OSError as error:
        raise MtastsError(
            "dashboard-port",
            f"port {port} of {_ADDRESS} cannot be listened on: {error.strerror}",
            "Name another one with --port; 0 takes any that is free.",
        ) from error
