"""One row of a file to what it says, or to the reason why it cannot be used.

What belongs here: reading a row's cells under the file's formats. What does not: the API's shape (`payload.py`).

What a broken row is, and what merely an empty cell:
- An empty cell of an ordinary metric is absent, not zero, and the row is fine.
- Spend above zero without impressions, or impressions without spend, is broken: spend without delivery figures, or the
  other way round, cannot be trusted and would distort every ratio.
- A row without any number is an object that did not deliver; the API gives no row for it and neither do we.
- A known metric that is no number, a day that is no date, a damaged id without a name, too few cells: broken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from ingestion.exports.dates import DateOrder, read_date
from ingestion.exports.fields import BREAKDOWNS, METRICS
from ingestion.exports.headers import Column
from ingestion.exports.identity import clean_name, read_id
from ingestion.exports.layout import Layout
from ingestion.exports.model import Cell
from ingestion.exports.numerals import DecimalSign, is_nothing, read_number
from ingestion.exports.objects import LEVELS
from ingestion.exports.sources import Row
from ingestion.exports.totals import is_total_label
from ingestion.exports.values import breakdown_value, is_all

Left = Literal["blank", "total", "no delivery"]
_TEXTS = ("attribution_setting", "objective", "buying_type", "result_indicator", "result_type")


class BrokenRow(ValueError):
    """A row that is not loaded; the message says why. Never leaves this folder."""


class NotDaily(ValueError):
    """A row that covers more than one day; its file is refused. Never leaves this folder."""


@dataclass
class Record:
    """What a row says, in the file's own terms."""

    day: date
    numbers: dict[str, Decimal]
    ids: dict[str, int | None]
    names: dict[str, str]
    breakdowns: dict[str, str]
    texts: dict[str, str]
    others: dict[str, str]
    damaged_ids: list[str] = field(default_factory=list)


@dataclass
class RowReader:
    """Reads rows of one file.

    Attributes:
        layout: Columns of the file.
        signs: Decimal sign by column.
        order: Order of day and month.
        width: Number of columns.
    """

    layout: Layout
    signs: dict[int, DecimalSign]
    order: DateOrder | None

    def __post_init__(self) -> None:
        self.width = len(self.layout.columns)
        self._by_field = {c.field: c for c in self.layout.columns if c.field and not c.repeated}
        self._metrics = list(self.layout.metric_columns())
        known = {*METRICS, *BREAKDOWNS, *_TEXTS, "currency", "account_name", "account_id"}
        known |= {f"{level}_{part}" for level in LEVELS for part in ("name", "id")}
        known |= {"day", "reporting_starts", "reporting_ends"}
        self._others = [c for c in self.layout.columns if c.header and (c.repeated or c.field not in known)]
        self._breakdowns = [c for c in self.layout.columns if c.field in BREAKDOWNS and not c.repeated]

    def _cell(self, row: Row, name: str) -> Cell:
        column = self._by_field.get(name)
        return row.cells[column.index] if column is not None and column.index < len(row.cells) else None

    def _text(self, row: Row, name: str) -> str:
        cell = self._cell(row, name)
        return "" if cell is None else clean_name(str(cell))

    def read(self, row: Row) -> Record | Left:
        """Return what a row says, or why it is silently left out.

        Raises:
            BrokenRow: The row is to be reported.
            NotDaily: The row covers several days.
        """
        if all(cell is None or not str(cell).strip() for cell in row.cells):
            return "blank"
        if self.layout.separator is None:  # Reason: sheets leave out empty cells at the end of a row.
            row.cells.extend([None] * (self.width - len(row.cells)))
        if self._is_total(row):
            return "total"
        self._check_width(row)
        day = self._day(row)
        numbers = {name: number for column, name in self._metrics if (number := self._number(row, column)) is not None}
        spend, impressions = numbers.get("spend"), numbers.get("impressions")
        if spend and impressions is None:
            raise BrokenRow(f"{self._by_field['impressions'].header} is empty although money was spent ({spend})")
        if impressions and spend is None:
            raise BrokenRow(f"{self._by_field['spend'].header} is empty although there are impressions")
        if not {name for name, number in numbers.items() if name != "spend" or number}:
            return "no delivery"
        names = {level: self._text(row, f"{level}_name") for level in LEVELS}
        ids, damaged = self._ids(row, names)
        return Record(
            day,
            numbers,
            ids,
            names,
            {c.field: self._breakdown(row, c) for c in self._breakdowns if c.field},
            {name: text for name in _TEXTS if (text := self._text(row, name))},
            self._other_columns(row),
            damaged,
        )

    def _is_total(self, row: Row) -> bool:
        level = self.layout.level
        own_id, own_name = self._cell(row, f"{level}_id"), self._text(row, f"{level}_name")
        has_id = not is_nothing(own_id)
        named = [self._text(row, f"{name}_name") for name in LEVELS]
        first = row.cells[0]
        labels = [*named, self._text(row, "day"), first if isinstance(first, str) else ""]
        if not has_id and any(label and is_total_label(label) for label in labels):
            return True
        if len(row.cells) < self.width:
            return False
        if level != "account" and not has_id and not own_name:
            return True
        if "day" in self._by_field and is_nothing(self._cell(row, "day")):
            return True
        return bool(self._breakdowns) and all(is_all(self._text(row, c.field or "")) for c in self._breakdowns)

    def _check_width(self, row: Row) -> None:
        found = len(row.cells)
        extra = [cell for cell in row.cells[self.width :] if cell is not None and str(cell).strip()]
        if found >= self.width and not extra:
            return
        reason = f"it has {found} cells where the header has {self.width}"
        if row.last_line > row.line:
            reason += f"; an unclosed quotation mark may have swallowed lines {row.line} to {row.last_line}"
        if found < self.width:
            missing = [self.layout.columns[index].header for index in range(self.width) if self._gone(row, index)]
            reason += f" (nothing in {', '.join(missing[:4])}{' and more' if len(missing) > 4 else ''})"
        raise BrokenRow(reason)

    @staticmethod
    def _gone(row: Row, index: int) -> bool:
        return index >= len(row.cells) or is_nothing(row.cells[index])

    def _date(self, row: Row, name: str) -> date | None:
        try:
            return read_date(self._cell(row, name), self.order, self.layout.language)
        except ValueError as error:
            raise BrokenRow(f"{self._by_field[name].header}: {error}") from error

    def _day(self, row: Row) -> date:
        if "day" in self._by_field:
            day = self._date(row, "day")
        else:
            day, last = self._date(row, "reporting_starts"), self._date(row, "reporting_ends")
            if day is not None and last is not None and day != last:
                raise NotDaily(f"a row covers {day} to {last}")
            day = day if last is not None else None
        if day is None:
            raise BrokenRow("it has no date")
        return day

    def _number(self, row: Row, column: Column) -> Decimal | None:
        try:
            return read_number(row.cells[column.index], METRICS[column.field or ""].kind, self.signs[column.index])
        except ValueError as error:
            raise BrokenRow(f"{column.header}: {error}") from error

    def _ids(self, row: Row, names: dict[str, str]) -> tuple[dict[str, int | None], list[str]]:
        ids: dict[str, int | None] = {}
        damaged: list[str] = []
        for level in LEVELS:
            try:
                ids[level] = read_id(self._cell(row, f"{level}_id"))
            except ValueError as error:
                header = self._by_field[f"{level}_id"].header
                if not names[level]:
                    raise BrokenRow(f"{header}: {error}") from error
                ids[level] = None
                damaged.append(header)
        return ids, damaged

    def _breakdown(self, row: Row, column: Column) -> str:
        return breakdown_value(column.field or "", self._text(row, column.field or ""), self.layout.language)

    def _other_columns(self, row: Row) -> dict[str, str]:
        found: dict[str, str] = {}
        for column in self._others:
            cell = row.cells[column.index]
            if cell is not None and cell != "" and (text := clean_name(str(cell))):
                found[column.header] = text
        return found
