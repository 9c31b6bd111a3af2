"""Users and their groups: what both are made of, and the four groups that exist from the start."""

from __future__ import annotations

from typing import Any

from tests.metabase.access.passwords import hashed
from tests.metabase.core.ids import new_entity_id, timestamp
from tests.metabase.core.standin import Standin
from tests.metabase.core.state import Row, State

ALL_USERS, ADMINISTRATORS, TENANT_USERS, DATA_ANALYSTS = 1, 2, 3, 4
_GROUPS = (
    ("All Users", "all-internal-users", False),
    ("Administrators", "admin", False),
    ("All tenant users", "all-external-users", True),
    ("Data Analysts", "data-analyst", False),
)


def seed_groups(state: State) -> None:
    """The groups of a fresh instance."""
    for name, magic, tenant in _GROUPS:
        add_group(state, name, magic, tenant)


def add_group(state: State, name: str, magic: str | None = None, tenant: bool = False) -> Row:
    """A new group, without permissions."""
    return state.add(
        "group",
        {
            "name": name,
            "entity_id": new_entity_id(),
            "magic_group_type": magic,
            "is_tenant_group": tenant,
        },
    )


def add_user(
    standin: Standin,
    email: str,
    first: str | None,
    last: str | None,
    password: str | None,
    groups: set[int],
    kind: str = "personal",
) -> Row:
    """A new user, in All Users and in these groups; people get a personal collection."""
    now = timestamp(standin.now())
    user = standin.state.add(
        "user",
        {
            "email": email,
            "first_name": first,
            "last_name": last,
            "common_name": common_name(email, first, last),
            "password": hashed(password) if password else None,
            "type": kind,
            "is_superuser": False,
            "is_active": True,
            "is_qbnewb": True,
            "is_data_analyst": False,
            "date_joined": now,
            "updated_at": now,
            "last_login": None,
            "locale": None,
            "login_attributes": None,
            "sso_source": None,
            "tenant_id": None,
            "entity_id": new_entity_id(),
        },
    )
    set_groups(standin.state, user, groups | {ALL_USERS})
    return user


def common_name(email: str, first: str | None, last: str | None) -> str:
    """The name to show."""
    return " ".join(part for part in (first, last) if part) or email


def group_ids(state: State, user: Row) -> set[int]:
    """The groups a user is in."""
    return {m["group_id"] for m in state.where("membership", user_id=user["id"])}


def set_groups(state: State, user: Row, groups: set[int]) -> None:
    """Makes these the groups of a user; Administrators makes a superuser."""
    present = group_ids(state, user)
    gone = present - groups
    state.keep_only("membership", lambda m: m["user_id"] != user["id"] or m["group_id"] not in gone)
    for new in sorted(groups - present):
        state.add("membership", {"user_id": user["id"], "group_id": new, "is_group_manager": False})
    user["is_superuser"] = ADMINISTRATORS in groups


def members(state: State, group_id: int) -> list[dict[str, Any]]:
    """The active members of a group, as answers show them."""
    found = []
    for membership in state.where("membership", group_id=group_id):
        user = state.get("user", membership["user_id"])
        if user and user["is_active"] and user["type"] == "personal":
            found.append(
                {
                    "user_id": user["id"],
                    "id": user["id"],
                    "membership_id": membership["id"],
                    "group_id": group_id,
                    **{name: user[name] for name in ("email", "first_name", "last_name", "is_superuser", "type")},
                    "is_data_analyst": user["is_data_analyst"],
                }
            )
    return found
