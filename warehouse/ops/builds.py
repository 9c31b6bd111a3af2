"""Builds of the marts: which slices a build takes in, and what becomes of its marks.

What belongs here: marking and unmarking. What does not: dbt.

A slice that no build took in has `build_id` NULL; it is due unless its day is held (`warehouse.ops.holds`). A build
marks those rows with its id; a slice replaced meanwhile loses the mark again, and the next build takes it in. The
process that builds holds a session lock: where the lock is free and a build still says `running`, its process died,
and its marks are taken back. A build from scratch reads everything that was committed, held days too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType

import psycopg

from warehouse.connect import Warehouse
from warehouse.errors import BuildInProgress, BuildLost, from_database_error
from warehouse.ops import counters
from warehouse.ops.slices import LOCK_MARKS
from warehouse.pool import Connection

DayRange = tuple[date, date]

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('meta-ads build', 0))"
_DEAD = "UPDATE ops.mart_build SET status = 'died', finished_at = now() WHERE status = 'running' RETURNING build_id"
_TAKE_BACK = "UPDATE ops.slice SET build_id = NULL WHERE build_id = ANY(%s)"
_BEGIN = "INSERT INTO ops.mart_build (status, slices, project) VALUES ('running', 0, %s) RETURNING build_id"
_LAST_PROJECT = "SELECT project FROM ops.mart_build WHERE status = 'succeeded' ORDER BY build_id DESC LIMIT 1"
_FREE = """
    slice.build_id IS NULL AND NOT EXISTS (
        SELECT FROM ops.held_day AS held WHERE held.account_id = slice.account_id AND held.day = slice.day
    )
"""
_DUE = f"SELECT count(*) FROM ops.slice WHERE {_FREE}"  # noqa: S608 - a constant
_MARK = f"UPDATE ops.slice SET build_id = %s WHERE {_FREE}"  # noqa: S608
_CLEAR_SCOPE = "DELETE FROM ops.build_scope"
_FILL_SCOPE = """
    INSERT INTO ops.build_scope (account_id, day)
    SELECT DISTINCT account_id, day FROM ops.slice WHERE build_id = %s
"""
_ADD_DAYS = """
    INSERT INTO ops.build_scope (account_id, day)
    SELECT DISTINCT slice.account_id, slice.day
    FROM ops.slice
    LEFT JOIN ops.held_day AS held ON held.account_id = slice.account_id AND held.day = slice.day
    WHERE slice.day BETWEEN %s AND %s AND held.account_id IS NULL
    ON CONFLICT DO NOTHING
"""
_REPORTS = "SELECT DISTINCT report FROM ops.slice WHERE build_id = %s"
_SCOPE_DAYS = "SELECT DISTINCT day FROM ops.build_scope ORDER BY day"
_COUNT = "UPDATE ops.mart_build SET slices = %s WHERE build_id = %s"
_NEWEST = "SELECT max(build_id) FROM ops.mart_build WHERE status = 'succeeded'"
_ANALYZE = "ANALYZE ops.build_scope"
_FINISH = """
    UPDATE ops.mart_build SET status = %s, finished_at = now()
    WHERE build_id = %s AND status = 'running'
    RETURNING build_id
"""


@dataclass(frozen=True)
class Build:
    """A build in progress. It holds a session until it is finished or closed; closed unfinished, it counts as dead.

    Attributes:
        build_id: Its number.
        slice_count: How many slices it takes in.
        account_days: How many account days that is: what incremental models replace.
        is_project_new: Whether the last build that succeeded ran another version of the dbt project, or none did.
        reports: The reports of which it takes in slices.
        days: The days of its account days, oldest first.
    """

    build_id: int
    slice_count: int
    account_days: int
    is_project_new: bool
    reports: frozenset[str]
    days: tuple[date, ...]
    _session: Connection = field(repr=False, compare=False)

    def close(self) -> None:
        """Gives up the session lock. A build that was not finished counts as dead from now on."""
        self._session.close()

    def __enter__(self) -> Build:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def due_slices(warehouse: Warehouse) -> int:
    """How many slices no build took in."""
    with warehouse.connection() as connection:
        row = connection.execute(_DUE).fetchone()
    return int(row[0]) if row else 0


def newest_build(warehouse: Warehouse) -> int | None:
    """The number of the last build that succeeded; None if none did, or if the schema is not there yet."""
    with warehouse.connection() as connection:
        try:
            row = connection.execute(_NEWEST).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return row[0] if row else None


def begin_build(
    warehouse: Warehouse, project: str | None = None, *, days: DayRange | None = None, take_due: bool = True
) -> Build:
    """Marks every slice that no build took in, and lists their account days in `ops.build_scope`.

    Marks of builds whose process died are taken back first, so their slices are among them.

    Args:
        warehouse: Connected.
        project: What tells versions of the dbt project apart; None counts as a new version.
        days: First and last day that are built again for every account, due or not.
        take_due: False for a build of some of the models only, which leaves every slice due for the others.

    Raises:
        BuildInProgress: Another living process is building.
    """
    session = warehouse.session()
    try:
        _lock(session)
        with session.transaction():
            session.execute(LOCK_MARKS)
            dead = [found[0] for found in session.execute(_DEAD)]
            if dead:
                session.execute(_TAKE_BACK, [dead])
                counters.add(session, {(counters.BUILDS, (("status", "died"),)): len(dead)})
            last = session.execute(_LAST_PROJECT).fetchone()
            begun = session.execute(_BEGIN, [project]).fetchone()
            assert begun is not None
            build_id = int(begun[0])
            slices = session.execute(_MARK, [build_id]).rowcount if take_due else 0
            session.execute(_CLEAR_SCOPE)
            account_days = session.execute(_FILL_SCOPE, [build_id]).rowcount
            if days is not None:
                account_days += session.execute(_ADD_DAYS, days).rowcount
            session.execute(_COUNT, [slices, build_id])
            reports = frozenset(found[0] for found in session.execute(_REPORTS, [build_id]))
            scope_days = tuple(found[0] for found in session.execute(_SCOPE_DAYS))
        # Reason: models join this table at once, and autovacuum has not seen it yet.
        session.execute(_ANALYZE)
    except psycopg.Error as error:
        session.close()
        raise from_database_error(error) from error
    except BaseException:
        session.close()
        raise
    is_new = project is None or last is None or last[0] != project
    return Build(build_id, slices, account_days, is_new, reports, scope_days, session)


@contextmanager
def building(
    warehouse: Warehouse, project: str | None = None, *, days: DayRange | None = None, take_due: bool = True
) -> Iterator[Build]:
    """A build for the time of a block: it succeeds at the end, and fails with an exception.

    Args:
        warehouse: Connected.
        project: As for `begin_build`.
        days: As for `begin_build`.
        take_due: As for `begin_build`.

    Raises:
        BuildInProgress: Another living process is building.
        BuildLost: See `finish_build`.
    """
    with begin_build(warehouse, project, days=days, take_due=take_due) as build:
        try:
            yield build
        except BaseException:
            finish_build(warehouse, build, ok=False)
            raise
        finish_build(warehouse, build, ok=True)


def finish_build(warehouse: Warehouse, build: Build, *, ok: bool) -> None:
    """Ends a build: its marks stay if the marts hold its slices (`ok`), else they are taken back. Empties the scope.

    Raises:
        BuildLost: The session broke meanwhile and another build declared this one dead; its slices are built again.
    """
    try:
        with warehouse.connection() as connection, connection.transaction():
            connection.execute(LOCK_MARKS)
            status = "succeeded" if ok else "failed"
            if connection.execute(_FINISH, [status, build.build_id]).fetchone() is None:
                raise BuildLost(
                    f"Build {build.build_id} is no longer running: it was finished before, or its session broke and a "
                    "later build took its marks back. The next build takes its slices in again."
                )
            if not ok:
                connection.execute(_TAKE_BACK, [[build.build_id]])
            connection.execute(_CLEAR_SCOPE)
            counters.add(connection, {(counters.BUILDS, (("status", status),)): 1})
    finally:
        build.close()


def _lock(session: Connection) -> None:
    row = session.execute(_TRY_LOCK).fetchone()
    if row is None or not row[0]:
        raise BuildInProgress("Another process is building the marts; wait until it has finished.")
