"""Tables for programs: every row and column, values in place of texts.

What belongs here: which tables the files of a report hold, their values, and what makes a text harmless. What does not:
the files themselves (`dashboards.reports.workbook`, `dashboards.reports.commas`).

Money has its currency beside it, in a column of its own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from dashboards.model import Format
from dashboards.reports.document import Cell, Chart, Document, Figures, Table
from dashboards.reports.words import Words

_STARTS = frozenset("=+-@\t\r\n")
"""What a text may not begin with: a spreadsheet would take it for a formula (OWASP, CSV Injection)."""


@dataclass(frozen=True)
class Sheet:
    """A table for a program.

    Attributes:
        title: Its name.
        heads: Titles of columns.
        forms: Formats of columns; of a column of figures each cell has its own, in `cell_forms`.
        rows: Numbers, days, times, texts, or None.
        cell_forms: Formats by row and column, where they differ from their column's.
        currencies: Of the money of each row.
    """

    title: str
    heads: tuple[str, ...]
    forms: tuple[Format, ...]
    rows: tuple[tuple[Any, ...], ...]
    cell_forms: tuple[Format | None, ...]
    currencies: tuple[str | None, ...]


def sheets_of(document: Document, words: Words, zone: tzinfo) -> list[Sheet]:
    """The tables of a document: figures first, then contributions, then those of the sections.

    Args:
        document: What to tell.
        words: Of its language.
        zone: In which times are told.
    """
    found = [_figures(one, words) for one in document.figures]
    found += [_table(one, words, zone) for one in document.details]
    for part in document.parts:
        for block in part.blocks:
            if isinstance(block, Figures):
                named = Figures(block.title or part.title, block.figures)
                found.append(_figures(named, words))
            elif isinstance(block, Chart):
                found.append(_table(block.table, words, zone))
            elif isinstance(block, Table):
                found.append(_table(block, words, zone))
    return found


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might take a text for a formula, also in the wide forms that Japanese keyboards have."""
    shown = text.lstrip(" \u00a0\u200b\ufeff")
    first = unicodedata.normalize("NFKC", shown[:1])
    return (shown[:1] in _STARTS or first[:1] in _STARTS) if shown else text[:1] in _STARTS


def _figures(figures: Figures, words: Words) -> Sheet:
    heads = ["column_metric", "column_value", "column_before", "column_change", "column_currency"]
    rows = []
    for one in figures.figures:
        currency = one.now.currency if one.form == "money" else None
        before = one.before.value if one.before else None
        change = one.change.value if one.change else None
        rows.append((one.title, _value(one.now.value), _value(before), _value(change), currency))
    return Sheet(
        figures.title,
        tuple(words.say(head) for head in heads),
        ("text", "decimal", "decimal", "percent", "text"),
        tuple(rows),
        tuple(one.form for one in figures.figures),
        tuple(row[-1] for row in rows),
    )


def _table(table: Table, words: Words, zone: tzinfo) -> Sheet:
    heads = [column.title for column in table.columns]
    forms = [column.form for column in table.columns]
    currencies = [next((cell.currency for cell in row if cell.currency), None) for row in table.rows]
    rows = [list(_values(row, forms, zone)) for row in table.rows]
    if "money" in forms:
        heads.append(words.say("column_currency"))
        forms.append("text")
        for row, currency in zip(rows, currencies, strict=True):
            row.append(currency)
    return Sheet(
        table.title,
        tuple(heads),
        tuple(forms),
        tuple(map(tuple, rows)),
        tuple(None for _ in rows),
        tuple(currencies),
    )


def _values(row: tuple[Cell, ...], forms: list[Format], zone: tzinfo) -> Iterator[Any]:
    for cell, form in zip(row, forms, strict=False):
        value = cell.value
        if isinstance(value, datetime):
            local = value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
            yield local.date() if form == "date" else local
        elif value is None or (isinstance(value, date | int | float | Decimal) and not isinstance(value, bool)):
            yield _value(value)
        else:
            yield cell.text


def _value(value: Any) -> Any:
    """NULL for what is no number: NaN has no place in a spreadsheet."""
    if isinstance(value, float | Decimal) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
