"""Users."""

from __future__ import annotations

from typing import Any

from tests.metabase.access.passwords import hashed, matches
from tests.metabase.access.principals import ADMINISTRATORS, ALL_USERS, add_user, common_name, group_ids, set_groups
from tests.metabase.access.setup import check_email, check_password
from tests.metabase.content.collections import personal_collection
from tests.metabase.core.call import ID, Call, route
from tests.metabase.core.errors import bad_request, forbidden, invalid_field, not_found
from tests.metabase.core.ids import timestamp
from tests.metabase.core.schema import Body, NonBlank, PositiveInt, Query
from tests.metabase.core.state import Row

_HIDDEN = frozenset({"password"})


class Membership(Body):
    """A group of a user."""

    id: PositiveInt
    is_group_manager: bool | None = None


class NewUser(Body):
    """A user to invite; there is no password here."""

    email: str
    first_name: NonBlank | None = None
    last_name: NonBlank | None = None
    user_group_memberships: list[Membership] | None = None
    login_attributes: dict[str, Any] | None = None
    source: NonBlank | None = None
    tenant_id: PositiveInt | None = None


class UserChange(Body):
    """What of a user may change."""

    email: str | None = None
    first_name: NonBlank | None = None
    last_name: NonBlank | None = None
    user_group_memberships: list[Membership] | None = None
    is_superuser: bool | None = None
    is_group_manager: bool | None = None
    is_data_analyst: bool | None = None
    login_attributes: dict[str, Any] | None = None
    locale: NonBlank | None = None
    tenant_id: PositiveInt | None = None


class NewPassword(Body):
    """A new password; whoever changes their own gives the old one."""

    password: str
    old_password: str | None = None


class UserFilter(Query):
    """Which users to list."""

    status: str | None = None
    query: str | None = None
    group_id: PositiveInt | None = None
    include_deactivated: bool = False


def _shown(call: Call, user: Row) -> dict[str, Any]:
    groups = sorted(group_ids(call.state, user))
    personal = call.state.first("collection", personal_owner_id=user["id"])
    return {name: value for name, value in user.items() if name not in _HIDDEN} | {
        "group_ids": groups,
        "user_group_memberships": [{"id": group} for group in groups],
        "personal_collection_id": personal["id"] if personal else None,
    }


def _own_or_admin(call: Call, user_id: int) -> None:
    if not call.user["is_superuser"] and call.user["id"] != user_id:
        raise forbidden()


@route("GET", "/api/user", access="admin", query=UserFilter)
def listed(call: Call) -> dict[str, Any]:
    """People (not API keys), by name; only active ones unless asked otherwise."""
    query = call.query
    status = query.status or ("all" if query.include_deactivated else "active")
    wanted = {"all": {True, False}, "deactivated": {False}}.get(status, {True})
    found = [
        user
        for user in call.state.all("user")
        if user["type"] == "personal"
        and user["is_active"] in wanted
        and (query.group_id is None or query.group_id in group_ids(call.state, user))
        and (not query.query or query.query.lower() in f"{user['email']} {user['common_name']}".lower())
    ]
    found.sort(key=lambda u: ((u["first_name"] or "").lower(), (u["last_name"] or "").lower(), u["id"]))
    return {"data": [_shown(call, u) for u in found], "total": len(found), "limit": None, "offset": None}


@route("GET", "/api/user/current")
def current(call: Call) -> dict[str, Any]:
    """Who asks."""
    return _shown(call, call.user) | {"is_installer": call.user["id"] == 1, "has_question_and_dashboard": False}


@route("GET", f"/api/user/{ID}")
def one(call: Call) -> dict[str, Any]:
    """A user, for themselves and for administrators."""
    _own_or_admin(call, call.id())
    return _shown(call, call.row("user"))


@route("POST", "/api/user", access="admin", body=NewUser)
def create(call: Call) -> dict[str, Any]:
    """Invites somebody; without mail nobody hears of it, and a password must be set."""
    body = call.body
    check_email(body.email, "email")
    if any(u["email"].lower() == body.email.lower() for u in call.state.all("user")):
        raise invalid_field("email", "Email address already in use.")
    groups = {m.id for m in body.user_group_memberships or []}
    _check_groups(call, groups)
    user = add_user(call.standin, body.email.lower(), body.first_name, body.last_name, None, groups)
    user |= {"login_attributes": body.login_attributes}
    personal_collection(call.standin, user)
    return _shown(call, user)


@route("PUT", f"/api/user/{ID}", body=UserChange)
def change(call: Call) -> dict[str, Any]:
    """Changes a user."""
    _own_or_admin(call, call.id())
    user, given = call.row("user"), call.body.given()
    if not user["is_active"]:
        raise not_found()
    groups = given.pop("user_group_memberships", None)
    admin = given.pop("is_superuser", None)
    if email := given.get("email"):
        check_email(email, "email")
        if any(u["email"].lower() == email.lower() and u is not user for u in call.state.all("user")):
            raise invalid_field("email", "Email address already associated to another user.")
    if (groups is not None or admin is not None) and not call.user["is_superuser"]:
        raise forbidden()
    if groups is not None:
        chosen = {m["id"] for m in groups}
        if admin is not None and admin != (ADMINISTRATORS in chosen):
            raise invalid_field(
                "is_superuser", "Value of is_superuser must correspond to presence of Admin group ID in group_ids."
            )
        _check_groups(call, chosen)
        set_groups(call.state, user, chosen | {ALL_USERS})
    elif admin is not None:
        present = group_ids(call.state, user)
        set_groups(call.state, user, present | {ADMINISTRATORS} if admin else present - {ADMINISTRATORS})
    user |= {name: value for name, value in given.items() if name in user and value is not None}
    user["common_name"] = common_name(user["email"], user["first_name"], user["last_name"])
    user["updated_at"] = timestamp(call.standin.now())
    return _shown(call, user)


def _check_groups(call: Call, groups: set[int]) -> None:
    for group in groups:
        if call.state.get("group", group) is None:
            raise not_found()


@route("PUT", f"/api/user/{ID}/password", body=NewPassword)
def set_password(call: Call) -> None:
    """Sets a password; the user's sessions end."""
    _own_or_admin(call, call.id())
    user = call.row("user")
    check_password(call, call.body.password, "password")
    if not call.user["is_superuser"] and not matches(call.body.old_password or "", user["password"]):
        raise invalid_field("old_password", "Invalid password")
    user["password"] = hashed(call.body.password)
    call.state.sessions = {s: u for s, u in call.state.sessions.items() if u != user["id"] or s == call.session}


@route("DELETE", f"/api/user/{ID}", access="admin")
def deactivate(call: Call) -> dict[str, bool]:
    """Deactivates somebody; users are never deleted."""
    user = call.row("user")
    user["is_active"] = False
    call.state.sessions = {s: u for s, u in call.state.sessions.items() if u != user["id"]}
    return {"success": True}


@route("PUT", f"/api/user/{ID}/reactivate", access="admin")
def reactivate(call: Call) -> dict[str, Any]:
    """Takes that back."""
    user = call.row("user")
    if user["is_active"]:
        raise bad_request("Not able to reactivate an active user")
    user["is_active"] = True
    return _shown(call, user)
