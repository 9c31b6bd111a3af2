"""Usage of one quota over a rolling hour, in simulated time (the business-use-case limits of section 4.1).

Only the counting belongs here; which quota a call uses, and what happens at 100 percent, is in `limits`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

HOUR = 3600.0
CPU_SECONDS_PER_CALL_OF_QUOTA = 0.1
TIME_SECONDS_PER_CALL_OF_QUOTA = 0.2


@dataclass
class Window:
    """Calls, CPU and wall time of the last hour, in one-minute buckets, and the block they led to."""

    buckets: deque[list[float]] = field(default_factory=deque)
    calls: float = 0.0
    cpu: float = 0.0
    wall: float = 0.0
    user_errors: int = 0
    blocked_until: float = 0.0

    def expire(self, now: float) -> None:
        """Drops what is older than an hour."""
        while self.buckets and self.buckets[0][0] <= now - HOUR:
            _, calls, cpu, wall = self.buckets.popleft()
            self.calls, self.cpu, self.wall = self.calls - calls, self.cpu - cpu, self.wall - wall

    def add(self, now: float, calls: float, cpu: float, wall: float) -> None:
        """Counts calls and seconds at `now`."""
        minute = now - now % 60
        if not self.buckets or self.buckets[-1][0] != minute:
            self.buckets.append([minute, 0.0, 0.0, 0.0])
        last = self.buckets[-1]
        last[1], last[2], last[3] = last[1] + calls, last[2] + cpu, last[3] + wall
        self.calls, self.cpu, self.wall = self.calls + calls, self.cpu + cpu, self.wall + wall

    def percentages(self, limit: float) -> tuple[float, float, float]:
        """Returns calls, CPU and wall time as percent of their limits."""
        limit = max(limit, 1.0)
        return (
            100 * self.calls / limit,
            100 * self.cpu / (limit * CPU_SECONDS_PER_CALL_OF_QUOTA),
            100 * self.wall / (limit * TIME_SECONDS_PER_CALL_OF_QUOTA),
        )

    def regain(self, now: float, limit: float) -> float:
        """Returns the moment at which usage will have fallen to 90 percent, at least a minute from now."""
        worst = max(self.percentages(limit)) / 100
        until = now + 60
        for minute, calls, cpu, wall in self.buckets:
            if worst <= 0.9:
                break
            worst -= max(
                calls / limit,
                cpu / (limit * CPU_SECONDS_PER_CALL_OF_QUOTA),
                wall / (limit * TIME_SECONDS_PER_CALL_OF_QUOTA),
            )
            until = max(until, minute + HOUR)
        return until
