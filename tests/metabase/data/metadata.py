"""Tables and fields as answers show them."""

from __future__ import annotations

from typing import Any

from tests.metabase.core.state import Row, State
from tests.metabase.data.sync import FEW_VALUES
from tests.metabase.data.types import TEXTS

_INTERNAL = frozenset({"distinct"})


def field_values_kind(field: Row) -> str:
    """How a field's values are offered: as it was told, else by its type and how many it has."""
    told = field["has_field_values"]
    if told == "auto-list":
        return "list"
    if told:
        return str(told)
    if field["base_type"] in TEXTS:
        return "list" if 0 < field["distinct"] <= FEW_VALUES else "search"
    return "list" if field["base_type"] == "type/Boolean" else "none"


def shown_field(state: State, field: Row, *, target: bool = True) -> dict[str, Any]:
    """A field; with the field its foreign key points to, where it does."""
    shown = {name: value for name, value in field.items() if name not in _INTERNAL}
    shown |= {"has_field_values": field_values_kind(field), "dimensions": [], "name_field": None}
    if target:
        other = state.get("field", field["fk_target_field_id"])
        shown["target"] = shown_field(state, other, target=False) if other else None
    return shown


def shown_table(table: Row) -> dict[str, Any]:
    """A table."""
    return table | {"schema": table["schema"] or ""}


def tables_of(state: State, database_id: int, *, hidden: bool = False) -> list[Row]:
    """A database's active tables by display name, hidden ones left out."""
    found = [
        table
        for table in state.where("table", db_id=database_id, active=True)
        if hidden or table["visibility_type"] is None
    ]
    return sorted(found, key=lambda t: (t["display_name"].lower(), t["id"]))


def fields_of(state: State, table: Row, *, sensitive: bool = False) -> list[Row]:
    """A table's active fields in their order, sensitive ones left out."""
    found = [
        field
        for field in state.where("field", table_id=table["id"], active=True)
        if field["visibility_type"] != "retired" and (sensitive or field["visibility_type"] != "sensitive")
    ]
    order = table["field_order"]
    if order == "alphabetical":
        return sorted(found, key=lambda f: f["name"].lower())
    if order == "custom":
        return sorted(found, key=lambda f: f["custom_position"])
    return sorted(found, key=lambda f: f["position"])
