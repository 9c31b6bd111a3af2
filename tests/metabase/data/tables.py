"""Tables and fields: showing them, and what people may say about them."""

from __future__ import annotations

from typing import Any, Literal

from tests.metabase.access.data_permissions import may_see_table
from tests.metabase.core.call import ID, Call, route
from tests.metabase.core.errors import forbidden, invalid_field, not_found
from tests.metabase.core.ids import timestamp
from tests.metabase.core.schema import Body, NonBlank, OpenMap, PositiveInt, Query
from tests.metabase.core.state import Row
from tests.metabase.data.databases import shown as shown_database
from tests.metabase.data.metadata import field_values_kind, fields_of, shown_field, shown_table
from tests.metabase.data.types import SEMANTIC
from tests.metabase.data.values import distinct_values


class TableChange(Body):
    """What of a table may change."""

    display_name: NonBlank | None = None
    entity_type: str | None = None
    visibility_type: Literal["technical", "hidden", "cruft"] | None = None
    description: str | None = None
    caveats: str | None = None
    points_of_interest: str | None = None
    show_in_getting_started: bool | None = None
    field_order: Literal["alphabetical", "custom", "database", "smart"] | None = None
    data_authority: Literal["computed", "authoritative", "unconfigured", "ingested"] | None = None
    data_layer: str | None = None
    data_source: str | None = None
    owner_email: str | None = None
    owner_user_id: int | None = None


class FieldChange(Body):
    """What of a field may change."""

    display_name: NonBlank | None = None
    description: NonBlank | None = None
    caveats: NonBlank | None = None
    points_of_interest: NonBlank | None = None
    semantic_type: str | None = None
    coercion_strategy: str | None = None
    fk_target_field_id: PositiveInt | None = None
    visibility_type: Literal["retired", "sensitive", "normal", "hidden", "details-only"] | None = None
    has_field_values: Literal["auto-list", "list", "none", "search"] | None = None
    settings: OpenMap | None = None
    nfc_path: list[NonBlank] | None = None
    json_unfolding: bool | None = None


class TableQuery(Query):
    """What to show of a table."""

    include_sensitive_fields: bool = False


def _table(call: Call) -> Row:
    table = call.row("table")
    if not may_see_table(call.state, call.user, table):
        raise forbidden()
    return table


def _field(call: Call) -> Row:
    field = call.row("field")
    table = call.state.get("table", field["table_id"])
    if table is None:
        raise not_found()
    if not may_see_table(call.state, call.user, table):
        raise forbidden()
    return field


def _writable(call: Call) -> None:
    if not call.user["is_superuser"]:
        raise forbidden()


def _with_database(call: Call, table: Row) -> dict[str, Any]:
    database = call.state.get("database", table["db_id"])
    return shown_table(table) | {"db": shown_database(call, database) if database else None}


@route("GET", "/api/table")
def tables(call: Call) -> list[dict[str, Any]]:
    """All active tables that whoever asks may see."""
    found = [t for t in call.state.where("table", active=True) if may_see_table(call.state, call.user, t)]
    return [_with_database(call, t) for t in sorted(found, key=lambda t: t["name"].lower())]


@route("GET", f"/api/table/{ID}")
def table_one(call: Call) -> dict[str, Any]:
    """A table."""
    return _with_database(call, _table(call)) | {"pk_field": _primary(call, call.id())}


def _primary(call: Call, table_id: int) -> int | None:
    field = call.state.first("field", table_id=table_id, semantic_type="type/PK", active=True)
    return field["id"] if field else None


@route("GET", f"/api/table/{ID}/query_metadata", query=TableQuery)
def table_metadata(call: Call) -> dict[str, Any]:
    """A table with its fields."""
    table = _table(call)
    fields = fields_of(call.state, table, sensitive=call.query.include_sensitive_fields)
    return _with_database(call, table) | {
        "fields": [shown_field(call.state, f) for f in fields],
        "segments": [],
        "metrics": [],
        "dimension_options": {},
    }


@route("GET", f"/api/table/{ID}/fks")
def foreign_keys(call: Call) -> list[dict[str, Any]]:
    """The foreign keys that point to a table."""
    table = _table(call)
    own = {f["id"]: f for f in call.state.where("field", table_id=table["id"])}
    return [
        {
            "origin_id": field["id"],
            "origin": shown_field(call.state, field, target=False),
            "relationship": "Mt1",
            "destination_id": field["fk_target_field_id"],
            "destination": shown_field(call.state, own[field["fk_target_field_id"]], target=False),
        }
        for field in call.state.all("field")
        if field["fk_target_field_id"] in own and field["active"]
    ]


@route("PUT", f"/api/table/{ID}", body=TableChange)
def table_change(call: Call) -> dict[str, Any]:
    """Says something about a table."""
    table = call.row("table")
    _writable(call)
    given = call.body.given()
    for name in ("display_name", "show_in_getting_started", "entity_type", "field_order"):
        if given.get(name) is None:
            given.pop(name, None)
    table |= given | {"updated_at": timestamp(call.standin.now())}
    return _with_database(call, table)


@route("GET", f"/api/field/{ID}")
def field_one(call: Call) -> dict[str, Any]:
    """A field."""
    field = _field(call)
    table = call.state.get("table", field["table_id"]) or {}
    return shown_field(call.state, field) | {"table": _with_database(call, table)}


@route("PUT", f"/api/field/{ID}", body=FieldChange)
def field_change(call: Call) -> dict[str, Any]:
    """Says something about a field. A field that is no foreign key any more loses its target."""
    field = call.row("field")
    _writable(call)
    given = call.body.given()
    semantic = given.get("semantic_type", field["semantic_type"])
    if semantic is not None and semantic not in SEMANTIC:
        raise invalid_field(
            "semantic_type", "value must be a valid field semantic or relation type (keyword or string)."
        )
    target = given.get("fk_target_field_id")
    if target is not None and call.state.get("field", target) is None:
        raise invalid_field("fk_target_field_id", "Invalid target field")
    for name in ("display_name", "visibility_type", "json_unfolding"):
        if given.get(name) is None:
            given.pop(name, None)
    field |= given
    if field["semantic_type"] != "type/FK":
        field["fk_target_field_id"] = None
    field["updated_at"] = timestamp(call.standin.now())
    return shown_field(call.state, field)


@route("GET", f"/api/field/{ID}/values")
async def field_values(call: Call) -> dict[str, Any]:
    """The values of a field that has a list of them, else none."""
    field = _field(call)
    if field_values_kind(field) != "list":
        return {"values": [], "field_id": field["id"], "has_more_values": field_values_kind(field) == "search"}
    values, more = await distinct_values(call.standin, field)
    return {"values": [[value] for value in values], "field_id": field["id"], "has_more_values": more}


@route("POST", f"/api/field/{ID}/rescan_values", access="admin")
def field_rescan(call: Call) -> dict[str, str]:
    """Values are read when they are asked for."""
    call.row("field")
    return {"status": "success"}


@route("POST", f"/api/field/{ID}/discard_values", access="admin")
def field_discard(call: Call) -> dict[str, str]:
    """Likewise."""
    call.row("field")
    return {"status": "success"}
