"""Runs: what was started, with what, and how it ended (`ops.run`).

What belongs here: the rows of runs, and noticing that a run's process died. What does not: what a run does.

A process holds a session lock for its run. A run that says `running` while its lock is free was
interrupted; the same kind of run with the same arguments continues it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg

from warehouse.connect import Warehouse
from warehouse.errors import TransientError, from_database_error
from warehouse.pool import Connection
from warehouse.sqlvalues import jsonb

RunStatus = Literal["succeeded", "failed", "partial"]

RESUME_WITHIN = timedelta(hours=24)
"""An interrupted run that is older is not continued: what it had asked for is stale, and Meta forgets report runs."""

_START = """
    INSERT INTO ops.run (run_id, kind, status, started_at, api_version, arguments)
    VALUES (%s, %s, 'running', clock_timestamp(), %s, %s)
"""
# Reason: a run is counted when it stops running, and not again when somebody records its end twice.
_FINISH = """
    WITH before AS (
        SELECT run_id, kind, status FROM ops.run WHERE run_id = %(run_id)s FOR UPDATE
    ),
    ended AS (
        UPDATE ops.run SET status = %(status)s, finished_at = clock_timestamp(), message = %(message)s
        FROM before
        WHERE run.run_id = before.run_id
    )
    INSERT INTO ops.counter AS held (name, labels, value)
    SELECT 'runs', jsonb_build_object('kind', kind, 'status', %(status)s::text), 1 FROM before WHERE status = 'running'
    ON CONFLICT (name, labels) DO UPDATE SET value = held.value + 1
"""
_REMEMBER = "UPDATE ops.run SET state = coalesce(state, '{}') || %s WHERE run_id = %s"
_DIED = "its process died"
# Reason for those that were found dead before: a run of something else may notice first, and what this one asked of
# Meta is as good as before. Not if somebody asked the same again meanwhile.
_INTERRUPTED = f"""
    SELECT run_id, coalesce(state, '{{}}'), arguments = %(arguments)s AND started_at > clock_timestamp() - %(within)s
    FROM ops.run AS run
    WHERE
        kind = %(kind)s
        AND (
            status = 'running'
            OR (
                status = 'failed' AND message = '{_DIED}' AND arguments = %(arguments)s
                AND started_at > clock_timestamp() - %(within)s
                AND NOT EXISTS (
                    SELECT FROM ops.run AS later
                    WHERE
                        (later.kind, later.arguments) = (run.kind, run.arguments)
                        AND later.started_at > run.started_at
                )
            )
        )
    ORDER BY started_at DESC
"""  # noqa: S608 - a constant
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
_STATUS = "SELECT status, message FROM ops.run WHERE run_id = %s"
_CONTINUE = "UPDATE ops.run SET status = 'running', finished_at = NULL, message = NULL WHERE run_id = %s"


@dataclass
class Run:
    """A run in progress.

    Attributes:
        run_id: Its id, which travels with every row it writes.
        resumed: True if it continues an interrupted run.
        state: What `remember` kept, also before an interruption.
    """

    run_id: UUID
    resumed: bool
    state: dict[str, Any]
    _warehouse: Warehouse = field(repr=False)
    _finished: bool = field(default=False, repr=False)

    @property
    def finished(self) -> bool:
        """Whether `finish` was called."""
        return self._finished

    def remember(self, **values: Any) -> None:
        """Keeps JSON-like values with the run, for the process that may have to continue it. Commits."""
        self.state.update(values)
        with self._warehouse.connection() as connection:
            connection.execute(_REMEMBER, [jsonb(values), self.run_id])

    def finish(self, status: RunStatus, message: str | None = None) -> None:
        """Records how the run ended, with a message for people."""
        finish_run(self._warehouse, self.run_id, status, message)
        self._finished = True


@contextmanager
def running(
    warehouse: Warehouse,
    kind: str,
    arguments: Mapping[str, Any],
    api_version: str | None = None,
    interruptions: tuple[type[Exception], ...] = (),
) -> Iterator[Run]:
    """A run for the time of a block; continues an interrupted one of the same kind and arguments, younger than a day.

    Without a call of `Run.finish` the run succeeds at the end of the block. An exception fails it; an interruption
    (Ctrl-C, `SystemExit`, `InterruptedError`) or a transient database error leaves it to be continued.

    Args:
        warehouse: Where to.
        kind: E.g. `pull`, `import`.
        arguments: What was asked for, JSON-like; no secrets.
        api_version: E.g. `v26.0`.
        interruptions: Further exceptions after which the run can be continued, e.g. a token that has expired.
    """
    session = warehouse.session()
    try:
        run = _resume(warehouse, session, kind, arguments) or _begin(warehouse, session, kind, arguments, api_version)
        try:
            yield run
        except Exception as error:
            to_be_continued = isinstance(error, (InterruptedError, TransientError, *interruptions))
            if not run.finished and not to_be_continued:
                run.finish("failed", f"{type(error).__name__}: {error}")
            raise
        if not run.finished:
            run.finish("succeeded")
    finally:
        session.close()


def finish_run(warehouse: Warehouse, run_id: UUID, status: RunStatus, message: str | None = None) -> None:
    """Records how a run ended: `succeeded`, `failed` or `partial`, with a message for people."""
    with warehouse.connection() as connection:
        text = message and message.replace("\x00", "\ufffd")
        connection.execute(_FINISH, {"status": status, "message": text, "run_id": run_id})


def _begin(
    warehouse: Warehouse, session: Connection, kind: str, arguments: Mapping[str, Any], api_version: str | None
) -> Run:
    run_id = uuid4()
    try:
        # Reason: the lock first, or another process could take the new run for an interrupted one.
        _try_lock(session, run_id)
        session.execute(_START, [run_id, kind, api_version, jsonb(dict(arguments))])
    except psycopg.Error as error:
        raise from_database_error(error) from error
    return Run(run_id, resumed=False, state={}, _warehouse=warehouse)


def _resume(warehouse: Warehouse, session: Connection, kind: str, arguments: Mapping[str, Any]) -> Run | None:
    """The newest interrupted run that fits; others whose process died are recorded as failed."""
    resumed: Run | None = None
    wanted = {"arguments": jsonb(dict(arguments)), "within": RESUME_WITHIN, "kind": kind}
    try:
        for run_id, state, fits in session.execute(_INTERRUPTED, wanted).fetchall():
            if not _try_lock(session, run_id):
                continue
            status, message = session.execute(_STATUS, [run_id]).fetchone() or ("", None)
            is_open = status == "running" or message == _DIED
            if is_open and fits and resumed is None:
                session.execute(_CONTINUE, [run_id])
                resumed = Run(run_id, resumed=True, state=dict(state), _warehouse=warehouse)
                continue
            if status == "running" and not fits:
                session.execute(_FINISH, {"status": "failed", "message": _DIED, "run_id": run_id})
            session.execute(_UNLOCK, [f"run:{run_id}"])
    except psycopg.Error as error:
        raise from_database_error(error) from error
    return resumed


def _try_lock(session: Connection, run_id: UUID) -> bool:
    row = session.execute(_TRY_LOCK, [f"run:{run_id}"]).fetchone()
    return row is not None and bool(row[0])
