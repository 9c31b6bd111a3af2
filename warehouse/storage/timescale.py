"""Profiles `timescale` and `timescale-apache`: hypertables on `day`.

What belongs here: hypertables, chunks, the columnstore of the Community edition. What does not: native
partitions.

Retention is the platform's own job on every profile (`warehouse.ops.retention`), so that `ops.slice`
forgets the same days; no Timescale retention policy is made. The hourly continuous aggregate belongs to the
marts: it depends on which of Meta's numbers the hourly mart shows, which is dbt's to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from psycopg import sql

from warehouse.pool import Connection
from warehouse.storage.base import (
    COMPRESS_AFTER_DAYS,
    Profile,
    Storage,
    create_table_statement,
    server_version,
)
from warehouse.tables import InsightTable

_CREATE_HYPERTABLE = """
    SELECT create_hypertable(
        %s::regclass, by_range('day', INTERVAL '1 month'), create_default_indexes => false
    )
"""
_DROP_CHUNKS = "SELECT count(*) FROM drop_chunks(%s::regclass, older_than => %s::date)"
_VERSION = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"


class TimescaleApacheStorage(Storage):
    """Hypertables with monthly chunks; nothing that needs the Community license."""

    profile = Profile.TIMESCALE_APACHE

    def create_insight_table(self, connection: Connection, table: InsightTable) -> None:
        """See `Storage`."""
        connection.execute(create_table_statement(table, name=table.identifier, suffix=sql.SQL("")))
        connection.execute(_CREATE_HYPERTABLE, [table.qualified_name])

    def prepare_days(self, connection: Connection, table: InsightTable, days: Iterable[date]) -> None:
        """Chunks appear by themselves."""

    def drop_parts_before(self, connection: Connection, table: InsightTable, day: date) -> int:
        """See `Storage`."""
        row = connection.execute(_DROP_CHUNKS, [table.qualified_name, day]).fetchone()
        assert row is not None
        return int(row[0])

    def compress_after(self, connection: Connection, table: InsightTable, days: int | None) -> bool:  # noqa: ARG002
        """The Apache edition does not compress."""
        return False

    def describe(self, connection: Connection) -> dict[str, object]:
        """See `Storage`."""
        row = connection.execute(_VERSION).fetchone()
        return {
            "profile": str(self.profile),
            "server_version": server_version(connection),
            "timescaledb_version": None if row is None else row[0],
            "parts": "monthly chunks",
            "compression": self.profile is Profile.TIMESCALE,
        }


class TimescaleStorage(TimescaleApacheStorage):
    """Community edition: as above, and chunks past the restatement window go to the columnstore."""

    profile = Profile.TIMESCALE

    # Reason: replacing a large slice in a compressed chunk unpacks more tuples than the default limit of 100,000,
    # and the server would then refuse it (SQLSTATE 53400).
    slice_settings = ("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0",)

    def create_insight_table(self, connection: Connection, table: InsightTable) -> None:
        """See `Storage`. Also sets up the columnstore: one segment per account, newest day first."""
        super().create_insight_table(connection, table)
        order = "day DESC" + (f", {table.level_ids[-1]}" if table.level_ids else "")
        connection.execute(
            sql.SQL(
                "ALTER TABLE {} SET (timescaledb.enable_columnstore = true, "
                "timescaledb.segmentby = 'account_id', timescaledb.orderby = {})"
            ).format(table.identifier, sql.Literal(order))
        )
        self.compress_after(connection, table, COMPRESS_AFTER_DAYS)

    def compress_after(self, connection: Connection, table: InsightTable, days: int | None) -> bool:
        """See `Storage`."""
        connection.execute(
            sql.SQL("CALL remove_columnstore_policy({}, if_exists => true)").format(sql.Literal(table.qualified_name))
        )
        if days is not None:
            connection.execute(
                sql.SQL("CALL add_columnstore_policy({}, after => {})").format(
                    sql.Literal(table.qualified_name), sql.SQL("INTERVAL {}").format(sql.Literal(f"{days} days"))
                )
            )
        return True
