"""Charts along an axis: line, area, bar, and combinations of them.

What belongs here: their specifications. What does not: parts and shares (`dashboards.charts.parts`).
"""

from __future__ import annotations

from typing import Any

from dashboards.charts.drawing import (
    PALETTE,
    Drawing,
    Spec,
    bar_width,
    category,
    colours,
    framed,
    moment,
    number,
    quantity,
    step,
    time_axis,
    tooltip,
)


def line(drawing: Drawing, height: int) -> Spec:
    """A line for each measure, or for each value of `series`."""
    values, titles = _long(drawing)
    layers = [*_immature(drawing), {"mark": {"type": "line"}, "encoding": _encoding(drawing, titles)}]
    return framed(drawing, values, height, layer=[*layers, _points(drawing, titles)])


def area(drawing: Drawing, height: int) -> Spec:
    """Areas, upon each other if they are stacked."""
    values, titles = _long(drawing)
    stack = "zero" if drawing.card.stacked else None
    encoding = _encoding(drawing, titles, stack=stack)
    mark: Spec = {"type": "area", "line": {"strokeWidth": 1.5}, "fillOpacity": 0.75 if drawing.card.stacked else 0.18}
    shown = {"mark": mark, "encoding": encoding | {"tooltip": _tooltip(drawing, titles)}}
    if drawing.card.stacked:
        # Reason: a point of a stacked area lies above its own value, where nobody looks for it.
        return framed(drawing, values, height, layer=[*_immature(drawing), shown])
    return framed(drawing, values, height, layer=[*_immature(drawing), shown, _points(drawing, titles)])


def bar(drawing: Drawing, height: int) -> Spec:
    """Upright bars, beside or upon each other."""
    values, titles = _long(drawing)
    beside = len(titles) > 1 and not drawing.card.stacked
    encoding = _encoding(drawing, titles, stack="zero" if drawing.card.stacked else None)
    encoding["tooltip"] = _tooltip(drawing, titles)
    mark: Spec = {"type": "bar"}
    if beside or not drawing.is_temporal():
        encoding["x"] = _named_axis(values)
        if beside:
            encoding["xOffset"] = {"field": "s", "sort": titles}
    else:
        encoding["x"] = time_axis(drawing, bars=True)
        mark["width"] = bar_width(drawing)
    return framed(drawing, values, height, layer=[*_immature(drawing), {"mark": mark, "encoding": encoding}])


def combo(drawing: Drawing, height: int) -> Spec:
    """Measures of different kinds over one axis, with a second axis of numbers on the right where one asks for it."""
    card = drawing.card
    # Reason: an axis of nothing would show a lonely 0.
    columns = [column for column in card.y if any(number(value) is not None for value in drawing.answer.column(column))]
    titles = [drawing.title(column) for column in columns]
    is_temporal = drawing.is_temporal()
    has_right = len({card.measures[column].axis for column in columns}) > 1
    values = []
    for index, record in enumerate(drawing.answer.records()):
        row: dict[str, Any] = {"x": _place(drawing, record), "tx": drawing.written(record, card.x or ""), "n": index}
        for place, column in enumerate(columns):
            row[f"y{place}"] = number(record[column])
            row[f"t{place}"] = drawing.written(record, column)
        values.append(row)
    has_bars = any(card.measures[column].display == "bar" for column in columns)
    told = tooltip(("tx", drawing.title(card.x or "")), *((f"t{place}", title) for place, title in enumerate(titles)))
    palette = {
        "scale": {"domain": titles, "range": list(PALETTE[: len(titles)])},
        "legend": {"title": None, "orient": "top"},
    }
    layers: list[Spec] = []
    # Reason: what is drawn last lies on top, and lines must not be hidden by bars.
    order = {"bar": 0, "area": 1, "line": 2}
    for place, column in sorted(enumerate(columns), key=lambda one: order[card.measures[one[1]].display]):
        measure = card.measures[column]
        side = measure.axis if has_right else None
        encoding: Spec = {
            "x": time_axis(drawing, bars=has_bars) if is_temporal else _named_axis(values),
            "y": quantity(drawing, column, name=f"y{place}", side=side),
            "color": {"datum": titles[place], **palette},
            "tooltip": told,
        }
        mark: Spec = {"type": measure.display}
        if measure.display == "bar":
            mark["opacity"] = 0.75
            if is_temporal:
                mark["width"] = bar_width(drawing)
        elif measure.display == "line":
            mark["point"] = {"size": 28, "filled": True} if len(values) <= 45 else False
        else:
            mark["fillOpacity"] = 0.2
        layers.append({"mark": mark, "encoding": encoding})
    resolve = {"resolve": {"scale": {"y": "independent"}}} if has_right else {}
    # Reason: with two scales for y the shaded days would be drawn on a third.
    shaded = [] if has_right else _immature(drawing)
    return framed(drawing, values, height, layer=[*shaded, *layers], **resolve)


def _long(drawing: Drawing) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each point, and the titles of the series in order."""
    card, rows = drawing.card, []
    titles: dict[str, None] = {}
    for index, record in enumerate(drawing.answer.records()):
        for column in card.y:
            name = category(record[card.series], drawing, card.series) if card.series else drawing.title(column)
            titles.setdefault(name)
            rows.append(
                {
                    "x": _place(drawing, record),
                    "y": number(record[column]),
                    "s": name,
                    "tx": drawing.written(record, card.x or ""),
                    "ty": drawing.written(record, column),
                    "n": index,
                }
            )
    return rows, list(titles)


def _place(drawing: Drawing, record: dict[str, Any]) -> Any:
    column = drawing.card.x or ""
    return moment(record[column], drawing) if drawing.is_temporal() else category(record[column], drawing, column)


def _encoding(drawing: Drawing, titles: list[str], stack: str | None = None) -> Spec:
    x = (
        time_axis(drawing)
        if drawing.is_temporal()
        else {"field": "x", "type": "ordinal", "sort": None, "axis": _plain_axis()}
    )
    return {"x": x, "y": quantity(drawing, drawing.card.y[0]) | {"stack": stack}, "color": colours(titles)}


def _named_axis(values: list[dict[str, Any]]) -> Spec:
    # Reason: the days of an axis of bars beside each other are names to Vega, so they carry their text.
    for row in values:
        row["x"] = row["tx"]
    return {"field": "x", "type": "ordinal", "sort": None, "axis": _plain_axis()}


def _plain_axis() -> Spec:
    return {"title": None, "labelAngle": 0, "labelOverlap": "greedy", "labelLimit": 120}


def _tooltip(drawing: Drawing, titles: list[str]) -> list[Spec]:
    card = drawing.card
    lines = [("tx", drawing.title(card.x or ""))]
    if card.series:
        lines.append(("s", drawing.title(card.series)))
        lines.append(("ty", drawing.title(card.y[0])))
    elif len(titles) > 1:
        lines += [("s", drawing.formats.say("Measure")), ("ty", drawing.formats.say("Value"))]
    else:
        lines.append(("ty", titles[0]))
    return tooltip(*lines)


def _points(drawing: Drawing, titles: list[str]) -> Spec:
    """Points that show themselves, and what they stand for, where the pointer is near."""
    near = {"name": "near", "select": {"type": "point", "on": "pointerover", "clear": "pointerout", "nearest": True}}
    encoding = _encoding(drawing, titles) | {
        "tooltip": _tooltip(drawing, titles),
        "opacity": {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0},
    }
    return {"params": [near], "mark": {"type": "point", "filled": True, "size": 70}, "encoding": encoding}


def _immature(drawing: Drawing) -> list[Spec]:
    """A band behind the days that Meta still changes, if the answer says which (`is_mature`)."""
    if not drawing.is_temporal() or "is_mature" not in drawing.answer.columns:
        return []
    records = drawing.answer.records()
    days = [moment(record[drawing.card.x or ""], drawing) for record in records if record["is_mature"] is False]
    known = [day for day in days if day is not None]
    if not known:
        return []
    every = [one for one in (moment(value, drawing) for value in drawing.answer.column(drawing.card.x or "")) if one]
    half = step(every) / 2
    band = {"x": min(known) - half, "x2": max(known) + half}
    encoding = {"x": time_axis(drawing), "x2": {"field": "x2"}}
    return [
        {
            "data": {"values": [band]},
            "mark": {"type": "rect", "color": "#8a93a6", "opacity": 0.13},
            "encoding": encoding,
        }
    ]
