"""The web application of a policy host: one policy per host, and a page that explains itself.

A fetch never meets Flask: `PolicyHost` (policy_host.py) decides what a request is and answers the
policy's address from memory (policy_files.py). Behind it the drop box (drop_box.py) takes TLS
reports, and every other request gets the page (pages.py), for which Flask is imported. So a fresh
child of Apache answers its first fetch at once, and children that never show a page stay small.
"""

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

if TYPE_CHECKING:
    from flask import Flask

    from wsgi_policy.drop_box import DropBox
    from wsgi_policy.policy_host import PolicyHost

__all__ = ["create_app", "create_wsgi"]

_Application = Callable[..., Any]


def create_app(policy_dir: Optional[str] = None, **config: Any) -> "Flask":
    """Return the Flask application, for `flask run`, gunicorn and tests.

    `policy_dir` is the policy directory, `config` any setting of Flask or ours by its name in
    upper case. What is not given comes from the environment or a file: see settings.py.
    """
    from wsgi_policy.pages import create_pages
    from wsgi_policy.policy_files import PolicyFiles
    from wsgi_policy.policy_host import PolicyHost
    from wsgi_policy.settings import POLICY_DIR, load

    settings = load(policy_dir, config)
    app = create_pages(settings)
    # Around Flask's wsgi_app, not around Flask: its test client and its commands keep working.
    behind = _drop_box(settings, app.wsgi_app)
    app.wsgi_app = PolicyHost(PolicyFiles(settings[POLICY_DIR]), behind)  # type: ignore
    return app


def create_wsgi(policy_dir: Optional[str] = None, **config: Any) -> "PolicyHost":
    """Return the same application as plain WSGI; what it needs is imported when it is asked for."""
    from wsgi_policy.policy_files import PolicyFiles
    from wsgi_policy.policy_host import PolicyHost
    from wsgi_policy.settings import POLICY_DIR, load

    settings = load(policy_dir, config)
    pages = _OnDemand(lambda: _pages(settings))
    behind = _OnDemand(lambda: _drop_box(settings, pages))
    return PolicyHost(PolicyFiles(settings[POLICY_DIR]), behind)


def _drop_box(settings: Dict[str, Any], pages: _Application) -> "DropBox":
    """The drop box, with the `pages` behind it."""
    from mtasts.drop_address import DEFAULT_SECRET
    from mtasts.spool import DEFAULT_SPOOL, Spool
    from wsgi_policy.drop_box import DropBox
    from wsgi_policy.settings import REPORT_SECRET, SPOOL

    spool = Spool(settings.get(SPOOL, DEFAULT_SPOOL))
    return DropBox(pages, settings.get(REPORT_SECRET, DEFAULT_SECRET), spool)


def _pages(settings: Dict[str, Any]) -> _Application:
    from wsgi_policy.pages import create_pages

    return create_pages(settings).wsgi_app


class _OnDemand:
    """The WSGI application that `make` returns, not made before its first request."""

    def __init__(self, make: Callable[[], _Application]) -> None:
        self._make = make
        self._app = None  # type: Optional[_Application]

    def __call__(self, environ: Dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if self._app is None:
            self._app = self._make()
        return self._app(environ, start_response)
