"""One asynchronous report run at Meta: asked for, watched, read.

The life of a single run belongs here, with what can happen to it: lost, stuck, skipped, failed, not readable yet. What
to do when a run is too large (split) is in `ingestion.insights`. Facts: fact sheet, section 3.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from ingestion.classify import classify
from ingestion.errors import (
    GraphError,
    InvalidCursor,
    ObjectNotFound,
    ProtocolError,
    TerminalError,
    TooMuchData,
    TransientError,
)
from ingestion.graph import GraphClient, describe
from ingestion.paging import PageSize, read_pages
from ingestion.reports import Piece
from ingestion.slices import Spool
from ingestion.state import JobStore, SavedJob

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long report runs may take.

    Attributes:
        first_poll_seconds: Before the first look at a new run.
        longest_poll_seconds: Between two looks.
        stall_seconds: Without any movement of status or percent before a run is given up. Reason: a healthy slow run
            moves; a fixed time limit kills those and waits too long for dead ones.
        visible_after_seconds: How long a new run's id may be unknown at Meta.
        runs: How many runs of the same piece are tried before it is split.
        pause_between_runs_seconds: Before the second; doubled for each further one.
        reuse_seconds: How old a remembered run may be: its numbers are those of its own moment.
    """

    first_poll_seconds: float = 0.1
    longest_poll_seconds: float = 30.0
    stall_seconds: float = 600.0
    visible_after_seconds: float = 60.0
    runs: int = 3
    pause_between_runs_seconds: float = 5.0
    reuse_seconds: float = 6 * 3600.0


class _RunLost(Exception):
    """Meta does not know, skipped or never finished this run; a new one is needed."""


@dataclass(frozen=True)
class _Job:
    job_id: UUID
    report_run_id: str
    created: float  # epoch seconds


class Listener(Protocol):
    """Told what happens to runs; for logs, metrics and tests."""

    def __call__(self, event: str, piece: Piece, detail: Mapping[str, Any]) -> None:
        """`event`: submitted, resumed, percent, lost, failed, read, split, field_dropped."""


@dataclass
class ReportRuns:
    """Runs pieces of reports for one account.

    Attributes:
        client: Calls Meta.
        jobs: Remembers report run ids.
        run_id: The pull that this belongs to; a restarted pull keeps its id.
        account_id: Digits.
        patience: How long runs may take.
        listener: Told what happens.
    """

    client: GraphClient
    jobs: JobStore
    run_id: UUID
    account_id: str
    patience: Patience
    listener: Listener

    def read(self, piece: Piece, spool: Spool, size: PageSize) -> None:
        """Fills `spool` with the piece's rows, through one report run (or the one remembered from before a restart).

        Raises:
            TooMuchData: Split the piece. Also raised when several runs of it came to nothing.
            TerminalError: Repeating will not help.
            TransientError: Meta could not be reached for long.
        """
        fingerprint = piece.fingerprint(self.client.api_version)
        saved = self.jobs.find(self.run_id, int(self.account_id), piece.report.name, fingerprint)
        if saved and saved.state == "split":
            raise TooMuchData("was split before the restart", account_id=self.account_id)
        problem: Exception | None = None
        for attempt in range(self.patience.runs):
            if attempt:
                self.client.clock.sleep(self.patience.pause_between_runs_seconds * 2 ** (attempt - 1))
            job = self._resume(piece, saved) or self._submit(piece, fingerprint)
            saved = None
            try:
                self._await(piece, job)
                self.jobs.record_outcome(job.job_id, "completed")
                self._read(piece, job, spool, size)
            except _RunLost as lost:
                problem = lost
                self.jobs.record_outcome(job.job_id, "abandoned", {"message": str(lost)})
                self.listener("lost", piece, {"reason": str(lost), "attempt": attempt + 1})
                spool.clear()
            except TooMuchData as too_much:
                self.jobs.record_outcome(job.job_id, "split", describe(too_much))
                raise
            except TerminalError as terminal:
                self.jobs.record_outcome(job.job_id, "failed", describe(terminal))
                raise
            else:
                self.jobs.record_outcome(job.job_id, "read")
                self.listener("read", piece, {"report_run_id": job.report_run_id})
                return
        raise TooMuchData(f"{self.patience.runs} report runs came to nothing ({problem})", account_id=self.account_id)

    def _resume(self, piece: Piece, saved: SavedJob | None) -> _Job | None:
        """The run remembered from before a restart, unless its numbers are too old by now."""
        if saved is None or saved.report_run_id is None or saved.state not in ("submitted", "completed", "read"):
            return None
        created = saved.created_at.timestamp()
        if self.client.clock.now() - created > self.patience.reuse_seconds:
            return None
        self.listener("resumed", piece, {"report_run_id": saved.report_run_id})
        return _Job(saved.job_id, saved.report_run_id, created)

    def _submit(self, piece: Piece, fingerprint: str) -> _Job:
        restriction = {"level": piece.entities[0], "ids": list(piece.entities[1])} if piece.entities else None
        job_id = self.jobs.record_intent(
            self.run_id, int(self.account_id), piece.report.name, fingerprint, piece.since, piece.until, restriction
        )
        try:
            answer = self.client.post(
                f"act_{self.account_id}/insights", piece.params(), self.account_id, repeat=True, points=1
            )
        except GraphError as problem:
            self.jobs.record_outcome(job_id, "failed", describe(problem))
            raise
        # Reason: documented as a string, but shown as a bare number in Meta's own samples.
        report_run_id = str((answer or {}).get("report_run_id") or "")
        if not report_run_id:
            raise ProtocolError(f"act_{self.account_id}/insights: no report_run_id in the answer.")
        self.jobs.record_submitted(job_id, report_run_id)
        self.listener("submitted", piece, {"report_run_id": report_run_id})
        return _Job(job_id, report_run_id, self.client.clock.now())

    def _await(self, piece: Piece, job: _Job) -> None:
        clock, patience, report_run_id = self.client.clock, self.patience, job.report_run_id
        started = moved = clock.now()
        seen: tuple[str, int] = ("", -1)
        pause = patience.first_poll_seconds
        while True:
            clock.sleep(pause)
            now = clock.now()
            try:
                run = self.client.get(report_run_id, None, self.account_id)
            except ObjectNotFound as missing:
                # Reason: a run just created can be invisible for a while; an old one is gone.
                if now - job.created > patience.visible_after_seconds:
                    raise _RunLost(f"Meta does not know report run {report_run_id} any more") from missing
                pause = min(2 * pause, 5.0)
                continue
            status, percent = str(run.get("async_status")), int(run.get("async_percent_completion") or 0)
            # Reason: `Job Running` at 100 % occurs for a moment; only both together mean that it can be read.
            if status == "Job Completed" and percent >= 100:
                return
            if status == "Job Failed":
                raise self._failure(run)
            if status == "Job Skipped":
                raise _RunLost(f"Meta skipped report run {report_run_id}")
            if (status, percent) != seen:
                seen, moved = (status, percent), now
                self.jobs.record_progress(job.job_id, percent)
                self.listener("percent", piece, {"percent": percent, "status": status})
            elif now - moved > patience.stall_seconds:
                raise _RunLost(f"report run {report_run_id} has not moved from {percent} % for {now - moved:.0f} s")
            pause = self._pause(now - started, percent)

    def _pause(self, elapsed: float, percent: int) -> float:
        """Until the run should be done at its present speed, between half a second and half the time it has had."""
        remaining = elapsed * (100 - percent) / percent if 0 < percent < 100 else elapsed / 2
        longest = max(1.0, min(self.patience.longest_poll_seconds, 4 * elapsed))
        return min(longest, max(0.4, remaining * 1.02 + 0.05))

    def _failure(self, run: Mapping[str, Any]) -> Exception:
        """The typed error of a failed run; from v25.0 on, Meta says why."""
        if run.get("error_code") is None:
            return _RunLost("Meta reports 'Job Failed' without a reason")
        error = {
            "code": run.get("error_code"),
            "error_subcode": run.get("error_subcode"),
            "message": run.get("error_message") or "report failed",
            "error_user_msg": run.get("error_user_msg"),
        }
        failure = classify(200, error, {}, self.account_id)
        return _RunLost(str(failure)) if isinstance(failure, TransientError) else failure

    def _read(self, piece: Piece, job: _Job, spool: Spool, size: PageSize) -> None:
        report_run_id = job.report_run_id
        for _ in range(3):
            try:
                for rows in read_pages(self.client, f"{report_run_id}/insights", {}, self.account_id, size):
                    spool.add(rows)
            except InvalidCursor:
                log.info("act_%s %s: cursor no longer valid, reading again", self.account_id, piece.report.name)
                spool.clear()
                continue
            except ObjectNotFound as missing:
                raise _RunLost(f"Meta lost report run {report_run_id} while it was read") from missing
            except TransientError as persistent:
                # Reason: without a code the network is down, and the run is still good for a restart to read.
                if persistent.code is None:
                    raise
                raise _RunLost(str(persistent)) from persistent
            return
        raise _RunLost(f"the cursors of report run {report_run_id} keep breaking")
