"""The application database: rows by table and id, ids that only grow, and a JSON file when asked to outlive a restart.

Rows are plain JSON objects. What they mean is the business of the modules that own the tables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class State:
    """All that an instance remembers.

    Attributes:
        sessions: User id by session id.
        settings: What was set, by setting.
    """

    def __init__(self) -> None:
        self._tables: dict[str, dict[int, Row]] = {}
        self._last: dict[str, int] = {}
        self.sessions: dict[str, int] = {}
        self.settings: dict[str, Any] = {}
        self.setup_token: str | None = None
        self.used_setup_token: str | None = None

    def add(self, table: str, row: Row) -> Row:
        """Stores a row under the next id, which it gains as `id`."""
        number = self.count_up(table)
        stored = {"id": number} | row
        self._tables.setdefault(table, {})[number] = stored
        return stored

    def count_up(self, counter: str) -> int:
        """The next number of a counter; numbers are never used twice, not even after a delete."""
        self._last[counter] = self._last.get(counter, 0) + 1
        return self._last[counter]

    def counted(self, counter: str) -> int:
        """The last number of a counter, 0 before the first."""
        return self._last.get(counter, 0)

    def get(self, table: str, number: int | None) -> Row | None:
        """A row by id."""
        return None if number is None else self._tables.get(table, {}).get(number)

    def all(self, table: str) -> list[Row]:
        """All rows, by id."""
        return list(self._tables.get(table, {}).values())

    def where(self, table: str, **columns: Any) -> Iterator[Row]:
        """The rows that have all of these values, by id."""
        for row in self.all(table):
            if all(row.get(name) == value for name, value in columns.items()):
                yield row

    def first(self, table: str, **columns: Any) -> Row | None:
        """The first of them."""
        return next(self.where(table, **columns), None)

    def delete(self, table: str, number: int) -> None:
        """Deletes a row."""
        self._tables.get(table, {}).pop(number, None)

    def keep_only(self, table: str, keep: Callable[[Row], bool]) -> None:
        """Deletes all rows but those that the predicate wants to keep."""
        self._tables[table] = {number: row for number, row in self._tables.get(table, {}).items() if keep(row)}

    def save(self, path: Path) -> None:
        """Writes everything to a JSON file, in one step."""
        draft = path.with_name(path.name + ".tmp")
        draft.write_text(json.dumps(self.__dict__), encoding="utf-8")
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> State:
        """What `save` wrote."""
        state = cls()
        for name, value in json.loads(path.read_text(encoding="utf-8")).items():
            setattr(state, name, value)
        state._tables = {
            table: {int(number): row for number, row in rows.items()} for table, rows in state._tables.items()
        }
        return state
