"""The HTTPS address that takes the TLS reports of a domain (RFC 8460 section 5.4).

It lies on the domain's policy host, and its last part is made of the domain and a secret that only
this machine has. Nobody can guess it; who knows it has looked the domain's DNS record up.
"""

import hashlib
import hmac
import os
from typing import Iterable, Optional, Tuple

from mtasts.domain import Domain
from mtasts.errors import MtastsError
from mtasts.record import postmaster

DEFAULT_SECRET = "/var/lib/mtasts/report-secret"  # noqa: S105 - where it is, not what it is
PATH = "/tlsrpt/"
_MIN_SECRET = 32
_MAX_SECRET = 4096
_TOKEN_DIGITS = 32  # 128 bits


class SecretUnusable(MtastsError):
    """The secret is there, but nothing can be made of it."""


def read_secret(path: str) -> Optional[bytes]:
    """The secret in the file `path`; None without such a file: then no address takes reports.

    Raises `SecretUnusable`.
    """
    try:
        with open(path, "rb") as file:
            secret = file.read(_MAX_SECRET).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SecretUnusable(
            "report-secret-unreadable",
            f"{path} cannot be read: {os.strerror(error.errno)}",
            "Run this as root, or name where reports go: --rua https://...",
        ) from error
    if len(secret) < _MIN_SECRET:
        raise SecretUnusable(
            "report-secret-short",
            f"{path} holds less than {_MIN_SECRET} characters",
            f"Make a new one, and publish the new addresses: openssl rand -hex 32 >{path}",
        )
    return secret


def token(secret: bytes, domain: Domain) -> str:
    """The last part of the address of `domain`."""
    mac = hmac.new(secret, b"tlsrpt " + domain.encode("ascii"), hashlib.sha256)
    return mac.hexdigest()[:_TOKEN_DIGITS]


def address(secret: bytes, domain: Domain) -> str:
    """The URI to which reporters post the reports of `domain`."""
    return f"https://{domain.policy_host}{PATH}{token(secret, domain)}"


def with_drop_box(rua: Iterable[str], secret_path: str, domain: Domain) -> Tuple[str, ...]:
    """The addresses `rua` (or else the postmaster's), and that of the drop box where there is one.

    Who names an HTTPS address already gets no second one. A mail address always stays in front,
    because a common sender fails on a record without one. Raises `SecretUnusable`.
    """
    named = tuple(rua)
    if any(uri.lower().startswith("https:") for uri in named):
        return named
    secret = read_secret(secret_path)
    if secret is None:
        return named
    return (named or (postmaster(domain),)) + (address(secret, domain),)
