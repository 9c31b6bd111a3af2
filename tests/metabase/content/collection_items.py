"""What is in a collection: collections, dashboards and cards, in one list."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from tests.metabase.content.collections import check_readable, parent_id, readable, trash_id
from tests.metabase.core.call import ID_OR_ENTITY, Call, route
from tests.metabase.core.schema import Query
from tests.metabase.core.state import Row


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class ItemsQuery(Query):
    """Which items to list, and in which order."""

    models: Annotated[list[str] | None, BeforeValidator(_as_list)] = None
    archived: bool = False
    sort_column: Literal["model", "name", "last_edited_by", "last_edited_at", "description"] = "name"
    sort_direction: Literal["asc", "desc"] = "asc"
    limit: int | None = None
    offset: int | None = None


@route("GET", "/api/collection/root/items", query=ItemsQuery)
def root_items(call: Call) -> dict[str, Any]:
    """What is in the root."""
    check_readable(call, None)
    return _items(call, None)


@route("GET", "/api/collection/trash/items", query=ItemsQuery)
def trash_items(call: Call) -> dict[str, Any]:
    """What is in the trash."""
    return _items(call, trash_id(call.state))


@route("GET", f"/api/collection/{ID_OR_ENTITY}/items", query=ItemsQuery)
def items(call: Call) -> dict[str, Any]:
    """What is in a collection: collections, dashboards, cards."""
    collection = call.row("collection")
    check_readable(call, collection["id"])
    return _items(call, collection["id"])


def _items(call: Call, collection_id: int | None) -> dict[str, Any]:
    state, query = call.state, call.query
    holder = state.get("collection", collection_id)
    in_trash = collection_id == trash_id(state)
    archived = query.archived or bool(holder and holder["archived"]) or in_trash
    found = []
    for model, table in (("collection", "collection"), ("dashboard", "dashboard"), ("card", "card")):
        for row in state.all(table):
            own = row["id"] if model == "collection" else row["collection_id"]
            place = parent_id(row) if model == "collection" else row["collection_id"]
            here = (
                bool(row["archived_directly"])
                if in_trash
                else place == collection_id and not (row["archived_directly"] and not query.archived)
            )
            hidden = row.get("type") == "trash" or row.get("namespace") or row.get("dashboard_id")
            if here and not hidden and row["archived"] == archived and readable(call, own):
                found.append(_item(model, row))
    if query.models:
        found = [item for item in found if item["model"] in query.models]
    column = query.sort_column if query.sort_column in {"name", "model"} else "name"
    found.sort(key=lambda item: (str(item[column]).lower(), item["id"]), reverse=query.sort_direction == "desc")
    start = query.offset or 0
    page = found[start : start + query.limit] if query.limit is not None else found[start:]
    return {
        "data": page,
        "total": len(found),
        "limit": query.limit,
        "offset": query.offset,
        "models": sorted({item["model"] for item in found}),
    }


_SHOWN = ("id", "name", "description", "entity_id", "collection_id", "collection_position", "archived", "location")
_CARD = ("display", "database_id", "dashboard_id", "collection_preview", "type")


def _item(model: str, row: Row) -> dict[str, Any]:
    item = {name: row.get(name) for name in _SHOWN} | {"model": model, "last-edit-info": None}
    if model == "card":
        kinds = {"model": "dataset", "metric": "metric"}
        item |= {name: row[name] for name in _CARD} | {"model": kinds.get(row["type"], "card")}
    if model == "collection":
        names = ("authority_level", "type", "personal_owner_id")
        item |= {name: row[name] for name in names} | {"parent_id": parent_id(row)}
    return item
