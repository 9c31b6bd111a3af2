"""Charts as pictures.

What belongs here: from a card and its answer to SVG and PNG, and the picture in words. What does not: specifications
(`dashboards.charts`), which cards are shown (`dashboards.reports.sections`).

Nothing is fetched: a specification holds its own data.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import vl_convert

from dashboards.answering import Answer
from dashboards.charts.drawing import Drawing, number
from dashboards.charts.kinds import spec_of
from dashboards.charts.locales import locales
from dashboards.formats import Formats
from dashboards.model import Card
from dashboards.reports import fonts
from dashboards.reports.document import Chart, Table
from dashboards.reports.pen import Pen, one_line

WIDTH = 592
"""Pixels of a picture on a page; its file has twice as many, for sharp screens."""
_HEIGHT = 250
_BAR, _FRAME, _MOST_BARS = 32, 16, 12
_SCALE = 2
_LEGENDS = 3
"""Entries of a legend beside each other."""


def chart_of(card: Card, answer: Answer, formats: Formats, pen: Pen, table: Table) -> Chart:
    """A card's answer as a picture.

    Args:
        card: One that is drawn.
        answer: Its rows; at least one number.
        formats: Writes values.
        pen: Writes words.
        table: The same rows.
    """
    is_bars = card.chart in ("row", "funnel")
    shown = answer.limited(_MOST_BARS) if is_bars else answer
    drawing = Drawing(card, shown, formats)
    height = _BAR * len(shown.rows) + _FRAME if card.chart == "row" else _HEIGHT
    spec = deepcopy(spec_of(drawing, height))  # Reason: parts of it are shared with every other chart.
    spec["width"] = WIDTH
    # Reason: a transparent picture with dark letters cannot be read in a mail program's dark mode.
    spec["config"] = spec["config"] | {"background": "#ffffff", "font": fonts.FAMILY, "padding": 6}
    _fix_legends(spec)
    fonts.teach_vega()
    known = locales(pen.language)
    svg = vl_convert.vegalite_to_svg(
        spec, allowed_base_urls=[], format_locale=known["formatLocale"], time_format_locale=known["timeFormatLocale"]
    )
    png = vl_convert.svg_to_png(svg, scale=_SCALE)
    notes = []
    if False in shown.column("is_mature"):
        notes.append(pen.words.say("shaded_days"))
    if shown.is_cut:
        notes.append(pen.words.say("chart_cut", count=pen.integer(len(shown.rows))))
    width, tall = png_size(png)
    size = (width // _SCALE, tall // _SCALE)
    title = formats.say(card.title)
    return Chart(title, svg, png, *size, _alt(title, drawing, pen), table, " ".join(notes))


def _fix_legends(spec: Any) -> None:
    """Legends of as many columns as a page has room for.

    Reason: where their number hangs on a width that is still being fitted, Vega cuts the first line off.
    """
    if isinstance(spec, dict):
        if isinstance(legend := spec.get("legend"), dict) and "columns" in legend:
            legend["columns"] = _LEGENDS
        for inner in spec.values():
            _fix_legends(inner)
    elif isinstance(spec, list):
        for inner in spec:
            _fix_legends(inner)


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG in its own pixels (PNG specification, 11.2.2: the first eight bytes of IHDR)."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def _alt(title: str, drawing: Drawing, pen: Pen) -> str:
    """A chart in words: its extremes, and where they lie."""
    said = []
    for column in drawing.card.y:
        known = [record for record in drawing.answer.records() if number(record[column]) is not None]
        if not known:
            continue
        low, high = (pick(known, key=lambda one: number(one[column]) or 0.0) for pick in (min, max))
        values: dict[str, str] = {"metric": drawing.title(column)}
        for name, record in (("low", low), ("high", high)):
            values[name] = drawing.written(record, column)
            values[f"{name}_at"] = one_line(_place(record, drawing))
        said.append(pen.words.say("chart_measure", **values))
    return pen.words.say("chart_alt", title=title, measures=" ".join(said))


def _place(record: dict[str, Any], drawing: Drawing) -> str:
    column = drawing.card.x if drawing.card.chart != "scatter" else drawing.answer.columns[0]
    return drawing.written(record, column) if column else ""
