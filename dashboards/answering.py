"""Running cards: whose data, which values, and what came back.

What belongs here: from a card and the values of filters to columns and rows, each card by itself, so that one that
fails harms no other. What does not: how an answer is shown (`dashboards.site`, reports), what a tag means
(`dashboards.queries`), where several are run (`dashboards.answerer`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import psycopg
from psycopg import sql

from dashboards.answers import Catalog
from dashboards.errors import WrongValue
from dashboards.filters import tag_of
from dashboards.library import Definition, Library, PlacedCard
from dashboards.model import Filter
from dashboards.queries import Calendar, Statement, Tag, expand, tags_in
from dashboards.spaces import in_schema
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError

SECONDS = 30
"""How long a query may run."""
_LENGTH = 240
_COLUMNS = """
    SELECT class.relname, attribute.attname, format_type(attribute.atttypid, NULL)
    FROM pg_class AS class
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE class.relnamespace = to_regnamespace(%s) AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND attribute.attnum > 0 AND NOT attribute.attisdropped
"""


@dataclass(frozen=True)
class Space:
    """Whose data: everything that a question is asked of.

    Attributes:
        name: Short and unique; part of addresses.
        title: What people see.
        schema: Where the marts are for whoever asks.
        warehouse: The database.
        zone: The report time zone, in which `today` begins.
        role: Whose rights a query has; None for those of the connection.
    """

    name: str
    title: str
    schema: str
    warehouse: Warehouse
    zone: tzinfo = UTC
    role: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a card's SQL returned.

    Attributes:
        columns: Names, in order.
        rows: Values as psycopg gives them.
        seconds: How long it took.
        is_cut: Whether there were more rows.
        error: Why there is no answer, in a line that a reader may see; None if there is one.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    seconds: float = 0.0
    is_cut: bool = False
    error: str | None = None

    def column(self, name: str) -> list[Any]:
        """The values of a column; none of a column that there is not."""
        if name not in self.columns:
            return []
        at = self.columns.index(name)
        return [row[at] for row in self.rows]

    def records(self) -> list[dict[str, Any]]:
        """The rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def limited(self, rows: int) -> Answer:
        """Its first rows, as if no more had been asked for."""
        if len(self.rows) <= rows:
            return self
        return Answer(self.columns, self.rows[:rows], self.seconds, True, self.error)


def catalog_of(space: Space) -> Catalog:
    """The marts of a space and their columns, as the database has them.

    Raises:
        DatabaseUnavailable: It cannot be reached.
    """
    tables: dict[str, dict[str, str]] = {}
    with space.warehouse.connection() as connection:
        for table, column, kind in connection.execute(_COLUMNS, [space.schema]):
            tables.setdefault(table, {})[column] = kind
    return Catalog(tables)


def filters_of(library: Library, definition: Definition | None) -> dict[str, Filter]:
    """The filters of a dashboard with its own defaults, in order; without a dashboard, all there are."""
    if definition is None:
        return dict(library.shared.filters)
    found = {}
    for key in definition.dashboard.filters:
        one = library.shared.filters.get(key)
        if one is not None:
            default = definition.dashboard.defaults.get(key, one.default)
            found[key] = one.model_copy(update={"default": default})
    return found


def statements(
    library: Library,
    definition: Definition | None,
    cards: Iterable[PlacedCard],
    space: Space,
    catalog: Catalog,
    values: Mapping[str, Any],
    calendar: Calendar,
) -> dict[str, Statement | Answer]:
    """The statement of each card by its key; an answer with an error where there is none.

    Args:
        library: Declares the filters.
        definition: The dashboard; its filters are the ones that may have values.
        cards: Of the dashboard, and of the context.
        space: Whose data.
        catalog: From `catalog_of`.
        values: Values of filters in Metabase's notation. One that is absent has its default; None stands for no value.
        calendar: What relative dates are counted from.

    Raises:
        BadValue: A value does not fit, or is of no filter of this dashboard.
    """
    offered = filters_of(library, definition)
    for name in values:
        if name not in offered:
            raise WrongValue("this dashboard has no such filter", "take it out of the address", tag=name)
    tags: dict[str, Tag] = {}
    # Reason: the context is the same on all dashboards, and what it compares by is not offered by each of them.
    for key, one in {**library.shared.filters, **offered}.items():
        if one.column is None or catalog.kind(one.column) is not None:
            tags[key] = tag_of(key, one, catalog, space.schema)
    usable = {name: value for name, value in values.items() if name in tags}
    found: dict[str, Statement | Answer] = {}
    for placed in cards:
        used = {use.name for use in tags_in(placed.sql)}
        missing = sorted(used - tags.keys())
        if missing:
            columns = ", ".join(str(library.shared.filters[name].column) for name in missing)
            found[placed.card.key] = Answer(error=f"The database has no column {columns}. Build the marts first.")
            continue
        own = [tags[name] for name in dict.fromkeys((*offered, *used)) if name in tags]
        text = in_schema(placed.sql, space.schema)
        found[placed.card.key] = expand(text, own, usable, calendar)
    return found


def ask(space: Space, statement: Statement, rows: int) -> Answer:
    """Runs one statement, reading only.

    Args:
        space: Whose data.
        statement: From `statements`.
        rows: How many rows are wanted; whether there are more is told.

    Returns:
        The answer; whatever the database refused is told in it.
    """
    started = time.perf_counter()
    try:
        with space.warehouse.connection() as connection:
            try:
                return _asked(connection, space, statement, rows, started)
            except psycopg.Error as error:
                return Answer(error=_told(error), seconds=time.perf_counter() - started)
    except WarehouseError:
        # Reason: its message has the address of the database, which is none of a reader's business.
        return Answer(error="The database cannot be reached at the moment.", seconds=time.perf_counter() - started)


def _asked(
    connection: psycopg.Connection[Any], space: Space, statement: Statement, rows: int, started: float
) -> Answer:
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        settings = {
            "statement_timeout": f"{SECONDS}s",
            "TimeZone": str(space.zone),
            # Reason: all of the answer is read, and a plan for its first rows would be another.
            "cursor_tuple_fraction": "1",
        }
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        if space.role is not None:
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(space.role)))
        with connection.cursor(name="card") as cursor:
            cursor.execute(statement.sql.encode(), statement.params)
            found = cursor.fetchmany(rows + 1)
            columns = tuple(column.name for column in cursor.description or ())
    seconds = time.perf_counter() - started
    return Answer(columns, tuple(tuple(row) for row in found[:rows]), seconds, len(found) > rows)


def _told(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return f"It took longer than {SECONDS} seconds. Choose fewer days."
    if isinstance(error, psycopg.OperationalError) and error.diag.message_primary is None:
        return "The database cannot be reached at the moment."
    first = (error.diag.message_primary or "the query failed").strip()
    return f"The database says: {first[:_LENGTH]}"
