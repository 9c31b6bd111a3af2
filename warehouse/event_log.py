"""Purges the event log of Dagster's database: what ended long ago, and nothing that tells what is held today.

What belongs here: which rows go, in batches. What does not: Dagster itself. Its own `delete_run` is no help: it deletes
the materializations of the run too, and with them the knowledge which partitions are materialized.

What stays: the newest materialization, observation and check result of each asset and partition, whatever its age;
runs that have not ended, or whose backfill has not; everything younger than the limit. Snapshots of jobs stay too: a
run that is just being made may need one that no run names yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from warehouse.errors import from_database_error
from warehouse.pool import Connection, Pool
from warehouse.urls import DatabaseUrl

BATCH = 1000
_RUNS_AT_ONCE = 50
_KEPT = [
    "ASSET_MATERIALIZATION",
    "ASSET_OBSERVATION",
    "ASSET_CHECK_EVALUATION",
    "ASSET_FAILED_TO_MATERIALIZE",
    "FRESHNESS_STATE_CHANGE",
]
_IS_DAGSTERS = "SELECT to_regclass('event_logs') IS NOT NULL AND to_regclass('runs') IS NOT NULL"
_ENDED_RUNS = """
    SELECT run_id FROM runs
    WHERE
        status IN ('SUCCESS', 'FAILURE', 'CANCELED')
        AND coalesce(end_time, extract(epoch FROM update_timestamp)) < %s
        AND NOT EXISTS (
            SELECT FROM bulk_actions
            WHERE bulk_actions.key = runs.backfill_id AND bulk_actions.status IN ('REQUESTED', 'CANCELING', 'FAILING')
        )
    ORDER BY id
"""
_DELETE_EVENTS = """
    DELETE FROM event_logs WHERE id IN (
        SELECT id FROM event_logs
        WHERE run_id = ANY(%s) AND (dagster_event_type IS NULL OR dagster_event_type <> ALL(%s))
        LIMIT %s
    )
"""
_DELETE_RUNS = "DELETE FROM runs WHERE run_id = ANY(%s)"
# Reason for windows: one pass each; asking for every row whether there is a newer one is quadratic in the days kept.
_SUPERSEDED = """
    SELECT id FROM (
        SELECT
            id,
            timestamp,
            row_number() OVER (PARTITION BY dagster_event_type, asset_key, partition ORDER BY id DESC) AS age
        FROM event_logs
        WHERE dagster_event_type = ANY(%s) AND asset_key IS NOT NULL
    ) AS told
    WHERE age > 1 AND timestamp < %s
    ORDER BY id
"""
_SUPERSEDED_CHECKS = """
    SELECT id, evaluation_event_storage_id FROM (
        SELECT
            id,
            evaluation_event_storage_id,
            create_timestamp,
            row_number() OVER (PARTITION BY asset_key, check_name, partition ORDER BY id DESC) AS age
        FROM asset_check_executions
    ) AS told
    WHERE age > 1 AND create_timestamp < %s
    ORDER BY id
"""
_DELETE_EVENTS_BY_ID = "DELETE FROM event_logs WHERE id = ANY(%s)"
_DELETE_TAGS = "DELETE FROM asset_event_tags WHERE event_id = ANY(%s)"
_DELETE_CHECKS = "DELETE FROM asset_check_executions WHERE id = ANY(%s)"
_OLD_BACKFILLS = """
    SELECT key FROM bulk_actions
    WHERE
        status NOT IN ('REQUESTED', 'CANCELING', 'FAILING')
        AND timestamp < %s
        AND NOT EXISTS (SELECT FROM runs WHERE runs.backfill_id = bulk_actions.key)
    ORDER BY id
"""
_DELETE_BACKFILLS = "DELETE FROM bulk_actions WHERE key = ANY(%s)"
_DELETE_BACKFILL_TAGS = "DELETE FROM backfill_tags WHERE backfill_id = ANY(%s)"


@dataclass(frozen=True)
class Purged:
    """What was deleted.

    Attributes:
        runs: Runs that ended before the limit.
        events: Their events.
        superseded: Materializations and observations with a newer one of the same asset and partition.
        checks: Results of checks with a newer one.
        backfills: Backfills that ended before the limit.
    """

    runs: int
    events: int
    superseded: int
    checks: int
    backfills: int


def purge_event_log(url: str, before: datetime, batch: int = BATCH) -> Purged:
    """Deletes what ended before a moment, a batch in each transaction. May be ended and repeated at any time.

    Args:
        url: Of Dagster's database.
        before: With a time zone.
        batch: Rows deleted at once.

    Raises:
        DatabaseUnavailable: The database cannot be reached.
        WarehouseError: It refused.
    """
    pool = Pool(DatabaseUrl.parse(url))
    connection = pool.open()
    try:
        row = connection.execute(_IS_DAGSTERS).fetchone()
        if row is None or not row[0]:
            return Purged(0, 0, 0, 0, 0)
        naive = before.astimezone(UTC).replace(tzinfo=None)  # as Dagster keeps them
        runs, events = _runs(connection, before.timestamp(), batch)
        superseded = _superseded(connection, naive, batch)
        checks = _checks(connection, naive, batch)
        return Purged(runs, events, superseded, checks, _backfills(connection, naive, batch))
    except psycopg.Error as error:
        raise from_database_error(error) from error
    finally:
        connection.close()


def _runs(connection: Connection, before: float, batch: int) -> tuple[int, int]:
    runs = events = 0
    for ids in _batches([row[0] for row in connection.execute(_ENDED_RUNS, [before])], _RUNS_AT_ONCE):
        # Reason: events first. Were the run gone, nobody would know that they are to be deleted.
        while deleted := connection.execute(_DELETE_EVENTS, [ids, _KEPT, batch]).rowcount:
            events += deleted
        runs += connection.execute(_DELETE_RUNS, [ids]).rowcount
    return runs, events


def _superseded(connection: Connection, before: datetime, batch: int) -> int:
    deleted = 0
    kinds = [kind for kind in _KEPT if kind != "ASSET_CHECK_EVALUATION"]  # these go with their result
    for ids in _batches([row[0] for row in connection.execute(_SUPERSEDED, [kinds, before])], batch):
        with connection.transaction():
            connection.execute(_DELETE_TAGS, [ids])
            deleted += connection.execute(_DELETE_EVENTS_BY_ID, [ids]).rowcount
    return deleted


def _checks(connection: Connection, before: datetime, batch: int) -> int:
    deleted = 0
    for rows in _batches(connection.execute(_SUPERSEDED_CHECKS, [before]).fetchall(), batch):
        with connection.transaction():
            connection.execute(_DELETE_EVENTS_BY_ID, [[event for _, event in rows if event is not None]])
            deleted += connection.execute(_DELETE_CHECKS, [[key for key, _ in rows]]).rowcount
    return deleted


def _backfills(connection: Connection, before: datetime, batch: int) -> int:
    deleted = 0
    for keys in _batches([row[0] for row in connection.execute(_OLD_BACKFILLS, [before])], batch):
        with connection.transaction():
            connection.execute(_DELETE_BACKFILL_TAGS, [keys])
            deleted += connection.execute(_DELETE_BACKFILLS, [keys]).rowcount
    return deleted


def _batches(rows: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for begin in range(0, len(rows), size):
        yield list(rows[begin : begin + size])
