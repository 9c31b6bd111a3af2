"""What the warehouse holds, slice by slice (`ops.slice`), and which slices the marts must take in again.

What belongs here: questions about slices, and unmarking them. What does not: their rows
(`warehouse.loader`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg import sql

from warehouse.connect import Warehouse
from warehouse.pool import Connection

HOURS = "ad_hourly"
"""The report of the current day, which is pulled every few minutes."""
LOCK_MARKS = "SELECT pg_advisory_xact_lock(hashtextextended('meta-ads slice marks', 0))"
"""Taken by transactions that change the marks of many slices, so that two of them cannot deadlock."""

_MISSING = """
    SELECT generated.day::date
    FROM generate_series(%(since)s::date, %(until)s::date, INTERVAL '1 day') AS generated (day)
    LEFT JOIN ops.slice AS slice
        ON slice.account_id = %(account_id)s AND slice.report = %(report)s AND slice.day = generated.day::date
    WHERE slice.account_id IS NULL
    ORDER BY 1
"""
_STATES = """
    SELECT day, row_count, pulled_at, source, build_id IS NOT NULL
    FROM ops.slice
    WHERE account_id = %s AND report = %s AND day BETWEEN %s AND %s
    ORDER BY day
"""
_STALE = """
    SELECT day FROM ops.slice
    WHERE account_id = %s AND report = %s AND day BETWEEN %s AND %s AND pulled_at < %s
    ORDER BY day
"""
_PULLED_AT = "SELECT day, pulled_at FROM ops.slice WHERE account_id = %s AND report = %s"
_NEWEST_DAYS = "SELECT account_id, max(day) FROM ops.slice WHERE report = %s GROUP BY account_id"
_SOURCE = "SELECT source FROM ops.slice WHERE account_id = %s AND report = %s AND day = %s"
_WRITTEN_BY = "SELECT day FROM ops.slice WHERE account_id = %s AND report = %s AND run_id = %s ORDER BY day"
_ROWS_PER_DAY = """
    SELECT report, avg(row_count)
    FROM (
        SELECT report, row_count, row_number() OVER (PARTITION BY account_id, report ORDER BY day DESC) AS age
        FROM ops.slice
        WHERE account_id = %s
    ) AS newest
    WHERE age <= 28
    GROUP BY report
"""
_ID_SOURCES = {
    "campaigns": ("campaign_id", ("insights_campaign_daily", "insights_ad_daily")),
    "adsets": ("adset_id", ("insights_adset_daily", "insights_ad_daily")),
    "ads": ("ad_id", ("insights_ad_daily",)),
}
_NAMED_IDS = "SELECT {column} AS id FROM {table} WHERE account_id = %(account_id)s"
_WITHOUT_ENTITY = """
    SELECT id FROM ({named}) AS named
    EXCEPT
    SELECT id FROM {entities} WHERE account_id = %(account_id)s
    ORDER BY id
"""
_UNMARK = "UPDATE ops.slice SET build_id = NULL WHERE account_id = ANY(%s) AND build_id IS NOT NULL"
_UNMARK_SINCE = "UPDATE ops.slice SET build_id = NULL WHERE account_id = %s AND day >= %s AND build_id IS NOT NULL"
# Reason for leaving out the hours: a build that takes in nothing else leaves most marts as they are.
_UNMARK_NEWEST = f"""
    UPDATE ops.slice AS slice SET build_id = NULL
    FROM (
        SELECT DISTINCT ON (account_id) account_id, report, day
        FROM ops.slice
        WHERE account_id = ANY(%s) AND report <> '{HOURS}'
        ORDER BY account_id, day DESC, report
    ) AS newest
    WHERE
        slice.account_id = newest.account_id
        AND slice.report = newest.report
        AND slice.day = newest.day
        AND slice.build_id IS NOT NULL
"""  # noqa: S608 - a constant


@dataclass(frozen=True)
class SliceState:
    """A slice as stored.

    Attributes:
        day: The account's own day.
        row_count: Rows.
        pulled_at: When Meta answered, UTC.
        source: `api` or `import`.
        in_marts: Whether a build has taken it in.
    """

    day: date
    row_count: int
    pulled_at: datetime
    source: str
    in_marts: bool


def missing_days(warehouse: Warehouse, account_id: int, report: str, since: date, until: date) -> list[date]:
    """Days from `since` to `until` (both included, the account's) never stored. An empty slice counts as stored."""
    with warehouse.connection() as connection:
        parameters = {"account_id": account_id, "report": report, "since": since, "until": until}
        return [row[0] for row in connection.execute(_MISSING, parameters).fetchall()]


def stale_days(
    warehouse: Warehouse, account_id: int, report: str, since: date, until: date, *, pulled_before: datetime
) -> list[date]:
    """Stored days from `since` to `until` (both included) whose last pull was before a moment (with a time zone)."""
    with warehouse.connection() as connection:
        rows = connection.execute(_STALE, [account_id, report, since, until, pulled_before]).fetchall()
        return [row[0] for row in rows]


def slice_states(warehouse: Warehouse, account_id: int, report: str, since: date, until: date) -> list[SliceState]:
    """The stored slices from `since` to `until` (both included), by day."""
    with warehouse.connection() as connection:
        return [SliceState(*row) for row in connection.execute(_STATES, [account_id, report, since, until])]


def newest_days(warehouse: Warehouse, report: str) -> dict[int, date]:
    """The newest day of a report that is stored, by account."""
    with warehouse.connection() as connection:
        return dict(connection.execute(_NEWEST_DAYS, [report]).fetchall())


def pulled_at(warehouse: Warehouse, account_id: int, report: str) -> dict[date, datetime]:
    """When each stored day of a report was last pulled, UTC."""
    with warehouse.connection() as connection:
        return dict(connection.execute(_PULLED_AT, [account_id, report]).fetchall())


def source_of(warehouse: Warehouse, account_id: int, report: str, day: date) -> str | None:
    """`api` or `import`; None for a day that is not stored."""
    with warehouse.connection() as connection:
        row = connection.execute(_SOURCE, [account_id, report, day]).fetchone()
    return None if row is None else str(row[0])


def written_by(warehouse: Warehouse, run_id: UUID, account_id: int, report: str) -> list[date]:
    """The days of a report whose last pull was this run's."""
    with warehouse.connection() as connection:
        return [row[0] for row in connection.execute(_WRITTEN_BY, [account_id, report, run_id])]


def rows_per_day(warehouse: Warehouse, account_id: int) -> dict[str, float]:
    """Mean rows of an account's 28 newest stored days, by report."""
    with warehouse.connection() as connection:
        return {row[0]: float(row[1]) for row in connection.execute(_ROWS_PER_DAY, [account_id])}


def ids_without_entity(warehouse: Warehouse, kind: str, account_id: int) -> list[int]:
    """Campaigns, ad sets or ads of an account that insights name and their entity table lacks.

    Raises:
        ValueError: `kind` is none of `campaigns`, `adsets`, `ads`.
    """
    if kind not in _ID_SOURCES:
        raise ValueError(f"{kind!r} is none of {', '.join(_ID_SOURCES)}.")
    column, reports = _ID_SOURCES[kind]
    named = sql.SQL(" UNION ").join(
        sql.SQL(_NAMED_IDS).format(column=sql.Identifier(column), table=sql.Identifier("raw", report))
        for report in reports
    )
    statement = sql.SQL(_WITHOUT_ENTITY).format(named=named, entities=sql.Identifier("raw", kind))
    with warehouse.connection() as connection:
        return [row[0] for row in connection.execute(statement, {"account_id": account_id})]


def unmark(connection: Connection, account_ids: Collection[int]) -> int:
    """Has the next build take in all slices of these accounts again. The caller opens the transaction.

    Returns:
        How many slices lost their mark.
    """
    if not account_ids:
        return 0
    connection.execute(LOCK_MARKS)
    return connection.execute(_UNMARK, [sorted(account_ids)]).rowcount


def unmark_since(connection: Connection, account_id: int, since: date) -> int:
    """Has the next build take in an account's slices from a day on again. The caller opens the transaction.

    Returns:
        How many slices lost their mark.
    """
    connection.execute(LOCK_MARKS)
    return connection.execute(_UNMARK_SINCE, [account_id, since]).rowcount


def unmark_newest(connection: Connection, account_ids: Collection[int]) -> int:
    """Makes a build due that takes in the newest slice alone of each account. The caller opens the transaction.

    Returns:
        How many slices lost their mark.
    """
    if not account_ids:
        return 0
    connection.execute(LOCK_MARKS)
    return connection.execute(_UNMARK_NEWEST, [sorted(account_ids)]).rowcount
