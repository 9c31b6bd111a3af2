"""Making a small table of `ops` equal to what is declared.

What belongs here: comparing, writing what differs, removing what is gone. What does not: what a difference means for
the marts (the table's own module).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from warehouse.errors import RowRejected
from warehouse.pool import Connection
from warehouse.sqlvalues import jsonb

Key = tuple[Any, ...]
_SILENT = "place"
"""Where a declaration stands in its file: kept up to date, but moving it down a line changes nothing."""


@dataclass(frozen=True)
class Mirrored:
    """A table that is declared as a whole: its name in `ops`, its key, and its other columns.

    Attributes:
        name: Of the table, in `ops`.
        key: Columns of the primary key.
        values: The other columns that are declared.
        documents: Those among them that are jsonb.
    """

    name: str
    key: Sequence[str]
    values: Sequence[str]
    documents: frozenset[str] = frozenset()

    def make_equal(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> set[Key]:
        """Writes and removes what differs. The caller opens the transaction and holds a lock.

        Returns:
            The keys of rows that were added, removed, or changed in what they mean.

        Raises:
            RowRejected: Two rows have one key.
        """
        columns = [*self.key, *self.values]
        wanted: dict[Key, tuple[Any, ...]] = {}
        for row in rows:
            cleaned = tuple(_storable(row[name]) for name in columns)
            key, values = cleaned[: len(self.key)], cleaned[len(self.key) :]
            if key in wanted:
                raise RowRejected(f"ops.{self.name} would hold {key} twice. To mend: declare it once.")
            wanted[key] = values
        read = sql.SQL("SELECT {} FROM {}").format(_names(columns), self._identifier)
        stored = {row[: len(self.key)]: row[len(self.key) :] for row in connection.execute(read)}
        different = [key for key, values in wanted.items() if stored.get(key) != values]
        gone = stored.keys() - wanted.keys()
        with connection.cursor() as cursor:
            if gone:
                cursor.executemany(self._delete(), sorted(gone))
            if different:
                cursor.executemany(self._upsert(), [[*key, *self._parameters(wanted[key])] for key in different])
        return gone | {
            key for key in different if key not in stored or self._meant(wanted[key]) != self._meant(stored[key])
        }

    @property
    def _identifier(self) -> sql.Identifier:
        return sql.Identifier("ops", self.name)

    def _delete(self) -> sql.Composed:
        matches = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in self.key]
        return sql.SQL("DELETE FROM {} WHERE {}").format(self._identifier, sql.SQL(" AND ").join(matches))

    def _upsert(self) -> sql.Composed:
        columns = [*self.key, *self.values]
        changes = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in self.values]
        return sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}").format(
            self._identifier,
            _names(columns),
            sql.SQL(", ").join(sql.Placeholder() * len(columns)),
            _names(self.key),
            sql.SQL(", ").join(changes),
        )

    def _parameters(self, values: Sequence[Any]) -> list[Any]:
        return [
            jsonb(value) if name in self.documents else value for name, value in zip(self.values, values, strict=True)
        ]

    def _meant(self, values: Sequence[Any]) -> list[Any]:
        return [value for name, value in zip(self.values, values, strict=True) if name != _SILENT]


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _storable(value: Any) -> Any:
    """The value with texts as PostgreSQL can hold them: without NUL and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return value
