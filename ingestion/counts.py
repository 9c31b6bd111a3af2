"""Counts calls, waits and refusals of each account, and hands them to a store every few seconds.

What belongs here: counting. What does not: who may call when (`ingestion.budget`).
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from ingestion.clock import Clock
from ingestion.state import UsageStore

NO_ACCOUNT = "app"
_WRITE_EVERY_SECONDS = 10.0


@dataclass
class Counted:
    """What was counted of an account, or of the calls that concern none.

    Attributes:
        calls: Calls that the budget let through.
        waits: How often one of them had to wait for the quota.
        wait_seconds: For how long, summed over everything that waited at once.
        refusals: How often Meta refused one.
    """

    calls: int = 0
    waits: int = 0
    wait_seconds: float = 0.0
    refusals: int = 0

    def add(self, calls: int = 0, waits: int = 0, wait_seconds: float = 0.0, refusals: int = 0) -> None:
        """Adds to each."""
        self.calls += calls
        self.waits += waits
        self.wait_seconds += wait_seconds
        self.refusals += refusals


class CallCounts:
    """Counts of one process. Thread-safe; with a store, summed up there over all processes.

    Args:
        clock: Tells the hour that a call belongs to.
        store: Where counts are added up; None keeps them here alone.
    """

    def __init__(self, clock: Clock, store: UsageStore | None) -> None:
        self._clock = clock
        self._store = store
        self._lock = threading.Lock()
        self._all: dict[str, Counted] = {}
        self._unwritten: dict[tuple[str, datetime], Counted] = {}
        self._written_at = clock.now()

    def of(self, account_id: str | None) -> Counted:
        """What was counted of an account so far, or of the calls that concern none."""
        with self._lock:
            return replace(self._all.get(account_id or NO_ACCOUNT, Counted()))

    def total(self) -> Counted:
        """What was counted of all accounts, and of the calls that concern none."""
        found = Counted()
        with self._lock:
            for one in self._all.values():
                found.add(one.calls, one.waits, one.wait_seconds, one.refusals)
        return found

    def add(
        self,
        account_id: str | None,
        *,
        calls: int = 0,
        waits: int = 0,
        wait_seconds: float = 0.0,
        refusals: int = 0,
    ) -> None:
        """Counts, and writes down what has gathered if that was not done for some seconds."""
        now = self._clock.now()
        scope_id = account_id or NO_ACCOUNT
        hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
        with self._lock:
            self._all.setdefault(scope_id, Counted()).add(calls, waits, wait_seconds, refusals)
            self._unwritten.setdefault((scope_id, hour), Counted()).add(calls, waits, wait_seconds, refusals)
            is_time = now - self._written_at >= _WRITE_EVERY_SECONDS
        if is_time:
            self.write()

    def write(self) -> None:
        """Hands what has gathered to the store; to be called once at the end of the work.

        Raises:
            Exception: Whatever the store raises. Nothing is lost then: the next attempt adds it.
        """
        with self._lock:
            gathered, self._unwritten = self._unwritten, {}
            self._written_at = self._clock.now()
        if self._store is None or not gathered:
            return
        try:
            self._store.count(
                [
                    (scope_id, hour, one.calls, one.waits, one.wait_seconds, one.refusals)
                    for (scope_id, hour), one in gathered.items()
                ]
            )
        except BaseException:
            with self._lock:
                for key, one in gathered.items():
                    self._unwritten.setdefault(key, Counted()).add(**asdict(one))
            raise
