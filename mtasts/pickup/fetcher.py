"""Who may have fetched: by User-Agent and network, and nothing that is not known for sure.

A User-Agent proves nothing, because anybody can send any. Most senders are not in the table: they
are shown as they are, and count as senders.
"""

import functools
import ipaddress
import re
from typing import NamedTuple, Optional, Tuple

IPV4_NETWORK, IPV6_NETWORK = 24, 48  # what one operator has at least, and what is shown of him
_WORD = re.compile(r"[^/\s(]*")
_VERSION = re.compile(r"/[^\s;()]*")  # product-version, RFC 9110 section 10.1.5
_MAX_AGENT = 200  # characters by which an unknown one is told from others
OURS = "mtasts"


class Known(NamedTuple):
    """A User-Agent that is known by its first `word` (in lower case), and how that is known.

    `is_one` is for an operator whose fetches come from many networks; others are told apart by
    theirs. `is_check` is for what fetches, but sends no mail.
    """

    word: str
    name: str
    source: str
    is_one: bool = False
    is_check: bool = False


class Name(NamedTuple):
    """What DNS calls an address; `is_confirmed` if that leads back. `text` is "" without a name."""

    text: str
    is_confirmed: bool


KNOWN = (
    Known("google-smtp-sts", "Google", "the lists of robots that CrawlerDetect keeps", is_one=True),
    Known("postfix-mta-sts-resolver", "postfix-mta-sts-resolver", "its defaults.py"),
    Known("postfix-tlspol", "postfix-tlspol", "its mta-sts.go"),
    Known("postfix", "Postfix", "practice of senders"),
    Known(OURS, "mtasts itself", "mtasts/probe.py", is_check=True),
    Known("mozilla", "a browser", "the compatible User-Agent of all browsers", is_check=True),
)
_BY_WORD = {one.word: one for one in KNOWN}
# What `mtasts check` pretends to be (look.USER_AGENTS).
PRETENDED = ("", "postfix")


def known(agent: str) -> Optional[Known]:
    """What the table has about a User-Agent."""
    return _BY_WORD.get(first_word(agent))


def first_word(agent: str) -> str:
    """The name of the first product of a User-Agent, in lower case."""
    return _WORD.match(agent).group().lower()


def identity(agent: str, network: str) -> Tuple[str, str]:
    """What a sender's fetches have in common, also after it got a new version of its program."""
    program, is_one = _program(agent)
    return program, "" if is_one else network


@functools.lru_cache(maxsize=4096)
def _program(agent: str) -> Tuple[str, bool]:
    """What a User-Agent says without versions, and whether only one operator has it."""
    found = known(agent)
    return (found.word, found.is_one) if found else (_VERSION.sub("", agent)[:_MAX_AGENT], False)


def network(address: str) -> str:
    """The network of a client's address; its name, in lower case, if Apache logs names."""
    # What nearly all addresses have in common is looked up once for all of them.
    head, _, last = address.rpartition(".")
    return (_ipv4_network(head) if last.isdigit() else None) or _network(address)


@functools.lru_cache(maxsize=65536)
def _ipv4_network(head: str) -> Optional[str]:
    """The network of the addresses that begin with these three numbers; None if they are none."""
    try:
        return str(ipaddress.IPv4Network(f"{head}.0/{IPV4_NETWORK}"))
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address.lower()
    ip = getattr(ip, "ipv4_mapped", None) or ip
    bits = IPV4_NETWORK if ip.version == 4 else IPV6_NETWORK
    return str(ipaddress.ip_network(f"{ip}/{bits}", strict=False))


@functools.lru_cache(maxsize=4096)
def is_loopback(address: str) -> bool:
    """Whether the client is the machine itself."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address.lower() == "localhost"
