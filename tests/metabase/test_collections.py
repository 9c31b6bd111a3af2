"""Collections: the tree, making, moving, archiving, what is in them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase


@pytest.fixture
def admin(metabase: Metabase) -> Metabase:
    return metabase.set_up()


def _make(admin: Metabase, name: str, parent: int | None = None) -> Any:
    return admin.post("collection", {"name": name, "parent_id": parent})


def test_a_new_collection_has_a_row_and_an_entity_id(admin: Metabase) -> None:
    made = admin.post("collection", {"name": "Agency Überblick", "description": "All clients"})
    assert (made["location"], made["slug"], made["archived"]) == ("/", "agency_berblick", False)
    assert len(made["entity_id"]) == 21
    child = _make(admin, "Child", made["id"])
    assert child["location"] == f"/{made['id']}/"
    assert child["id"] > made["id"]
    one = admin.get(f"collection/{child['entity_id']}")
    assert [a["id"] for a in one["effective_ancestors"]] == ["root", made["id"]]
    assert one["parent_id"] == made["id"]


def test_the_list_begins_with_the_root_and_has_peoples_own_collections(admin: Metabase) -> None:
    _make(admin, "Zebra")
    _make(admin, "agency")
    names = [c["name"] for c in admin.get("collection")]
    assert names == ["Our analytics", "Ada Admin's Personal Collection", "agency", "Zebra"]
    assert admin.get("collection")[0]["id"] == "root"
    assert admin.get("collection", **{"personal-only": "true"})[0]["personal_owner_id"] == 1


def test_the_tree_nests(admin: Metabase) -> None:
    agency = _make(admin, "Agency")["id"]
    _make(admin, "Acme", agency)
    tree = admin.get("collection/tree", **{"exclude-archived": "true", "exclude-other-user-collections": "true"})
    node = next(n for n in tree if n["id"] == agency)
    assert [c["name"] for c in node["children"]] == ["Acme"]
    assert "Trash" in [n["name"] for n in admin.get("collection/tree")]


def test_names_need_not_be_unique_and_parents_must_exist(admin: Metabase) -> None:
    first, second = _make(admin, "Agency"), _make(admin, "Agency")
    assert first["id"] != second["id"]
    assert admin.status("POST", "collection", {"name": "x", "parent_id": 99}) == 404
    assert admin.status("POST", "collection", {"name": "x", "entity_id": "a" * 21}) == 400
    assert admin.status("POST", "collection", {"name": "x", "authority_level": "official"}) == 402
    assert admin.status("POST", "collection", {"name": "x", "description": ""}) == 400


def test_renaming_and_moving(admin: Metabase) -> None:
    agency, clients = _make(admin, "Agency")["id"], _make(admin, "Clients")["id"]
    acme = _make(admin, "Acme", agency)["id"]
    deep = _make(admin, "Deep", acme)["id"]
    assert admin.put(f"collection/{acme}", {"name": "Acme Inc", "parent_id": clients})["location"] == f"/{clients}/"
    assert admin.get(f"collection/{deep}")["location"] == f"/{clients}/{acme}/"
    assert admin.status("PUT", f"collection/{clients}", {"parent_id": deep}) == 400
    assert admin.put(f"collection/{acme}", {"parent_id": None})["location"] == "/"


def test_archiving_takes_everything_below_into_the_trash_and_back(admin: Metabase) -> None:
    agency = _make(admin, "Agency")["id"]
    child = _make(admin, "Acme", agency)["id"]
    dashboard = admin.post("dashboard", {"name": "Overview", "collection_id": child})["id"]
    archived = admin.put(f"collection/{agency}", {"archived": True})
    trash = admin.get("collection/trash")["id"]
    assert (archived["archived"], archived["parent_id"]) == (True, trash)
    assert admin.get(f"collection/{child}")["archived"] is True
    assert admin.get(f"dashboard/{dashboard}")["archived"] is True
    assert "Agency" not in [c["name"] for c in admin.get("collection")]
    assert {c["name"] for c in admin.get("collection", archived="true")} == {"Trash", "Agency", "Acme"}
    assert [i["name"] for i in admin.get(f"collection/{trash}/items")["data"]] == ["Agency"]
    # a change that does not say archived takes it out of the trash again
    admin.put(f"collection/{agency}", {"name": "Agency"})
    assert admin.get(f"collection/{child}")["archived"] is False
    assert admin.get(f"dashboard/{dashboard}")["archived"] is False


def test_what_was_archived_before_stays_in_the_trash(admin: Metabase) -> None:
    agency = _make(admin, "Agency")["id"]
    dashboard = admin.post("dashboard", {"name": "Old", "collection_id": agency})["id"]
    admin.put(f"dashboard/{dashboard}", {"archived": True})
    admin.put(f"collection/{agency}", {"archived": True})
    admin.put(f"collection/{agency}", {"archived": False})
    assert admin.get(f"dashboard/{dashboard}")["archived"] is True


def test_only_the_trash_is_deleted_from(admin: Metabase) -> None:
    agency = _make(admin, "Agency")["id"]
    assert admin.status("DELETE", f"collection/{agency}") == 400
    admin.put(f"collection/{agency}", {"archived": True})
    assert admin.status("DELETE", f"collection/{agency}") == 204
    assert admin.status("GET", f"collection/{agency}") == 404
    assert admin.status("PUT", f"collection/{admin.get('collection/trash')['id']}", {"name": "Bin"}) == 400


def test_items_are_listed_by_name_and_by_model(admin: Metabase) -> None:
    agency = _make(admin, "Agency")["id"]
    _make(admin, "b clients", agency)
    admin.post("dashboard", {"name": "A overview", "collection_id": agency})
    admin.post("dashboard", {"name": "C pacing", "collection_id": agency})
    items = admin.get(f"collection/{agency}/items")
    assert [(i["model"], i["name"]) for i in items["data"]] == [
        ("dashboard", "A overview"),
        ("collection", "b clients"),
        ("dashboard", "C pacing"),
    ]
    assert (items["total"], items["models"]) == (3, ["collection", "dashboard"])
    only = admin.get(f"collection/{agency}/items", models=["dashboard", "card"], limit=1, offset=1)
    assert ([i["name"] for i in only["data"]], only["total"]) == (["C pacing"], 2)
    assert [i["name"] for i in admin.get("collection/root/items", models="collection")["data"]][-1] == "Agency"
