"""Writes slices while the next ones are prepared: the client encodes one while the server takes in another.

How many are under way at once belongs here; what a slice is and how it is written does not.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from uuid import UUID

from ingestion.slices import Slice
from orchestration.logs import in_context, log_context
from warehouse.connect import Warehouse
from warehouse.loader import SliceResult, replace_slice
from warehouse.provenance import Provenance
from warehouse.tables import InsightTable

log = logging.getLogger(__name__)

# Reason: one is encoded here while one is copied there; more would only hold more rows in memory.
AT_ONCE = 2


class SliceWriter:
    """Writes slices of one table, a few at once, each in a transaction of its own.

    Leaving the block waits for all of them. A failure is raised at the next `write` or at the end of the block; slices
    that were under way beside it are still written.

    Args:
        warehouse: Where to.
        table: The report's table.
        run_id: The run that pulled them.
        done: Told of each written slice, in the order in which they were handed over.
    """

    def __init__(
        self, warehouse: Warehouse, table: InsightTable, run_id: UUID, done: Callable[[Slice, SliceResult], None]
    ) -> None:
        self._warehouse = warehouse
        self._table = table
        self._run_id = run_id
        self._done = done
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="writer")
        self._pending: deque[tuple[Slice, Future[SliceResult]]] = deque()

    def write(self, piece: Slice) -> None:
        """Hands a slice over; waits while enough are under way."""
        while len(self._pending) >= AT_ONCE:
            self._finish_one()
        self._pending.append((piece, self._pool.submit(in_context(self._write), piece)))

    def _write(self, piece: Slice) -> SliceResult:
        windows = piece.windows
        provenance = Provenance(self._run_id, "api", piece.api_version, windows, piece.pulled_at)
        with log_context(slice=f"{piece.report} {piece.day}"):
            try:
                result = replace_slice(
                    self._warehouse, self._table, piece.account_id, piece.day, piece.rows, provenance
                )
                log.debug("%d rows%s", result.row_count, ", as before" if result.unchanged else "")
            finally:
                piece.release()
        return result

    def _finish_one(self) -> None:
        piece, future = self._pending.popleft()
        self._done(piece, future.result())

    def __enter__(self) -> SliceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._pending and error is None:
                self._finish_one()
        finally:
            self._pool.shutdown(wait=True)
