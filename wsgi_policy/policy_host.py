"""The one place that decides what a request is: a fetch of a policy, or somebody who lost the way.

Plain WSGI without a framework, because a mail server that fetches a policy must be answered at
once, also by a child of Apache that has just been born. Whatever is no fetch goes on to `pages`,
with the host's domain in the environment if it is one of ours: no page repeats an unknown name.
"""

from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from wsgi_policy.policy_files import PolicyFiles, ServedPolicy

POLICY_PATH = "/.well-known/mta-sts.txt"  # RFC 8461 section 3.3
DOMAIN_KEY = "mtasts.domain"
_RETRY_SECONDS = "300"
_TYPE = ("Content-Type", "text/plain; charset=utf-8")
_NOSNIFF = ("X-Content-Type-Options", "nosniff")

_Environ = Dict[str, Any]
_Header = Tuple[str, str]


class PolicyHost:
    """The application of all policy hosts of a machine; `pages` is the WSGI application behind."""

    def __init__(self, files: PolicyFiles, pages: Callable[..., Iterable[bytes]]) -> None:
        self._files = files
        self._pages = pages

    def __call__(self, environ: _Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        # Over plain HTTP anybody on the way could change a policy, so there is none.
        if path == POLICY_PATH and environ["wsgi.url_scheme"] == "https":
            status, headers, body = self._fetch(environ)
            start_response(status, headers)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
        environ[DOMAIN_KEY] = self._files.domain(environ.get("HTTP_HOST", ""))
        return self._pages(environ, start_response)

    def _fetch(self, environ: _Environ) -> Tuple[str, List[_Header], bytes]:
        """The status, headers and body for a request at the policy's address."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            allow = [("Allow", "GET, HEAD")]
            return _text("405 Method Not Allowed", b"A policy is only read.\n", allow)
        policy = self._files.find(environ.get("HTTP_HOST", ""))
        if policy is None:
            return _text("404 Not Found", b"There is no policy for this host.\n")
        if policy.body is None:
            # A sender keeps what it has cached (RFC 8461 section 3.3) and comes again.
            retry = [("Retry-After", _RETRY_SECONDS)]
            return _text("503 Service Unavailable", b"The policy cannot be read now.\n", retry)
        if _has_already(environ.get("HTTP_IF_NONE_MATCH"), policy):
            return "304 Not Modified", [("ETag", policy.etag)], b""
        length = ("Content-Length", str(len(policy.body)))
        return "200 OK", [_TYPE, length, ("ETag", policy.etag), _NOSNIFF], policy.body


def _has_already(condition: Optional[str], policy: ServedPolicy) -> bool:
    """Whether the client named the policy's ETag in If-None-Match (RFC 9110 section 13.1.2)."""
    if condition is None:
        return False
    tags = [tag.strip(" \t") for tag in condition.split(",")]
    return "*" in tags or policy.etag in [tag[2:] if tag[:2] == "W/" else tag for tag in tags]


def _text(
    status: str, body: bytes, more: Iterable[_Header] = ()
) -> Tuple[str, List[_Header], bytes]:
    return status, [_TYPE, ("Content-Length", str(len(body))), _NOSNIFF, *more], body
