"""What ingestion must remember between processes, as protocols; `warehouse` implements them without importing them.

Only protocols and their value types belong here: no SQL, no files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from ingestion.clock import Clock, SystemClock


class SavedJob(Protocol):
    """A report run that was asked for.

    Attributes:
        job_id: Ours.
        report_run_id: Meta's; None while the answer to the request for it is unknown.
        state: `intent`, `submitted`, `completed`, `read`, `split`, `failed` or `abandoned`.
        created_at: When it was asked for, UTC.
    """

    @property
    def job_id(self) -> UUID: ...  # noqa: D102
    @property
    def report_run_id(self) -> str | None: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def created_at(self) -> datetime: ...  # noqa: D102


class JobStore(Protocol):
    """Remembers report runs so that a restarted process resumes polling instead of paying again. Every call commits."""

    def find(self, run_id: UUID, account_id: int, report: str, fingerprint: str) -> SavedJob | None:
        """The newest job of this run with this fingerprint, whatever its state."""

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

    def record_submitted(self, job_id: UUID, report_run_id: str) -> None:
        """Notes Meta's id."""

    def record_progress(self, job_id: UUID, percent: int) -> None:
        """Notes how far Meta is, percent."""

    def record_outcome(self, job_id: UUID, state: str, error: Mapping[str, Any] | None = None) -> None:
        """Notes the end: `completed`, `read`, `split`, `failed` or `abandoned`."""


class UsageStore(Protocol):
    """Holds the call budget for all processes, and what Meta said about our usage for whoever looks."""

    def exclusive(self, scope_ids: Sequence[str]) -> AbstractContextManager[dict[str, dict[str, Any]]]:
        """The state of these scopes (`app` or an account's digits), locked against everybody else for a block.

        What the block leaves in the mapping is stored at its end, and nothing if it fails. A scope that was never
        stored is an empty dict. Values are JSON-like.
        """

    def count(self, counted: Sequence[tuple[str, datetime, int, int, float, int]]) -> None:
        """Adds to what was counted before: scope, hour (UTC), calls, waits, seconds waited, refusals.

        The scope is an account's digits, or `app` for calls that concern no account: each call is counted once.
        """

    def save(
        self,
        scope: str,
        scope_id: str,
        usage_type: str,
        *,
        utilisation: float,
        regain_at: datetime | None,
        tier: str | None,
        detail: Mapping[str, Any],
        observed_at: datetime,
    ) -> None:
        """Remembers one meter; utilisation in percent, times in UTC."""


@dataclass(frozen=True)
class _MemoryJob:
    job_id: UUID
    report_run_id: str | None
    state: str
    created_at: datetime


class MemoryJobStore:
    """A `JobStore` that forgets at the end of the process: for a look at one report without a database."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._jobs: dict[UUID, dict[str, Any]] = {}

    def find(self, run_id: UUID, account_id: int, report: str, fingerprint: str) -> SavedJob | None:
        """See `JobStore.find`."""
        wanted = (run_id, account_id, report, fingerprint)
        for job in reversed(self._jobs.values()):
            if job["key"] == wanted:
                return _MemoryJob(job["job_id"], job["report_run_id"], job["state"], job["created_at"])
        return None

    def record_intent(
        self,
        run_id: UUID,
        account_id: int,
        report: str,
        fingerprint: str,
        since: date,  # noqa: ARG002 - part of the protocol
        until: date,  # noqa: ARG002
        entity_filter: Mapping[str, Any] | None,  # noqa: ARG002
    ) -> UUID:
        """See `JobStore.record_intent`."""
        job_id = uuid4()
        self._jobs[job_id] = {
            "key": (run_id, account_id, report, fingerprint),
            "job_id": job_id,
            "report_run_id": None,
            "state": "intent",
            "created_at": datetime.fromtimestamp(self._clock.now(), UTC),
        }
        return job_id

    def record_submitted(self, job_id: UUID, report_run_id: str) -> None:
        """See `JobStore.record_submitted`."""
        self._jobs[job_id].update(report_run_id=report_run_id, state="submitted")

    def record_progress(self, job_id: UUID, percent: int) -> None:
        """See `JobStore.record_progress`."""
        self._jobs[job_id]["percent"] = percent

    def record_outcome(self, job_id: UUID, state: str, error: Mapping[str, Any] | None = None) -> None:
        """See `JobStore.record_outcome`."""
        self._jobs[job_id].update(state=state, error=error)
