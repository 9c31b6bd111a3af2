"""Cards of dashboards in a report.

What belongs here: which cards, asked with the report's days and accounts, and their answers as blocks. What does not:
pictures (`dashboards.reports.drawn`), the numbers above them (`dashboards.reports.summary`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from dashboards.answering import Answer
from dashboards.charts.drawing import Drawing
from dashboards.charts.kinds import has_numbers
from dashboards.formats import NUMERIC, Formats, currency_of, sample
from dashboards.library import Definition, PlacedCard
from dashboards.model import Card, Format
from dashboards.reports.asking import Asker
from dashboards.reports.document import Block, Cell, Column, Figure, Figures, Message, Part, Table, Verdict
from dashboards.reports.drawn import chart_of
from dashboards.reports.model import Section
from dashboards.reports.pen import Pen, one_line

_SMALLEST_CHANGE = Decimal("0.0005")
DEFAULT: tuple[Section, ...] = (
    Section("executive_overview", ("spend_and_roas", "by_objective")),
    Section("campaigns", ("what_moved_roas", "campaigns"), tab="campaigns"),
    Section("creative", ("gallery",), tab="gallery"),
)
"""What a report shows whose order names nothing."""


@dataclass
class Shown:
    """What the sections hold.

    Attributes:
        parts: In order.
        problems: What had no answer, each in a line.
    """

    parts: list[Part] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def shown_sections(
    sections: Sequence[Section], asker: Asker, formats: Formats, pen: Pen, currencies: Sequence[str | None]
) -> Shown:
    """Asks the cards of a report and makes blocks of them.

    Args:
        sections: Of the order; the usual ones if there are none.
        asker: Asks.
        formats: Writes values.
        pen: Writes words.
        currencies: What the cards are filtered by, each by itself; None for all accounts together.

    Raises:
        DatabaseUnavailable: The database cannot be reached.
    """
    shown = Shown()
    for section in sections or DEFAULT:
        definition = asker.library.dashboards.get(section.dashboard)
        if definition is None:
            shown.problems.append(pen.words.say("card_unknown", name=pen.name(section.dashboard)))
            continue
        cards = list(_cards(section, definition, shown, pen))
        blocks: list[Block] = []
        for currency in currencies:
            answers = asker.cards(definition, cards, currency)
            for placed in cards:
                block = _block(placed.card, answers[placed.card.key], formats, pen, currency)
                if isinstance(block, Message) and (error := answers[placed.card.key].error) is not None:
                    shown.problems.append(pen.words.say("card_failed", title=block.title, reason=error))
                _append(blocks, block)
        if blocks:
            shown.parts.append(Part(section.title or formats.say(definition.dashboard.title), tuple(blocks)))
    return shown


def _cards(section: Section, definition: Definition, shown: Shown, pen: Pen) -> Iterator[PlacedCard]:
    offered = {
        placed.card.key: placed for placed in definition.cards if section.tab is None or placed.tab == section.tab
    }
    for key in section.cards or offered:
        if key in offered:
            yield offered[key]
        else:
            name = "/".join(filter(None, (section.dashboard, section.tab, key)))
            shown.problems.append(pen.words.say("card_unknown", name=pen.name(name)))


def _append(blocks: list[Block], block: Block) -> None:
    """Numbers by themselves stand beside each other."""
    last = blocks[-1] if blocks else None
    if isinstance(block, Figures) and isinstance(last, Figures) and last.title == block.title:
        blocks[-1] = Figures(last.title, (*last.figures, *block.figures))
    else:
        blocks.append(block)


def _block(card: Card, answer: Answer, formats: Formats, pen: Pen, currency: str | None) -> Block:
    title = formats.say(card.title)
    if currency is not None:
        title = pen.words.say("in_currency", title=title, currency=currency)
    if answer.error is not None:
        return Message(title, answer.error)
    if not answer.rows:
        return Message(title, formats.say(card.empty))
    if card.chart in ("trend", "scalar"):
        return Figures(currency or "", (_figure(card, answer, formats),))
    named = card.model_copy(update={"title": title})
    table = table_of(named, answer, formats)
    if card.chart == "table":
        return table
    if not has_numbers(Drawing(card, answer, formats)):
        return Message(title, formats.say(card.empty))
    return chart_of(named, answer, formats, pen, table)


def table_of(card: Card, answer: Answer, formats: Formats) -> Table:
    """A card's answer as a table. Currencies stand with their money; pictures, which no mail may fetch, are left out.

    Args:
        card: Which columns, and how.
        answer: Its rows.
        formats: Writes values.
    """
    forms = {
        name: formats.format_of(name, card, sample(answer.column(name)))
        for name in (card.columns or answer.columns)
        if name in answer.columns and name != "currency"
    }
    names = [name for name, form in forms.items() if form != "image"]
    columns = tuple(
        Column(formats.title(name, card).strip(), forms[name], forms[name] in NUMERIC, name.endswith("_change"))
        for name in names
    )
    rows = []
    for record in answer.records():
        currency = currency_of(record)
        rows.append(
            tuple(
                Cell(
                    one_line(formats.text(record[name], forms[name], currency)),
                    record[name],
                    currency if forms[name] == "money" else None,
                )
                for name in names
            )
        )
    return Table(formats.say(card.title), columns, tuple(rows), answer.is_cut)


def _figure(card: Card, answer: Answer, formats: Formats) -> Figure:
    records = answer.records()
    if card.chart == "trend" and card.x is not None:
        place = card.x
        # Reason: what is compared is the last row with the one before, whatever the order of the answer.
        records = sorted(records, key=lambda record: (record[place] is not None, record[place]))
    column, last = card.y[0], records[-1]
    before = records[-2] if card.chart == "trend" and len(records) > 1 else None
    form = formats.format_of(column, card, last[column])

    def cell(record: dict[str, object]) -> Cell:
        currency = currency_of(record)
        return Cell(formats.headline(record[column], form, currency), record[column], currency)

    now = cell(last)
    return figure_of(formats.say(card.title), now, cell(before) if before else None, form, card.good, formats)


def figure_of(title: str, now: Cell, before: Cell | None, form: Format, good: str, formats: Formats) -> Figure:
    """A number and the one before, with how they differ and whether that is good.

    Args:
        title: What it is.
        now: It.
        before: The same of the period before.
        form: How it is written; a format of `dashboards.model`.
        good: Whether `more` or `less` of it is good, or `neither`.
        formats: Writes the change.
    """
    found = formats.change(now.value, before.value) if before is not None else None
    if found is not None and abs(found) < _SMALLEST_CHANGE:
        found = Decimal(0)  # Reason: +0.0 % in green would praise a rounding.
    change = Cell(formats.change_text(found), found) if found is not None else None
    verdict: Verdict = "neither"
    if found and good != "neither":
        verdict = "good" if (found > 0) == (good == "more") else "bad"
    return Figure(title, now, before, change, verdict, form)
