"""Which chart is drawn how.

What belongs here: from a card's `chart` to a specification. What does not: the specifications themselves
(`dashboards.charts.over_axis`, `dashboards.charts.parts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dashboards.charts import over_axis, parts
from dashboards.charts.drawing import Drawing, Spec, number

_CHARTS: Mapping[str, Callable[[Drawing, int], Spec]] = {
    "line": over_axis.line,
    "area": over_axis.area,
    "bar": over_axis.bar,
    "combo": over_axis.combo,
    "row": parts.row,
    "pie": parts.pie,
    "funnel": parts.funnel,
    "scatter": parts.scatter,
    "heatmap": parts.heatmap,
}


def has_numbers(drawing: Drawing) -> bool:
    """Whether there is anything to draw."""
    return any(number(value) is not None for column in drawing.card.y for value in drawing.answer.column(column))


def spec_of(drawing: Drawing, height: int) -> Spec:
    """The specification of a card's chart.

    Args:
        drawing: A card whose `chart` is neither a table nor a number, with an answer that has numbers.
        height: In pixels.
    """
    return _CHARTS[drawing.card.chart](drawing, height)
