"""Forgetting old days, and keeping the planner informed.

What belongs here: retention on every storage profile, statistics. What does not: compression (a policy of
the profile).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from psycopg import sql

from warehouse.connect import Warehouse
from warehouse.tables import InsightTable

_FORGET_SLICES = "DELETE FROM ops.slice WHERE report = %s AND day < %s"
_FORGET_JOBS = "DELETE FROM ops.report_job WHERE finished_at < %s"
_FORGET_QUALITY = "DELETE FROM ops.quality_result WHERE checked_at < %s"

QUALITY_DAYS = 90
"""How long results of quality checks are kept."""


@dataclass(frozen=True)
class RetentionResult:
    """What was forgotten of a report: its table, how many slices, how many partitions or chunks were dropped."""

    report: str
    slices: int
    parts: int


def apply_retention(
    warehouse: Warehouse,
    tables: Iterable[InsightTable],
    before: date,
    *,
    jobs_before: datetime | None = None,
    quality_before: datetime | None = None,
) -> list[RetentionResult]:
    """Removes the insights of all days before `before`. Marts and `raw.insight_revision` keep theirs.

    Args:
        warehouse: Where.
        tables: Which reports.
        before: The first day that stays, the accounts' own day.
        jobs_before: Also forget report jobs that ended before this moment.
        quality_before: Forget results of quality checks from before this moment; default: `QUALITY_DAYS` ago.
    """
    results = []
    storage = warehouse.storage
    for table in tables:
        with warehouse.connection() as connection:
            # Reason: slices first. Were rows gone while their slice still told their digest, a new pull of the same
            # content would be taken for unchanged.
            slices = connection.execute(_FORGET_SLICES, [table.name, before]).rowcount
            parts = storage.drop_before(connection, table, before)
        results.append(RetentionResult(table.name, slices, parts))
    if jobs_before is not None:
        with warehouse.connection() as connection:
            connection.execute(_FORGET_JOBS, [jobs_before])
    with warehouse.connection() as connection:
        connection.execute(_FORGET_QUALITY, [quality_before or datetime.now(UTC) - timedelta(days=QUALITY_DAYS)])
    return results


def analyze(warehouse: Warehouse, tables: Iterable[InsightTable]) -> None:
    """Refreshes planner statistics. Autovacuum never does so for a partitioned table as a whole."""
    with warehouse.connection() as connection:
        for table in tables:
            connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))
