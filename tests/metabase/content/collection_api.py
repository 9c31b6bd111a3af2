"""The endpoints of collections: list, tree, items, making, changing, moving, archiving."""

from __future__ import annotations

from typing import Any, Literal
from uuid import uuid4

from tests.metabase.content.collections import (
    add_collection,
    ancestor_ids,
    check_readable,
    check_writable,
    descendants,
    detailed,
    inherit,
    inside,
    owner_of,
    parent_id,
    readable,
    root_shown,
    shown,
    trash_id,
    writable,
)
from tests.metabase.core.call import ID, ID_OR_ENTITY, Call, route
from tests.metabase.core.errors import bad_request, forbidden, not_found, paid_feature
from tests.metabase.core.schema import Body, NonBlank, PositiveInt, Query
from tests.metabase.core.state import Row


class NewCollection(Body):
    """A collection to make; it has no entity_id to set."""

    name: NonBlank
    description: NonBlank | None = None
    parent_id: PositiveInt | None = None
    namespace: NonBlank | None = None
    authority_level: Literal["official"] | None = None


class CollectionChange(Body):
    """What of a collection may change. `archived` is false where it is left out, which restores what was archived."""

    name: NonBlank | None = None
    description: NonBlank | None = None
    archived: bool | None = False
    parent_id: PositiveInt | None = None
    type: Literal["remote-synced"] | None = None
    authority_level: Literal["official"] | None = None


class ListQuery(Query):
    """Which collections to list."""

    archived: bool = False
    exclude_other_user_collections: bool = False
    namespace: str | None = None
    personal_only: bool = False

    model_config = Query.model_config | {"alias_generator": lambda name: name.replace("_", "-")}


class TreeQuery(ListQuery):
    """What the tree leaves out."""

    exclude_archived: bool = False


def _order(collection: Row) -> tuple[Any, ...]:
    kind = collection["type"]
    return (collection["authority_level"] != "official", {None: 0, "trash": 1}.get(kind, 2), collection["name"].lower())


def _visible(call: Call, query: ListQuery, *, archived: bool | None) -> list[Row]:
    trash = trash_id(call.state)
    found = []
    for collection in sorted(call.state.all("collection"), key=_order):
        owner = owner_of(call.state, collection)
        if collection["namespace"] != query.namespace or not readable(call, collection["id"]):
            continue
        if archived is not None and (collection["archived"] or collection["id"] == trash) != archived:
            continue
        if (query.exclude_other_user_collections and owner not in {None, call.user["id"]}) or (
            query.personal_only and collection["personal_owner_id"] is None
        ):
            continue
        found.append(collection)
    return found


@route("GET", "/api/collection", query=ListQuery)
def listed(call: Call) -> list[dict[str, Any]]:
    """All collections whoever asks may read, the root first, people's own among them."""
    found = [shown(call, c) for c in _visible(call, call.query, archived=call.query.archived)]
    if call.query.archived or call.query.personal_only or not readable(call, None):
        return found
    return [root_shown(call), *found]


@route("GET", "/api/collection/tree", query=TreeQuery)
def tree(call: Call) -> list[dict[str, Any]]:
    """The same as a tree; without `exclude-archived` the trash and what is in it are there too."""
    found = _visible(call, call.query, archived=False if call.query.exclude_archived else None)
    nodes = {c["id"]: shown(call, c) | {"children": [], "here": [], "below": []} for c in found}
    top: list[dict[str, Any]] = []
    for collection in found:
        above = next((n for n in reversed(ancestor_ids(collection)) if n in nodes), None)
        (nodes[above]["children"] if above is not None else top).append(nodes[collection["id"]])
    return top


@route("GET", "/api/collection/root")
def root(call: Call) -> dict[str, Any]:
    """The root."""
    check_readable(call, None)
    return root_shown(call)


@route("GET", "/api/collection/trash")
def trash(call: Call) -> dict[str, Any]:
    """The trash."""
    return detailed(call, call.state.get("collection", trash_id(call.state)) or {})


@route("GET", f"/api/collection/{ID_OR_ENTITY}")
def one(call: Call) -> dict[str, Any]:
    """A collection."""
    collection = call.row("collection")
    check_readable(call, collection["id"])
    return detailed(call, collection)


@route("POST", "/api/collection", body=NewCollection)
def create(call: Call) -> dict[str, Any]:
    """Makes a collection; it gets the permissions that its parent has at this moment."""
    body = call.body
    check_writable(call, body.parent_id)
    if body.authority_level is not None:
        raise paid_feature("Official Collections")
    parent = call.state.get("collection", body.parent_id)
    if parent and parent["archived"]:
        raise bad_request("You cannot create a Collection in an archived Collection.")
    collection = add_collection(
        call.standin, body.name, parent=parent, description=body.description, namespace=body.namespace
    )
    inherit(call.state, collection)
    return collection


@route("PUT", f"/api/collection/{ID}", body=CollectionChange)
def change(call: Call) -> dict[str, Any]:
    """Changes a collection, moves it with all below, or puts it into the trash with all that is in it."""
    collection, given = call.row("collection"), call.body.given()
    if not writable(call, collection["id"]):
        raise forbidden()
    if given.get("authority_level", collection["authority_level"]) != collection["authority_level"]:
        raise paid_feature("Official Collections")
    if collection["type"] == "trash":
        raise bad_request("You cannot modify the Trash Collection.")
    if "name" in given and given["name"] is None:
        raise bad_request("Collection name cannot be blank.")
    archive = bool(call.body.archived)
    if archive != collection["archived"]:
        if collection["personal_owner_id"]:
            raise bad_request("You cannot archive a Personal Collection.")
        _archive(call, collection) if archive else _restore(call, collection, given)
    elif "parent_id" in given and given["parent_id"] != parent_id(collection):
        _move(call, collection, given["parent_id"])
    collection |= {name: given[name] for name in ("name", "description") if name in given}
    return detailed(call, collection)


def _contents(call: Call, collections: list[Row]) -> list[Row]:
    numbers = {c["id"] for c in collections}
    return [row for table in ("card", "dashboard") for row in call.state.all(table) if row["collection_id"] in numbers]


def _archive(call: Call, collection: Row) -> None:
    operation = str(uuid4())
    below = [c for c in descendants(call.state, collection) if not c["archived"]]
    for row in below:
        row |= {"archived": True, "archived_directly": False, "archive_operation_id": operation}
    collection |= {"archived": True, "archived_directly": True, "archive_operation_id": operation}
    for row in _contents(call, [collection, *below]):
        if not row["archived"]:
            row |= {"archived": True, "archived_directly": False}


def _restore(call: Call, collection: Row, given: dict[str, Any]) -> None:
    target = given.get("parent_id", parent_id(collection))
    parent = call.state.get("collection", target)
    if parent and parent["archived"]:
        raise bad_request("The collection that this was in is archived; give a parent_id.")
    operation = collection["archive_operation_id"]
    below = [c for c in descendants(call.state, collection) if c["archive_operation_id"] == operation]
    for row in [collection, *below]:
        row |= {"archived": False, "archived_directly": None, "archive_operation_id": None}
    for row in _contents(call, [collection, *below]):
        if row["archived"] and not row["archived_directly"]:
            row |= {"archived": False}
    if target != parent_id(collection):
        _move(call, collection, target)


def _move(call: Call, collection: Row, target: int | None) -> None:
    check_writable(call, target)
    parent = call.state.get("collection", target)
    if parent and collection["id"] in [*ancestor_ids(parent), parent["id"]]:
        raise bad_request("You cannot move a Collection into itself or into one of its descendants.")
    before, after = inside(collection), f"{inside(parent)}{collection['id']}/"
    for row in descendants(call.state, collection):
        row["location"] = after + row["location"].removeprefix(before)
    collection["location"] = inside(parent)


@route("DELETE", f"/api/collection/{ID}", access="admin")
def delete(call: Call) -> None:
    """Deletes for good what is in the trash."""
    collection = call.row("collection")
    if not collection["archived"]:
        raise bad_request("Collection must be trashed before deletion.")
    gone = {c["id"] for c in [collection, *descendants(call.state, collection)]}
    for table in ("card", "dashboard"):
        call.state.keep_only(table, lambda row: row["collection_id"] not in gone)
    call.state.keep_only("collection_permission", lambda row: row["collection_id"] not in gone)
    call.state.keep_only("collection", lambda row: row["id"] not in gone)


def resolve(call: Call, reference: int | str | None) -> int | None:
    """A collection's id from a request, which may give its entity id.

    Raises:
        ApiError: 404.
    """
    if isinstance(reference, str):
        found = call.state.first("collection", entity_id=reference)
        if found is None:
            raise not_found()
        return int(found["id"])
    return reference
