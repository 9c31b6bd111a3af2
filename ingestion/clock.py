"""Time as ingestion sees it, so that pacing can be tested without waiting.

Only the clock belongs here. Everything in `ingestion` that waits, waits through a `Clock`.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time and of waiting."""

    def now(self) -> float:
        """Seconds since the epoch, UTC. Never goes back within a process."""

    def sleep(self, seconds: float) -> None:
        """Waits; returns at once for zero and less."""


class SystemClock:
    """Real time. `stop` ends every wait at once, so that Ctrl-C is not stuck behind an hour of back-off."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self._stopped = threading.Event()

    def now(self) -> float:
        """Seconds since the epoch, from the monotonic clock."""
        return time.monotonic() + self._offset

    def sleep(self, seconds: float) -> None:
        """Waits `seconds`.

        Raises:
            InterruptedError: `stop` was called.
        """
        if self._stopped.is_set() or (seconds > 0 and self._stopped.wait(seconds)):
            raise InterruptedError("stopped while waiting")

    def stop(self) -> None:
        """Ends all present and future waits."""
        self._stopped.set()


class ScaledClock(SystemClock):
    """Time that runs `factor` times as fast as the wall clock, from `start` on.

    For tests and benchmarks beside a simulator whose own clock runs as fast.
    """

    def __init__(self, factor: float, start: datetime | None = None) -> None:
        super().__init__()
        self._factor = factor
        self._zero = time.monotonic()
        self._start = (start or datetime.now(UTC)).timestamp()

    def now(self) -> float:
        """Scaled seconds since the epoch."""
        return self._start + (time.monotonic() - self._zero) * self._factor

    def sleep(self, seconds: float) -> None:
        """Waits `seconds` of scaled time."""
        super().sleep(seconds / self._factor)
