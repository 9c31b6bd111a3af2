"""API keys: made once, shown once, as strong as their group."""

from __future__ import annotations

import pytest

from tests.metabase.client import Metabase


@pytest.fixture
def admin(metabase: Metabase) -> Metabase:
    return metabase.set_up()


def test_a_key_is_shown_once_and_acts_for_its_group(admin: Metabase) -> None:
    made = admin.post("api-key", {"name": "provisioning", "group_id": 2})
    key = made["unmasked_key"]
    assert key.startswith("mb_")
    assert made["group"] == {"id": 2, "name": "Administrators"}
    assert made["masked_key"] == key[:7] + "*" * (len(key) - 7)
    (listed,) = admin.get("api-key")
    assert listed == {name: value for name, value in made.items() if name != "unmasked_key"}
    assert admin.get("api-key/count") == 1
    holder = admin.as_key(key)
    assert holder.get("user/current")["is_superuser"] is True
    assert len(holder.get("setting")) > 20


def test_a_key_of_another_group_may_not_administer(admin: Metabase) -> None:
    key = admin.post("api-key", {"name": "reader", "group_id": 1})["unmasked_key"]
    reader = admin.as_key(key)
    assert reader.status("GET", "permissions/group") == 403
    assert reader.status("POST", "api-key", {"name": "more", "group_id": 2}) == 403
    assert reader.get("user/current")["group_ids"] == [1]


def test_regenerating_ends_the_old_key(admin: Metabase) -> None:
    made = admin.post("api-key", {"name": "provisioning", "group_id": 2})
    again = admin.put(f"api-key/{made['id']}/regenerate")
    assert set(again) == {"id", "masked_key", "prefix", "unmasked_key"}
    assert again["prefix"] == again["unmasked_key"][:7]
    assert admin.as_key(made["unmasked_key"]).status("GET", "database") == 401
    assert admin.as_key(again["unmasked_key"]).status("GET", "database") == 200


def test_a_key_changes_its_name_and_group_and_can_be_deleted(admin: Metabase) -> None:
    made = admin.post("api-key", {"name": "provisioning", "group_id": 2})
    changed = admin.put(f"api-key/{made['id']}", {"name": "reader", "group_id": 1})
    assert (changed["name"], changed["group"]["id"]) == ("reader", 1)
    holder = admin.as_key(made["unmasked_key"])
    assert holder.status("GET", "setting") == 403
    assert admin.status("DELETE", f"api-key/{made['id']}") == 204
    assert holder.status("GET", "user/current") == 401
    assert admin.get("api-key") == []
    assert admin.status("PUT", f"api-key/{made['id']}/regenerate") == 404


def test_names_are_unique_and_groups_must_exist(admin: Metabase) -> None:
    admin.post("api-key", {"name": "provisioning", "group_id": 2})
    twice = admin.ask("POST", "api-key", {"name": "provisioning", "group_id": 1})
    assert (twice.status_code, list(twice.json()["errors"])) == (400, ["name"])
    assert admin.status("POST", "api-key", {"name": "x", "group_id": 99}) == 500


def test_holders_of_keys_are_no_people(admin: Metabase) -> None:
    admin.post("api-key", {"name": "provisioning", "group_id": 2})
    assert [u["email"] for u in admin.get("user", status="all")["data"]] == ["ada@example.com"]
    personal = [c for c in admin.get("collection") if c.get("personal_owner_id")]
    assert len(personal) == 1
