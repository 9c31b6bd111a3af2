"""What a pull does, written down while it goes on: by account for people, as totals for monitoring.

What belongs here: turning slices and counts of calls into `warehouse.ops.work`, and the log's fields of an account.
What does not: pulling (`orchestration.pull`), the tables.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from ingestion.counts import Counted
from ingestion.graph import GraphClient
from orchestration.logs import log_context
from orchestration.pull_model import AccountOutcome
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError
from warehouse.loader import SliceResult
from warehouse.ops.work import Work, add_work, begin_account, finish_account

log = logging.getLogger(__name__)


class ReportWork:
    """Slices of one report; told of each as it is written."""

    def __init__(self) -> None:
        self.slices = self.unchanged = self.rows = 0

    def add(self, result: SliceResult) -> None:
        """Counts a slice."""
        self.slices += 1
        self.unchanged += result.unchanged
        self.rows += result.row_count


class Tally:
    """The work of one run. Safe for threads: calls of an account are written down by whoever comes first."""

    def __init__(self, warehouse: Warehouse, client: GraphClient, run_id: UUID) -> None:
        self._warehouse = warehouse
        self._client = client
        self._run_id = run_id
        self._lock = threading.Lock()
        # Reason: one client may serve two runs, one after the other.
        self._before: dict[int | None, Counted] = {}
        self._before[None] = client.budget.counts.of(None)

    @contextmanager
    def account(self, outcome: AccountOutcome) -> Iterator[None]:
        """The work on an account, for the time of a block: its lines in the log, its row in `ops.run_account`."""
        account_id = outcome.account.account_id
        with log_context(account=f"act_{account_id}"):
            self._before[account_id] = self._client.budget.counts.of(str(account_id))
            begin_account(self._warehouse, self._run_id, account_id)
            try:
                yield
            except BaseException:
                self._quietly(account_id, Work())
                raise
            self._write(account_id, Work())
            finish_account(self._warehouse, self._run_id, account_id, len(outcome.problems))

    @contextmanager
    def report(self, account_id: int, name: str) -> Iterator[ReportWork]:
        """The work on a report of an account; also what was done before it failed is written down."""
        done = ReportWork()
        with log_context(report=name):
            try:
                yield done
            except BaseException:
                self._quietly(account_id, Work(name, done.slices, done.unchanged, done.rows))
                raise
            self._write(account_id, Work(name, done.slices, done.unchanged, done.rows))

    def finish(self) -> None:
        """Writes down the calls that concern no account."""
        self._write(None, Work())

    def _quietly(self, account_id: int | None, work: Work) -> None:
        # Reason: what went wrong first is what people must hear of.
        try:
            self._write(account_id, work)
        except WarehouseError as problem:
            log.warning("the work done so far could not be written down: %s", problem)

    def _write(self, account_id: int | None, work: Work) -> None:
        with self._lock:
            now = self._client.budget.counts.of(None if account_id is None else str(account_id))
            before = self._before.get(account_id, Counted())
            self._before[account_id] = now
        calls, seconds = now.calls - before.calls, now.wait_seconds - before.wait_seconds
        if work.slices or calls or seconds:
            whole = Work(work.report, work.slices, work.unchanged, work.rows, calls, seconds)
            add_work(self._warehouse, self._run_id, account_id, whole)
