"""Values of fields, read from the database; with the one join by foreign key that linked filters need."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from tests.metabase.core.standin import Standin
from tests.metabase.core.state import Row, State
from tests.metabase.data.connection import connect
from tests.metabase.query.answer import json_value

MOST = 1000
"""So many values at most; beyond that there are more."""


async def distinct_values(
    standin: Standin,
    field: Row,
    constraints: list[tuple[Row, list[Any]]] | None = None,
    search: str | None = None,
) -> tuple[list[Any], bool]:
    """The different values of a field, sorted, nulls left out, and whether there are more.

    Args:
        constraints: Other fields and the values they must have. One on a table that no foreign key leads to is
            passed over, as Metabase does.
        search: A part of the value, whatever its case.
    """
    state = standin.state
    table = state.get("table", field["table_id"]) or {}
    database = state.get("database", table.get("db_id")) or {}
    column = _identifier(table, field)
    source: sql.Composable = _table(table)
    conditions: list[sql.Composable] = []
    parameters: list[Any] = []
    for other, values in constraints or []:
        join = _join(state, field, other)
        if join is None or not values:
            continue
        source = sql.SQL("{} {}").format(source, join)
        other_table = state.get("table", other["table_id"]) or {}
        conditions.append(sql.SQL("{}::text = ANY(%s)").format(_identifier(other_table, other)))
        parameters.append([str(value) for value in values])
    if search:
        conditions.append(sql.SQL("{}::text ILIKE %s").format(column))
        parameters.append(f"%{search}%")
    query = sql.SQL("SELECT DISTINCT {} FROM {} WHERE {} ORDER BY 1 LIMIT {}").format(
        column,
        source,
        sql.SQL(" AND ").join([sql.SQL("{} IS NOT NULL").format(column), *conditions]),
        sql.Literal(MOST + 1),
    )
    async with await connect(standin.options, database["details"]) as connection:
        rows = await (await connection.execute(query, parameters)).fetchall()
    return [json_value(row[0], "UTC") for row in rows[:MOST]], len(rows) > MOST


def _table(table: Row) -> sql.Composable:
    return sql.Identifier(table["schema"], table["name"])


def _identifier(table: Row, field: Row) -> sql.Composable:
    return sql.Identifier(table["schema"], table["name"], field["name"])


def _join(state: State, field: Row, other: Row) -> sql.Composable | None:
    """How to reach another field's table: not at all for the same one, by a foreign key of either side; else None."""
    if other["table_id"] == field["table_id"]:
        return sql.SQL("")
    for origin, far in ((field, other), (other, field)):
        for key in state.where("field", table_id=origin["table_id"], active=True):
            target = state.get("field", key["fk_target_field_id"])
            if target is not None and target["table_id"] == far["table_id"]:
                tables = {f["id"]: state.get("table", f["table_id"]) or {} for f in (key, target)}
                return sql.SQL("JOIN {} ON {} = {}").format(
                    _table(state.get("table", other["table_id"]) or {}),
                    _identifier(tables[key["id"]], key),
                    _identifier(tables[target["id"]], target),
                )
    return None
