"""The slice: one account, one report, one day, complete. And the spool in which slices collect while a report is read.

How rows are kept until a day is complete belongs here; where they come from and where they go does not.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from ingestion.errors import ProtocolError


def _nothing() -> None:
    """For slices that hold nothing to let go."""


@dataclass(frozen=True)
class Slice:
    """All rows of an account's report for one day, ready to replace what is stored.

    Attributes:
        account_id: Digits as a number.
        report: Name of the report.
        day: The account's day (for period reports: the period's last day).
        rows: One JSON document a row, as Meta sent it; may be read again.
        row_count: How many.
        pulled_at: When the answer was read, UTC.
        api_version: E.g. `v26.0`.
        windows: Attribution windows that were asked for.
        dropped_fields: Fields that Meta refused and that are missing therefore.
        source: `api` or `import`.
        release: To be called once the slice is written: lets its rows go.
    """

    account_id: int
    report: str
    day: date
    rows: Iterable[bytes]
    row_count: int
    pulled_at: datetime
    api_version: str
    windows: tuple[str, ...] = ()
    dropped_fields: tuple[str, ...] = ()
    source: str = "api"
    release: Callable[[], None] = _nothing


class SpoolLimit:
    """How many bytes of rows all spools of a process may hold in memory together; past it they go to files."""

    def __init__(self, limit_bytes: int = 24 * 1024 * 1024) -> None:
        self.limit_bytes = limit_bytes
        self._used = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> bool:
        """Counts bytes; returns whether the limit is passed."""
        with self._lock:
            self._used += count
            return self._used > self.limit_bytes


@dataclass
class Spool:
    """Rows by day, in memory while they are few, in temporary files when they are many.

    Reason: a report's rows may come in any order, and a slice may only be written when it is complete, so everything is
    held until the report has been read to its end. Memory stays bounded whatever the account's size.
    """

    report: str
    day_field: str
    first: date
    last: date
    limit: SpoolLimit
    _memory: dict[str, bytearray] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _held: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Takes parsed rows; returns how many.

        Raises:
            ProtocolError: A row without a date, or of a day that was not asked for.
        """
        dumps, memory, counts, day_field = orjson.dumps, self._memory, self._counts, self.day_field
        added = size = 0
        for row in rows:
            try:
                day = row[day_field]
                buffer = memory[day]
            except KeyError:
                buffer = self._new_day(row)
                day = row[day_field]
            document = dumps(row)
            buffer += document
            buffer += b"\n"
            counts[day] += 1
            added += 1
            size += len(document) + 1
        self._held += size
        if self.limit.add(size):
            self._spill()
        return added

    def rows(self, day: date) -> Iterable[bytes]:
        """The rows of one day, replayable."""
        key = day.isoformat()
        return _Rows(self._path(key) if self._folder else None, self._memory.get(key, bytearray()))

    def count(self, day: date) -> int:
        """How many rows one day has."""
        return self._counts.get(day.isoformat(), 0)

    def forget(self, day: date) -> None:
        """Lets go of a day that has been written."""
        key = day.isoformat()
        with self._lock:  # Reason: slices are written by several threads.
            buffer = self._memory.pop(key, bytearray())
            self._counts.pop(key, None)
            self._release(len(buffer))
            if self._folder:
                self._path(key).unlink(missing_ok=True)
                if not self._counts:
                    self._folder.cleanup()
                    self._folder = None

    def clear(self) -> None:
        """Forgets everything: the listing starts again."""
        self._memory.clear()
        self._counts.clear()
        self._release(self._held)
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _new_day(self, row: Mapping[str, Any]) -> bytearray:
        text = row.get(self.day_field)
        try:
            day = date.fromisoformat(str(text))
        except ValueError:
            raise ProtocolError(f"{self.report}: a row has {self.day_field} = {text!r}, which is no date.") from None
        if not self.first <= day <= self.last:
            raise ProtocolError(f"{self.report}: a row of {day} came, but {self.first} to {self.last} was asked for.")
        self._counts.setdefault(day.isoformat(), 0)
        return self._memory.setdefault(day.isoformat(), bytearray())

    def _spill(self) -> None:
        if self._held == 0:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="meta-ads-spool-")
        for key, buffer in self._memory.items():
            if buffer:
                with self._path(key).open("ab") as file:
                    file.write(buffer)
                buffer.clear()
        self._release(self._held)

    def _release(self, count: int) -> None:
        self._held -= count
        self.limit.add(-count)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / f"{key}.jsonl"


class _Rows:
    """The lines of a file and then of a buffer."""

    def __init__(self, path: Path | None, buffer: bytearray) -> None:
        self._path = path
        self._buffer = buffer

    def __iter__(self) -> Iterator[bytes]:
        if self._path is not None and self._path.exists():
            with self._path.open("rb") as file:
                for line in file:
                    yield line[:-1]
        # Reason: JSON as orjson writes it holds no raw line feed, so a line is a row.
        yield from bytes(self._buffer).split(b"\n")[:-1]
