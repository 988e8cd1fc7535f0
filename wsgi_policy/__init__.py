"""The web application of a policy host: one policy per host, and a page that explains itself.

A fetch never meets Flask: `PolicyHost` (policy_host.py) decides what a request is and answers the
policy's address from memory (policy_files.py). Every other request gets the page (pages.py), for
which Flask is imported. So a fresh child of Apache answers its first fetch at once, and children
that never show a page stay small.
"""

from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from flask import Flask

    from wsgi_policy.policy_host import PolicyHost

__all__ = ["create_app", "create_wsgi"]


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
    app.wsgi_app = PolicyHost(PolicyFiles(settings[POLICY_DIR]), app.wsgi_app)  # type: ignore
    return app


def create_wsgi(policy_dir: Optional[str] = None, **config: Any) -> "PolicyHost":
    """Return the same application as plain WSGI; it imports Flask when the first page is due."""
    from wsgi_policy.policy_files import PolicyFiles
    from wsgi_policy.policy_host import PolicyHost
    from wsgi_policy.settings import POLICY_DIR, load

    settings = load(policy_dir, config)
    return PolicyHost(PolicyFiles(settings[POLICY_DIR]), _PagesOnDemand(settings))


class _PagesOnDemand:
    """The pages as WSGI, not made before somebody asks for one."""

    def __init__(self, settings: dict) -> None:
        self._settings = settings
        self._app = None

    def __call__(self, environ, start_response):
        if self._app is None:
            from wsgi_policy.pages import create_pages

            self._app = create_pages(self._settings).wsgi_app
        return self._app(environ, start_response)
