"""The page that a policy host shows to everybody but fetchers: 403, and where to go instead.

One page, in the visitor's language and as plain text for clients that do not ask for HTML. It loads
nothing, sets nothing and runs nothing. Some senders parse the body of any status as a policy, so no
line of it may begin like a policy's field; a test reads all catalogues for that.
"""

import base64
import hashlib
import json
import os
from typing import Any, Dict

from flask import Flask, Response, render_template, request
from markupsafe import Markup

from wsgi_policy.policy_host import DOMAIN_KEY

_CATALOGUE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "catalogue")
_DEFAULT_LANGUAGE = "en"


def create_pages(settings: Dict[str, Any]) -> Flask:
    """Return the Flask application that answers every request with the page."""
    app = Flask(__name__, static_folder=None)
    app.config.update(settings)
    texts = _texts()
    with app.open_resource("templates/style.css") as file:
        style = file.read().decode("ascii")
    digest = base64.b64encode(hashlib.sha256(style.encode("ascii")).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    # Before any routing: no path, method or slash makes Flask redirect or answer by itself.
    @app.before_request
    def page() -> Response:
        language = _language(texts)
        values = {"text": texts[language], "language": language}
        values["domain"] = request.environ.get(DOMAIN_KEY)
        if _asks_for_html():
            body = render_template("forbidden.html", style=Markup(style), **values)  # noqa: S704
            response = Response(body, 403, mimetype="text/html")
        else:
            body = render_template("forbidden.txt", **values)
            response = Response(body, 403, mimetype="text/plain")
        response.headers["Content-Language"] = language
        response.headers["Content-Security-Policy"] = policy
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Vary"] = "Accept, Accept-Language"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def _texts() -> Dict[str, Dict[str, Markup]]:
    """The sentences of every language, by its tag; they are ours, so they may stand in HTML."""
    texts = {}
    for name in sorted(os.listdir(_CATALOGUE)):
        with open(os.path.join(_CATALOGUE, name), encoding="utf-8") as file:
            sentences = json.load(file)
        texts[name[: -len(".json")]] = {key: Markup(text) for key, text in sentences.items()}  # noqa: S704
    return texts


def _language(texts: Dict[str, Any]) -> str:
    """The visitor's most wanted language that there is a catalogue for."""
    for tag, quality in request.accept_languages:
        primary = tag.lower().replace("_", "-").split("-")[0]
        if quality > 0 and primary in texts:
            return primary
    return _DEFAULT_LANGUAGE


def _asks_for_html() -> bool:
    """Whether the client names HTML, and does not like plain text better; `*/*` names nothing."""
    wanted = {kind.lower(): quality for kind, quality in request.accept_mimetypes}
    return wanted.get("text/html", 0) > 0 and wanted["text/html"] >= wanted.get("text/plain", 0)
