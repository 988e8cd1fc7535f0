"""MTA-STS (RFC 8461) and SMTP TLS Reporting (RFC 8460) for domains whose policies Apache serves.

Imports go down only: the doors (`wsgi_policy`, `certbot_mtasts`, `mtasts.cli`) use the edges
(`store`, `probe`), the edges use the values (`domain`, `policy`, `record`, `finding`, `rules`).
Values know no file, socket, clock or environment: text in, values out.
"""

__version__ = "0.1.0"
