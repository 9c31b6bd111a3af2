"""Forgets the platform's own old history, in batches, so that nothing is locked for long.

What belongs here: which rows of `ops` may go. What does not: insights (`warehouse.ops.retention`), Dagster's event log
(`warehouse.event_log`). What stays whatever its age: totals, runs that a slice names as its origin, runs under way, the
newest build that succeeded, the newest check of each account and report.
"""

from __future__ import annotations

from datetime import datetime

from warehouse.connect import Warehouse

BATCH = 1000

# A run's rows by account go with it.
_RUNS = """
    SELECT run.run_id FROM ops.run AS run
    LEFT JOIN (SELECT DISTINCT run_id FROM ops.slice) AS named ON named.run_id = run.run_id
    WHERE run.status <> 'running' AND run.finished_at < %s AND named.run_id IS NULL
"""
_DELETE_RUNS = "DELETE FROM ops.run WHERE run_id = ANY(%s)"
_IN_BATCHES = {
    "report_job": """
        DELETE FROM ops.report_job WHERE job_id IN (
            SELECT job_id FROM ops.report_job WHERE coalesce(finished_at, progress_at, created_at) < %s LIMIT %s
        )
    """,
    "quality_result": """
        DELETE FROM ops.quality_result WHERE (account_id, report, checked_at, expectation) IN (
            SELECT old.account_id, old.report, old.checked_at, old.expectation
            FROM ops.quality_result AS old
            WHERE
                old.checked_at < %s
                AND EXISTS (
                    SELECT FROM ops.quality_result AS newer
                    WHERE
                        newer.expectation = '*'
                        AND newer.account_id = old.account_id
                        AND newer.report = old.report
                        AND newer.checked_at > old.checked_at
                )
            LIMIT %s
        )
    """,
    "mart_build": """
        DELETE FROM ops.mart_build WHERE build_id IN (
            SELECT build_id FROM ops.mart_build
            WHERE
                status <> 'running'
                AND finished_at < %s
                AND build_id <> (SELECT coalesce(max(build_id), 0) FROM ops.mart_build WHERE status = 'succeeded')
            LIMIT %s
        )
    """,
    "api_hour": """
        DELETE FROM ops.api_hour WHERE (scope_id, hour) IN (
            SELECT scope_id, hour FROM ops.api_hour WHERE hour < %s LIMIT %s
        )
    """,
}


def purge_ops(warehouse: Warehouse, before: datetime, batch: int = BATCH) -> dict[str, int]:
    """Deletes what ended before a moment. May be ended and repeated at any time.

    Args:
        warehouse: Migrated.
        before: With a time zone.
        batch: Rows deleted at once, each batch in a transaction of its own.

    Returns:
        How many rows were deleted, by table of `ops`.
    """
    deleted = dict.fromkeys(("run", *_IN_BATCHES), 0)
    with warehouse.connection() as connection:
        ids = [row[0] for row in connection.execute(_RUNS, [before])]
        for begin in range(0, len(ids), batch):
            deleted["run"] += connection.execute(_DELETE_RUNS, [ids[begin : begin + batch]]).rowcount
        for table, statement in _IN_BATCHES.items():
            while count := connection.execute(statement.encode(), [before, batch]).rowcount:
                deleted[table] += count
    return deleted
