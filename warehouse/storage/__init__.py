"""Storage profiles: how a server stores insight tables, found out from the server itself.

What belongs here: choosing a profile and making tables through it. What does not: the profiles' own
statements.
"""

from __future__ import annotations

import psycopg

from warehouse.errors import MIGRATE_COMMAND, SchemaOutdated
from warehouse.pool import Connection
from warehouse.storage.base import COMPRESS_AFTER_DAYS, Profile, Storage
from warehouse.storage.plain import PlainStorage
from warehouse.storage.timescale import TimescaleApacheStorage, TimescaleStorage
from warehouse.tables import InsightTable

__all__ = ["COMPRESS_AFTER_DAYS", "Profile", "Storage", "detect", "ensure_table", "offer_timescale"]

# Reason: a database whose tables are native partitions stays plain, even if somebody creates the extension later.
_FACTS = """
    SELECT
        EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb'),
        current_setting('timescaledb.license', true),
        EXISTS (
            SELECT FROM pg_class
            WHERE relnamespace = to_regnamespace('raw') AND relname LIKE 'insights\\_%' AND relkind = 'p'
        )
"""
_AVAILABLE = """
    SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL)
        AND EXISTS (SELECT FROM pg_settings WHERE name LIKE 'timescaledb%')
        AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('raw'))
"""
_COLUMNS = """
    SELECT attname::text, format_type(atttypid, atttypmod), attnotnull
    FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""
_KEY = """
    SELECT array_agg(attname::text ORDER BY position)
    FROM pg_constraint
    CROSS JOIN unnest(conkey) WITH ORDINALITY AS key (number, position)
    JOIN pg_attribute ON attrelid = conrelid AND attnum = key.number
    WHERE conrelid = to_regclass(%s) AND contype = 'p'
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def detect(connection: Connection) -> Storage:
    """The profile of this database."""
    row = connection.execute(_FACTS).fetchone()
    assert row is not None
    has_extension, license_name, has_native_partitions = row
    if not has_extension or has_native_partitions:
        return PlainStorage()
    # Reason: "apache" and "timescale" are the values of timescaledb.license; anything unknown gets the smaller profile.
    return TimescaleStorage() if license_name == "timescale" else TimescaleApacheStorage()


def offer_timescale(connection: Connection) -> None:
    """Creates the extension in an empty database where the server has it loaded and the role may; otherwise nothing."""
    row = connection.execute(_AVAILABLE).fetchone()
    if row is None or not row[0]:
        return
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UniqueViolation):
        return  # Reason: without the right, or after another process was first, the next detection says what is there


def ensure_table(connection: Connection, storage: Storage, table: InsightTable) -> bool:
    """Creates an insight table unless it exists with the same columns and key.

    Returns:
        True if it was created.

    Raises:
        SchemaOutdated: A table of this name exists with other columns or another key.
    """
    with connection.transaction():
        connection.execute(_LOCK, [f"table:{table.qualified_name}"])
        found = connection.execute(_COLUMNS, [table.qualified_name]).fetchall()
        if not found:
            storage.create_insight_table(connection, table)
            return True
        key = connection.execute(_KEY, [table.qualified_name]).fetchone()
    expected = [
        (column.name, column.sql_type.removesuffix(" NOT NULL"), column.sql_type.endswith(" NOT NULL"))
        for column in table.columns
    ]
    if found != expected or key is None or tuple(key[0]) != table.primary_key:
        raise SchemaOutdated(
            f"{table.qualified_name} exists with columns {[row[0] for row in found]}, but the report is declared with "
            f"{[row[0] for row in expected]}. To mend: run `{MIGRATE_COMMAND}`, or give the report another name."
        )
    return False
