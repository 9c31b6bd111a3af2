"""The rows of an export, on disk until somebody asks for a day.

What belongs here: writing rows, finding rows of one key, reading a day. What does not: what a row says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from functools import partial
from hashlib import blake2b

from ingestion.exports.model import ExportDay

_IN_MEMORY = 16 * 1024 * 1024
_LENGTH_BITS = 32


def row_key(*parts: object) -> int:
    """Return a 64-bit key for the parts that identify a row within its day."""
    return int.from_bytes(blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


class Spool:
    """Rows by day and key, in a temporary file that vanishes with this object.

    Small exports stay in memory. Per row about 100 bytes of memory are used for finding it again.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - Reason: lives with the export.
        self._end = 0
        self._days: dict[date, dict[int, int]] = {}
        self._repeats: dict[tuple[date, int], list[int]] = {}

    def _write(self, payload: bytes) -> int:
        self._file.seek(self._end)
        self._file.write(payload)
        place = self._end << _LENGTH_BITS | len(payload)
        self._end += len(payload)
        return place

    def _read(self, place: int) -> bytes:
        self._file.seek(place >> _LENGTH_BITS)
        return self._file.read(place & ((1 << _LENGTH_BITS) - 1))

    def add(self, day: date, key: int, payload: bytes) -> None:
        """Keep a row. A second row of one day and key is kept beside the first until `merge`."""
        place = self._write(payload)
        rows = self._days.setdefault(day, {})
        if key in rows:
            self._repeats.setdefault((day, key), [rows[key]]).append(place)
        else:
            rows[key] = place

    def merge(self, join: Callable[[date, list[bytes]], bytes]) -> int:
        """Replace the rows of each repeated key by what `join` makes of them; return how many keys there were."""
        for (day, key), places in self._repeats.items():
            self._days[day][key] = self._write(join(day, [self._read(place) for place in places]))
        count = len(self._repeats)
        self._repeats.clear()
        return count

    def _load(self, day: date) -> list[bytes]:
        return [self._read(place) for place in self._days[day].values()]

    def days(self) -> list[ExportDay]:
        """Return the days in order; each reads its rows from this spool."""
        return [ExportDay(day, len(self._days[day]), partial(self._load, day)) for day in sorted(self._days)]
