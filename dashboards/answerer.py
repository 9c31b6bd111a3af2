"""Many cards at once, with what was asked a moment ago remembered.

What belongs here: threads, equal questions asked once, and for how long an answer holds. What does not: running one
(`dashboards.answering`), showing it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from psycopg import sql

from dashboards.answering import Answer, Space, ask, catalog_of, statements
from dashboards.answers import Catalog
from dashboards.library import Definition, Library, PlacedCard
from dashboards.model import Filter
from dashboards.queries import Calendar, Statement
from warehouse.ops.builds import newest_build

KEPT_SECONDS = 300.0
_MOST_VALUES = 2_000_000
"""Cells of answers that are remembered; a cell is about 100 bytes."""
MOST_CHOICES = 2000
"""Values that a filter offers."""


class Answerer:
    """Answers cards of any space. Safe to share between threads."""

    def __init__(
        self,
        library: Library,
        *,
        threads: int = 4,
        kept_seconds: float = KEPT_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Starts no thread before the first question.

        Args:
            library: All dashboards.
            threads: Queries at once.
            kept_seconds: How long an answer holds while no build brings new data; 0 asks every time.
            now: The clock, with a time zone.
        """
        self.library = library
        self._now = now
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="card")
        self._memory = _Memory(kept_seconds)

    def close(self) -> None:
        """Waits for what is being asked."""
        self._pool.shutdown()

    def __enter__(self) -> Answerer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def calendar(self, space: Space) -> Calendar:
        """Today, in a space; weeks begin on Monday."""
        return Calendar.at(self._now(), space.zone, "monday")

    def answers(
        self, space: Space, definition: Definition | None, cards: Iterable[PlacedCard], values: Mapping[str, Any]
    ) -> dict[str, Answer]:
        """Answers by the key of their card; equal questions are asked once.

        Args:
            space: Whose data.
            definition: The dashboard whose filters these values are of.
            cards: Which cards.
            values: As of `dashboards.answering.statements`.

        Raises:
            BadValue: A value does not fit.
            DatabaseUnavailable: The database cannot be reached.
        """
        placed = {one.card.key: one for one in cards}
        build = newest_build(space.warehouse)
        catalog = self._catalog(space, build)
        prepared = statements(self.library, definition, placed.values(), space, catalog, values, self.calendar(space))
        wanted: dict[Statement, int] = {}
        for key, statement in prepared.items():
            if isinstance(statement, Statement):
                wanted[statement] = max(wanted.get(statement, 0), placed[key].card.rows)
        running: dict[Statement, Future[Answer]] = {
            statement: self._pool.submit(self._answer, space, build, statement, rows)
            for statement, rows in wanted.items()
        }
        return {
            key: one if isinstance(one, Answer) else running[one].result().limited(placed[key].card.rows)
            for key, one in prepared.items()
        }

    def choices(self, space: Space, one: Filter) -> tuple[str, ...]:
        """What a filter offers, in order; at most `MOST_CHOICES`, and nothing where people type.

        Raises:
            DatabaseUnavailable: The database cannot be reached.
        """
        if one.choices is None:
            return ()
        if one.choices.column is None:
            return tuple(one.choices.values)
        table, _, column = one.choices.column.partition(".")
        query = sql.SQL("SELECT DISTINCT {column}::text FROM {table} WHERE {column} IS NOT NULL ORDER BY 1").format(
            column=sql.Identifier(column), table=sql.Identifier(space.schema, table)
        )
        build = newest_build(space.warehouse)
        answer = self._answer(space, build, Statement(query.as_string(None), ()), MOST_CHOICES)
        return tuple(str(row[0]) for row in answer.rows)

    def _answer(self, space: Space, build: int | None, statement: Statement, rows: int) -> Answer:
        today = self.calendar(space).today
        key = (space.name, space.schema, space.role, build, today, statement.sql, statement.params, rows)
        known = self._memory.get(key)
        if isinstance(known, Answer):
            return known
        answer = ask(space, statement, rows)
        if answer.error is None:
            self._memory.put(key, answer, 1 + len(answer.rows) * len(answer.columns))
        return answer

    def _catalog(self, space: Space, build: int | None) -> Catalog:
        key = ("catalog", space.name, space.schema, build)
        known = self._memory.get(key)
        if isinstance(known, Catalog):
            return known
        catalog = catalog_of(space)
        if catalog.tables:
            self._memory.put(key, catalog, 1000)
        return catalog


class _Memory:
    """What was found a moment ago, the oldest forgotten first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._held: OrderedDict[Hashable, tuple[float, int, object]] = OrderedDict()
        self._size = 0
        self._guard = threading.Lock()

    def get(self, key: Hashable) -> object | None:
        with self._guard:
            found = self._held.get(key)
            if found is None or time.monotonic() - found[0] > self._seconds:
                return None
            return found[2]

    def put(self, key: Hashable, value: object, size: int) -> None:
        with self._guard:
            old = self._held.pop(key, None)
            self._size += size - (old[1] if old else 0)
            self._held[key] = (time.monotonic(), size, value)
            while self._size > _MOST_VALUES and len(self._held) > 1:
                _, (_, freed, _) = self._held.popitem(last=False)
                self._size -= freed
