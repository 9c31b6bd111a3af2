"""Days as people's programs write them.

What belongs here: one date in one cell, and the evidence that a column gives about day and month. What does not:
whether a file is daily (`rows.py`). Days are the account's own days; nothing here knows a time zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel.dates import get_month_names

from ingestion.exports.headers import fold
from ingestion.exports.model import Cell
from ingestion.exports.numerals import is_nothing

DateOrder = Literal["dmy", "mdy"]
ORDERS: tuple[DateOrder, DateOrder] = ("dmy", "mdy")

_TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$")
_YEAR_FIRST = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$")
_DOTTED = re.compile(r"^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{2}|\d{4})\.?$")
_MIXED = re.compile(r"^(\d{1,2})([/-])(\d{1,2})\2(\d{2}|\d{4})$")
_WORDS = re.compile(r"^(?:(\d{1,2})\.?\s+(?:de\s+)?([^\W\d]+)\.?|([^\W\d]+)\.?\s+(\d{1,2})),?\s+(?:de\s+)?(\d{4})$")
_SERIAL = re.compile(r"^[2-7]\d{4}(?:\.0+)?$")
_EPOCH = date(1899, 12, 30)  # Reason: day 0 of spreadsheet serials, counting the leap day 1900 that never was.


def _year(text: str) -> int:
    return int(text) + 2000 if len(text) == 2 else int(text)


@lru_cache(maxsize=16)
def _months(language: str) -> dict[str, int]:
    names: dict[str, int] = {}
    for code in ("en", language):
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context=context, locale=code).items():
                    names[fold(str(name))] = int(number)
    return names


def is_mixed(cell: Cell) -> tuple[int, int] | None:
    """Return the two numbers of a date such as `01/08/2019` whose order is open, or None for any other cell."""
    match = _MIXED.match(_TIME.sub("", cell.strip())) if isinstance(cell, str) else None
    return (int(match.group(1)), int(match.group(3))) if match else None


def read_date(cell: Cell, order: DateOrder | None, language: str = "en") -> date | None:
    """Return the day in a cell, None for nothing. A time of day is cut off, not converted.

    Args:
        cell: ISO, `1.08.2019` (dots: always day first), `01/08/2019`, `2019年8月1日`, `Aug 1, 2019`, spreadsheet
            dates and serials.
        order: For `01/08/2019`.
        language: For month names, besides English.

    Raises:
        ValueError: Not a date.
    """
    if is_nothing(cell):
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    return _read_text(str(cell), isinstance(cell, Decimal), order, language)


@lru_cache(maxsize=4096)
def _read_text(text: str, number: bool, order: DateOrder | None, language: str) -> date:
    text = _TIME.sub("", text.strip())
    if number or _SERIAL.match(text):
        if not _SERIAL.match(text):
            raise ValueError(f"{text} is not a date")
        return _EPOCH + timedelta(days=int(Decimal(text)))
    try:
        if match := _YEAR_FIRST.match(text):
            return date(int(match.group(1)), int(match.group(2)), int(match.group(3)))
        if match := _DOTTED.match(text):
            return date(_year(match.group(3)), int(match.group(2)), int(match.group(1)))
        if match := _MIXED.match(text):
            first, second, year = int(match.group(1)), int(match.group(3)), _year(match.group(4))
            return date(year, second, first) if order == "dmy" else date(year, first, second)
        if match := _WORDS.match(text):
            month = _months(language).get(fold(match.group(2) or match.group(3)))
            if month is not None:
                return date(int(match.group(5)), month, int(match.group(1) or match.group(4)))
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not a date")


@dataclass
class OrderEvidence:
    """What the date columns of a file say about day and month.

    Attributes:
        day_first: A cell that can only be day first.
        month_first: A cell that can only be month first.
        doubt: A cell that reads differently both ways.
    """

    day_first: str | None = None
    month_first: str | None = None
    doubt: str | None = None

    def add(self, cell: Cell) -> None:
        """Take one more cell into account."""
        pair = is_mixed(cell)
        if pair is None:
            return
        first, second = pair
        if first > 12 >= second:
            self.day_first = self.day_first or str(cell)
        elif second > 12 >= first:
            self.month_first = self.month_first or str(cell)
        elif first != second and self.doubt is None:
            self.doubt = str(cell)
