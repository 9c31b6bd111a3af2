"""How Metabase shows the columns of an answer: its `column_settings`.

What belongs here: titles, formats, bars and colours of columns. What does not: the chart
(`dashboards.metabase.charts`), links, which only dashboards have (`dashboards.metabase.links`).

Metabase takes no currency from a row. Where all money of a space is in one currency it is named; elsewhere numbers have
two decimals, and the column `currency` beside them says what they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.model import Card, Format, Scale, Shared

_DATE = {"date_style": "YYYY/M/D", "date_separator": "-"}
_PLAIN: dict[Format, dict[str, Any]] = {
    "money": {"number_style": "decimal", "decimals": 2},
    "percent": {"number_style": "percent", "decimals": 1},
    "multiple": {"number_style": "decimal", "decimals": 2},
    "integer": {"number_style": "decimal", "decimals": 0},
    "decimal": {"number_style": "decimal", "decimals": 1},
    "text": {},
    "date": {**_DATE, "time_enabled": None},
    "datetime": {**_DATE, "time_enabled": "minutes", "time_style": "HH:mm"},
    "hours": {"number_style": "decimal", "decimals": 1, "suffix": " h"},
    "image": {"view_as": "image"},
    "link": {"view_as": "link"},
}
_BAD, _MIDDLE, _GOOD = "#EF8C8C", "#FFFFFF", "#84BB4C"


def column_key(name: str) -> str:
    """How `column_settings` calls a column of a native query."""
    return json.dumps(["name", name], separators=(",", ":"))


def title_of(name: str, card: Card, shared: Shared) -> str:
    """What people see above a column."""
    return card.titles.get(name) or shared.titles.get(name) or name.replace("_", " ").capitalize()


def format_of(name: str, card: Card, shared: Shared) -> Format | None:
    """How a column is shown; None where nobody said."""
    return card.formats.get(name) or shared.formats.get(name)


def number_settings(kind: Format | None, currency: str | None) -> dict[str, Any]:
    """Metabase's words for a format.

    Args:
        kind: The format; None for none.
        currency: ISO code of the one currency of the space, if there is one.
    """
    if kind is None:
        return {}
    if kind == "money" and currency:
        return {"number_style": "currency", "currency": currency, "currency_style": "symbol", "decimals": 2}
    return {name: value for name, value in _PLAIN[kind].items() if value is not None}


def column_settings(card: Card, shared: Shared, columns: Sequence[str], currency: str | None) -> dict[str, Any]:
    """Settings of every column of an answer, by Metabase's key."""
    settings: dict[str, Any] = {}
    for name in columns:
        one: dict[str, Any] = {"column_title": title_of(name, card, shared)}
        one |= number_settings(format_of(name, card, shared), currency)
        if name in card.bars:
            one["show_mini_bar"] = True
        settings[column_key(name)] = one
    return settings


def table_columns(card: Card, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Which columns a table shows, in order; those that it does not show are there as well, switched off."""
    shown = card.columns or list(columns)
    hidden = [name for name in columns if name not in shown]
    return [{"name": name, "enabled": True} for name in shown] + [{"name": name, "enabled": False} for name in hidden]


def colours(scales: Sequence[Scale]) -> list[dict[str, Any]]:
    """Colours of cells by value, each over the range that the column has."""
    good: Mapping[str, list[str]] = {"high": [_BAD, _MIDDLE, _GOOD], "low": [_GOOD, _MIDDLE, _BAD]}
    return [
        {
            "id": number,
            "type": "range",
            "columns": [scale.column],
            "colors": good[scale.good],
            "min_type": None,
            "max_type": None,
            "min_value": 0,
            "max_value": 100,
        }
        for number, scale in enumerate(scales)
    ]
