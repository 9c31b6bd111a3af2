"""What a card's SQL returns, found without a database.

What belongs here: the columns of the marts, and the columns of an answer. What does not: running it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, ParseError
from sqlglot.optimizer.qualify import qualify

from dashboards.errors import Unanswerable
from dashboards.filters import tag_of
from dashboards.model import Shared
from dashboards.queries import Calendar, ColumnKind, expand, tags_in

SCHEMA = "marts"
"""The schema that definitions name; for a client its own stands in its place."""
_KINDS: Mapping[str, ColumnKind] = {
    "bigint": "integer",
    "integer": "integer",
    "smallint": "integer",
    "numeric": "number",
    "double precision": "number",
    "text": "text",
    "boolean": "boolean",
    "date": "date",
    "timestamptz": "timestamptz",
    "timestamp with time zone": "timestamptz",
}
_SAMPLES = {"date/all-options": "past30days", "date/single": "2026-01-05", "text": "day", "number": "1"}


@dataclass(frozen=True)
class Catalog:
    """The marts and their columns.

    Attributes:
        tables: PostgreSQL's type by column, by table.
    """

    tables: Mapping[str, Mapping[str, str]]

    @classmethod
    def of_manifest(cls, path: Path) -> Catalog:
        """The published models of dbt's `manifest.json`.

        Raises:
            OSError: It cannot be read.
        """
        nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"].values()
        return cls(
            {
                node["name"]: {name: column["data_type"] for name, column in node["columns"].items()}
                for node in nodes
                if node["resource_type"] == "model" and node["schema"] == SCHEMA
            }
        )

    def kind(self, column: str) -> ColumnKind | None:
        """What a `table.column` holds; None if there is none such, or of a type that no filter compares."""
        table, _, name = column.partition(".")
        return _KINDS.get(self.tables.get(table, {}).get(name, ""))

    def columns(self) -> list[str]:
        """Every `table.column`."""
        return [f"{table}.{column}" for table, columns in self.tables.items() for column in columns]


def output_columns(sql: str, shared: Shared, catalog: Catalog) -> list[str]:
    """The columns that a card's SQL returns, in order, with every filter set.

    Args:
        sql: With tags, without fragments.
        shared: Declares the filters.
        catalog: The marts.

    Raises:
        Unanswerable: It is no single SELECT, reads what is no mart, or names a column that there is not.
    """
    names = [use.name for use in tags_in(sql)]
    tags = [tag_of(name, shared.filters[name], catalog, SCHEMA) for name in names]
    values = {name: _SAMPLES.get(shared.filters[name].type, ["1"]) for name in names}
    statement = expand(sql, tags, values, Calendar(date(2026, 1, 5)))
    plain = statement.sql.replace("%s", "NULL").replace("%%", "%")
    try:
        parsed = sqlglot.parse(plain, read="postgres")
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        near_text = str(place.get("highlight", "")).strip()
        raise Unanswerable(f"no valid SQL near `{near_text}`", "run it in psql, which says more") from None
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise Unanswerable("a card is one SELECT", "write one statement that begins with SELECT or WITH")
    query = parsed[0]
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if not table.db and table.name in own:
            continue
        if table.db != SCHEMA:
            mend = f"read marts alone, as {SCHEMA}.<name>"
            raise Unanswerable(f"it reads {table.db or '(no schema)'}.{table.name}", mend)
        if table.name not in catalog.tables:
            raise Unanswerable(
                f"there is no mart {table.name}", "their names are those of the models under dbt_project/models/marts"
            )
    marts: object = {table: dict(columns) for table, columns in catalog.tables.items()}
    try:
        qualified = qualify(query, dialect="postgres", schema={SCHEMA: marts}, quote_identifiers=False)
    except OptimizeError as error:
        raise Unanswerable(str(error).splitlines()[0], "see the columns of the marts in dbt's documentation") from None
    assert isinstance(qualified, exp.Query)
    return list(qualified.named_selects)
