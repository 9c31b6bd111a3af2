"""The graph of collection permissions: sparse when read, laid over what is there when written."""

from __future__ import annotations

from typing import Any

from tests.metabase.access.data_graph import GraphQuery
from tests.metabase.access.principals import ADMINISTRATORS
from tests.metabase.content.collections import ROOT, owner_of, set_level
from tests.metabase.core.call import Call, route
from tests.metabase.core.errors import bad_request, conflict, server_error
from tests.metabase.core.schema import Body, NonBlank, OpenMap, Query
from tests.metabase.core.state import Row, State

REVISION = "collection_permissions_revision"
_LEVELS = frozenset({"write", "read", "none"})


class Graph(Body):
    """A graph, or the part of it to change."""

    namespace: NonBlank | None = None
    revision: int | None = None
    groups: OpenMap


class Namespace(Query):
    """Whose graph."""

    namespace: str | None = None


def _eligible(state: State, collection: Row) -> bool:
    return (
        collection["type"] != "trash"
        and not collection["archived"]
        and collection["namespace"] is None
        and owner_of(state, collection) is None
    )


def graph(state: State) -> dict[str, Any]:
    """Who may read or write what; whoever may not is not in it. Administrators may write everywhere."""
    shown: dict[str, dict[str, str]] = {str(ADMINISTRATORS): {ROOT: "write"}}
    collections = [c for c in state.all("collection") if _eligible(state, c)]
    for collection in collections:
        shown[str(ADMINISTRATORS)][str(collection["id"])] = "write"
    numbers = {c["id"] for c in collections} | {ROOT}
    for row in state.all("collection_permission"):
        if row["collection_id"] in numbers:
            shown.setdefault(str(row["group_id"]), {})[str(row["collection_id"])] = row["level"]
    return {"revision": state.counted(REVISION), "groups": shown}


@route("GET", "/api/collection/graph", access="admin", query=Namespace)
def read(call: Call) -> dict[str, Any]:
    """The graph."""
    if call.query.namespace:
        return {"revision": call.state.counted(REVISION), "groups": {str(ADMINISTRATORS): {ROOT: "write"}}}
    return graph(call.state)


@route("PUT", "/api/collection/graph", access="admin", body=Graph, query=GraphQuery)
def change(call: Call) -> dict[str, Any]:
    """Sets what is named and leaves the rest. A `none` that says what is so already still makes a new revision."""
    state, body = call.state, call.body
    changes = _changes(state, body.groups)
    if not call.query.force and body.revision != state.counted(REVISION):
        raise conflict()
    for group, collection, _ in changes:
        if group == ADMINISTRATORS:
            raise bad_request("You cannot create or revoke permissions for the 'Admin' group.")
        if state.get("group", group) is None or (
            collection != ROOT and state.get("collection", int(collection)) is None
        ):
            raise server_error(
                'ERROR: insert or update on table "permissions" violates foreign key constraint',
                "class org.postgresql.util.PSQLException",
            )
    for group, collection, level in changes:
        set_level(state, group, collection if collection == ROOT else int(collection), level)
    if changes:
        state.count_up(REVISION)
    return {"revision": state.counted(REVISION)} if call.query.skip_graph else graph(state)


def _changes(state: State, groups: OpenMap) -> list[tuple[int, str, str]]:
    """What differs from the sparse graph. People's own collections are passed over."""
    present = graph(state)["groups"]
    changes = []
    for group, collections in groups.items():
        if not group.isdigit() or not isinstance(collections, dict):
            raise bad_request("Invalid collection permissions graph: groups are keyed by id and hold a map.")
        for collection, level in collections.items():
            if level not in _LEVELS or not (collection == ROOT or collection.isdigit()):
                raise bad_request("Invalid collection permissions graph: collections are write, read or none.")
            row = state.get("collection", int(collection)) if collection != ROOT else None
            if row is not None and owner_of(state, row) is not None:
                continue
            if present.get(group, {}).get(collection) != level:
                changes.append((int(group), collection, level))
    return changes
