"""Reading metrics as those do that take them."""

from prometheus_client import openmetrics, parser
from prometheus_client.openmetrics import parser as openmetrics_parser  # noqa: F401


def series(text):
    """The value of each series, by its name and labels, as PromQL writes them.

    The same text has to say the same as OpenMetrics and in the text format of Prometheus.
    """
    found = [
        {
            _selector(sample.name, sample.labels): sample.value
            for family in read(text)
            for sample in family.samples
        }
        for read in (
            parser.text_string_to_metric_families,
            openmetrics.parser.text_string_to_metric_families,
        )
    ]
    assert found[0] == found[1]
    return found[0]


def _selector(name, labels):
    said = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{said}}}" if said else name
