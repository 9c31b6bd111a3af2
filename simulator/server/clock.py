"""Simulated time: a clock that can be set, advanced, sped up and frozen.

Only the clock belongs here. Everything else asks it, so that jobs, quotas and expiries agree under any speed.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta


def _checked(speed: float) -> float:
    if speed < 0:
        raise ValueError(f"clock speed must be >= 0, got {speed}")
    return speed


class SimClock:
    """A clock running `speed` simulated seconds per real second.

    Attributes:
        speed: Simulated seconds per real second; 0 freezes the clock.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        self._base = (start or datetime.now(UTC)).astimezone(UTC)
        self._since = time.monotonic()
        self.speed = _checked(speed)

    def now(self) -> datetime:
        """Returns the simulated moment, in UTC."""
        return self._base + timedelta(seconds=(time.monotonic() - self._since) * self.speed)

    def seconds(self) -> float:
        """Returns the simulated moment as epoch seconds."""
        return self.now().timestamp()

    def set(self, moment: datetime) -> None:
        """Moves the clock to `moment`; it goes on from there at the same speed."""
        self._base = moment.astimezone(UTC)
        self._since = time.monotonic()

    def advance(self, seconds: float) -> None:
        """Moves the clock by so many simulated seconds."""
        self.set(self.now() + timedelta(seconds=seconds))

    def set_speed(self, speed: float) -> None:
        """Changes the speed from now on.

        Raises:
            ValueError: The speed is negative.
        """
        _checked(speed)
        self.set(self.now())
        self.speed = speed

    async def sleep(self, seconds: float) -> None:
        """Waits until so many simulated seconds have passed, also when the clock is set or frozen meanwhile."""
        until = self.seconds() + seconds
        while (left := until - self.seconds()) > 0:
            # Reason: another request may advance the clock or change its speed, so look again every so often.
            await asyncio.sleep(min(0.05, left / self.speed) if self.speed else 0.05)
