"""A zone kept by a provider, changed through its API by dns-lexicon (3.3 to the newest)."""

import contextlib
import importlib
import logging
import os
import re
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional

from mtasts.authority import TXT, TXTSet
from mtasts.dns_settings import Provider
from mtasts.errors import MtastsError, printable
from mtasts.zone import strings

_SECONDS = 120  # for one call; a provider's answer may have many pages
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


class ProviderFailed(MtastsError):
    """The provider, or dns-lexicon, did not do it."""


class ProviderZone:
    """A zone at a provider; has the verbs that `dns_update` describes."""

    def __init__(self, zone: str, settings: Provider) -> None:
        self._zone = zone
        self._settings = settings

    def __str__(self) -> str:
        return f"{printable(self._settings.name)}, zone {self._zone}"

    def read(self, name: str) -> TXTSet:
        """The TXT records at `name`, as the provider lists them. Raises `ProviderFailed`."""
        return _set(self._call(lambda api: api.list_records("TXT", name, None)))

    def replace(self, name: str, present: TXTSet, old: Optional[TXT], text: str) -> None:
        """Put a record with `text` in place of `old`; with None it is added.

        The API cannot compare and change at once, so the records are looked at once more, to be
        still those of `present`. Raises `ProviderFailed`.
        """

        def change(api: Any) -> None:
            records = api.list_records("TXT", name, None)
            if sorted(_set(records).texts) != sorted(present.texts):
                raise ProviderFailed(
                    "record-changed-meanwhile",
                    f"somebody else has just changed the TXT records at {printable(name)}",
                    "Nothing was changed here. Look at them, then do this again.",
                )
            if old is None:
                api.create_record("TXT", name, text)
            else:
                place = next(one for one in records if _text(one["content"]) == old.text)
                api.update_record(place["id"], "TXT", name, text)

        self._call(change)

    def _call(self, function: Callable[[Any], Any]) -> Any:
        """What `function` does with the provider's API, bounded in time."""
        results: List[Any] = []
        errors: List[Exception] = []

        def work() -> None:
            try:
                with self._api() as api:
                    results.append(function(api))
            # Each provider's module raises what it likes, bare Exception among it.
            except Exception as error:  # noqa: BLE001
                errors.append(error)

        # lexicon sets no time-out for its requests.
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(_SECONDS)
        if errors:
            raise self._explained(errors[0])
        if not results:
            raise ProviderFailed(
                "provider-timeout",
                f"{self} gives no answer within {_SECONDS} s",
                "Nobody knows whether it was done: do it again, which looks first.",
            )
        return results[0]

    @contextlib.contextmanager
    def _api(self) -> Iterator[Any]:
        """The provider, logged in: a context since lexicon 3.13, an attribute before."""
        _calm_tldextract()
        try:
            make_client = importlib.import_module("lexicon.client").Client
            config = importlib.import_module("lexicon.config").ConfigResolver()
        except ImportError as error:
            raise ProviderFailed(
                "lexicon-missing",
                "changing records by a provider's API needs dns-lexicon",
                "Install it: apt-get install python3-lexicon, or pip install 'mtasts[lexicon]'.",
            ) from error
        client = make_client(config.with_dict(self._facts()))
        if hasattr(client, "__enter__"):
            with client as api:
                yield api
        else:
            client.provider.authenticate()
            yield client.provider

    def _facts(self) -> Dict[str, Any]:
        """The settings as lexicon wants them."""
        return {
            "provider_name": self._settings.name,
            self._settings.name: dict(self._settings.options),
            "domain": self._zone,
            "delegated": self._zone,  # or else it takes the registered domain for the zone
            "resolve_zone_name": True,  # by DNS; what older ones do instead, see _calm_tldextract
            "ttl": self._settings.ttl,
            "action": "list",  # before 3.13 there has to be one, and a type, to begin with
            "type": "TXT",
        }

    def _explained(self, error: Exception) -> MtastsError:
        """What went wrong, in our words and without the secrets that a URL may hold."""
        if isinstance(error, MtastsError):
            return error
        text = str(error)
        for _, value in self._settings.options:
            text = text.replace(value, "***") if value else text
        return ProviderFailed(
            "provider-failed",
            f"{self}: {type(error).__name__}: {printable(text, 300)}",
            "Check the provider's name, its options and what the token may do.",
        )


def _calm_tldextract() -> None:
    """Let the list of public suffixes, which older lexicons fetch and we need not, be no trouble.

    Where the list cannot be fetched, tldextract waits for it without end, prints a traceback and
    then uses its own copy.
    """
    os.environ.setdefault("TLDEXTRACT_CACHE_TIMEOUT", "5")
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)


def _set(records: List[Any]) -> TXTSet:
    """Records as lexicon lists them; how a text was cut into strings is not among it."""
    texts = [strings(_text(one["content"])) for one in records]
    ttl = min([int(one.get("ttl") or 0) for one in records], default=0)
    return TXTSet(tuple(TXT(tuple(part.encode("utf-8") for part in text)) for text in texts), ttl)


def _text(content: str) -> str:
    """The text of a record; some providers give it in quotes, cut into strings."""
    parts = _STRING.findall(content)
    if not parts or _STRING.sub("", content).strip():
        return content
    return "".join(re.sub(r"\\(.)", r"\1", part) for part in parts)
