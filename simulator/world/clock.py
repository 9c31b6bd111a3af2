"""An account's days: local midnights, elapsed parts of a day, ISO times.

What belongs here: time zones and the 15-minute refresh. What does not: how delivery spreads over a day (`demand`).

Moments are whole seconds since 1970 in UTC; days are ordinals (`date.toordinal`) of the account's own calendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from simulator.world.hashing import F64, I64

REFRESH_SECONDS = 900
DAY_SECONDS = 86_400


def quantise(at: datetime) -> int:
    """The last 15-minute refresh at or before a moment (insights refresh every 15 minutes)."""
    return int(at.timestamp()) // REFRESH_SECONDS * REFRESH_SECONDS


class AccountClock:
    """Translates between moments and the days of one time zone."""

    def __init__(self, zone: str) -> None:
        self.zone_name = zone
        self.zone = ZoneInfo(zone)

    def midnight(self, day: int) -> int:
        """The moment a local day starts."""
        return int(datetime.combine(date.fromordinal(day), time(), self.zone).timestamp())

    def moment(self, day: int, seconds: int) -> int:
        """The moment some seconds after a local midnight."""
        return self.midnight(day) + seconds

    def day_of(self, moment: int) -> int:
        """The local day that contains a moment."""
        return datetime.fromtimestamp(moment, self.zone).toordinal()

    def bounds(self, days: Iterable[int]) -> tuple[I64, I64]:
        """Start moments and lengths in seconds of days (23 and 25 hours when clocks change)."""
        starts, lengths = [], []
        known: dict[int, int] = {}
        for day in days:
            start = known[day] if day in known else self.midnight(day)
            end = known[day + 1] = self.midnight(day + 1)
            starts.append(start)
            lengths.append(end - start)
        return np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)

    def iso(self, moment: int) -> str:
        """ISO 8601 with numeric offset and no colon, in the account's zone: `2026-11-14T01:14:42+0500`."""
        return datetime.fromtimestamp(moment, self.zone).strftime("%Y-%m-%dT%H:%M:%S%z")

    def offset_hours(self, moment: int) -> float:
        """Hours from UTC at a moment, daylight saving included."""
        offset = datetime.fromtimestamp(moment, self.zone).utcoffset()
        return 0.0 if offset is None else offset.total_seconds() / 3600


def elapsed(moment: int, starts: I64, lengths: I64) -> F64:
    """Which part of each day has passed, between 0 and 1."""
    return np.clip((moment - starts) / lengths, 0.0, 1.0)


def epoch(at: datetime) -> int:
    """A time-zone aware moment as whole seconds."""
    return int(at.astimezone(UTC).timestamp())
