"""Who may change which zone: one ini file, a section for each zone.

    [example.org]                         # RFC 2136 with TSIG
    server = 192.0.2.53
    key = mtasts
    algorithm = hmac-sha256
    secret-file = /etc/mtasts/tsig.secret

    [example.net]                         # a provider's API, by dns-lexicon
    provider = digitalocean
    auth_token-file = /etc/mtasts/digitalocean.token

The section `[*]` is for all zones without one of their own. Secrets stand in files that nobody
else may read; so must this file if it holds any option of a provider, because those can be secrets.
"""

import base64
import binascii
import configparser
import os
import stat
from typing import Dict, Mapping, NamedTuple, Optional, Tuple, Union

from mtasts.domain import Domain
from mtasts.errors import MtastsError, printable
from mtasts.finding import InvalidText
from mtasts.probe import split_address
from mtasts.zone import TTL

DEFAULT_PATH = "/etc/mtasts/dns.ini"
_ANY = "*"
_MAX_SECRET = 4096
_ALGORITHMS = ("hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha1", "hmac-md5")


class InvalidSettings(MtastsError):
    """The file says nothing that could be followed."""


class Primary(NamedTuple):
    """A server that takes updates (RFC 2136) signed with this key (RFC 8945)."""

    address: str
    port: int
    key: str
    algorithm: str
    secret: str
    ttl: int


class Provider(NamedTuple):
    """A provider's API, as dns-lexicon names it, and the options that dns-lexicon wants for it."""

    name: str
    options: Tuple[Tuple[str, str], ...]
    ttl: int


Settings = Union[Primary, Provider]


class Zones:
    """What the file says: for each zone who may change it."""

    def __init__(self, sections: Mapping[str, Settings]) -> None:
        self._sections = dict(sections)

    def find(self, name: str) -> Tuple[Optional[str], Optional[Settings]]:
        """The longest configured zone that holds `name`, and its settings.

        With settings for every zone the first is None; without any both are.
        """
        labels = name.split(".")
        for start in range(len(labels)):
            zone = ".".join(labels[start:])
            if zone in self._sections:
                return zone, self._sections[zone]
        return None, self._sections.get(_ANY)


def load(path: Optional[str] = None) -> Zones:
    """Read the file; without `path` the usual one, if it is there. Raises `InvalidSettings`."""
    if path is None and not os.path.exists(DEFAULT_PATH):
        return Zones({})
    path = path or DEFAULT_PATH
    parser = configparser.ConfigParser(interpolation=None, default_section="", delimiters=("=",))
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file, path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "it is not UTF-8")
        raise _invalid(path, f"it cannot be read: {why}") from error
    except configparser.Error as error:
        raise _invalid(path, " ".join(str(error).split())) from error
    return Zones({_zone(path, name): _section(path, parser[name]) for name in parser.sections()})


def _zone(path: str, name: str) -> str:
    try:
        return name if name == _ANY else Domain(name)
    except InvalidText as error:
        raise _invalid(path, f"section [{printable(name)}]: {error.finding.message}") from error


def _section(path: str, section: configparser.SectionProxy) -> Settings:
    options = dict(section)
    where = f"section [{printable(section.name)}]"
    ttl = options.pop("ttl", str(TTL))
    if not ttl.isdigit() or not 0 < int(ttl) < 2**31:
        raise _invalid(path, f"{where}: ttl is not a number of seconds")
    if "provider" in options:
        return _provider(path, where, options, int(ttl))
    wanted = {"server", "key", "algorithm", "secret-file"}
    if set(options) != wanted:
        odd = ", ".join(printable(name) for name in sorted(set(options) ^ wanted))
        raise _invalid(path, f"{where}: missing or unknown: {odd}")
    return _primary(path, where, options, int(ttl))


def _primary(path: str, where: str, options: Dict[str, str], ttl: int) -> Primary:
    if options["algorithm"] not in _ALGORITHMS:
        raise _invalid(path, f"{where}: algorithm is none of {', '.join(_ALGORITHMS)}")
    try:
        address, port = split_address(options["server"], 53)
    except MtastsError as error:
        raise _invalid(path, f"{where}: server: {error.message}") from error
    secret = _secret(options["secret-file"])
    try:
        if not base64.b64decode(secret, validate=True):
            raise ValueError
        options["key"].encode("ascii")
    except (ValueError, binascii.Error) as error:
        raise InvalidSettings(
            "tsig-key-invalid",
            f"{printable(options['secret-file'], 300)} holds no secret in base64, or the key's "
            "name is not ASCII",
            "Write the secret as tsig-keygen prints it, without quotes, and nothing else.",
        ) from error
    return Primary(address, port, options["key"], options["algorithm"], secret, ttl)


def _provider(path: str, where: str, options: Dict[str, str], ttl: int) -> Provider:
    name = options.pop("provider")
    inline = [option for option in options if not option.endswith("-file")]
    if inline and _is_public(os.stat(path)):
        raise _readable(path)
    values = {
        option[: -len("-file")]: _secret(value)
        for option, value in options.items()
        if option not in inline
    }
    if not name:
        raise _invalid(path, f"{where}: provider is empty")
    values.update((option, options[option]) for option in inline)
    return Provider(name, tuple(sorted(values.items())), ttl)


def _secret(path: str) -> str:
    """What a file holds that only its owner, and at most the group, may read."""
    try:
        with open(path, encoding="ascii") as file:
            if _is_public(os.fstat(file.fileno())):
                raise _readable(path)
            secret = file.read(_MAX_SECRET + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(
            "secret-unreadable",
            f"{printable(path, 300)} cannot be read: {getattr(error, 'strerror', 'not ASCII')}",
            "Name the file that holds the secret; run this as a user who may read it.",
        ) from error
    if not 0 < len(secret) <= _MAX_SECRET:
        raise InvalidSettings(
            "secret-unreadable", f"{printable(path, 300)} is empty, or too large for a secret"
        )
    return secret


def _is_public(facts: os.stat_result) -> bool:
    return bool(stat.S_IMODE(facts.st_mode) & 0o007)


def _readable(path: str) -> InvalidSettings:
    return InvalidSettings(
        "secret-world-readable",
        f"{printable(path, 300)} holds a secret and is open to everybody on this machine",
        f"chmod 600 {printable(path, 300)}, and replace the secret if others could read it.",
    )


def _invalid(path: str, why: str) -> InvalidSettings:
    return InvalidSettings(
        "dns-settings-invalid",
        f"{printable(path, 300)}: {printable(why, 300)}",
        "docs/dns.md shows what may stand there.",
    )
