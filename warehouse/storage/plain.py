"""Profile `plain`: native partitions by calendar month, on any PostgreSQL 16 or newer.

What belongs here: making and dropping monthly partitions. What does not: Timescale.

A partition is made as a table of its own and then attached: `ATTACH PARTITION` takes SHARE UPDATE EXCLUSIVE
on the parent, which readers and loaders of other months do not notice, where `CREATE TABLE ... PARTITION
OF` takes ACCESS EXCLUSIVE. There is no DEFAULT partition: attaching would have to scan and lock it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from psycopg import sql

from warehouse.pool import Connection
from warehouse.storage.base import Profile, Storage, create_table_statement, server_version
from warehouse.tables import InsightTable

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
# Reason: not to_regclass(), which may answer from a cache of before the wait for the lock.
_EXISTS = """
    SELECT EXISTS (
        SELECT FROM pg_class AS class
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = 'raw' AND class.relname = %s
    )
"""
_PARTITIONS = """
    SELECT child.relname
    FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = %s::regclass
    ORDER BY child.relname
"""


class PlainStorage(Storage):
    """Native monthly partitions `insights_<report>_pYYYY_MM`."""

    profile = Profile.PLAIN

    def __init__(self) -> None:
        self._prepared: set[tuple[str, date]] = set()

    def create_insight_table(self, connection: Connection, table: InsightTable) -> None:
        """See `Storage`. Partitions come with the days that need them."""
        connection.execute(
            create_table_statement(table, name=table.identifier, suffix=sql.SQL(" PARTITION BY RANGE (day)"))
        )

    def prepare_days(self, connection: Connection, table: InsightTable, days: Iterable[date]) -> None:
        """See `Storage`. Months already seen by this object cost nothing."""
        for month in sorted({day.replace(day=1) for day in days}):
            if (table.name, month) not in self._prepared:
                _ensure_partition(connection, table, month)
                self._prepared.add((table.name, month))

    def drop_parts_before(self, connection: Connection, table: InsightTable, day: date) -> int:
        """See `Storage`. Dropping waits for readers of the table."""
        dropped = 0
        for (name,) in connection.execute(_PARTITIONS, [table.qualified_name]).fetchall():
            first = _month_of(name, table)
            if first is not None and _next_month(first) <= day:
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier("raw", name)))
                dropped += 1
        self.forget_days()
        return dropped

    def compress_after(self, connection: Connection, table: InsightTable, days: int | None) -> bool:  # noqa: ARG002
        """Plain PostgreSQL does not compress partitions."""
        return False

    def describe(self, connection: Connection) -> dict[str, object]:
        """See `Storage`."""
        return {
            "profile": str(self.profile),
            "server_version": server_version(connection),
            "parts": "native monthly partitions",
            "compression": False,
        }

    def forget_days(self) -> None:
        """See `Storage`."""
        self._prepared.clear()


def partition_name(table: InsightTable, month: date) -> str:
    """Name of a month's partition within schema `raw`."""
    return f"{table.table_name}_p{month:%Y_%m}"


def _ensure_partition(connection: Connection, table: InsightTable, month: date) -> None:
    name = partition_name(table, month)
    if _exists(connection, name):
        return
    partition = sql.Identifier("raw", name)
    with connection.transaction():
        connection.execute(_LOCK, [f"partition:{name}"])
        if _exists(connection, name):
            return
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(partition, table.identifier))
        connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                table.identifier, partition, sql.Literal(month), sql.Literal(_next_month(month))
            )
        )


def _exists(connection: Connection, name: str) -> bool:
    row = connection.execute(_EXISTS, [name]).fetchone()
    return row is not None and bool(row[0])


def _month_of(partition: str, table: InsightTable) -> date | None:
    """First day of a partition's month; None for a partition that somebody else named."""
    prefix = f"{table.table_name}_p"
    year, _, month = partition.removeprefix(prefix).partition("_")
    if not partition.startswith(prefix) or not (year + month).isdigit():
        return None
    return date(int(year), int(month), 1)


def _next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
