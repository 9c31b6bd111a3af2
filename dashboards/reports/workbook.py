"""The XLSX file of a report: a sheet for each table.

What belongs here: real numbers with their formats, names of sheets, what Excel does by itself. What does not: which
tables (`dashboards.reports.plain`).

A text stays a text: no cell is a formula, and one that looks like it is marked as text (`quotePrefix`), so that it
stays so when somebody edits it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from wcwidth import width

from dashboards.model import Format
from dashboards.reports.document import Document
from dashboards.reports.pen import shortened
from dashboards.reports.plain import Sheet, is_formula, sheets_of
from dashboards.reports.words import Words

_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_NAME = 31
"""Characters of a sheet's name that Excel takes."""
_LONGEST_TEXT = 32_767
"""Characters of a cell that Excel takes."""
_NARROWEST, _WIDEST = 9, 48
_FORMATS: dict[str, str] = {
    "percent": "0.00%", "multiple": "#,##0.00", "integer": "#,##0", "hours": "#,##0.0",
}  # fmt: skip
_DAY, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
_HEAD = Font(bold=True, color="FFFFFF")
_FILL = PatternFill("solid", fgColor="2F5FC4")


def workbook_of(document: Document, words: Words, zone: tzinfo, now: datetime) -> bytes:
    """A document as XLSX.

    Args:
        document: What to tell.
        words: Of its language.
        zone: In which times are told.
        now: When it was written.
    """
    book = Workbook()
    book.properties.title = document.title
    book.properties.creator = document.client
    book.properties.created = book.properties.modified = now.astimezone(zone).replace(tzinfo=None)
    book.remove(book.worksheets[0])
    names = _Names()
    for sheet in sheets_of(document, words, zone):
        _write(book, names.name(sheet.title), sheet)
    lines = [
        (one.title, line) for one in (*document.changes, document.events) for line in one.lines
    ] + [(words.say("heading_facts"), note) for note in document.notes]  # fmt: skip
    _texts(book, names.name(words.say("heading_changes")), lines)
    _texts(book, names.name(words.say("heading_facts")), document.facts)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _write(book: Workbook, name: str, sheet: Sheet) -> None:
    paper = book.create_sheet(name)
    for place, head in enumerate(sheet.heads, start=1):
        cell = paper.cell(1, place)
        _put(cell, head, "text", None)
        cell.font, cell.fill = _HEAD, _FILL
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for number, row in enumerate(sheet.rows):
        for place, value in enumerate(row):
            own = sheet.cell_forms[number] if place in (1, 2) else None
            _put(paper.cell(number + 2, place + 1), value, own or sheet.forms[place], sheet.currencies[number])
    for place, head in enumerate(sheet.heads):
        longest = max((width(_told(row[place])) for row in sheet.rows), default=0)
        room = min(_WIDEST, max(_NARROWEST, longest + 2, max(map(width, head.split()), default=0) + 4))
        paper.column_dimensions[get_column_letter(place + 1)].width = room
    paper.freeze_panes = "B2"
    if sheet.rows:
        paper.auto_filter.ref = f"A1:{get_column_letter(len(sheet.heads))}{len(sheet.rows) + 1}"


def _texts(book: Workbook, name: str, pairs: Sequence[tuple[str, str]]) -> None:
    paper = book.create_sheet(name)
    paper.column_dimensions["A"].width, paper.column_dimensions["B"].width = 32, 110
    for number, pair in enumerate(pairs, start=1):
        for place, text in enumerate(pair, start=1):
            cell = paper.cell(number, place)
            _put(cell, text, "text", None)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        paper.cell(number, 1).font = Font(bold=True)


def _put(cell: Cell, value: Any, form: Format, currency: str | None) -> None:
    if value is None:
        return
    if isinstance(value, str):
        text = ILLEGAL_CHARACTERS_RE.sub("", value)[:_LONGEST_TEXT]
        cell.value = text
        cell.data_type = "s"  # Reason: openpyxl takes a text that begins with "=" for a formula.
        if is_formula(text):
            cell.quotePrefix = True
        return
    cell.value = value
    if isinstance(value, datetime):
        cell.number_format = _MOMENT
    elif isinstance(value, date):
        cell.number_format = _DAY
    elif form == "money":
        digits = get_currency_precision(currency) if currency else 2
        cell.number_format = "#,##0" + ("." + "0" * digits if digits else "")
    elif form == "decimal":
        # Reason: Excel writes 326 as "326." with a format whose decimals are optional.
        cell.number_format = "#,##0" if value == int(value) else "#,##0.00"
    elif form in _FORMATS:
        cell.number_format = _FORMATS[form]


def _told(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal):
        return f"{value:,.2f}"
    return str(value)


class _Names:
    """Names of sheets: valid, and each once."""

    def __init__(self) -> None:
        self._used: set[str] = {"history"}  # Reason: Excel keeps this name for itself.

    def name(self, title: str) -> str:
        """A sheet's name for a title."""
        plain = " ".join(_FORBIDDEN.sub(" ", title).split()).strip("'") or "-"
        name = shortened(plain, _LONGEST_NAME)
        number = 2
        while name.casefold() in self._used:
            ending = f" {number}"
            name = shortened(plain, _LONGEST_NAME - len(ending)) + ending
            number += 1
        self._used.add(name.casefold())
        return name
