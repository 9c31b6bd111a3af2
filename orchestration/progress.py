"""How long work shows itself: a bar on a terminal, plain log lines elsewhere.

Drawing belongs here; counting does not.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

log = logging.getLogger(__name__)

_LINE_EVERY_SECONDS = 10.0


class Task:
    """One thing under way. Thread-safe."""

    def __init__(self, label: str, total: int | None, progress: Progress | None) -> None:
        self._label = label
        self._total = total
        self._progress = progress
        self._id: TaskID | None = progress.add_task(label, total=total, detail="") if progress else None
        self._done = 0
        self._lock = threading.Lock()
        self._said = time.monotonic()

    def expect(self, more: int) -> None:
        """Adds to what there is to do."""
        with self._lock:
            self._total = (self._total or 0) + more
            if self._progress and self._id is not None:
                self._progress.update(self._id, total=self._total)

    def advance(self, count: int = 1, detail: str = "") -> None:
        """Notes that `count` more are done; `detail` is what was done last."""
        with self._lock:
            self._done += count
            if self._progress and self._id is not None:
                self._progress.update(self._id, advance=count, detail=detail)
            elif time.monotonic() - self._said >= _LINE_EVERY_SECONDS:
                self._said = time.monotonic()
                log.info("%s: %d of %s %s", self._label, self._done, self._total or "?", detail)


class Display:
    """Where work shows itself; one for a command."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stderr)

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Task]:
        """Shows one task until the block ends."""
        started = time.monotonic()
        if not self.console.is_terminal:
            log.info("%s ...", label)
            yield Task(label, total, None)
            log.info("%s: done in %.1f s", label, time.monotonic() - started)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            yield Task(label, total, progress)
