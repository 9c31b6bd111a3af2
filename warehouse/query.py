"""Small questions that the command line asks, answered as rows.

What belongs here: reading, for people to look at. What does not: analysis (dashboards read marts
themselves), writing.
"""

from __future__ import annotations

import shutil
from datetime import date
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from warehouse.connect import Warehouse
from warehouse.tables import InsightTable

Row = dict[str, Any]

_DEMO_SUMMARY = """
    WITH newest AS (
        SELECT account_id, max(day) AS day FROM marts.mart_performance_daily__account GROUP BY account_id
    ),
    days AS (
        SELECT mart.*, mart.day > newest.day - 28 AS is_now
        FROM marts.mart_performance_daily__account AS mart
        JOIN newest ON newest.account_id = mart.account_id
        WHERE mart.day > newest.day - 56
    ),
    sums AS (
        SELECT
            client_id,
            client_name,
            currency,
            count(*) AS days,
            count(*) FILTER (WHERE is_reconciled) AS reconciled_days,
            sum(spend) FILTER (WHERE is_now) AS spend,
            sum(spend) FILTER (WHERE NOT is_now) AS spend_before,
            sum(conversions) FILTER (WHERE is_now) AS conversions,
            sum(conversions) FILTER (WHERE NOT is_now) AS conversions_before,
            sum(conversion_value) FILTER (WHERE is_now) AS value,
            sum(conversion_value) FILTER (WHERE NOT is_now) AS value_before
        FROM days
        GROUP BY client_id, client_name, currency
    )
    SELECT
        client_id,
        client_name,
        currency,
        days,
        reconciled_days,
        spend,
        spend_before,
        value / nullif(spend, 0) AS roas,
        value_before / nullif(spend_before, 0) AS roas_before,
        spend / nullif(conversions, 0) AS cpa,
        spend_before / nullif(conversions_before, 0) AS cpa_before
    FROM sums
    ORDER BY client_name, currency
"""
_AB_VERDICTS = """
    SELECT
        account_id, experiment_id, client_name, account_name, experiment_name, kind, primary_metric, since, until,
        planned_days, mature_days, paired_days, is_complete, verdict, verdict_in_words, reason, findings, edits
    FROM marts.mart_ab_test
    ORDER BY client_name, account_name, since, experiment_id
"""
_ACCOUNT_OVERVIEW = """
    SELECT
        account.account_id,
        coalesce(client.account_name, account.name) AS account_name,
        client.client_name,
        account.payload ->> 'currency' AS currency,
        account.payload ->> 'timezone_name' AS time_zone,
        count(DISTINCT slice.day) AS days,
        min(slice.day) AS first_day,
        max(slice.day) AS last_day,
        max(slice.pulled_at) AS last_pull,
        count(slice.day) FILTER (WHERE slice.build_id IS NULL) AS slices_not_in_marts
    FROM raw.accounts AS account
    LEFT JOIN ops.client_account AS client ON client.account_id = account.account_id
    LEFT JOIN ops.slice AS slice ON slice.account_id = account.account_id
    GROUP BY account.account_id, client.account_name, account.name, client.client_name, account.payload
    ORDER BY client.client_name NULLS LAST, account.account_id
"""
_PLAIN_SIZES = """
    SELECT
        namespace.nspname AS schema,
        root.relname AS name,
        sum(pg_total_relation_size(tree.relid))::bigint AS bytes,
        sum(greatest(member.reltuples, 0))::bigint AS estimated_rows
    FROM pg_class AS root
    JOIN pg_namespace AS namespace ON namespace.oid = root.relnamespace
    CROSS JOIN LATERAL (
        SELECT relid FROM pg_partition_tree(root.oid) WHERE root.relkind = 'p'
        UNION ALL
        SELECT root.oid WHERE root.relkind <> 'p'
        {chunks}
    ) AS tree
    JOIN pg_class AS member ON member.oid = tree.relid
    WHERE namespace.nspname IN ('raw', 'ops', 'marts') AND root.relkind IN ('r', 'p') AND NOT root.relispartition
    GROUP BY namespace.nspname, root.relname
    ORDER BY bytes DESC, schema, name
"""
# Reason: a hypertable's chunks inherit from it; where compressed ones keep their rows only Timescale knows.
_CHUNKS = "UNION ALL SELECT inhrelid FROM pg_inherits WHERE root.relkind = 'r' AND inhparent = root.oid"
_COMPRESSED = """
    SELECT hypertable_schema, hypertable_name, hypertable_size(
        format('%I.%I', hypertable_schema, hypertable_name)::regclass
    )
    FROM timescaledb_information.hypertables
"""
_PAYLOADS = "SELECT payload::text FROM {table} WHERE account_id = %s AND day = %s"
_DATABASE = "SELECT current_database() AS database, pg_database_size(current_database()) AS database_bytes"


def demo_summary(warehouse: Warehouse) -> list[Row]:
    """Per client and currency: the newest 28 days of its marts against the 28 before.

    Returns:
        Rows of `client_id, client_name, currency, days` (account days of both periods), `reconciled_days, spend,
        spend_before` (major units of `currency`), `roas, roas_before` (value per unit of spend), `cpa, cpa_before`
        (major units). Ratios are recomputed from sums, None on a zero denominator.

    Raises:
        SchemaOutdated: The marts were never built.
    """
    return _rows(warehouse, _DEMO_SUMMARY)


def ab_verdicts(warehouse: Warehouse) -> list[Row]:
    """Every experiment with its verdict by the primary metric.

    Returns:
        Rows of `account_id, experiment_id, client_name, account_name, experiment_name, kind, primary_metric, since,
        until` (account's days, both included), `planned_days, mature_days, paired_days, is_complete, verdict`
        (`winner`, `cheaper`, `no difference`, `not enough data`, `invalid`), `verdict_in_words, reason, findings,
        edits`.

    Raises:
        SchemaOutdated: The marts were never built.
    """
    return _rows(warehouse, _AB_VERDICTS)


def account_overview(warehouse: Warehouse) -> list[Row]:
    """What is stored, per account and report.

    Returns:
        Rows of `account_id, account_name, client_name, report, days, first_day, last_day, row_count, pulled_at (UTC),
        days_not_in_marts`.
    """
    return _rows(warehouse, _ACCOUNT_OVERVIEW)


def table_sizes(warehouse: Warehouse) -> list[Row]:
    """Tables of `raw`, `ops` and `marts` with their partitions, indexes and TOAST, largest first.

    Returns:
        Rows of `schema, name, bytes, estimated_rows` (the planner's estimate; 0 before the first ANALYZE).
    """
    hypertables = warehouse.storage.profile != "plain"
    sizes = _rows(warehouse, _PLAIN_SIZES.replace("{chunks}", _CHUNKS if hypertables else ""))
    if hypertables:
        with warehouse.connection() as connection:
            exact = {(row[0], row[1]): row[2] for row in connection.execute(_COMPRESSED)}
        for row in sizes:
            row["bytes"] = exact.get((row["schema"], row["name"]), row["bytes"])
        sizes.sort(key=lambda row: (-row["bytes"], row["schema"], row["name"]))
    return sizes


def server_info(warehouse: Warehouse) -> Row:
    """The server, for people.

    Returns:
        `version` (e.g. `PostgreSQL 18.4`), `profile`, what the profile offers (`parts`, `compression`), `database`,
        `database_bytes`, `embedded`, and where embedded `directory` and `free_bytes` of its disk.
    """
    with warehouse.connection() as connection:
        described = warehouse.storage.describe(connection)
    server_version = described.pop("server_version")
    extension = described.get("timescaledb_version")
    version = f"PostgreSQL {server_version}" + (f", TimescaleDB {extension}" if extension else "")
    info: Row = {"version": version, **described, **_rows(warehouse, _DATABASE)[0]}
    info["embedded"] = warehouse.server is not None
    if warehouse.server is not None:
        info["directory"] = str(warehouse.server.directory)
        info["free_bytes"] = shutil.disk_usage(warehouse.server.directory).free
    return info


def stored_payloads(warehouse: Warehouse, table: InsightTable, account_id: int, day: date) -> list[bytes]:
    """The rows of a stored slice as JSON bytes (keys in jsonb's order, not Meta's)."""
    statement = sql.SQL(_PAYLOADS).format(table=table.identifier)
    with warehouse.connection() as connection:
        return [row[0].encode() for row in connection.execute(statement, [account_id, day])]


def _rows(warehouse: Warehouse, statement: str) -> list[Row]:
    with warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(statement.encode()))
