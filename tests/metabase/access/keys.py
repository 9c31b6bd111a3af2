"""API keys: made once, shown once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.metabase.access.passwords import hashed
from tests.metabase.access.principals import ALL_USERS, add_user, group_ids, set_groups
from tests.metabase.core.call import ID, Call, route
from tests.metabase.core.errors import invalid_field, server_error
from tests.metabase.core.ids import KEY_PREFIX_LENGTH, masked, new_api_key, timestamp
from tests.metabase.core.schema import Body, NonBlank, PositiveInt
from tests.metabase.core.state import Row


class NewKey(Body):
    """A key to make."""

    group_id: PositiveInt
    name: NonBlank


class KeyChange(Body):
    """What of a key may change."""

    group_id: PositiveInt | None = None
    name: NonBlank | None = None


def _presented(call: Call, row: Row) -> dict[str, Any]:
    """A key as answers show it, without itself."""
    user = call.state.get("user", row["user_id"]) or {}
    own = sorted(group_ids(call.state, user), key=lambda group: group == ALL_USERS)
    group = call.state.get("group", own[0] if own else None) or {}
    by = call.state.get("user", row["updated_by_id"]) or {}
    return {
        "id": row["id"],
        "name": row["name"],
        "group": {"id": group.get("id"), "name": group.get("name")},
        "masked_key": masked(row["key_prefix"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "updated_by": {"id": by.get("id"), "common_name": by.get("common_name")},
    }


def _check_group(call: Call, group_id: int) -> None:
    if call.state.get("group", group_id) is None:
        raise server_error(
            'ERROR: insert or update on table "permissions_group_membership" violates foreign key constraint',
            "class org.postgresql.util.PSQLException",
        )


@route("POST", "/api/api-key", access="admin", body=NewKey)
def create(call: Call) -> dict[str, Any]:
    """Makes a key and its user; the only answer with the key itself."""
    name, group_id = call.body.name, call.body.group_id
    if call.state.first("api_key", name=name):
        raise invalid_field("name", "An API key with this name already exists.")
    _check_group(call, group_id)
    key = new_api_key()
    email = f"api-key-user-{uuid4()}@api-key.invalid"
    user = add_user(call.standin, email, name, "", None, {group_id}, kind="api-key")
    now = timestamp(call.standin.now())
    row = call.state.add(
        "api_key",
        {
            "name": name,
            "user_id": user["id"],
            "key": hashed(key),
            "key_prefix": key[:KEY_PREFIX_LENGTH],
            "created_at": now,
            "updated_at": now,
            "updated_by_id": call.user["id"],
        },
    )
    return _presented(call, row) | {"unmasked_key": key}


@route("GET", "/api/api-key", access="admin")
def listed(call: Call) -> list[dict[str, Any]]:
    """All keys, by id."""
    return [_presented(call, row) for row in call.state.all("api_key")]


@route("GET", "/api/api-key/count", access="admin")
def count(call: Call) -> int:
    """How many there are."""
    return len(call.state.all("api_key"))


@route("PUT", f"/api/api-key/{ID}", access="admin", body=KeyChange)
def change(call: Call) -> dict[str, Any]:
    """Another name, another group."""
    row = call.row("api_key")
    user = call.state.get("user", row["user_id"]) or {}
    if call.body.group_id is not None:
        _check_group(call, call.body.group_id)
        set_groups(call.state, user, {ALL_USERS, call.body.group_id})
    if call.body.name is not None:
        row["name"] = user["first_name"] = user["common_name"] = call.body.name
    row |= {"updated_at": timestamp(call.standin.now()), "updated_by_id": call.user["id"]}
    return _presented(call, row)


@route("PUT", f"/api/api-key/{ID}/regenerate", access="admin")
def regenerate(call: Call) -> dict[str, Any]:
    """A new key in place of the old one, which stops working."""
    row = call.row("api_key")
    key = new_api_key()
    row |= {
        "key": hashed(key),
        "key_prefix": key[:KEY_PREFIX_LENGTH],
        "updated_at": timestamp(call.standin.now()),
        "updated_by_id": call.user["id"],
    }
    return {"id": row["id"], "unmasked_key": key, "masked_key": masked(key), "prefix": row["key_prefix"]}


@route("DELETE", f"/api/api-key/{ID}", access="admin")
def delete(call: Call) -> None:
    """Ends a key; its user stays, inactive."""
    row = call.row("api_key")
    user = call.state.get("user", row["user_id"])
    if user:
        user["is_active"] = False
    call.state.delete("api_key", row["id"])
