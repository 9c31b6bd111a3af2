"""Groups and who is in them."""

from __future__ import annotations

from typing import Any

from tests.metabase.access.data_permissions import default_for_group
from tests.metabase.access.principals import (
    ADMINISTRATORS,
    ALL_USERS,
    add_group,
    group_ids,
    members,
    set_groups,
)
from tests.metabase.core.call import ID, Call, route
from tests.metabase.core.errors import bad_request, not_found, paid_feature
from tests.metabase.core.schema import Body, NonBlank, PositiveInt
from tests.metabase.core.state import Row


class NewGroup(Body):
    """A group to make."""

    name: NonBlank
    is_tenant_group: bool | None = None


class GroupName(Body):
    """A group's new name."""

    name: NonBlank


class NewMembership(Body):
    """Somebody for a group."""

    user_id: PositiveInt
    group_id: PositiveInt
    is_group_manager: bool | None = None


def _check_name(call: Call, name: str) -> None:
    if any(group["name"].lower() == name.lower() for group in call.state.all("group")):
        raise bad_request("A group with that name already exists.")


def _check_ordinary(group: Row) -> None:
    if group["magic_group_type"]:
        raise bad_request(f"You cannot edit or delete the '{group['name']}' permissions group!")


@route("GET", "/api/permissions/group", access="admin")
def listed(call: Call) -> list[dict[str, Any]]:
    """All groups but tenants', by name, with the number of their members."""
    shown = [group for group in call.state.all("group") if not group["is_tenant_group"]]
    return [
        group | {"member_count": len(members(call.state, group["id"]))}
        for group in sorted(shown, key=lambda g: g["name"].lower())
    ]


@route("GET", f"/api/permissions/group/{ID}", access="admin")
def one(call: Call) -> dict[str, Any]:
    """A group and its members."""
    return call.row("group") | {"members": members(call.state, call.id())}


@route("POST", "/api/permissions/group", access="admin", body=NewGroup)
def create(call: Call) -> dict[str, Any]:
    """A new group; on every database it gets what All Users has there."""
    if call.body.is_tenant_group:
        raise paid_feature("Tenants")
    _check_name(call, call.body.name)
    group = add_group(call.state, call.body.name)
    default_for_group(call.state, group)
    return group


@route("PUT", f"/api/permissions/group/{ID}", access="admin", body=GroupName)
def rename(call: Call) -> dict[str, Any]:
    """Another name."""
    group = call.row("group")
    _check_ordinary(group)
    _check_name(call, call.body.name)
    group["name"] = call.body.name
    return group


@route("DELETE", f"/api/permissions/group/{ID}", access="admin")
def delete(call: Call) -> None:
    """Deletes a group, its memberships and its permissions."""
    group = call.state.get("group", call.id())
    if group is None:
        return
    _check_ordinary(group)
    for table in ("membership", "data_permission", "collection_permission"):
        call.state.keep_only(table, lambda row: row["group_id"] != group["id"])
    call.state.delete("group", group["id"])


@route("GET", "/api/permissions/membership", access="admin")
def memberships(call: Call) -> dict[str, list[dict[str, Any]]]:
    """Memberships by user."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in call.state.all("membership"):
        entry = {"membership_id": row["id"]} | {k: row[k] for k in ("group_id", "user_id", "is_group_manager")}
        found.setdefault(str(row["user_id"]), []).append(entry)
    return found


@route("POST", "/api/permissions/membership", access="admin", body=NewMembership)
def add_member(call: Call) -> list[dict[str, Any]]:
    """Puts somebody into a group; answers the group's members."""
    if call.body.is_group_manager:
        raise paid_feature("Group manager")
    user, group = call.state.get("user", call.body.user_id), call.state.get("group", call.body.group_id)
    if user is None or group is None:
        raise not_found()
    present = group_ids(call.state, user)
    if group["id"] in present:
        raise bad_request("User is already a member of this group.")
    set_groups(call.state, user, present | {group["id"]})
    return members(call.state, group["id"])


@route("DELETE", f"/api/permissions/membership/{ID}", access="admin")
def remove_member(call: Call) -> None:
    """Takes somebody out of a group."""
    row = call.row("membership")
    if row["group_id"] == ALL_USERS:
        raise bad_request("You cannot add or remove users to/from the 'All Users' group.")
    if row["group_id"] == ADMINISTRATORS and len(members(call.state, ADMINISTRATORS)) == 1:
        raise bad_request("You cannot remove the last member of the 'Admin' group!")
    user = call.state.get("user", row["user_id"]) or {}
    set_groups(call.state, user, group_ids(call.state, user) - {row["group_id"]})


@route("PUT", "/api/permissions/membership/{group_id:\\d+}/clear", access="admin")
def clear(call: Call) -> None:
    """Empties a group."""
    group = call.row("group", "group_id")
    if group["id"] == ADMINISTRATORS:
        raise bad_request("Invalid Request.")
    call.state.keep_only("membership", lambda row: row["group_id"] != group["id"])
