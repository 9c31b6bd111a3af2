"""The bench as Dagster's assets, schedules and sensors open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.platform import Platform
from tests.e2e.harness import Bench


class BenchSource:
    """The bench's platform, as assets open it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @contextmanager
    def opened(self) -> Iterator[Platform]:
        yield self._bench.platform()
