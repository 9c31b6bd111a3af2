"""Workbooks (.xlsx) to rows of cells.

What belongs here: choosing the sheet and turning its cells into text, exact numbers and dates. What does not: text
files (`sources.py`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion.exports.errors import ExportRefused
from ingestion.exports.headers import score
from ingestion.exports.model import Cell

_SEARCH = 25


def cell_value(value: Any) -> Cell:
    """Return a sheet's cell as text, `Decimal`, `date` or None.

    A number is taken by its shortest decimal text, so that 76.53 is 76.53 and not the binary fraction nearest to it.
    """
    if value is None or isinstance(value, (str, datetime, date)):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, timedelta):
        return Decimal(repr(value.total_seconds()))
    if isinstance(value, time):
        return value.isoformat()
    return str(value)


def _open(path: Path) -> Any:
    import openpyxl  # Reason: 0.4 s, which every command and every run would wait for

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Reason: openpyxl warns about styles, which nobody here uses.
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise ExportRefused(path, f"it is a damaged .xlsx workbook ({error}).", "Export it again.") from error


def _rows(path: Path, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    book = _open(path)
    try:
        table = book[sheet]
        table.reset_dimensions()  # Reason: some writers state a wrong size, and rows would be cut.
        for number, values in enumerate(table.iter_rows(values_only=True), start=1):
            yield number, [cell_value(value) for value in values]
    except ExportRefused:
        raise
    except Exception as error:
        raise ExportRefused(path, f"its sheet {sheet!r} is damaged ({error}).", "Export it again.") from error
    finally:
        book.close()


def sheet_source(path: Path) -> tuple[Callable[[], Iterator[tuple[int, list[Cell]]]], tuple[str, ...]]:
    """Return how to open the rows of the sheet that holds the data, and notes about other sheets.

    The sheet whose top rows name most known columns is taken. Where two name as many, the one with "raw" in its name
    is: Ads Reporting writes a formatted sheet and a raw one with the same columns.

    Raises:
        ExportRefused: The workbook cannot be read or has no sheet with cells.
    """
    book = _open(path)
    names = [sheet.title for sheet in book.worksheets]
    book.close()
    if not names:
        raise ExportRefused(path, "the workbook has no sheet.", "Export it again.")
    points = {name: max((score(cells) for _, cells in islice(_rows(path, name), _SEARCH)), default=0) for name in names}
    best = max(names, key=lambda name: (points[name], "raw" in name.casefold()))
    others = [name for name in names if name != best and points[name] >= 2]
    notes = (f"Only sheet {best!r} was imported; {', '.join(map(repr, others))} was left out.",) if others else ()
    return lambda: _rows(path, best), notes
