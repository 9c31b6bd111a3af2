"""Numbers as people's programs write them, read exactly.

What belongs here: one number in one cell, and the evidence that cells give about the decimal sign of their file. What
does not: dates, and what a column means.

The rule: a text is read only under a decimal sign that is known. The sign comes from texts that can be read in one
way only (`1.234,56`, `12,5`, and `1.234` in a column of whole numbers). `1,234` in a money column says nothing by
itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from ingestion.exports.fields import Kind
from ingestion.exports.model import Cell

DecimalSign = Literal[".", ","]
SIGNS: tuple[DecimalSign, DecimalSign] = (".", ",")

_NOTHING = frozenset({"", "-", "--", "–", "—", "n/a", "na", "#n/a", "null", "none", "nan", "not available"})
_SPACES = "\u00a0\u202f\u2009\u2007 "
_MONEY = re.compile(r"^(?:[A-Z]{3}|[A-Z]{0,3}[$€£¥₹₺]|zł|kr\.?|CHF)\s*|\s*(?:[A-Z]{3}|[A-Z]{0,3}[$€£¥₹₺]|zł|kr\.?)$")
_CLOCK = re.compile(r"^(\d+):([0-5]?\d)(?::([0-5]?\d))?$")
_GROUPED = re.compile(r"^[1-9]\d{0,2}(?:g\d{3})+$")
_GROUPED_INDIA = re.compile(r"^[1-9]\d?(?:g\d{2})+g\d{3}$")
_OBVIOUS = re.compile(r"^\d+([.,])\d{1,2}$")
"""Texts that can only be read one way, where the sign is already proven: a short cut for large files."""
_BODY = re.compile(rf"^[\d.,'’{_SPACES}]*\d[\d.,'’{_SPACES}]*$")


def is_nothing(cell: Cell) -> bool:
    """Return whether a cell holds no value: empty, a dash, `N/A`. Absent, which is not zero."""
    return cell is None or (isinstance(cell, str) and cell.strip(_SPACES + "\t\r\n").casefold() in _NOTHING)


def _body(text: str) -> tuple[str, bool]:
    """Return a number's text without money signs, percent sign and minus, and whether it is negative."""
    text = text.strip(_SPACES + "\t\r\n").removesuffix("%").strip(_SPACES)
    negative = text[:1] in ("-", "−")
    text = text[1:].strip(_SPACES) if negative else text
    text = _MONEY.sub("", text, count=1).strip(_SPACES)
    if text[:1] in ("-", "−") and not negative:
        return text[1:], True
    return text, negative


def parse_number(text: str, decimal: DecimalSign) -> Decimal:
    """Return the number that a text stands for under a decimal sign; a percent sign is cut, `12,5 %` is 12.5.

    Args:
        text: For example `1.234,56`, `1 234,56` (any kind of space), `1'234.56`, `1,23,456.00`, `€ 12`.
        decimal: The decimal sign; the other of point and comma, spaces and apostrophes may group thousands.

    Raises:
        ValueError: The text is not a number under that sign. Groups of other sizes than Ads Manager or a spreadsheet
            writes are not guessed at.
    """
    body, negative = _body(text)
    if not _BODY.match(body):
        raise ValueError(f"{text!r} is not a number")
    whole, sign, fraction = body.partition(decimal)
    if sign and (not fraction.isdigit() or not fraction.isascii()):
        raise ValueError(f"{text!r} is not a number with {decimal!r} as decimal sign")
    if not (whole.isdigit() and whole.isascii()) and not (whole == "" and sign):
        marks = {"g" if c in _SPACES else c for c in whole if not c.isdigit()}
        shape = re.sub(r"\D", "g", whole)
        if len(marks) != 1 or not (_GROUPED.match(shape) or _GROUPED_INDIA.match(shape)):
            raise ValueError(f"{text!r} is not a number with {decimal!r} as decimal sign")
        whole = re.sub(r"\D", "", whole)
    number = Decimal(f"{whole or '0'}.{fraction}" if fraction else whole)
    return -number if negative else number


def readings(text: str, kind: Kind) -> dict[DecimalSign, Decimal]:
    """Return what a text can stand for, by decimal sign. A count has to be whole."""
    found: dict[DecimalSign, Decimal] = {}
    for sign in SIGNS:
        try:
            number = parse_number(text, sign)
        except ValueError:
            continue
        if kind != "count" or number == number.to_integral_value():
            found[sign] = number
    return found


@dataclass
class Evidence:
    """What the cells of one column say about the decimal sign.

    Attributes:
        proof: Signs that some cell can only be read with, each with the first such cell.
        doubt: A cell that reads differently under the two signs, or None.
    """

    proof: dict[DecimalSign, str] = field(default_factory=dict)
    doubt: str | None = None

    def add(self, cell: Cell, kind: Kind) -> None:
        """Take one more cell into account. Cells with a number type (spreadsheets) say nothing."""
        if not isinstance(cell, str) or (len(self.proof) == len(SIGNS)) or cell.isdigit() or is_nothing(cell):
            return
        sign = _OBVIOUS.match(cell)
        if sign is not None and sign.group(1) in self.proof:
            return
        found = readings(cell, kind)
        if len(found) == 1:
            self.proof.setdefault(next(iter(found)), cell)
        elif len(set(found.values())) > 1 and self.doubt is None:
            self.doubt = cell


def read_number(cell: Cell, kind: Kind, decimal: DecimalSign) -> Decimal | None:
    """Return the number in a cell, None for nothing.

    Args:
        cell: Text, or a `Decimal` from a spreadsheet, which is taken as it is.
        kind: `seconds` also accepts `h:mm:ss` and `mm:ss`; `count` has to be whole.
        decimal: The decimal sign of the column.

    Raises:
        ValueError: Not a number, below zero, or not whole where it has to be.
    """
    if is_nothing(cell):
        return None
    if isinstance(cell, Decimal):
        number = cell
    elif isinstance(cell, str) and cell.isascii() and cell.isdigit():
        return Decimal(cell)
    elif isinstance(cell, date) or not isinstance(cell, str):
        raise ValueError(f"{cell} is a date, not a number")
    else:
        clock = _CLOCK.match(cell.strip()) if kind == "seconds" else None
        if clock is not None:
            first, second, third = (int(part) if part else 0 for part in clock.groups())
            return Decimal(first * 3600 + second * 60 + third if clock.group(3) else first * 60 + second)
        number = parse_number(cell, decimal)
    if not number.is_finite() or number < 0:
        raise ValueError(f"{cell} is below zero")
    if kind == "count" and number != number.to_integral_value():
        raise ValueError(f"{cell} is not a whole number")
    return number


def plain(number: Decimal) -> str:
    """Return a number as Meta's API writes it: no exponent, no trailing zeros after the point (`214.70` is `214.7`)."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
