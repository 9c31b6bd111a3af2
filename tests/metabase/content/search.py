"""Search, and from entity ids to numbers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from tests.metabase.content.collections import readable
from tests.metabase.core.call import Call, route
from tests.metabase.core.errors import ApiError
from tests.metabase.core.ids import NANO_ID_LENGTH
from tests.metabase.core.schema import Body, Query
from tests.metabase.core.state import Row

_MODELS = ("card", "dashboard", "collection", "database", "table")
_ENTITIES = {
    "card": "card",
    "dataset": "card",
    "metric": "card",
    "collection": "collection",
    "dashboard": "dashboard",
    "dashboard-card": "dashcard",
    "dashboard-tab": "tab",
    "permissions-group": "group",
    "user": "user",
}


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Wanted(Query):
    """What to search for."""

    q: str | None = None
    models: Annotated[list[str] | None, BeforeValidator(_as_list)] = None
    archived: bool = False
    collection: int | None = None
    limit: int | None = None
    offset: int | None = None


class Entities(Body):
    """Entity ids by model."""

    entity_ids: dict[str, list[str]]


@route("GET", "/api/search", query=Wanted)
def search(call: Call) -> dict[str, Any]:
    """What has the text in its name or description, and may be read."""
    query = call.query
    found = [
        _result(call, model, row)
        for model in _MODELS
        if not query.models or model in query.models
        for row in call.state.all(model)
        if _fits(call, model, row)
    ]
    found.sort(key=lambda r: (r["name"].lower() != (query.q or "").lower(), r["name"].lower(), r["model"], r["id"]))
    start = query.offset or 0
    page = found[start : start + query.limit] if query.limit is not None else found[start:]
    return {
        "data": page,
        "total": len(found),
        "limit": query.limit,
        "offset": query.offset,
        "models": query.models or sorted(_MODELS),
        "available_models": sorted({r["model"] for r in found}),
        "table_db_id": None,
        "engine": "search.engine/in-place",
    }


def _fits(call: Call, model: str, row: Row) -> bool:
    query = call.query
    if bool(row.get("archived")) != query.archived or row.get("type") == "trash":
        return False
    if query.q and query.q.lower() not in f"{row['name']} {row.get('description') or ''}".lower():
        return False
    if model in {"database", "table"}:
        return bool(call.user["is_superuser"]) and query.collection is None
    place = row["id"] if model == "collection" else row["collection_id"]
    if query.collection is not None and (model == "collection" or place != query.collection):
        return False
    return readable(call, place)


def _result(call: Call, model: str, row: Row) -> dict[str, Any]:
    collection = call.state.get("collection", row.get("collection_id")) or {}
    kinds = {"model": "dataset", "metric": "metric"}
    return {
        "id": row["id"],
        "name": row["name"],
        "model": kinds.get(row["type"], "card") if model == "card" else model,
        "description": row.get("description"),
        "archived": row.get("archived"),
        "entity_id": row.get("entity_id"),
        "collection_position": row.get("collection_position"),
        "collection": {name: collection.get(name) for name in ("id", "name", "type", "authority_level")},
        "display": row.get("display"),
        "database_id": row.get("database_id"),
        "created_at": row.get("created_at"),
        "updated_at": row.get("updated_at"),
        "creator_id": row.get("creator_id"),
    }


@route("POST", "/api/eid-translation/translate", access="open", body=Entities)
def translate(call: Call) -> dict[str, Any]:
    """Numbers for entity ids; each says whether it was found or is none."""
    wanted = call.body.entity_ids
    if unknown := set(wanted) - set(_ENTITIES):
        raise ApiError(
            400, {"message": "Invalid format.", "allowed-models": sorted(_ENTITIES), "unknown": sorted(unknown)}
        )
    found: dict[str, Any] = {}
    for model, entities in wanted.items():
        for entity in entities:
            row = call.state.first(_ENTITIES[model], entity_id=entity)
            if row is not None:
                found[entity] = {"id": row["id"], "type": model, "status": "ok"}
            elif len(entity) == NANO_ID_LENGTH:
                found[entity] = {"type": model, "status": "not-found"}
            else:
                reason = f'"{entity}" should be {NANO_ID_LENGTH} characters long, but it is {len(entity)}'
                found[entity] = {"type": model, "status": "invalid-format", "reason": [reason]}
    return {"entity_ids": found}
