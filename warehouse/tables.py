"""Insight tables: their names, levels, breakdowns and columns.

What belongs here: the shape of `raw.insights_*` as docs/reference/seams.md fixes it. What does not: how a
server stores them (`warehouse.storage`), how rows get in (`warehouse.loader`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from psycopg import sql

if TYPE_CHECKING:
    from warehouse.connect import Warehouse

Level = Literal["account", "campaign", "adset", "ad"]
ColumnKind = Literal["account_id", "day", "date_start", "id", "breakdown", "text", "integer", "numeric", "payload"]

_LEVEL_IDS: dict[Level, tuple[str, ...]] = {
    "account": (),
    "campaign": ("campaign_id",),
    "adset": ("campaign_id", "adset_id"),
    "ad": ("campaign_id", "adset_id", "ad_id"),
}
_SQL_TYPES: dict[ColumnKind, str] = {
    "account_id": "bigint NOT NULL",
    "day": "date NOT NULL",
    "date_start": "date NOT NULL",
    "id": "bigint NOT NULL",
    "breakdown": "text NOT NULL",
    "text": "text",
    "integer": "bigint",
    "numeric": "numeric",
    "payload": "jsonb NOT NULL",
}
_METRICS: tuple[tuple[str, ColumnKind], ...] = (
    ("account_currency", "text"),
    ("attribution_setting", "text"),
    ("impressions", "integer"),
    ("reach", "integer"),
    ("clicks", "integer"),
    ("inline_link_clicks", "integer"),
    ("frequency", "numeric"),
    ("spend", "numeric"),
    ("payload", "payload"),
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Reason: PostgreSQL cuts identifiers at 63 bytes; "insights_" and a partition's "_p2026_11" must fit beside the name.
_LONGEST_NAME = 63 - len("insights_") - len("_p2026_11")


@dataclass(frozen=True)
class Column:
    """A column of an insight table; for all but the slice's own two, the key of Meta's row has the same name."""

    name: str
    kind: ColumnKind

    @property
    def sql_type(self) -> str:
        """Type and nullability, as in `CREATE TABLE`."""
        return _SQL_TYPES[self.kind]


@dataclass(frozen=True)
class InsightTable:
    """A report's table `raw.insights_<name>`.

    Attributes:
        name: The report: lower-case letters, digits and underscores.
        level: What a row is, without its breakdowns.
        breakdowns: Breakdown columns, in key order.
        period: True where a row covers `date_start` to `day` instead of one day.

    Raises:
        ValueError: A name is no identifier, is too long, or collides with a column.
    """

    name: str
    level: Level
    breakdowns: tuple[str, ...] = ()
    period: bool = False

    def __post_init__(self) -> None:
        for name, longest in ((self.name, _LONGEST_NAME), *((name, 63) for name in self.breakdowns)):
            if not _NAME.fullmatch(name) or len(name) > longest:
                raise ValueError(
                    f"{name!r} cannot name a report or a breakdown: use lower-case letters, digits and underscores, "
                    f"beginning with a letter, at most {longest} characters."
                )
        if self.level not in _LEVEL_IDS:
            raise ValueError(f"{self.level!r} is no level; choose one of {', '.join(_LEVEL_IDS)}.")
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"Report {self.name!r}: a breakdown is named twice, or like another column.")

    @property
    def level_ids(self) -> tuple[str, ...]:
        """Id columns of the level and those above it, `account_id` left out."""
        return _LEVEL_IDS[self.level]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in table order."""
        keys = [Column("account_id", "account_id"), Column("day", "day")]
        if self.period:
            keys.append(Column("date_start", "date_start"))
        keys += [Column(name, "id") for name in self.level_ids]
        keys += [Column(name, "breakdown") for name in self.breakdowns]
        return (*keys, *(Column(name, kind) for name, kind in _METRICS))

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Columns of the primary key, `account_id` first."""
        return tuple(column.name for column in self.columns[: len(self.columns) - len(_METRICS)])

    @property
    def table_name(self) -> str:
        """Name within schema `raw`."""
        return f"insights_{self.name}"

    @property
    def qualified_name(self) -> str:
        """Name with its schema, for messages and `regclass` values."""
        return f"raw.{self.table_name}"

    @property
    def identifier(self) -> sql.Identifier:
        """The quoted, qualified name for composed statements."""
        return sql.Identifier("raw", self.table_name)


AD_DAILY = InsightTable("ad_daily", "ad")
ADSET_DAILY = InsightTable("adset_daily", "adset")
CAMPAIGN_DAILY = InsightTable("campaign_daily", "campaign")
ACCOUNT_DAILY = InsightTable("account_daily", "account")
AD_HOURLY = InsightTable("ad_hourly", "ad", ("hourly_stats_aggregated_by_advertiser_time_zone",))
AD_DAILY_AGE_GENDER = InsightTable("ad_daily__age_gender", "ad", ("age", "gender"))
AD_DAILY_COUNTRY = InsightTable("ad_daily__country", "ad", ("country",))
AD_DAILY_PLACEMENT = InsightTable(
    "ad_daily__placement", "ad", ("publisher_platform", "platform_position", "impression_device")
)
CAMPAIGN_PERIOD = InsightTable("campaign_period", "campaign", period=True)
ACCOUNT_PERIOD = InsightTable("account_period", "account", period=True)

PRESETS: dict[str, InsightTable] = {
    table.name: table
    for table in (
        AD_DAILY,
        ADSET_DAILY,
        CAMPAIGN_DAILY,
        ACCOUNT_DAILY,
        AD_HOURLY,
        AD_DAILY_AGE_GENDER,
        AD_DAILY_COUNTRY,
        AD_DAILY_PLACEMENT,
        CAMPAIGN_PERIOD,
        ACCOUNT_PERIOD,
    )
}
"""The reports that ship, by name."""


def ensure_insight_table(warehouse: Warehouse, table: InsightTable) -> bool:
    """Creates the table of a report that a user declared, unless it exists with the same columns.

    Returns:
        True if it was created.

    Raises:
        SchemaOutdated: A table of this name exists with other columns or another key.
    """
    from warehouse.storage import ensure_table

    with warehouse.connection() as connection:
        return ensure_table(connection, warehouse.storage, table)
