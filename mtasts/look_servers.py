"""A TXT record as each authoritative server has it, wherever aliases lead.

The resolver shows one server's answer, perhaps an old one. Here every server of the zone is asked,
and where they say that the name is an alias, every server of the zone that holds its target.
"""

import asyncio
from typing import Any, Awaitable, Dict, List, Tuple, Union

from mtasts import authority
from mtasts.authority import Server, TXTSet
from mtasts.dns_view import MAX_ALIASES, alias_error
from mtasts.edges import Calls
from mtasts.errors import MtastsError, printable
from mtasts.probe import LookupFailed

Told = Tuple[str, Union[Tuple[str, ...], MtastsError]]
_Failed = Tuple[str, MtastsError]


class ZoneServers:
    """The name servers of the zones that one domain's records lie in."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._known: Dict[str, Any] = {}

    async def told(self, name: str) -> Tuple[Told, ...]:
        """What each server says of `name`: its texts, or why it says nothing."""
        names = [name]
        told: List[Told] = []
        for asked in names:  # which grows by the aliases that are found
            for server, answer in await self._answers(asked):
                if not isinstance(answer, TXTSet):
                    told.append((server, answer))
                elif not answer.alias:
                    told.append((server, tuple(sorted(answer.texts))))
                elif answer.alias not in names:
                    if len(names) > MAX_ALIASES:
                        return ((server, alias_error("dns-alias-many", name)),)
                    names.append(answer.alias)
        return tuple(told) or ((name, alias_error("dns-alias-loop", name)),)

    async def _answers(self, name: str) -> List[Tuple[str, Union[TXTSet, MtastsError]]]:
        calls = self._calls
        try:
            servers, lost = await self._of_zone(await calls.call(calls.edges.zone_of, name))
        except LookupFailed as error:
            return [(f"the name servers of {printable(name, 300)}", error)]
        asked = (calls.attempt(calls.edges.ask, server, name) for server in servers)
        return [*zip(map(str, servers), await asyncio.gather(*asked)), *lost]

    def _of_zone(self, zone: str) -> Awaitable[Tuple[Tuple[Server, ...], List[_Failed]]]:
        if zone not in self._known:
            self._known[zone] = asyncio.ensure_future(self._found(zone))
        return self._known[zone]

    async def _found(self, zone: str) -> Tuple[Tuple[Server, ...], List[_Failed]]:
        """The servers, and those whose addresses are not known, with the reason."""
        calls = self._calls
        hosts = await calls.call(calls.edges.name_servers, zone)
        views = await asyncio.gather(*map(calls.addresses, hosts))
        known: List[Tuple[str, Tuple[str, ...]]] = []
        lost: List[_Failed] = []
        for host, view in zip(hosts, views):
            if isinstance(view, MtastsError):
                lost.append((printable(host, 300), view))
            else:
                known.append((host, view.records))
                lost += [(printable(host, 300), view.failure)] if view.failure else []
        return (authority.located(zone, known) if known or not lost else ()), lost
