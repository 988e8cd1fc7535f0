"""Sessions over time as SVG: bars by pygal, days without a report, and changes of the policy.

Of what pygal draws only shapes and text are kept: no script, style, comment or link. Colours come
from the page's style sheet, so that they follow light and dark.
"""

from typing import Any, Callable, Iterator, List, Sequence, Tuple

from pygal import Bar as BarChart
from pygal import StackedBar
from pygal.etree import etree
from pygal.style import Style

from mtasts.page import words
from mtasts.page.timeline import Bar, Mark

_SHAPES = ("g", "path", "rect", "text", "title")
_ATTRIBUTES = ("class", "d", "height", "transform", "viewBox", "width", "x", "y", "xmlns")
_FONT = 13  # pixels where the chart is 720 wide, as in the style sheet
_LABEL = 6  # characters before the axis, the same in all charts so that their days are in line
_FIGURES = (("M", 1000000), ("k", 1000))


def sessions(bars: Sequence[Bar], marks: Sequence[Mark]) -> str:
    """All sessions: successful ones, failed ones on top, and where nothing is known."""
    most = max(bar.known.total or 0 for bar in bars)
    chart = StackedBar(height=190, **_config(bars, most))
    chart.add("successful", [bar.known.successful for bar in bars])
    chart.add("failed", [bar.known.failed for bar in bars])
    return _svg(chart, bars, marks, "Sessions over time; the table below has the numbers")


def failures(bars: Sequence[Bar], marks: Sequence[Mark]) -> str:
    """The failed sessions alone, on a scale of their own; "" if there are none."""
    most = max(bar.known.failed or 0 for bar in bars)
    if not most:
        return ""
    chart = BarChart(height=120, **_config(bars, most))
    chart.add("failed", [bar.known.failed or None for bar in bars])
    return _svg(chart, bars, marks, "Failed sessions alone; the table below has the numbers")


def _config(bars: Sequence[Bar], most: int) -> dict:
    shape = "%m-%d" if bars[0].first == bars[0].last else "%Y-%m-%d"
    return {
        "js": [],
        "css": [],
        "no_prefix": True,
        "width": 720,
        "margin": 4,
        "show_legend": False,
        "style": Style(label_font_size=_FONT, major_label_font_size=_FONT),
        "y_labels": _ticks(most),
        "x_labels": [bar.first.strftime(shape) for bar in bars],
        "x_labels_major_every": max(1, -(-len(bars) // 7)),
        "show_minor_x_labels": False,
        "truncate_label": -1,
        "value_formatter": _figure,
    }


def _ticks(most: int) -> List[int]:
    """Round numbers from 0 to at least `most`, five at most."""
    unit = 1
    while True:
        for step in (unit, 2 * unit, 5 * unit):
            if 4 * step >= most:
                return list(range(0, most + step, step))
        unit *= 10


def _figure(value: float) -> str:
    """A number at the axis, always of the same width."""
    for unit, size in _FIGURES:
        if value >= size:
            return f"{value / size:.4g}{unit}".rjust(_LABEL, "\u2007")
    return f"{value:.4g}".rjust(_LABEL, "\u2007")


def _svg(chart: Any, bars: Sequence[Bar], marks: Sequence[Mark], said: str) -> str:
    def finish(root: Any) -> Any:
        draw = _Drawing(chart, len(bars))
        _gaps(draw, bars)
        _hints(draw, bars)
        _marks(draw, marks)
        _clean(root)
        root.set("role", "img")
        root.set("aria-label", said)
        return root

    chart.add_xml_filter(finish)
    return etree.tostring(chart.render_tree(), encoding="unicode")


class _Drawing:
    """The plot of a chart, to be drawn on by the places of its bars."""

    def __init__(self, chart: Any, bars: int) -> None:
        self._chart = chart
        self._bars = bars
        self.height = chart.view.height

    def x(self, place: float) -> float:
        """Where a place from 0 to 1 is."""
        return round(self._chart.view.x(place), 1)

    def node(self, tag: str, **attributes: Any) -> Any:
        return self._chart.svg.node(self._chart.nodes["plot"], tag, **attributes)

    def column(self, first: int, behind: int, kind: str) -> Any:
        """The area of the bars from `first` on, without the one at `behind`."""
        left, right = self.x(first / self._bars), self.x(behind / self._bars)
        width = round(right - left, 1)
        return self.node("rect", x=left, y=0, width=width, height=self.height, class_=kind)


def _gaps(draw: _Drawing, bars: Sequence[Bar]) -> None:
    for first, behind in _runs(bars, lambda bar: not bar.reports):
        draw.column(first, behind, "gap")


def _runs(bars: Sequence[Bar], belongs: Callable) -> Iterator[Tuple[int, int]]:
    """The bars that stand side by side: from where to before which."""
    begin = None
    for number, bar in enumerate([*bars, None]):
        is_in = bar is not None and belongs(bar)
        if is_in and begin is None:
            begin = number
        elif not is_in and begin is not None:
            yield begin, number
            begin = None


def _hints(draw: _Drawing, bars: Sequence[Bar]) -> None:
    """What a pointer over a bar is told, and a question mark where numbers are unknown."""
    for number, bar in enumerate(bars):
        node = draw.column(number, number + 1, "hit")
        etree.SubElement(node, "title").text = hint(bar)
        if bar.unknown:
            middle = draw.x((number + 0.5) / len(bars))
            draw.node("text", x=middle, y=12, class_="question").text = "?"


def hint(bar: Bar) -> str:
    """What is known of the days of a bar."""
    until = "" if bar.last == bar.first else f" to {words.day(bar.last)}"
    if not bar.reports:
        return f"{words.day(bar.first)}{until}: no report"
    unknown = (
        f", {words.counted(bar.unknown, 'report')} with unknown numbers" if bar.unknown else ""
    )
    return (
        f"{words.day(bar.first)}{until}: {words.count(bar.known.successful)} successful,"
        f" {words.count(bar.known.failed)} failed{unknown}"
    )


def _marks(draw: _Drawing, marks: Sequence[Mark]) -> None:
    for mark in marks:
        left = draw.x(mark.place)
        draw.node("path", d=f"M{left} 0 v{draw.height}", class_="mark")
        draw.node("text", x=left + 3, y=10, class_="letter").text = mark.letter


def _clean(node: Any) -> None:
    """Leave shapes and text only, without anything that would be loaded or run."""
    for child in list(node):
        classes = child.get("class", "").split()
        if child.tag not in _SHAPES or "tooltip" in classes or _is_pygals_title(node, child):
            node.remove(child)
        else:
            _clean(child)
    for name in [name for name in node.attrib if name not in _ATTRIBUTES]:
        del node.attrib[name]


def _is_pygals_title(node: Any, child: Any) -> bool:
    return child.tag == "title" and node.get("class") != "hit"
