"""A running instance: its options, what it remembers, its clock and its work in the background."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.metabase.core.faults import Log, Rule
from tests.metabase.core.state import State
from tests.metabase.options import Options

Seed = Callable[["Standin"], None]


class Standin:
    """One instance.

    Attributes:
        failed_logins: Failed logins by user name, since the last success.
        rules: The faults in force.
    """

    def __init__(self, options: Options, seed: Seed) -> None:
        self.options = options
        self._seed = seed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.log = Log()
        self.rules: list[Rule] = []
        self.failed_logins: dict[str, int] = {}
        self.started = time.monotonic()
        if options.state is not None and options.state.exists():
            self.state = State.load(options.state)
        else:
            self.state = State()
            self._fill()

    def reset(self) -> None:
        """Makes it a fresh instance that is starting."""
        self.cancel()
        self.state = State()
        self.failed_logins.clear()
        self.started = time.monotonic()
        self._fill()
        self.save()

    def _fill(self) -> None:
        self.state.setup_token = self.options.setup_token or str(uuid4())
        self._seed(self)

    def save(self) -> None:
        """Writes the state to its file, where there is one."""
        if self.options.state is not None:
            self.state.save(self.options.state)

    @property
    def starting(self) -> float | None:
        """How far the start is, 0 to 1; None when it is done."""
        if not self.options.starting_seconds:
            return None
        share = (time.monotonic() - self.started) / self.options.starting_seconds
        return share if share < 1 else None

    def now(self) -> datetime:
        """The instance's clock, in UTC."""
        fixed = self.options.now
        if fixed is None:
            return datetime.now(UTC)
        return fixed if fixed.tzinfo else fixed.replace(tzinfo=UTC)

    def background(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Starts work under a name; the same name's earlier work is given up."""
        if earlier := self._tasks.pop(name, None):
            earlier.cancel()
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None) if self._tasks.get(name) is task else None)

    def cancel(self, name: str | None = None) -> None:
        """Gives up work in the background."""
        for key in [name] if name else list(self._tasks):
            if task := self._tasks.pop(key, None):
                task.cancel()
