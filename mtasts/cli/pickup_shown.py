"""How `mtasts pickup` shows what it found: for people, as CSV and as JSON."""

import datetime
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import click

from mtasts.cli import findings
from mtasts.errors import printable
from mtasts.finding import Finding
from mtasts.history import timestamp
from mtasts.pickup import verdict
from mtasts.pickup.fetcher import Name
from mtasts.pickup.tally import Fetches, Pickup, Sender
from mtasts.pickup.verdict import LateReporter, Standing
from mtasts.spreadsheet import row

_ROWS = 40  # of senders, for people
_NETWORKS = 3  # of one sender, for people
_CHECK = "check"
_COLUMNS = (
    ("standing", "sender", "user_agent", "networks", "host", "confirmed", "id", "fetches")
    + ("first", "last", "until", "earlier_ids")
)  # fmt: skip


class View(NamedTuple):
    """All that is shown: the log's, the reports', and DNS's word, at `now`.

    `unknown` says why nothing is known of reporters, `names` are by address.
    """

    found: Pickup
    late: Tuple[LateReporter, ...]
    unknown: str
    names: Dict[str, Name]
    now: datetime.datetime

    def standing(self, sender: Sender) -> str:
        """Its standing, in a word."""
        return _CHECK if sender.is_check else verdict.standing(sender, self.now).value


def show(view: View, said: Sequence[Finding]) -> None:
    """Print all of it for people; what needs attention comes first."""
    for line in [_headline(view), *_rows(view)]:
        click.echo(line)
    of_refused = {verdict.of_refused(one): one for one in view.found.refused}
    for one in said:
        findings.show(one, view.found.domain)
        refused = of_refused.get(one)
        if refused:
            who = f"{printable(refused.network)}, {_agent(refused.agent)}"
            click.echo(f"  when: {_times(refused.fetches)}, the last one from {who}")
    for line in _end(view):
        click.echo(line)


def _headline(view: View) -> str:
    found = view.found
    current, behind, lapsed = (
        len(verdict.senders(found, standing, view.now))
        for standing in (Standing.CURRENT, Standing.BEHIND, Standing.LAPSED)
    )
    since = timestamp(max(found.since, found.served.first))
    many = "1 sender" if current == 1 else f"{current} senders"
    line = f"{many} fetched the policy with id {printable(found.served.id)} since {since}; "
    line += "1 has not yet" if behind == 1 else f"{behind} have not yet"
    return line + (f"; {lapsed} had an earlier one that has run out" if lapsed else "")


def _rows(view: View) -> Iterator[str]:
    order = [*(one.value for one in (Standing.BEHIND, Standing.CURRENT, Standing.LAPSED)), _CHECK]
    senders = sorted(view.found.senders, key=lambda one: order.index(view.standing(one)))
    for one in senders[:_ROWS]:
        fetches = _counted(one)
        line = f"{view.standing(one):<8} {fetches.count:>6} x  {_times(fetches)}  "
        yield line + "  ".join([_networks(one), _who(one), *_more(view, one)])
    if len(senders) > _ROWS:
        yield f"and {len(senders) - _ROWS} more, which --csv and --json have"


def _counted(sender: Sender) -> Fetches:
    """What the sender's line counts: fetches of the policy that is served, or else the last one."""
    return sender.current or sender.earlier[-1].fetches


def _times(fetches: Fetches) -> str:
    first, last = timestamp(fetches.first), timestamp(fetches.last)
    return first if first == last else f"{first} to {last}"


def _networks(sender: Sender) -> str:
    names = [printable(name) for name in sender.networks[:_NETWORKS]]
    rest = len(sender.networks) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")


def _who(sender: Sender) -> str:
    agent = _agent(sender.agent)
    return f"{sender.name} ({agent})" if sender.name not in ("", sender.agent) else agent


def _agent(agent: str) -> str:
    return printable(agent) if agent else "no User-Agent"


def _more(view: View, sender: Sender) -> Iterator[str]:
    name = view.names.get(sender.address)
    if name and name.text:
        yield printable(name.text) + ("" if name.is_confirmed else " (not confirmed)")
    if sender.earlier:
        yield f"before: {' '.join(_ids(sender))}" if sender.current else f"of {_ids(sender)[-1]}"
    if not sender.current and not sender.is_check:
        yield f"until {_until(sender) or 'nobody knows when'}"


def _ids(sender: Sender) -> List[str]:
    """The ids of what it had fetched before, the last one at the end."""
    return [printable(one.entry.id) if one.entry else "unknown" for one in sender.earlier]


def _until(sender: Sender) -> Optional[str]:
    """Until when it may apply an earlier policy; None if it need not, or nobody knows."""
    end = None if sender.current else verdict.until(sender)
    return end and timestamp(end)


def _end(view: View) -> Iterator[str]:
    if view.unknown:
        yield f"TLS reports were not looked at: {view.unknown}"
    lines = view.found.lines
    if view.found.tls:
        yield "fetched over " + ", ".join(f"{printable(one)} ({n})" for one, n in view.found.tls)
    yield (
        f"lines read: {lines.read}; of other hosts {lines.other_hosts}, before the period"
        f" {lines.before}, other requests {lines.other_requests}, in another format"
        f" {lines.other_formats}, too long {lines.too_long}"
    )


def csv_lines(view: View) -> Iterator[str]:
    """A line for each sender, and one before them."""
    yield row(_COLUMNS)
    for one in view.found.senders:
        fetches, name = _counted(one), view.names.get(one.address, Name("", False))
        served = view.found.served.id if one.current else _ids(one)[-1]
        earlier = _ids(one) if one.current else _ids(one)[:-1]
        times = [timestamp(fetches.first), timestamp(fetches.last), _until(one)]
        who = [one.name, one.agent, " ".join(one.networks), name.text, int(name.is_confirmed)]
        yield row([view.standing(one), *who, served, fetches.count, *times, " ".join(earlier)])


def as_json(view: View, said: Sequence[Finding]) -> Dict[str, Any]:
    """All of it."""
    found = view.found
    return {
        "domain": found.domain,
        "id": found.served.id,
        "served_since": timestamp(found.served.first),
        "since": timestamp(found.since),
        "senders": [_sender(view, one) for one in found.senders],
        "refused": [dict(one._asdict(), fetches=_fetches(one.fetches)) for one in found.refused],
        "reporters_behind": None
        if view.unknown
        else [
            dict(one._asdict(), last=str(one.last), until=timestamp(one.until)) for one in view.late
        ],
        "beyond": found.beyond,
        "tls": dict(found.tls),
        "lines": found.lines._asdict(),
        "findings": [findings.as_json(one) for one in said],
    }


def _sender(view: View, sender: Sender) -> Dict[str, Any]:
    name = view.names.get(sender.address)
    return {
        "standing": view.standing(sender),
        "name": sender.name,
        "user_agent": sender.agent,
        "networks": list(sender.networks),
        "fetches_from_others": sender.more,
        "host": name and name._asdict(),
        "current": sender.current and _fetches(sender.current),
        "earlier": [
            dict(_fetches(one.fetches), id=one.entry and one.entry.id) for one in sender.earlier
        ],
        "until": _until(sender),
    }


def _fetches(fetches: Fetches) -> Dict[str, Any]:
    first, last = timestamp(fetches.first), timestamp(fetches.last)
    return {"count": fetches.count, "first": first, "last": last}
