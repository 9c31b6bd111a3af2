"""A card and its answer as what the page shows: a number, a chart with its table, a table, facts, or a message.

What belongs here: which of these it is, and the words for who cannot see it. What does not: HTML (`templates/`), the
specifications of charts (`dashboards.charts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from dashboards.answering import Answer, Space
from dashboards.charts.drawing import Drawing, Spec, number
from dashboards.charts.kinds import has_numbers, spec_of
from dashboards.formats import ABSENT, Formats, currency_of
from dashboards.library import Library
from dashboards.model import Card, Link
from dashboards.site.tables import Table, table_of
from dashboards.site.urls import Places, drill_address

Kind = Literal["number", "chart", "table", "facts", "error", "empty"]
_PIXELS = 52
"""Of a row of Metabase's grid."""
_HEADER = 76
"""Pixels of a card's title and edges."""
_LOWEST = 160
_NAMES = {"row": "Bar chart", "combo": "Chart of bars and lines", "pie": "Ring chart", "heatmap": "Heat map"}


@dataclass(frozen=True)
class Number:
    """A number by itself.

    Attributes:
        text: It, shortened if it is long.
        exact: It, in full.
        change: How much more or less than before, with its sign; None where that says nothing.
        before: What it was before.
        direction: Of the change.
        verdict: Whether that is good.
    """

    text: str
    exact: str
    change: str | None = None
    before: str | None = None
    direction: Literal["up", "down", "same"] = "same"
    verdict: Literal["good", "bad", "neither"] = "neither"


@dataclass(frozen=True)
class View:
    """What stands in a card.

    Attributes:
        kind: Which of the others it has.
        message: Of an error, and of an empty answer.
        number: A number.
        spec: A chart in Vega-Lite, without what the page adds.
        table: A table; of a chart, its rows.
        facts: Titles and values of one row.
        words: The chart in words.
        note: What is to be known about it.
        links: Where a click on a row of the chart leads, by its number.
    """

    kind: Kind
    message: str = ""
    number: Number | None = None
    spec: Spec | None = None
    table: Table | None = None
    facts: tuple[tuple[str, str], ...] = ()
    words: str = ""
    note: str = ""
    links: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    """Whoever looks: what leads where, and how things are written.

    Attributes:
        library: All dashboards.
        space: Whose data.
        formats: Writes values.
        places: Where pages are.
        values: Filters as they are set.
        pictures: Whether images may be asked of other hosts.
        implied: Filters that the addresses of pages hold by themselves, so that no link has to.
    """

    library: Library
    space: Space
    formats: Formats
    places: Places
    values: Mapping[str, Any]
    pictures: bool = False
    implied: frozenset[str] = frozenset()

    def drill(self, link: Link, record: Mapping[str, Any]) -> str | None:
        """Where a click on a row's value leads."""
        kept = {name: value for name, value in self.values.items() if name not in self.implied}
        return drill_address(link, record, self.library, kept, self.places)


def view_of(card: Card, answer: Answer, reader: Reader, height: int = 6, *, as_facts: bool = False) -> View:
    """What stands in a card.

    Args:
        card: The question.
        answer: What came back.
        reader: Whoever looks.
        height: Of its row, in rows of Metabase's grid.
        as_facts: Whether a table of one row is to be titles and values beside each other.
    """
    if answer.error is not None:
        return View("error", answer.error)
    if not answer.rows:
        return View("empty", card.empty)
    if card.chart in ("trend", "scalar"):
        number_shown = _number(card, answer, reader.formats)
        missing = number_shown.text == ABSENT
        told = card.empty if missing else "Nothing to compare with." if card.chart == "trend" else ""
        return View("number", told, number=number_shown)
    make_table = partial(table_of, card, answer, reader.formats, reader.drill, pictures=reader.pictures)
    if card.chart == "table":
        table = make_table()
        if as_facts and len(table.rows) == 1:
            pairs = zip(table.heads, table.rows[0], strict=True)
            return View("facts", facts=tuple((head.title, cell.text) for head, cell in pairs))
        return View("table", table=table)
    drawing = Drawing(card, answer, reader.formats)
    if not has_numbers(drawing):
        return View("empty", card.empty)
    links = _links(card, answer, reader)
    spec = spec_of(drawing, max(_LOWEST, height * _PIXELS - _HEADER))
    note = ""
    if "is_mature" in answer.columns and False in answer.column("is_mature"):
        note = "Shaded days are not final: Meta still changes them."
    if answer.is_cut:
        note = f"{note} Drawn from the first {len(answer.rows)} rows; there are more.".strip()
    return View("chart", spec=spec, table=make_table(), words=words_of(drawing), note=note, links=links)


def words_of(drawing: Drawing) -> str:
    """A chart in words: what it shows, of how much, and its extremes."""
    card, answer = drawing.card, drawing.answer
    name = _NAMES.get(card.chart, f"{card.chart.capitalize()} chart")
    measures = " and ".join(drawing.title(column) for column in card.y)
    along = f" by {drawing.title(card.x)}" if card.x else ""
    said = [f"{name}: {measures}{along}, {len(answer.rows)} rows."]
    for column in card.y:
        known = [record for record in answer.records() if number(record[column]) is not None]
        if not known:
            continue
        low = min(known, key=lambda record: number(record[column]) or 0)
        high = max(known, key=lambda record: number(record[column]) or 0)
        at = f"{drawing.written(low, card.x)}" if card.x else ""
        there = f"{drawing.written(high, card.x)}" if card.x else ""
        title = drawing.title(column)
        said.append(
            f"{title}: lowest {drawing.written(low, column)} ({at}), highest {drawing.written(high, column)} ({there})."
        )
    return " ".join(said)


def _number(card: Card, answer: Answer, formats: Formats) -> Number:
    records = answer.records()
    column = card.y[0]
    if card.chart == "trend" and card.x is not None:
        # Reason: what is compared is the last row with the one before, whatever the order of the answer.
        place = card.x
        records = sorted(records, key=lambda record: (record[place] is not None, record[place]))
    last = records[-1]
    form = formats.format_of(column, card, last[column])
    currency = currency_of(last)
    text, exact = formats.headline(last[column], form, currency), formats.text(last[column], form, currency)
    if card.chart == "scalar" or len(records) < 2:
        return Number(text, exact)
    before = records[-2]
    change = formats.change(last[column], before[column])
    told = formats.headline(before[column], form, currency_of(before))
    if change is None:
        return Number(text, exact, before=told if told != ABSENT else None)
    direction: Literal["up", "down", "same"] = "up" if change > 0 else "down" if change < 0 else "same"
    verdict: Literal["good", "bad", "neither"] = "neither"
    if card.good != "neither" and direction != "same":
        verdict = "good" if (direction == "up") == (card.good == "more") else "bad"
    return Number(text, exact, formats.change_text(change), told, direction, verdict)


def _links(card: Card, answer: Answer, reader: Reader) -> dict[int, str]:
    """Where a click on what is drawn of a row leads: the link of its place on the axis, or of its series."""
    link = next((card.links[name] for name in (card.x, card.series) if name in card.links), None)
    if link is None:
        return {}
    found = ((index, reader.drill(link, record)) for index, record in enumerate(answer.records()))
    return {index: address for index, address in found if address is not None}
