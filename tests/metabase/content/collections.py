"""Collections as such: the tree, who may do what in it, how answers show one. The endpoints are in `collection_api`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from tests.metabase.access.principals import ADMINISTRATORS, group_ids
from tests.metabase.core.call import Call
from tests.metabase.core.errors import forbidden, not_found
from tests.metabase.core.ids import new_entity_id, timestamp
from tests.metabase.core.standin import Standin
from tests.metabase.core.state import Row, State

ROOT = "root"
Level = Literal["read", "write"]
_SLUG = re.compile(r"[^a-z0-9_]+")


def add_collection(
    standin: Standin,
    name: str,
    *,
    parent: Row | None = None,
    description: str | None = None,
    namespace: str | None = None,
    kind: str | None = None,
    owner: int | None = None,
) -> Row:
    """A new collection, without permissions."""
    return standin.state.add(
        "collection",
        {
            "name": name,
            "slug": _SLUG.sub("_", name.lower())[:510],
            "description": description,
            "location": inside(parent),
            "namespace": namespace,
            "type": kind,
            "authority_level": None,
            "personal_owner_id": owner,
            "archived": False,
            "archived_directly": None,
            "archive_operation_id": None,
            "is_remote_synced": False,
            "is_sample": False,
            "entity_id": new_entity_id(),
            "created_at": timestamp(standin.now()),
        },
    )


def personal_collection(standin: Standin, user: Row) -> Row:
    """The collection that belongs to somebody, made when they are."""
    return add_collection(standin, f"{user['common_name']}'s Personal Collection", owner=user["id"])


def inside(parent: Row | None) -> str:
    """The location of what is in a collection: `/` in the root, `/1/4/` in 4, which is in 1."""
    return "/" if parent is None else f"{parent['location']}{parent['id']}/"


def ancestor_ids(collection: Row) -> list[int]:
    """The collections that this one is in, from the top."""
    return [int(part) for part in collection["location"].split("/") if part]


def parent_id(collection: Row) -> int | None:
    """The collection that this one is in directly, None for the root."""
    above = ancestor_ids(collection)
    return above[-1] if above else None


def trash_id(state: State) -> int:
    """The trash."""
    return int((state.first("collection", type="trash") or {})["id"])


def owner_of(state: State, collection: Row) -> int | None:
    """Whose personal collection this is, or is in."""
    for number in [*ancestor_ids(collection), collection["id"]]:
        above = state.get("collection", number)
        if above and above["personal_owner_id"]:
            return int(above["personal_owner_id"])
    return None


def descendants(state: State, collection: Row) -> list[Row]:
    """Everything below."""
    return [c for c in state.all("collection") if c["location"].startswith(inside(collection))]


def set_level(state: State, group_id: int, collection_id: int | str, level: str) -> None:
    """What a group may do in one collection; `none` takes everything back."""
    state.keep_only(
        "collection_permission",
        lambda row: (row["group_id"], row["collection_id"]) != (group_id, collection_id),
    )
    if level != "none":
        state.add("collection_permission", {"group_id": group_id, "collection_id": collection_id, "level": level})


def inherit(state: State, collection: Row) -> None:
    """Gives a new collection what its parent has; from then on they are independent."""
    above = parent_id(collection)
    if owner_of(state, collection) is not None:
        return
    for row in list(state.where("collection_permission", collection_id=ROOT if above is None else above)):
        set_level(state, row["group_id"], collection["id"], row["level"])


def level_of(state: State, user: Row, collection_id: int | None) -> Level | None:
    """What a user may do in a collection (None is the root): the most that any of their groups may."""
    groups = group_ids(state, user)
    if user["is_superuser"] or ADMINISTRATORS in groups:
        return "write"
    collection = state.get("collection", collection_id)
    if collection is not None and (owner := owner_of(state, collection)) is not None:
        return "write" if owner == user["id"] else None
    key = ROOT if collection_id is None else collection_id
    found = {
        row["level"] for row in state.where("collection_permission", collection_id=key) if row["group_id"] in groups
    }
    return "write" if "write" in found else "read" if found else None


def readable(call: Call, collection_id: int | None) -> bool:
    """Whether whoever asks may read there."""
    return level_of(call.state, call.user, collection_id) is not None


def writable(call: Call, collection_id: int | None) -> bool:
    """Whether whoever asks may write there."""
    return level_of(call.state, call.user, collection_id) == "write"


def check_readable(call: Call, collection_id: int | None) -> None:
    """Raises ApiError: 403."""
    if not readable(call, collection_id):
        raise forbidden()


def check_writable(call: Call, collection_id: int | None) -> None:
    """Raises ApiError: 404 there is no such collection, 403 they may not write to it."""
    if collection_id is not None and call.state.get("collection", collection_id) is None:
        raise not_found()
    if not writable(call, collection_id):
        raise forbidden()


def root_shown(call: Call) -> dict[str, Any]:
    """The root collection, which is no row."""
    return {
        "id": ROOT,
        "name": "Our analytics",
        "authority_level": None,
        "namespace": None,
        "parent_id": None,
        "effective_location": None,
        "effective_ancestors": [],
        "can_write": writable(call, None),
        "can_restore": False,
        "can_delete": False,
        "is_personal": False,
        "is_remote_synced": False,
    }


def shown(call: Call, collection: Row) -> dict[str, Any]:
    """A collection as the lists show it. What is in the trash directly says that the trash is its parent."""
    return collection | {
        "parent_id": trash_id(call.state) if collection["archived_directly"] else parent_id(collection),
        "can_write": writable(call, collection["id"]),
        "is_personal": owner_of(call.state, collection) is not None,
        "can_delete": False,
    }


def detailed(call: Call, collection: Row) -> dict[str, Any]:
    """A collection by itself."""
    state = call.state
    above = [state.get("collection", number) for number in ancestor_ids(collection)]
    root = {"id": ROOT, "name": "Our analytics", "can_write": writable(call, None), "authority_level": None}
    return shown(call, collection) | {
        "effective_location": collection["location"],
        "effective_ancestors": [root]
        + [
            {"id": c["id"], "name": c["name"], "personal_owner_id": c["personal_owner_id"], "type": c["type"]}
            | {"can_write": writable(call, c["id"])}
            for c in above
            if c
        ],
        "can_restore": bool(collection["archived_directly"]),
        "here": sorted(set(_models_in(state, collection["id"]))),
    }


def _models_in(state: State, collection_id: int) -> Iterator[str]:
    for table in ("card", "dashboard"):
        if state.first(table, collection_id=collection_id, archived=False):
            yield table


def summary(call: Call, collection_id: int | None) -> dict[str, Any] | None:
    """The collection of a card or dashboard, as it is shown with it."""
    collection = call.state.get("collection", collection_id)
    if collection is None:
        return {"name": "Our analytics", "metabase.collections.models.collection.root/is-root?": True} | {
            "authority_level": None,
            "is_personal": False,
            "id": ROOT,
            "can_write": writable(call, None),
        }
    return collection | {
        "is_personal": owner_of(call.state, collection) is not None,
        "effective_location": collection["location"],
    }
