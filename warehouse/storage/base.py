"""What the platform asks of a server's way to store insight tables.

What belongs here: the interface and what all profiles share. What does not: any one profile's statements.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from psycopg import sql

from warehouse.pool import Connection
from warehouse.tables import InsightTable

COMPRESS_AFTER_DAYS = 35
"""Meta restates 28 days; a week of slack keeps usual pulls off compressed chunks."""


class Profile(StrEnum):
    """The three storage profiles."""

    TIMESCALE = "timescale"
    TIMESCALE_APACHE = "timescale-apache"
    PLAIN = "plain"


class Storage(ABC):
    """One profile. Methods take the connection to use; each DDL statement is a call of its own."""

    profile: Profile

    slice_settings: tuple[str, ...] = ()
    """Statements (`SET LOCAL ...`) that a transaction which replaces a slice begins with."""

    @abstractmethod
    def create_insight_table(self, connection: Connection, table: InsightTable) -> None:
        """Creates the table, partitioned by `day`. The caller opens the transaction."""

    @abstractmethod
    def prepare_days(self, connection: Connection, table: InsightTable, days: Iterable[date]) -> None:
        """Makes room for rows of these days. Runs in transactions of its own, before a slice's transaction."""

    @abstractmethod
    def drop_parts_before(self, connection: Connection, table: InsightTable, day: date) -> int:
        """Drops the partitions or chunks that lie wholly before `day`; returns how many."""

    @abstractmethod
    def compress_after(self, connection: Connection, table: InsightTable, days: int | None) -> bool:
        """Compresses parts older than `days` from now on (None: never again). False where the profile cannot."""

    @abstractmethod
    def describe(self, connection: Connection) -> dict[str, object]:
        """Profile, server version and what the profile offers, for people."""

    def drop_before(self, connection: Connection, table: InsightTable, day: date) -> int:
        """Removes every row before `day` (the account's day): whole parts are dropped, the rest is deleted.

        Returns:
            How many partitions or chunks were dropped.
        """
        dropped = self.drop_parts_before(connection, table, day)
        with connection.transaction():
            for setting in self.slice_settings:
                connection.execute(setting)
            connection.execute(sql.SQL("DELETE FROM {} WHERE day < %s").format(table.identifier), [day])
        return dropped

    def forget_days(self) -> None:  # noqa: B027 - optional: only profiles with a memory override it
        """Forgets which days were prepared, after somebody else dropped partitions."""


def create_table_statement(table: InsightTable, *, name: sql.Identifier, suffix: sql.SQL) -> sql.Composed:
    """`CREATE TABLE name (columns, primary key) suffix`."""
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.sql_type)) for column in table.columns
    ]
    return sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({})){}").format(
        name,
        sql.SQL(", ").join(columns),
        sql.SQL(", ").join(map(sql.Identifier, table.primary_key)),
        suffix,
    )


def server_version(connection: Connection) -> str:
    """E.g. `18.4`."""
    row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    return str(row[0])
