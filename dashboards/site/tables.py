"""An answer as a table: cells as text, with what stands behind, above and under them.

What belongs here: headings, alignment, bars, colours, links, images. What does not: HTML (`templates/card.html`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from dashboards.answering import Answer
from dashboards.charts.drawing import number
from dashboards.formats import NUMERIC, Formats, currency_of, sample
from dashboards.model import Card, Link
from dashboards.site.urls import outside_address

_LINE, _SENTENCE = 24, 90
"""Characters that stand in a line."""
SHADES = 7
"""Colours of a scale, from the worst (0) to the best."""
_PICTURES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,")

Drill = Callable[[Link, Mapping[str, Any]], str | None]
"""Where a click on a row's value leads."""


@dataclass(frozen=True)
class Head:
    """A column.

    Attributes:
        name: As in SQL.
        title: What people read.
        is_number: Whether its cells stand on the right.
        width: Of its texts: `wide` where some need more than a line, `long` where some are sentences.
        is_picture: Whether it has images.
    """

    name: str
    title: str
    is_number: bool
    width: Literal["", "wide", "long"] = ""
    is_picture: bool = False


@dataclass(frozen=True)
class Cell:
    """A value.

    Attributes:
        text: What people read.
        order: What it is sorted by: a number, or a text in small letters; empty for NULL, which comes last.
        href: Where it leads.
        is_outside: Whether that is another site.
        picture: The address of an image.
        bar: Percent of the column's largest number.
        shade: Its place among `SHADES`.
    """

    text: str
    order: str
    href: str | None = None
    is_outside: bool = False
    picture: str | None = None
    bar: float | None = None
    shade: int | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        heads: Its columns.
        rows: Its cells.
        note: How many rows there are, and whether that is all.
    """

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str


def table_of(card: Card, answer: Answer, formats: Formats, drill: Drill, *, pictures: bool = False) -> Table:
    """A card's answer as a table.

    Args:
        card: Which columns, and how.
        answer: Its rows.
        formats: Writes values.
        drill: Where clicks lead.
        pictures: Whether images may be asked of other hosts; if not, their place is left empty, with a link.
    """
    names = [name for name in (card.columns or answer.columns) if name in answer.columns]
    forms = {name: formats.format_of(name, card, sample(answer.column(name))) for name in names}
    heads = tuple(
        Head(
            name,
            formats.title(name, card).strip(),
            forms[name] in NUMERIC,
            "" if forms[name] == "image" else _width(answer.column(name)),
            forms[name] == "image",
        )
        for name in names
    )
    largest = {name: max((abs(number(one) or 0) for one in answer.column(name)), default=0) for name in card.bars}
    shades = {one.column: _shader(answer.column(one.column), one.good == "high") for one in card.scales}
    rows = []
    for record in answer.records():
        cells = []
        for name in names:
            value, form = record[name], forms[name]
            link = card.links.get(name)
            href = drill(link, record) if link is not None and value is not None else None
            if form in ("link", "image") and href is None:
                href = outside_address(value)
            text = formats.text(value, form, currency_of(record))
            picture = _picture(value, pictures) if form == "image" else None
            if form == "image" and value is not None:
                text = "" if picture else "Picture"
            bar = _part(value, largest[name]) if name in largest else None
            shade = shades[name](value) if name in shades else None
            outside = href is not None and href.startswith(("http://", "https://"))
            cells.append(Cell(text, _order(value), href, outside, picture, bar, shade))
        rows.append(tuple(cells))
    return Table(heads, tuple(rows), _note(answer, formats))


def _note(answer: Answer, formats: Formats) -> str:
    count = formats.text(len(answer.rows), "integer")
    if answer.is_cut:
        return f"The first {count} rows; there are more. Choose fewer days, or filter."
    return "1 row" if len(answer.rows) == 1 else f"{count} rows"


def _width(values: list[Any]) -> Literal["", "wide", "long"]:
    longest = max((len(value) for value in values if isinstance(value, str)), default=0)
    return "long" if longest > _SENTENCE else "wide" if longest > _LINE else ""


def _order(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return repr(float(value))
    return str(value).casefold()


def _part(value: Any, largest: float) -> float | None:
    found = number(value)
    return round(100 * abs(found) / largest, 1) if found is not None and largest else None


def _shader(values: list[Any], is_high_good: bool) -> Callable[[Any], int | None]:
    """Shades by rank: one extreme number would leave all others alike."""
    ordered = sorted(found for value in values if (found := number(value)) is not None)
    places = {found: index for index, found in enumerate(ordered)}
    last = len(ordered) - 1

    def shade(value: Any) -> int | None:
        found = number(value)
        if found is None or last < 1 or ordered[0] == ordered[-1]:
            return None
        place = round(places[found] / last * (SHADES - 1))
        return place if is_high_good else SHADES - 1 - place

    return shade


def _picture(value: Any, pictures: bool) -> str | None:
    if isinstance(value, str) and value.startswith(_PICTURES):
        return value
    return outside_address(value) if pictures else None
