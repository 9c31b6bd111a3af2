"""Meta's asynchronous report runs, remembered so that a restarted process resumes polling (`ops.report_job`).

What belongs here: the store. It fits the protocol `JobStore` of `ingestion.state`, which is not imported.
What does not: polling.

Every call is a transaction of its own and is durable when it returns, so that Meta's id is on disk before
anything else happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from warehouse.connect import Warehouse
from warehouse.sqlvalues import jsonb

_COLUMNS = """
    job_id, report_run_id, state, created_at, run_id, account_id, report, fingerprint,
    since, until, entity_filter, percent, progress_at, finished_at, error
"""
_FIND = f"""
    SELECT {_COLUMNS} FROM ops.report_job
    WHERE run_id = %s AND account_id = %s AND report = %s AND fingerprint = %s
    ORDER BY created_at DESC LIMIT 1
"""  # noqa: S608 - only the constant above
_FIND_OPEN = f"""
    SELECT {_COLUMNS} FROM ops.report_job
    WHERE account_id = %s AND report = %s AND fingerprint = %s AND state IN ('submitted', 'completed')
    ORDER BY created_at DESC LIMIT 1
"""  # noqa: S608 - only the constant above
_UNANSWERED = f"""
    SELECT {_COLUMNS} FROM ops.report_job WHERE state = 'intent' AND created_at < %s ORDER BY created_at
"""  # noqa: S608 - only the constant above
_INTENT = """
    INSERT INTO ops.report_job
        (job_id, run_id, account_id, report, fingerprint, since, until, entity_filter, state, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'intent', clock_timestamp())
"""
_SUBMITTED = """
    UPDATE ops.report_job
    SET report_run_id = %s, state = 'submitted', percent = 0, progress_at = clock_timestamp()
    WHERE job_id = %s
"""
_PROGRESS = """
    UPDATE ops.report_job SET percent = %s, progress_at = clock_timestamp()
    WHERE job_id = %s AND percent IS DISTINCT FROM %s
"""
_OUTCOME = """
    UPDATE ops.report_job
    SET state = %s, error = %s, finished_at = clock_timestamp(),
        percent = CASE WHEN %s IN ('completed', 'read') THEN 100 ELSE percent END
    WHERE job_id = %s
"""


@dataclass(frozen=True)
class ReportJob:
    """A report run that was asked for.

    Attributes:
        job_id: Ours.
        report_run_id: Meta's; None while the answer to the request for it is unknown.
        state: `intent`, `submitted`, `completed`, `read`, `split`, `failed` or `abandoned`.
        created_at: When it was asked for, UTC.
        run_id: The run that asked.
        account_id: The account asked about.
        report: The report.
        fingerprint: Of the request's parameters.
        since: First day asked for, the account's own.
        until: Last day asked for.
        entity_filter: Restriction to some objects, or None.
        percent: How far Meta is.
        progress_at: When `percent` last changed, UTC.
        finished_at: When it ended, UTC.
        error: What Meta said, or None.
    """

    job_id: UUID
    report_run_id: str | None
    state: str
    created_at: datetime
    run_id: UUID
    account_id: int
    report: str
    fingerprint: str
    since: date
    until: date
    entity_filter: Mapping[str, Any] | None
    percent: int | None
    progress_at: datetime | None
    finished_at: datetime | None
    error: Mapping[str, Any] | None


class ReportJobStore:
    """Jobs in `ops.report_job`. Safe for threads."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def find(self, run_id: UUID, account_id: int, report: str, fingerprint: str) -> ReportJob | None:
        """The newest job of this run with this fingerprint, whatever its state."""
        return self._one(_FIND, [run_id, account_id, report, fingerprint])

    def find_open(self, account_id: int, report: str, fingerprint: str) -> ReportJob | None:
        """The newest job of any run with this fingerprint that Meta has and that was not read to its end."""
        return self._one(_FIND_OPEN, [account_id, report, fingerprint])

    def record_intent(
        self,
        run_id: UUID,
        account_id: int,
        report: str,
        fingerprint: str,
        since: date,
        until: date,
        entity_filter: Mapping[str, Any] | None,
    ) -> UUID:
        """Notes that a job is about to be asked for; returns our id for it."""
        job_id = uuid4()
        restriction = None if entity_filter is None else jsonb(dict(entity_filter))
        self._do(_INTENT, [job_id, run_id, account_id, report, fingerprint, since, until, restriction])
        return job_id

    def record_submitted(self, job_id: UUID, report_run_id: str) -> None:
        """Notes Meta's id."""
        self._do(_SUBMITTED, [report_run_id, job_id])

    def record_progress(self, job_id: UUID, percent: int) -> None:
        """Notes how far Meta is, percent. `progress_at` moves only when the percentage does: a stuck job shows."""
        self._do(_PROGRESS, [percent, job_id, percent])

    def record_outcome(self, job_id: UUID, state: str, error: Mapping[str, Any] | None = None) -> None:
        """Notes the end: `completed`, `read`, `split`, `failed` or `abandoned`."""
        self._do(_OUTCOME, [state, None if error is None else jsonb(dict(error)), state, job_id])

    def unanswered_intents(self, before: datetime) -> list[ReportJob]:
        """Jobs asked for before a moment whose answer never arrived: their process died, Meta may have started them."""
        with self._warehouse.connection() as connection:
            return [ReportJob(*row) for row in connection.execute(_UNANSWERED, [before])]

    def _one(self, statement: str, parameters: list[Any]) -> ReportJob | None:
        with self._warehouse.connection() as connection:
            row = connection.execute(statement.encode(), parameters).fetchone()
        return None if row is None else ReportJob(*row)

    def _do(self, statement: str, parameters: list[Any]) -> None:
        with self._warehouse.connection() as connection:
            connection.execute(statement.encode(), parameters)
