"""A look at the policy host without Apache."""

import click

from mtasts.cli.common import policy_dir_option
from mtasts.errors import MtastsError
from mtasts.store import Store


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8443, show_default=True, help="The port to listen on.")
@policy_dir_option
def serve(host: str, port: int, store: Store) -> None:
    """Serve the policies for a look, over TLS with a certificate made on the spot.

    Not for production: no sender trusts that certificate.

    \b
    Example:
      mtasts serve &
      curl -k --resolve mta-sts.example.org:8443:127.0.0.1 \\
        https://mta-sts.example.org:8443/.well-known/mta-sts.txt
    """
    try:
        from werkzeug.serving import run_simple
        from werkzeug.utils import import_string
    except ImportError as error:
        raise MtastsError(
            "flask-missing",
            "mtasts serve needs Flask",
            "Install it: apt-get install python3-flask, or pip install 'mtasts[server]'.",
        ) from error
    # By name, as every WSGI server loads an application: the doors do not import each other.
    create_app = import_string("wsgi_policy:create_app")
    application = create_app(policy_dir=store.root)
    run_simple(host, port, application, threaded=True, ssl_context="adhoc")
