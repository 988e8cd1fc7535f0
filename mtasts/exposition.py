"""Metrics as text that a Prometheus takes; this is what prometheus_client is used for.

The text is OpenMetrics. All metrics here are gauges, and for these it is the text format of
Prometheus (0.0.4) as well, where the last line is a comment. So node_exporter's textfile collector,
which reads nothing but the latter, takes the same bytes.
"""

import datetime
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple, Union

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest

Value = Union[None, bool, int, float, datetime.datetime]


class Family(NamedTuple):
    """All series of one `name`, what they say, and the labels that tell them apart."""

    name: str
    said: str
    labels: Tuple[str, ...] = ("domain",)


class Samples:
    """The samples of some families. A family without any is not there: it is not known."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = {family.name: family for family in families}
        self._samples: Dict[str, List[Tuple[Sequence[str], float]]] = {}

    def add(self, name: str, value: Value, *labels: str) -> None:
        """Add the sample of the family `name` with these labels, in their order.

        A time (aware) becomes a Unix timestamp. None is not known, and adds nothing.
        """
        if value is None:
            return
        number = value.timestamp() if isinstance(value, datetime.datetime) else float(value)
        self._samples.setdefault(name, []).append((labels, number))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families as prometheus_client has them, one at a time: there may be many samples."""
        for name, family in self._families.items():
            if name in self._samples:
                yield _gauges(family, self._samples[name])

    def text(self) -> bytes:
        """All of it."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)


def _gauges(family: Family, samples: Iterable[Tuple[Sequence[str], float]]) -> GaugeMetricFamily:
    gauges = GaugeMetricFamily(family.name, family.said, labels=family.labels)
    for labels, number in samples:
        gauges.add_metric(labels, number)
    return gauges
