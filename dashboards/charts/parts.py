"""Charts of parts and of two dimensions: row, pie, funnel, scatter, heatmap.

What belongs here: their specifications. What does not: charts along an axis (`dashboards.charts.over_axis`).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from dashboards.charts.drawing import (
    ACCENT,
    BAD,
    LABEL,
    PALETTE,
    SEQUENCE,
    Drawing,
    Spec,
    category,
    colours,
    framed,
    number,
    quantity,
    tooltip,
)
from dashboards.formats import currency_of, sample

_SLICES = 8
_THICKEST = 48
"""Pixels of a bar and the room around it."""
_CHARACTER, _GAP = 7, 10
"""Pixels of a number behind its bar, and before it."""
_ADDED_UP = frozenset({"money", "integer", "decimal", "hours"})
"""Formats of measures whose parts make a whole."""
_GRADIENT: Spec = {"title": None, "orient": "top", "gradientLength": 160, "gradientThickness": 8, "tickCount": 3}
_LABELS: Spec = {"title": None, "labelLimit": LABEL, "labelPadding": 10, "grid": False}


def row(drawing: Drawing, height: int) -> Spec:
    """Lying bars with their names before and their numbers behind them."""
    card, column = drawing.card, drawing.card.y[0]
    values = _named(drawing)
    height = min(height, _THICKEST * len(values) + 12)
    measure = quantity(drawing, column)
    if len(values) <= 1 or height / len(values) >= 16:
        measure["axis"] = None  # Reason: each bar has its number behind it.
        numbers = [value["y"] or 0 for value in values]
        longest = _CHARACTER * max(len(value["ty"]) for value in values) + _GAP
        before, behind_ = (longest if min(0, *numbers, 0) < 0 else 0), (longest if max(0, *numbers, 0) > 0 else 0)
        measure["scale"] |= {"range": [before, {"expr": f"max({before + 20}, width - {behind_})"}], "nice": False}
    encoding: Spec = {
        "y": {"field": "i", "type": "ordinal", "sort": None, "axis": _LABELS | {"labelExpr": _names(values)}},
        "x": measure,
        "tooltip": tooltip(("name", drawing.title(card.x or "")), ("ty", drawing.title(column))),
    }
    colour = {"condition": {"test": "datum.y < 0", "value": BAD}, "value": ACCENT}
    bars = {"mark": {"type": "bar", "size": {"expr": "min(34, bandwidth('y') * 0.86)"}}, "encoding": {"color": colour}}
    behind = {
        "mark": {
            "type": "text",
            "dx": {"expr": "datum.y < 0 ? -6 : 6"},
            "align": {"expr": "datum.y < 0 ? 'right' : 'left'"},
            "fontSize": 12,
        },
        "encoding": {"text": {"field": "ty"}, "color": {"value": "#5b6474"}},
    }
    layers = [bars, behind] if measure["axis"] is None else [bars]
    return framed(drawing, values, height, encoding=encoding, layer=layers)


def pie(drawing: Drawing, height: int) -> Spec:
    """A ring of parts with their shares; of many, the smallest are put together where they can be added up."""
    card, column = drawing.card, drawing.card.y[0]
    form = drawing.form(column)
    records = [one for one in drawing.answer.records() if (number(one[column]) or 0) > 0]
    slices: list[tuple[str, Decimal, str | None, int]] = [
        (category(one[card.x or ""], drawing, card.x or ""), Decimal(str(one[column])), currency_of(one), index)
        for index, one in enumerate(records)
    ]
    if len(slices) > _SLICES and form in _ADDED_UP:
        slices.sort(key=lambda one: one[1], reverse=True)
        rest = slices[_SLICES - 1 :]
        others = (
            f"{len(rest)} {drawing.formats.say('others')}",
            sum((one[1] for one in rest), Decimal(0)),
            drawing.currency(),
            -1,
        )
        slices = [*slices[: _SLICES - 1], others]
    total = sum((one[1] for one in slices), Decimal(0)) or Decimal(1)
    values = [
        {
            "s": name,
            "y": float(value),
            "ty": drawing.formats.text(value, form, currency),
            "share": drawing.formats.text(value / total, "percent"),
            "n": index,
        }
        for name, value, currency, index in slices
    ]
    told = (("s", drawing.title(card.x or "")), ("ty", drawing.title(column)), ("share", drawing.formats.say("Share")))
    color = colours([str(one["s"]) for one in values])
    color["legend"] = {"title": None, "orient": "right", "labelLimit": 240, "rowPadding": 6}
    encoding = {
        "theta": {"field": "y", "type": "quantitative", "stack": True},
        "color": color,
        "order": {"field": "y", "sort": "descending"},
        "tooltip": tooltip(*told),
    }
    radius = max(40, height // 2 - 8)
    ring: Spec = {"mark": {"type": "arc", "innerRadius": radius * 0.62, "outerRadius": radius, "padAngle": 0.012}}
    return framed(drawing, values, height, encoding=encoding, layer=[ring])


def funnel(drawing: Drawing, height: int) -> Spec:
    """Steps, each with its number and the part of the step before that went on."""
    card, column = drawing.card, drawing.card.y[0]
    records = drawing.answer.records()
    values = _named(drawing)
    first = number(records[0][column])
    step_before = drawing.formats.say("of the step before")
    for index, value in enumerate(values):
        now = number(records[index][column])
        before = number(records[index - 1][column]) if index else None
        value["rate"] = _rate(drawing, now, before) if index else ""
        value["whole"] = _rate(drawing, now, first)
        rate = f" · {value['rate']} {step_before}" if index and value["rate"] else ""
        value["label"] = f"{value['ty']}{rate}"
    told = tooltip(
        ("name", drawing.title(card.x or "")),
        ("ty", drawing.title(column)),
        ("rate", "Of the step before"),
        ("whole", "Of the first step"),
    )
    measure = quantity(drawing, column) | {"axis": None}
    measure["scale"] = {"zero": True, "nice": False}
    encoding: Spec = {
        "y": {
            "field": "i", "type": "ordinal", "sort": None,
            "axis": _LABELS | {"labelExpr": _names(values)},
            "scale": {"paddingInner": 0.5, "paddingOuter": 0.3},
        },
        "tooltip": told,
    }  # fmt: skip
    bars: Spec = {"mark": {"type": "bar", "cornerRadius": 3}, "encoding": {"x": measure}}
    words: Spec = {
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "bottom",
            "fontSize": 12,
            "dy": {"expr": "-bandwidth('y') / 2 - 2"},
        },
        "encoding": {"x": {"value": 0}, "text": {"field": "label"}, "color": {"value": "#5b6474"}},
    }
    return framed(drawing, values, height, encoding=encoding, layer=[bars, words])


def scatter(drawing: Drawing, height: int) -> Spec:
    """A point for each row; a tooltip tells all of it."""
    card, column, x = drawing.card, drawing.card.y[0], drawing.card.x or ""
    values: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    titles: list[str] = []
    for index, record in enumerate(drawing.answer.records()):
        point: dict[str, Any] = {"x": number(record[x]), "y": number(record[column]), "n": index}
        if card.size:
            point["z"] = number(record[card.size])
        if card.series:
            point["s"] = category(record[card.series], drawing, card.series)
            names.setdefault(point["s"])
        whole = drawing.whole(record)
        titles = list(whole)
        values.append(point | {f"t{place}": text for place, text in enumerate(whole.values())})
    across = quantity(drawing, x, name="x", zero=False)
    across["scale"]["padding"] = 14
    across["axis"] |= {"title": drawing.title(x), "grid": True}
    upright = quantity(drawing, column, zero=False)
    upright["scale"]["padding"] = 14
    upright["axis"] |= {"title": drawing.title(column)}
    encoding: Spec = {
        "x": across,
        "y": upright,
        "tooltip": tooltip(*((f"t{place}", title) for place, title in enumerate(titles))),
    }
    # Reason: a series that names each point is no legend.
    if 1 < len(names) <= len(PALETTE):
        encoding["color"] = colours(list(names))
    if card.size:
        encoding["size"] = {"field": "z", "type": "quantitative", "legend": None, "scale": {"range": [30, 700]}}
    mark = {"type": "circle", "opacity": 0.7, "size": 90, "color": ACCENT, "stroke": "white", "strokeWidth": 0.75}
    return framed(drawing, values, height, layer=[{"mark": mark, "encoding": encoding}])


def heatmap(drawing: Drawing, height: int) -> Spec:
    """Coloured cells: `x` across, `series` down."""
    card, column = drawing.card, drawing.card.y[0]
    x, rows = card.x or "", card.series or ""
    values = [
        {
            "x": drawing.written(record, x),
            "s": drawing.written(record, rows),
            "y": number(record[column]),
            "ty": drawing.written(record, column),
            "n": index,
        }
        for index, record in enumerate(drawing.answer.records())
    ]
    encoding: Spec = {
        "x": {"field": "x", "type": "ordinal", "sort": _ordered(drawing, x),
              "axis": {"title": drawing.title(x), "labelAngle": 0, "labelOverlap": "greedy", "labelLimit": 110}},
        "y": {"field": "s", "type": "ordinal", "sort": _ordered(drawing, rows), "axis": _LABELS},
        "color": {"field": "y", "type": "quantitative", "scale": {"range": list(SEQUENCE), "zero": True},
                  "legend": _GRADIENT | _gradient(drawing, column)},
        "tooltip": tooltip(("s", drawing.title(rows)), ("x", drawing.title(x)), ("ty", drawing.title(column))),
    }  # fmt: skip
    mark = {"type": "rect", "cornerRadius": 2, "stroke": "transparent", "strokeWidth": 2}
    return framed(drawing, values, height, layer=[{"mark": mark, "encoding": encoding}])


def _named(drawing: Drawing) -> list[dict[str, Any]]:
    """A row for each bar. Its place is what tells it apart: two campaigns may have one name."""
    x, column = drawing.card.x or "", drawing.card.y[0]
    return [
        {
            "i": index,
            "name": drawing.written(record, x),
            # Reason: a name without a number stays, with a dash behind it.
            "y": number(record[column]) or 0,
            "ty": drawing.written(record, column),
            "n": index,
        }
        for index, record in enumerate(drawing.answer.records())
    ]


def _names(values: list[dict[str, Any]]) -> str:
    """An expression for the names of bars.

    Reason: names are data of strangers; as elements of a JSON list they can be nothing but texts to the expression.
    """
    return f"{json.dumps([value['name'] for value in values])}[datum.value]"


def _rate(drawing: Drawing, now: float | None, before: float | None) -> str:
    if now is None or not before:
        return ""
    return drawing.formats.text(Decimal(str(now)) / Decimal(str(before)), "percent")


def _ordered(drawing: Drawing, column: str) -> list[str]:
    found = drawing.answer.column(column)
    different = list(dict.fromkeys(found))
    if not isinstance(sample(different), str):
        different.sort(key=lambda value: (value is None, value))
    form = drawing.form(column)
    return [drawing.formats.text(value, form) for value in different]


def _gradient(drawing: Drawing, column: str) -> Spec:
    axis = quantity(drawing, column)["axis"]
    return {name: axis[name] for name in ("format", "labelExpr") if name in axis}
