"""Exchange rates: a CSV file beside `clients.yml`, or rates written out in it.

What belongs here: reading them, all or none. What does not: converting (dbt).

Source: one row means that 1 unit of `currency` was `rate` units of `target_currency` on `day`; it holds until the next
day that has a rate. A file with one bad row is used not at all: money converted by half a table looks right.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from orchestration.clients.declared import Rate, parse_currency, parse_date
from orchestration.clients.problems import Problem

COLUMNS = ("day", "currency", "target_currency", "rate")
_RATE = re.compile(r"\d{1,12}(?:\.\d{1,12})?")


class _BadRate(Exception):
    """What is wrong with a row, the mend, and the row's line or position."""

    def __init__(self, what: str, mend: str, place: int) -> None:
        super().__init__(what)
        self.mend = mend
        self.place = place


def read_rates(path: Path) -> tuple[list[Rate], Problem | None]:
    """The rates of a file; with a problem (the first one, with its line), no rates at all."""
    try:
        return _parse(path.read_text(encoding="utf-8-sig")), None
    except FileNotFoundError:
        mend = "correct exchange_rates; a relative path starts where clients.yml is"
        return [], _problem(path, 1, "the file does not exist", mend)
    except (OSError, UnicodeDecodeError):
        return [], _problem(path, 1, "the file cannot be read as UTF-8 text", "save it again as CSV in UTF-8")
    except _BadRate as bad:
        return [], _problem(path, bad.place, str(bad), bad.mend)


def inline_rates(entries: list[Any], path: Path, line_of: Callable[[int], int]) -> tuple[list[Rate], Problem | None]:
    """Rates that stand in `clients.yml`; with a problem (the first one), no rates at all."""
    collector = _Collector(lambda position: f"line {line_of(position)}")
    try:
        for position, entry in enumerate(entries):
            cells = entry.items() if isinstance(entry, dict) else ()
            collector.add({str(key): _text(value) for key, value in cells}, position)
    except _BadRate as bad:
        return [], _problem(path, line_of(bad.place), str(bad), bad.mend)
    return collector.rates, None


def _parse(text: str) -> list[Rate]:
    header, _, _ = text.partition("\n")
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    collector = _Collector(lambda line: f"line {line}")
    mend = f"write {','.join(COLUMNS)}"
    try:
        columns = [cell.strip().lower() for cell in next(reader, [])]
        if sorted(columns) != sorted(COLUMNS):
            raise _BadRate(f"the columns are {', '.join(columns) or 'none'}", mend, 1)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise _BadRate(f"there are {len(cells)} values, not {len(columns)}", mend, reader.line_num)
            collector.add(dict(zip(columns, (cell.strip() for cell in cells), strict=True)), reader.line_num)
    except csv.Error as error:
        raise _BadRate(f"this is no CSV ({error})", mend, max(reader.line_num, 1)) from None
    return collector.rates


class _Collector:
    def __init__(self, name_place: Callable[[int], str]) -> None:
        self._name_place = name_place
        self._places: dict[tuple[str, str, date], int] = {}
        self.rates: list[Rate] = []

    def add(self, cells: dict[str, str], place: int) -> None:
        if sorted(cells) != sorted(COLUMNS):
            raise _BadRate("this is no rate", f"write the keys {', '.join(COLUMNS)}", place)
        day = parse_date(cells["day"])
        if not isinstance(day, date):
            raise _BadRate(f"day {cells['day']!r} is no day", "write it like 2026-10-01", place)
        for name in ("currency", "target_currency"):
            try:
                parse_currency(cells[name])
            except ValueError:
                mend = "write its ISO code in capitals, such as EUR"
                raise _BadRate(f"{name} {cells[name]!r} is no currency", mend, place) from None
        if not _RATE.fullmatch(cells["rate"]):
            mend = "write it with a point and no other sign, such as 1.0834"
            raise _BadRate(f"rate {cells['rate']!r} is no number above 0", mend, place)
        rate = Decimal(cells["rate"])
        currency, target = cells["currency"], cells["target_currency"]
        if not rate:
            raise _BadRate("rate is 0", f"write how many {target} one {currency} was on that day", place)
        if currency == target:
            raise _BadRate(f"currency and target_currency are both {currency}", "remove the row", place)
        first = self._places.setdefault((target, currency, day), place)
        if first != place:
            what = f"{currency} in {target} on {day} is already on {self._name_place(first)}"
            raise _BadRate(what, "remove one of the two", place)
        self.rates.append({"target_currency": target, "currency": currency, "day": day, "rate": rate})


def _text(value: Any) -> str:
    # Reason: YAML reads 0.00005 as a float, which Python writes as 5e-05.
    return f"{Decimal(str(value)):f}" if isinstance(value, float) and math.isfinite(value) else str(value)


def missing_targets(wanted: Iterator[str | None], rates: list[Rate]) -> list[str]:
    """Reporting currencies that no rate leads to."""
    known = {rate["target_currency"] for rate in rates}
    return sorted({currency for currency in wanted if currency} - known)


def _problem(path: Path, line: int, what: str, mend: str) -> Problem:
    return Problem(str(path), line, 1, f"exchange rates: {what}; no rate is used until this is mended", mend)
