"""Sync: the catalog becomes tables and fields, after a while and in the background.

What people (and tools) said about a table or a field is kept; a table that went away becomes inactive and keeps its
ids, so that one that dbt drops and makes again is the same table.
"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from psycopg import sql

from tests.metabase.core.ids import timestamp
from tests.metabase.core.standin import Standin
from tests.metabase.core.state import Row, State
from tests.metabase.data.catalog import Column, Table, read
from tests.metabase.data.connection import Unreachable, connect
from tests.metabase.data.types import TEXTS, base_type

FEW_VALUES = 100
"""A text column with at most so many different values gets a list of them."""
CATEGORY = 30
"""With at most so many it is taken for a category."""
_SAMPLE = 10_000
_BY_NAME = {"id": "type/PK", "created_at": "type/CreationTimestamp", "updated_at": "type/UpdatedTimestamp"}


def start(standin: Standin, database: Row) -> None:
    """Begins a sync; it ends by itself."""
    standin.background(f"sync {database['id']}", _sync(standin, database["id"]))


def resume(standin: Standin) -> None:
    """Begins the syncs that a stop cut off."""
    for database in standin.state.where("database", initial_sync_status="incomplete"):
        start(standin, database)


async def _sync(standin: Standin, database_id: int) -> None:
    await asyncio.sleep(standin.options.sync_seconds)
    database = standin.state.get("database", database_id)
    if database is None:
        return
    try:
        async with await connect(standin.options, database["details"]) as connection:
            tables = await read(connection, database["details"])
            counts = {}
            if standin.options.scan_values:
                counts = {(t.schema, t.name): await _distinct(connection, t) for t in tables}
    except (Unreachable, psycopg.Error):
        database["initial_sync_status"] = "aborted"
        return
    _store(standin, database, tables, counts)
    database["initial_sync_status"] = "complete"
    standin.save()


async def _distinct(connection: psycopg.AsyncConnection[Any], table: Table) -> dict[str, int]:
    """How many different values each text column has, in a sample."""
    texts = [c.name for c in table.columns if base_type(c.type) in TEXTS]
    if not texts:
        return {}
    query = sql.SQL("SELECT {} FROM (SELECT {} FROM {} LIMIT {}) AS sample").format(
        sql.SQL(", ").join(sql.SQL("count(DISTINCT {})").format(sql.Identifier(c)) for c in texts),
        sql.SQL(", ").join(map(sql.Identifier, texts)),
        sql.Identifier(table.schema, table.name),
        sql.Literal(_SAMPLE),
    )
    try:
        row = await (await connection.execute(query)).fetchone()
    except psycopg.Error:
        return {}
    return dict(zip(texts, row or (), strict=True))


def _store(standin: Standin, database: Row, tables: list[Table], counts: dict[Any, dict[str, int]]) -> None:
    state, now = standin.state, timestamp(standin.now())
    known = {(t["schema"], t["name"]): t for t in state.where("table", db_id=database["id"])}
    for row in known.values():
        row["active"] = False
    fields: dict[tuple[str, str, str], Row] = {}
    for table in tables:
        row = known.get((table.schema, table.name)) or state.add("table", _new_table(database, table, now))
        row |= {"active": True, "initial_sync_status": "complete", "updated_at": now}
        row["description"] = row["description"] or table.comment
        for field in _store_fields(state, row, table, counts.get((table.schema, table.name), {}), now):
            fields[table.schema, table.name, field["name"]] = field
    for table in tables:
        for column in table.columns:
            field = fields[table.schema, table.name, column.name]
            if column.target in fields and field["fk_target_field_id"] is None:
                field |= {"fk_target_field_id": fields[column.target]["id"], "semantic_type": "type/FK"}


def _store_fields(state: State, row: Row, table: Table, counts: dict[str, int], now: str) -> list[Row]:
    known = {f["name"]: f for f in state.where("field", table_id=row["id"])}
    for field in known.values():
        field["active"] = False
    stored = []
    for column in table.columns:
        field = known.get(column.name) or state.add("field", _new_field(row, column, counts, now))
        field |= {
            "active": True,
            "base_type": base_type(column.type),
            "effective_type": base_type(column.type),
            "database_type": column.type.removeprefix("enum:"),
            "position": column.position,
            "database_position": column.position,
            "database_required": column.required and not column.automatic,
            "database_is_auto_increment": column.automatic,
        }
        field["description"] = field["description"] or column.comment
        if column.name in counts:
            field["distinct"] = counts[column.name]
        stored.append(field)
    return stored


def _new_table(database: Row, table: Table, now: str) -> dict[str, Any]:
    return {
        "db_id": database["id"],
        "schema": table.schema,
        "name": table.name,
        "display_name": humanized(table.name),
        "description": None,
        "caveats": None,
        "points_of_interest": None,
        "entity_type": "entity/GenericTable",
        "field_order": "database",
        "visibility_type": None,
        "show_in_getting_started": False,
        "is_upload": False,
        "estimated_row_count": None,
        "created_at": now,
    }


def _new_field(row: Row, column: Column, counts: dict[str, int], now: str) -> dict[str, Any]:
    semantic = "type/PK" if column.primary else _BY_NAME.get(column.name.lower())
    if semantic is None and 0 < counts.get(column.name, 0) <= CATEGORY:
        semantic = "type/Category"
    return {
        "table_id": row["id"],
        "name": column.name,
        "display_name": humanized(column.name),
        "description": None,
        "semantic_type": semantic,
        "fk_target_field_id": None,
        "has_field_values": None,
        "visibility_type": "normal",
        "preview_display": True,
        "parent_id": None,
        "caveats": None,
        "points_of_interest": None,
        "coercion_strategy": None,
        "nfc_path": None,
        "json_unfolding": False,
        "custom_position": 0,
        "settings": None,
        "fingerprint": None,
        "distinct": 0,
        "created_at": now,
        "updated_at": now,
    }


def humanized(name: str) -> str:
    """A name for people: `fct_ad_daily` is `Fct Ad Daily`, and `id` is `ID`."""
    words = [word for word in name.replace("-", "_").split("_") if word]
    return " ".join("ID" if word.lower() == "id" else word[:1].upper() + word[1:] for word in words) or name
