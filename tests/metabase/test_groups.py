"""Groups, who is in them, users."""

from __future__ import annotations

import pytest

from tests.metabase.client import Metabase


@pytest.fixture
def admin(metabase: Metabase) -> Metabase:
    return metabase.set_up()


def test_the_groups_of_a_fresh_instance(admin: Metabase) -> None:
    groups = admin.get("permissions/group")
    assert [(g["id"], g["name"], g["magic_group_type"], g["member_count"]) for g in groups] == [
        (2, "Administrators", "admin", 1),
        (1, "All Users", "all-internal-users", 1),
        (4, "Data Analysts", "data-analyst", 0),
    ]


def test_groups_are_made_renamed_and_deleted(admin: Metabase) -> None:
    group = admin.post("permissions/group", {"name": "Client Acme"})
    assert group["id"] == 5
    assert len(group["entity_id"]) == 21
    assert admin.status("POST", "permissions/group", {"name": "client acme"}) == 400
    assert admin.put(f"permissions/group/{group['id']}", {"name": "Acme"})["name"] == "Acme"
    assert admin.status("PUT", "permissions/group/1", {"name": "Everybody"}) == 400
    assert admin.status("DELETE", "permissions/group/2") == 400
    assert admin.status("DELETE", f"permissions/group/{group['id']}") == 204
    assert admin.status("GET", f"permissions/group/{group['id']}") == 404
    assert admin.post("permissions/group", {"name": "Acme"})["id"] == 6
    assert admin.status("POST", "permissions/group", {"name": "T", "is_tenant_group": True}) == 402


def test_memberships(admin: Metabase) -> None:
    group = admin.post("permissions/group", {"name": "Acme"})["id"]
    user = admin.post("user", {"email": "max@example.com"})["id"]
    (member,) = admin.post("permissions/membership", {"user_id": user, "group_id": group})
    assert (member["user_id"], member["email"]) == (user, "max@example.com")
    assert admin.get(f"permissions/group/{group}")["members"] == [member]
    by_user = admin.get("permissions/membership")
    assert [m["group_id"] for m in by_user[str(user)]] == [1, group]
    assert {m["is_group_manager"] for m in by_user[str(user)]} == {False}
    manager = {"user_id": user, "group_id": group, "is_group_manager": True}
    assert admin.status("POST", "permissions/membership", manager) == 402
    assert admin.status("DELETE", f"permissions/membership/{member['membership_id']}") == 204
    assert admin.get(f"permissions/group/{group}")["members"] == []
    everybody = by_user[str(user)][0]["membership_id"]
    assert admin.status("DELETE", f"permissions/membership/{everybody}") == 400
    last = next(m for m in admin.get("permissions/membership")["1"] if m["group_id"] == 2)
    assert admin.status("DELETE", f"permissions/membership/{last['membership_id']}") == 400


def test_a_group_is_emptied(admin: Metabase) -> None:
    group = admin.post("permissions/group", {"name": "Acme"})["id"]
    admin.member("max@example.com", group)
    assert admin.status("PUT", f"permissions/membership/{group}/clear") == 204
    assert admin.get(f"permissions/group/{group}")["members"] == []
    assert admin.status("PUT", "permissions/membership/2/clear") == 400


def test_users_are_invited_changed_deactivated_and_reactivated(admin: Metabase) -> None:
    group = admin.post("permissions/group", {"name": "Acme"})["id"]
    body = {"email": "Max@Example.com", "first_name": "Max", "user_group_memberships": [{"id": 1}, {"id": group}]}
    user = admin.post("user", body)
    assert (user["email"], user["group_ids"], user["is_superuser"]) == ("max@example.com", [1, group], False)
    assert admin.status("POST", "user", body) == 400
    assert admin.status("POST", "user", body | {"password": "blue-chair-9", "email": "b@example.com"}) == 400
    assert admin.put(f"user/{user['id']}", {"last_name": "Muster"})["common_name"] == "Max Muster"
    assert admin.put(f"user/{user['id']}", {"is_superuser": True})["group_ids"] == [1, 2, group]
    assert admin.put(f"user/{user['id']}", {"user_group_memberships": [{"id": 1}]})["is_superuser"] is False
    contradiction = {"is_superuser": True, "user_group_memberships": [{"id": 1}]}
    assert admin.status("PUT", f"user/{user['id']}", contradiction) == 400
    assert admin.delete(f"user/{user['id']}") == {"success": True}
    assert [u["id"] for u in admin.get("user")["data"]] == [1]
    assert admin.get("user", status="all")["total"] == 2
    assert admin.put(f"user/{user['id']}/reactivate")["is_active"] is True
    assert admin.status("PUT", f"user/{user['id']}/reactivate") == 400


def test_a_user_without_a_password_cannot_log_in_and_a_deactivated_one_neither(admin: Metabase) -> None:
    user = admin.post("user", {"email": "max@example.com"})["id"]
    nobody = admin.anonymous()
    assert nobody.status("POST", "session", {"username": "max@example.com", "password": "x"}) == 401
    assert admin.status("PUT", f"user/{user}/password", {"password": "short"}) == 400
    assert admin.status("PUT", f"user/{user}/password", {"password": "blue-chair-9"}) == 204
    login = {"username": "max@example.com", "password": "blue-chair-9"}
    session = nobody.post("session", login)["id"]
    assert nobody.as_session(session).status("GET", "user/1") == 403
    admin.delete(f"user/{user}")
    assert nobody.as_session(session).status("GET", "user/current") == 401
    assert nobody.ask("POST", "session", login).json()["errors"] == {"_error": "Your account is disabled."}


def test_a_member_changes_their_own_password_with_the_old_one(admin: Metabase) -> None:
    member = admin.member()
    number = member.get("user/current")["id"]
    assert member.status("PUT", f"user/{number}/password", {"password": "new-chair-10"}) == 400
    body = {"password": "new-chair-10", "old_password": "blue-chair-9"}
    assert member.status("PUT", f"user/{number}/password", body) == 204
    assert member.status("PUT", "user/1/password", body) == 403
