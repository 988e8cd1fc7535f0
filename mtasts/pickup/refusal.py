"""Why a request at a policy host was no fetch of the policy: the code of the rule that says it."""

import re
from typing import Optional

POLICY_PATH = "/.well-known/mta-sts.txt"  # RFC 8461 section 3.3
_NEAR = re.compile(r"mta.?sts.*txt", re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://[^/]*", re.IGNORECASE)  # RFC 9112 section 3.2.2
_BY_STATUS = {
    200: "pickup-answer-foreign",
    304: "pickup-answer-foreign",
    401: "pickup-forbidden",
    403: "pickup-forbidden",
    404: "pickup-not-found",
    405: "pickup-method-wrong",
    410: "pickup-not-found",
    421: "pickup-misdirected",
    429: "pickup-forbidden",
    503: "pickup-unavailable",
}
_BY_CLASS = {3: "pickup-redirected", 5: "pickup-server-error"}


def code(request: str, status: int, is_tls: bool, is_policy_host: bool) -> Optional[str]:
    """The rule for a `request` line that was answered with `status`, but not with our policy.

    None for what nobody meant as a fetch, such as a look at the page.
    """
    path = _path(request)
    if path != POLICY_PATH:
        is_near = bool(_NEAR.search(path)) and is_policy_host
        return "pickup-path-wrong" if is_near else None
    if not is_policy_host:
        return "pickup-host-wrong"
    if not is_tls and status == 403:
        return "pickup-plain-http"
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, "pickup-request-bad")


def _path(request: str) -> str:
    """The path of a request line, without its query; "" if it has none."""
    words = request.split(" ")
    if len(words) < 2:
        return ""
    return _ABSOLUTE.sub("", words[1], 1).partition("?")[0]
