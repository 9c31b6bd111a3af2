"""Cards: making, changing, showing, listing."""

from __future__ import annotations

from typing import Any

from tests.metabase.access.data_permissions import may_write_sql
from tests.metabase.content.card_requests import CardChange, CardFilter, CardQuery, NewCard
from tests.metabase.content.collection_api import resolve
from tests.metabase.content.collections import check_writable, owner_of, readable, summary, trash_id, writable
from tests.metabase.core.call import ID, ID_OR_ENTITY, Call, route
from tests.metabase.core.errors import bad_request, forbidden, not_found, server_error
from tests.metabase.core.ids import NANO_ID_LENGTH, new_entity_id, timestamp
from tests.metabase.core.schema import OpenMap
from tests.metabase.core.state import Row
from tests.metabase.query import mbql
from tests.metabase.query.run import described


def shown(call: Call, card: Row, *, legacy: bool = False) -> dict[str, Any]:
    """A card as answers show it."""
    query = card["dataset_query"]
    user = call.state.get("user", card["creator_id"]) or {}
    directly = bool(card["archived"] and card["archived_directly"])
    return card | {
        "dataset_query": mbql.legacy(query) if legacy else mbql.shown(query, call.options.template_tags),
        "collection_id": trash_id(call.state) if directly else card["collection_id"],
        "collection": summary(call, card["collection_id"]),
        "creator": {name: user.get(name) for name in ("id", "email", "first_name", "last_name", "common_name")},
        "can_write": writable(call, card["collection_id"]),
        "can_restore": directly,
        "can_delete": directly,
        "can_manage_db": call.user["is_superuser"],
        "dashboard": None,
        "dashboard_count": len({d["dashboard_id"] for d in call.state.where("dashcard", card_id=card["id"])}),
        "parameter_usage_count": 0,
        "average_query_time": None,
        "last_query_start": None,
        "moderation_reviews": [],
        "param_fields": {},
        "last-edit-info": {
            "id": user.get("id"),
            "email": user.get("email"),
            "first_name": user.get("first_name"),
            "last_name": user.get("last_name"),
            "timestamp": card["updated_at"],
        },
    }


def card_readable(call: Call) -> Row:
    """The card that the path names.

    Raises:
        ApiError: 404, 403.
    """
    card = call.row("card")
    if not readable(call, card["collection_id"]):
        raise forbidden()
    return card


def _check_query(call: Call, query: OpenMap) -> None:
    if call.state.get("database", query["database"]) is None:
        raise not_found()
    if mbql.is_native(query) and not may_write_sql(call.state, call.user, query["database"]):
        raise forbidden("You cannot save this Question because you do not have permissions to run its query.")


def _plain(models: list[Any] | None) -> list[dict[str, Any]]:
    return [model.given() for model in models or []]


def _check_entity_id(call: Call, entity_id: str | None) -> None:
    """What the application database says to an id of one's own.

    Raises:
        ApiError: 500, it is taken or too long.
    """
    problem = None
    if entity_id and call.state.first("card", entity_id=entity_id):
        problem = (
            'ERROR: duplicate key value violates unique constraint "report_card_entity_id_key"\n'
            f"  Detail: Key (entity_id)=({entity_id}) already exists."
        )
    elif entity_id and len(entity_id) > NANO_ID_LENGTH:
        problem = f"ERROR: value too long for type character({NANO_ID_LENGTH})"
    if problem:
        raise server_error(problem, "class org.postgresql.util.PSQLException")


@route("POST", "/api/card", body=NewCard)
async def create(call: Call) -> dict[str, Any]:
    """Makes a card. An entity id that is taken hits the unique index of the application database: 500."""
    body = call.body
    collection_id = resolve(call, body.collection_id)
    query = mbql.normalized(body.dataset_query)
    _check_query(call, query)
    check_writable(call, collection_id)
    if body.dashboard_id is not None:
        raise bad_request("the stand-in keeps cards in collections alone, not in dashboards")
    metadata = body.result_metadata or await described(call, query)
    # Reason: after the last await, so that two requests at once cannot both find the id free.
    _check_entity_id(call, body.entity_id)
    now = timestamp(call.standin.now())
    card = call.state.add(
        "card",
        {
            "name": body.name,
            "type": body.type or "question",
            "description": body.description,
            "display": body.display,
            "visualization_settings": body.visualization_settings,
            "dataset_query": query,
            "database_id": query["database"],
            "table_id": None,
            "query_type": "native" if mbql.is_native(query) else "query",
            "parameters": _plain(body.parameters),
            "parameter_mappings": _plain(body.parameter_mappings),
            "result_metadata": metadata,
            "collection_id": collection_id,
            "collection_position": body.collection_position,
            "collection_preview": True,
            "cache_ttl": body.cache_ttl,
            "entity_id": body.entity_id or new_entity_id(),
            "archived": False,
            "archived_directly": False,
            "enable_embedding": False,
            "embedding_type": None,
            "embedding_params": None,
            "dashboard_id": None,
            "public_uuid": None,
            "made_public_by_id": None,
            "cache_invalidated_at": None,
            "source_card_id": body.source_card_id,
            "view_count": 0,
            "creator_id": call.user["id"],
            "created_at": now,
            "updated_at": now,
        },
    )
    return shown(call, card)


@route("GET", "/api/card", query=CardFilter)
def listed(call: Call) -> list[dict[str, Any]]:
    """Cards by name: all but archived ones unless asked otherwise."""
    query, found = call.query, []
    for card in sorted(call.state.all("card"), key=lambda c: (c["name"].lower(), c["id"])):
        if card["archived"] != (query.f == "archived") or not readable(call, card["collection_id"]):
            continue
        if query.f == "mine" and card["creator_id"] != call.user["id"]:
            continue
        if query.f == "database" and card["database_id"] != query.model_id:
            continue
        if query.f in {"table", "bookmarked", "using_model", "using_segment"}:
            continue
        found.append(shown(call, card))
    return found


@route("GET", f"/api/card/{ID_OR_ENTITY}", query=CardQuery)
def one(call: Call) -> dict[str, Any]:
    """A card, by id or entity id, its query in MBQL 5 or in the legacy form."""
    return shown(call, card_readable(call), legacy=bool(call.query.legacy_mbql))


_KEPT_IF_NULL = ("name", "dataset_query", "display", "visualization_settings", "type", "archived", "enable_embedding")


@route("PUT", f"/api/card/{ID}", body=CardChange)
async def change(call: Call) -> dict[str, Any]:
    """Changes what the request names."""
    card, given = call.row("card"), call.body.given()
    if not writable(call, card["collection_id"]):
        raise forbidden()
    for name in _KEPT_IF_NULL:
        if given.get(name) is None:
            given.pop(name, None)
    if given.get("dashboard_id") is not None:
        raise bad_request("the stand-in keeps cards in collections alone, not in dashboards")
    given.pop("dashboard_tab_id", None)
    if "collection_id" in given and given["collection_id"] != card["collection_id"]:
        check_writable(call, given["collection_id"])
    for name in ("parameters", "parameter_mappings"):
        if name in given:
            given[name] = _plain(getattr(call.body, name))
    if "dataset_query" in given:
        query = mbql.normalized(given["dataset_query"])
        _check_query(call, query)
        given |= {"dataset_query": query, "database_id": query["database"]}
        given["query_type"] = "native" if mbql.is_native(query) else "query"
        given["result_metadata"] = given.get("result_metadata") or await described(call, query)
    elif given.get("result_metadata") is None:
        given.pop("result_metadata", None)
    if given.get("archived", card["archived"]) != card["archived"]:
        given["archived_directly"] = given["archived"]
        if given["archived"]:
            _archive_notifications(call, card)
        else:
            _check_restorable(call, given.get("collection_id", card["collection_id"]))
    card |= given | {"updated_at": timestamp(call.standin.now())}
    return shown(call, card)


def _check_restorable(call: Call, collection_id: int | None) -> None:
    collection = call.state.get("collection", collection_id)
    if collection and (collection["archived"] or owner_of(call.state, collection) not in {None, call.user["id"]}):
        raise bad_request("The original collection is in the trash; give a collection_id.")


def _archive_notifications(call: Call, card: Row) -> None:
    for notification in call.state.where("notification", card_id=card["id"]):
        notification["active"] = False


@route("DELETE", f"/api/card/{ID}")
def delete(call: Call) -> None:
    """Deletes a card for good, and where it stands on dashboards."""
    card = call.row("card")
    if not writable(call, card["collection_id"]):
        raise forbidden()
    call.state.delete("card", card["id"])
    call.state.keep_only("dashcard", lambda d: d["card_id"] != card["id"])


@route("GET", f"/api/card/{ID}/dashboards")
def dashboards(call: Call) -> list[dict[str, Any]]:
    """The dashboards that a card is on."""
    card = card_readable(call)
    numbers = {d["dashboard_id"] for d in call.state.where("dashcard", card_id=card["id"])}
    found = [call.state.get("dashboard", number) for number in sorted(numbers)]
    return [{"id": d["id"], "name": d["name"]} for d in found if d]
