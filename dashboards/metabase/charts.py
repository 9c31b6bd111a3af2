"""A card's chart in Metabase's words: `display` and `visualization_settings`.

What belongs here: that. What does not: columns of tables (`dashboards.metabase.columns`), the query
(`dashboards.metabase.cards`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.metabase.columns import colours, column_key, column_settings, table_columns, title_of
from dashboards.model import Card, Scale, Shared

_DISPLAYS = {"trend": "smartscalar", "heatmap": "table"}
_STACKABLE = {"area", "bar", "row", "combo"}


@dataclass(frozen=True)
class Chart:
    """How an answer is drawn.

    Attributes:
        display: Metabase's name of the visualisation.
        settings: Its `visualization_settings`.
        only: Columns to reduce the answer to, in order; none leaves it as it is.
    """

    display: str
    settings: dict[str, Any]
    only: tuple[str, ...] = ()


def chart_of(card: Card, shared: Shared, columns: Sequence[str], currency: str | None) -> Chart:
    """The chart of a card.

    Args:
        card: What is drawn.
        shared: Usual titles and formats.
        columns: What its SQL returns, in order.
        currency: ISO code of the one currency of the space, if there is one.
    """
    settings: dict[str, Any] = {"column_settings": column_settings(card, shared, columns, currency)}
    only: tuple[str, ...] = ()
    if card.chart in {"line", "area", "bar", "combo", "row"}:
        settings |= _axes(card, shared)
    elif card.chart == "trend":
        settings |= {
            "scalar.field": card.y[0],
            "scalar.comparisons": [{"id": "before", "type": "previousValue"}],
            "scalar.switch_positive_negative": card.good == "less",
        }
    elif card.chart == "scalar":
        settings["scalar.field"] = card.y[0]
    elif card.chart == "pie":
        settings |= {"pie.dimension": card.x, "pie.metric": card.y[0], "pie.show_legend": True}
    elif card.chart == "funnel":
        settings |= {"funnel.dimension": card.x, "funnel.metric": card.y[0], "funnel.type": "funnel"}
    elif card.chart == "scatter":
        settings |= {"graph.dimensions": _dimensions(card), "graph.metrics": card.y, **_titles(card, shared)}
        if card.size:
            settings["scatter.bubble"] = card.size
    elif card.chart == "heatmap":
        assert card.x is not None
        assert card.series is not None
        # Reason: Metabase turns a table round only where it has three columns.
        only = (card.series, card.x, card.y[0])
        kept = {key: value for key, value in settings["column_settings"].items() if key in set(map(column_key, only))}
        settings = {
            "column_settings": kept,
            "table.pivot": True,
            "table.pivot_column": card.x,
            "table.cell_column": card.y[0],
            "table.column_formatting": colours([Scale(column=card.y[0])]),
        }
    else:
        settings["table.columns"] = table_columns(card, columns)
        if card.scales:
            settings["table.column_formatting"] = colours(card.scales)
    return Chart(_DISPLAYS.get(card.chart, card.chart), settings, () if only == tuple(columns) else only)


def _dimensions(card: Card) -> list[str]:
    return [name for name in (card.x, card.series) if name is not None]


def _titles(card: Card, shared: Shared) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if card.x is not None:
        settings["graph.x_axis.title_text"] = title_of(card.x, card, shared)
    if len(card.y) == 1:
        settings["graph.y_axis.title_text"] = title_of(card.y[0], card, shared)
    return settings


def _axes(card: Card, shared: Shared) -> dict[str, Any]:
    settings: dict[str, Any] = {"graph.dimensions": _dimensions(card), "graph.metrics": card.y, **_titles(card, shared)}
    if card.stacked and card.chart in _STACKABLE:
        settings["stackable.stack_type"] = "stacked"
    series = {}
    for name in card.y if card.series is None else ():
        one: dict[str, Any] = {"title": title_of(name, card, shared)}
        if measure := card.measures.get(name):
            one |= {"display": measure.display, "axis": measure.axis}
            one["title"] = measure.title or one["title"]
        series[name] = one
    if series:
        settings["series_settings"] = series
    return settings
