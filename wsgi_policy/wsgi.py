"""For servers that load an application by the name of its module: gunicorn, `flask run`."""

from wsgi_policy import create_app

application = create_app()
