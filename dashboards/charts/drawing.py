"""What all charts share: rows for Vega-Lite, axes, tooltips, colours.

What belongs here: pieces of specifications, as plain data. What does not: which chart is made of which
(`dashboards.charts.kinds`).

Every label is written here, in Python, and travels as text: a chart, its tooltip and the table beside it show the same
words, and Vega only places them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from babel import Locale
from babel.numbers import get_currency_symbol

from dashboards.answering import Answer
from dashboards.formats import Formats, currency_of, sample
from dashboards.model import Card, Format

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""The name of the language, which nothing reads from the network."""
ACCENT = "#3b6fe0"
GOOD, BAD = "#1f9d78", "#d4574e"
PALETTE = (ACCENT, "#e0853a", "#23a08c", "#a864d8", "#d4537c", "#8a8f2c", "#3aa0d8", "#8a93a6", "#b4704f", "#5f6ad0")
SEQUENCE = ("#e4ecfc", "#b7cbf7", "#86a7f0", "#5583e6", "#2a5bd0", "#173f9e")
LABEL = 170
"""Pixels of a label beside a bar."""
_CELLS = 8
"""Lines of a tooltip that shows a whole row."""
_DAY = 86_400_000
_BAR_PART = 0.76
"""Of the distance between two bars."""
_WIDEST = 72
"""Pixels of a bar."""


@dataclass(frozen=True)
class Drawing:
    """A card and its answer, on the way to a chart.

    Attributes:
        card: The question.
        answer: Its rows; at least one.
        formats: Writes values.
    """

    card: Card
    answer: Answer
    formats: Formats

    def form(self, column: str) -> Format:
        """The format of a column."""
        return self.formats.format_of(column, self.card, sample(self.answer.column(column)))

    def title(self, column: str) -> str:
        """The title of a column; in a combo its measure may have one of its own."""
        measure = self.card.measures.get(column)
        return self.formats.say(measure.title) if measure and measure.title else self.formats.title(column, self.card)

    def written(self, record: dict[str, Any], column: str) -> str:
        """A value of a row as text."""
        return self.formats.text(record[column], self.form(column), currency_of(record))

    def whole(self, record: dict[str, Any]) -> dict[str, str]:
        """A row as text, for tooltips: its first columns by title."""
        shown = [name for name in self.answer.columns if name != "currency"][:_CELLS]
        return {self.formats.title(name, self.card) or name: self.written(record, name) for name in shown}

    def is_temporal(self) -> bool:
        """Whether the axis is of days or times."""
        return isinstance(sample(self.answer.column(self.card.x or "")), date)

    def currency(self) -> str | None:
        """The currency of all rows; None for several or none."""
        found = {one for one in self.answer.column("currency") if one is not None}
        return str(found.pop()) if len(found) == 1 else None


def number(value: Any) -> float | None:
    """A number for Vega; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    found = float(value)
    return found if found == found and found not in (float("inf"), float("-inf")) else None


def moment(value: Any, drawing: Drawing) -> int | None:
    """A day or a time as Vega has it, in milliseconds: as if the clock on the wall showed UTC."""
    if isinstance(value, datetime):
        local = value.astimezone(drawing.formats.zone) if value.tzinfo else value
        return _milliseconds(local.replace(tzinfo=UTC))
    if isinstance(value, date):
        return _milliseconds(datetime(value.year, value.month, value.day, tzinfo=UTC))
    return None


def _milliseconds(value: datetime) -> int:
    return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def category(value: Any, drawing: Drawing, column: str) -> str:
    """A value of an axis or a legend as text."""
    return drawing.formats.text(value, drawing.form(column))


def step(moments: list[int]) -> int:
    """The smallest distance between two moments of an axis; a day if there are not two."""
    ordered = sorted(set(moments))
    return min((b - a for a, b in pairwise(ordered)), default=_DAY)


def quantity(drawing: Drawing, column: str, *, name: str = "y", side: str | None = None, zero: bool = True) -> Spec:
    """An axis of numbers, with short labels in the column's own unit.

    Args:
        drawing: The chart.
        column: Whose numbers.
        name: The field of the data that holds them.
        side: `left` or `right` where there are two axes.
        zero: Whether it begins at zero.
    """
    axis: Spec = {"title": None, "tickCount": 5, **_short(drawing, column)}
    if side is not None:
        axis |= {"orient": side, "grid": side == "left", "title": drawing.title(column)}
    return {"field": name, "type": "quantitative", "axis": axis, "scale": {"zero": zero, "nice": True}}


def _short(drawing: Drawing, column: str) -> Spec:
    form, currency = drawing.form(column), drawing.currency()
    if form == "percent":
        return {"format": "~%"}
    if form not in ("integer", "money"):
        return {"format": ",.2~f"}
    # Reason: d3 calls a thousand million G, as engineers do.
    large = "replace(format(abs(datum.value), '~s'), 'G', 'B')"
    label = f"(abs(datum.value) < 1000 ? format(abs(datum.value), ',.2~f') : {large})"
    symbol = get_currency_symbol(currency, locale=drawing.formats.language) if form == "money" and currency else ""
    sign = "(datum.value < 0 ? '−' : '')"
    parts = [sign, json.dumps(symbol, ensure_ascii=False), label]
    if symbol and _is_symbol_behind(drawing.formats.language):
        parts = [sign, label, json.dumps(f" {symbol}", ensure_ascii=False)]
    steps = {"tickMinStep": 1} if form == "integer" else {}
    return {"format": "~s", "labelExpr": " + ".join(parts), **steps}


def _is_symbol_behind(language: str) -> bool:
    """Whether money is written with its symbol behind the number."""
    pattern: str = Locale.parse(language).currency_formats["standard"].pattern
    return pattern.index("¤") > pattern.index("0")


def time_axis(drawing: Drawing, *, bars: bool = False) -> Spec:
    """An axis of days or times.

    Args:
        drawing: The chart.
        bars: Whether there is to be room for half a bar at both ends.
    """
    found = [moment(value, drawing) for value in drawing.answer.column(drawing.card.x or "")]
    moments = [one for one in found if one is not None]
    distance = step(moments)
    axis: Spec = {
        "title": None,
        "grid": False,
        "format": _time_format(distance, drawing.formats.language),
        "labelOverlap": "greedy",
        "labelFlush": True,
        "tickCount": {"expr": "max(2, floor(width / 90))"},
    }
    if distance >= _DAY:
        axis["tickMinStep"] = _DAY
    scale: Spec = {"type": "utc"}
    if bars and moments:
        # Reason: not as a domain of its own, which Vega's interpreter cannot put together across layers.
        scale |= {"padding": {"expr": f"width / {2 * _places(moments)}"}, "nice": False}
    return {"field": "x", "type": "temporal", "scale": scale, "axis": axis}


def bar_width(drawing: Drawing) -> Spec:
    """The width of a bar on an axis of days or times, in pixels as Vega counts them."""
    found = [moment(value, drawing) for value in drawing.answer.column(drawing.card.x or "")]
    moments = [one for one in found if one is not None]
    return {"expr": f"clamp({_BAR_PART} * width / {_places(moments) + 1}, 1, {_WIDEST})"}


def _places(moments: list[int]) -> int:
    return (max(moments) - min(moments)) // step(moments) + 1 if moments else 1


def _time_format(distance: int, language: str) -> str:
    if distance < _DAY:
        return "%H:%M" if distance <= _DAY // 24 else "%-d.%-m. %H:%M"
    if distance >= 28 * _DAY:
        return "%b %Y"
    if language.startswith(("ja", "zh", "ko")):
        return "%-m/%-d"
    return "%b %-d" if language.startswith("en") else "%-d %b"


def colours(titles: list[str]) -> Spec:
    """Colours of series by their title, in order."""
    legend = {
        "title": None,
        "orient": "top",
        "direction": "horizontal",
        "columns": {"expr": "max(2, floor(width / 195))"},
    }
    palette = [PALETTE[number % len(PALETTE)] for number in range(len(titles))]
    return {
        "field": "s",
        "type": "nominal",
        "scale": {"domain": titles, "range": palette},
        "legend": legend if len(titles) > 1 else None,
    }


def tooltip(*titles: tuple[str, str]) -> list[Spec]:
    """Lines of a tooltip: fields of the data that hold text, each with its title."""
    return [{"field": name, "type": "nominal", "title": title} for name, title in titles]


def framed(drawing: Drawing, values: list[dict[str, Any]], height: int, **parts: Any) -> Spec:
    """A whole specification."""
    return {
        "$schema": SCHEMA,
        "data": {"values": values},
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "description": drawing.card.title,
        "config": CONFIG,
        **parts,
    }


CONFIG: Spec = {
    "background": "transparent",
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    "padding": 0,
    "view": {"stroke": None},
    "range": {"category": list(PALETTE), "heatmap": list(SEQUENCE), "ramp": list(SEQUENCE)},
    "axis": {
        "domain": False,
        "ticks": False,
        "labelFontSize": 12,
        "labelColor": "#5b6474",
        "labelPadding": 8,
        "titleFontSize": 12,
        "titleFontWeight": 500,
        "titleColor": "#5b6474",
        "gridColor": "#e3e6ec",
        "gridOpacity": 1,
    },
    "legend": {
        "labelFontSize": 12,
        "labelColor": "#5b6474",
        "symbolSize": 90,
        "symbolType": "circle",
        "labelLimit": {"expr": "max(60, min(165, width / 2 - 30))"},
    },
    "bar": {"color": ACCENT, "cornerRadiusEnd": 2},
    "line": {"color": ACCENT, "strokeWidth": 2.25, "strokeJoin": "round", "strokeCap": "round"},
    "area": {"color": ACCENT},
    "aria": False,
}
"""The looks of charts in the light; the page's style turns labels and lines for the dark."""
