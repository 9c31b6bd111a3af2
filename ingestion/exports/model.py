"""What a read export is: the values that leave this folder.

What belongs here: plain data. What does not: reading, parsing, deciding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

Level = Literal["account", "campaign", "adset", "ad"]
Cell = str | object | None
"""A cell as the file holds it: text, `Decimal`, `date` or `datetime` (spreadsheets), None for nothing."""


@dataclass(frozen=True)
class RejectedRow:
    """A row that was not loaded, while the rest of its file was.

    Attributes:
        line: Line of the file on which the row starts (text files), or row of the sheet; the first is 1.
        reason: Why, naming the column and the value.
        text: The row as it stands, shortened to 200 characters.
    """

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class ExportDay:
    """The rows of one day, in the account's days, read from a temporary file when asked for.

    Attributes:
        day: The day.
        row_count: Number of rows.
    """

    day: date
    row_count: int
    _load: Callable[[], list[bytes]] = field(repr=False, compare=False)

    @property
    def payloads(self) -> list[bytes]:
        """The rows as JSON documents in the shape of Meta's API rows, all of the day, replayable.

        Only this day is brought into memory, so that an export of any size can be loaded day by day.
        """
        return self._load()


@dataclass
class Export:
    """One Ads Manager export, normalised to the rows that the API would have given.

    Attributes:
        path: The file.
        level: What a row of the file is. The payloads are always ad rows.
        account_id: Digits without `act_`; negative where derived.
        account_derived: True if the id was derived from a name because the file has none.
        account_name: Name in the file, name passed, or `Imported <currency>`.
        currency: ISO 4217 code of all money in the payloads, which is in major units.
        time_zone: IANA name if passed; an export does not say in which zone its days are.
        report: `ad_daily`, `ad_daily__age_gender`, `ad_daily__country` or `ad_daily__placement`.
        breakdowns: The breakdown columns that the payloads carry, in the order of the report's key.
        days: In order of date, days with rows only.
        entities: `campaigns`, `adsets`, `ads`: one dict per object with `id`, `account_id`, `name`, parents' ids and,
            where ids were derived, `_derived_ids`.
        rejected: Rows not loaded, the first 1,000 of them.
        rejected_total: How many rows were not loaded.
        dropped_totals: Rows that add up other rows of the file (total lines), left out.
        warnings: What a person should know about the import, one sentence each.
        language: Language of the headers (`en`, `de`, ...).
    """

    path: Path
    level: Level
    account_id: int
    account_derived: bool
    account_name: str
    currency: str
    time_zone: str | None
    report: str
    breakdowns: tuple[str, ...]
    days: list[ExportDay]
    entities: dict[str, list[dict[str, Any]]]
    rejected: list[RejectedRow]
    rejected_total: int
    dropped_totals: int
    warnings: list[str]
    language: str

    @property
    def row_count(self) -> int:
        """Number of rows over all days."""
        return sum(day.row_count for day in self.days)
