"""Account days as they lie in `ops.slice` and in the marts: whole, half, held, contradicting.

What belongs here: writing them straight into a database whose marts are `tests.dashboards.fake_marts`. What does not:
judging them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from psycopg import sql

from warehouse.connect import Warehouse

ZONE = ZoneInfo("Europe/Berlin")
"""That of all invented accounts."""

_SLICE = """
    INSERT INTO ops.slice (
        account_id, report, day, run_id, source, api_version, attribution_windows, pulled_at, committed_at, row_count,
        duplicate_count, build_id, digest
    )
    VALUES (%s, %s, %s, %s, %s, 'v26.0', '{}', %s, %s, %s, 0, %s, NULL)
    ON CONFLICT (account_id, report, day) DO UPDATE SET
        pulled_at = excluded.pulled_at, build_id = excluded.build_id, source = excluded.source
"""


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def end_of(day: date) -> datetime:
    """When a day is over where the accounts are."""
    return datetime.combine(day + timedelta(days=1), time(), ZONE).astimezone(UTC)


def empty(warehouse: Warehouse, schema: str) -> None:
    with warehouse.connection() as connection:
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(schema, "mart_reconciliation")))
        connection.execute("TRUNCATE ops.slice, ops.held_day, ops.mart_build, ops.report_delivery")


def write(
    warehouse: Warehouse,
    schema: str,
    account: int,
    which: Iterable[date],
    *,
    status: str | None = "reconciled",
    reports: Iterable[str] = ("ad_daily", "account_daily"),
    late: timedelta = timedelta(hours=4),
    is_built: bool = True,
    source: str = "api",
    rows: int = 3,
) -> None:
    """Days of an account, pulled so long after their end; `status` is that of the marts, None for no row there."""
    with warehouse.connection() as connection, connection.transaction():
        for day in which:
            moment = end_of(day) + late
            for report in reports:
                built = 1 if is_built else None
                connection.execute(_SLICE, [account, report, day, uuid4(), source, moment, moment, rows, built])
            table = sql.Identifier(schema, "mart_reconciliation")
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE account_id = %s AND day = %s").format(table), [account, day]
            )
            if status is not None:
                statement = sql.SQL(
                    "INSERT INTO {} (account_id, day, client_id, status) VALUES (%s, %s, 'client-1', %s)"
                )
                connection.execute(statement.format(table), [account, day, status])


def hold(warehouse: Warehouse, account: int, day: date) -> None:
    with warehouse.connection() as connection:
        connection.execute(
            "INSERT INTO ops.held_day VALUES (%s, %s, 'ad_daily', 'spend_is_a_number', 'Spend is no number.', now())",
            [account, day],
        )


def build(warehouse: Warehouse, status: str) -> None:
    with warehouse.connection() as connection:
        connection.execute(
            "INSERT INTO ops.mart_build (status, slices, finished_at) VALUES (%s, 1, %s)",
            [status, None if status == "running" else datetime.now(UTC)],
        )
