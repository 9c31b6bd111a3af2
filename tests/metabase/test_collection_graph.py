"""The graph of collection permissions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase


@pytest.fixture
def admin(metabase: Metabase) -> Metabase:
    return metabase.set_up()


def _put(admin: Metabase, groups: dict[str, Any], **query: Any) -> Any:
    revision = admin.get("collection/graph")["revision"]
    return admin.put("collection/graph", {"revision": revision, "groups": groups}, **query)


def test_everybody_may_write_to_the_root_of_a_fresh_instance(admin: Metabase) -> None:
    graph = admin.get("collection/graph")
    assert graph == {"revision": 0, "groups": {"1": {"root": "write"}, "2": {"root": "write"}}}


def test_a_new_collection_has_what_its_parent_has_at_that_moment(admin: Metabase) -> None:
    before = str(admin.post("collection", {"name": "Before"})["id"])
    _put(admin, {"1": {"root": "none"}})
    after = str(admin.post("collection", {"name": "After"})["id"])
    groups = admin.get("collection/graph")["groups"]
    assert groups["1"] == {before: "write"}
    assert groups["2"] == {"root": "write", before: "write", after: "write"}
    group = str(admin.post("permissions/group", {"name": "Acme"})["id"])
    _put(admin, {group: {after: "read"}})
    child = str(admin.post("collection", {"name": "Child", "parent_id": int(after)})["id"])
    assert admin.get("collection/graph")["groups"][group] == {after: "read", child: "read"}


def test_what_is_not_named_stays_and_none_is_not_shown(admin: Metabase) -> None:
    one, two = (str(admin.post("collection", {"name": name})["id"]) for name in ("One", "Two"))
    answer = _put(admin, {"1": {one: "read"}})
    assert answer["groups"]["1"] == {"root": "write", one: "read", two: "write"}
    assert "1" not in _put(admin, {"1": {"root": "none", one: "none", two: "none"}})["groups"]


def test_a_stale_revision_is_409_unless_forced(admin: Metabase) -> None:
    _put(admin, {"1": {"root": "read"}})
    stale = {"revision": 0, "groups": {"1": {"root": "none"}}}
    assert admin.status("PUT", "collection/graph", stale) == 409
    assert admin.status("PUT", "collection/graph", {"groups": {}}) == 409
    assert admin.put("collection/graph", stale, **{"force": "true", "skip-graph": "true"}) == {"revision": 2}


def test_saying_what_is_so_makes_no_revision_but_saying_none_does(admin: Metabase) -> None:
    assert _put(admin, {"1": {"root": "write"}})["revision"] == 0
    assert _put(admin, {"1": {"root": "none"}})["revision"] == 1
    assert _put(admin, {"1": {"root": "none"}})["revision"] == 2


def test_bad_graphs_are_refused(admin: Metabase) -> None:
    for groups, status in (
        ({"1": {"root": "admin"}}, 400),
        ({"1": {"home": "read"}}, 400),
        ({"everybody": {"root": "read"}}, 400),
        ({"2": {"root": "read"}}, 400),
        ({"99": {"root": "read"}}, 500),
        ({"1": {"99": "read"}}, 500),
    ):
        assert admin.status("PUT", "collection/graph", {"revision": 0, "groups": groups}) == status, groups
    assert admin.get("collection/graph")["revision"] == 0


def test_personal_collections_are_neither_shown_nor_changed(admin: Metabase) -> None:
    own = next(c["id"] for c in admin.get("collection") if c.get("personal_owner_id"))
    assert _put(admin, {"1": {str(own): "read"}})["groups"]["1"] == {"root": "write"}
    assert admin.member().status("GET", f"collection/{own}") == 403


def test_levels_decide_who_reads_and_writes(admin: Metabase) -> None:
    group = admin.post("permissions/group", {"name": "Acme"})["id"]
    _put(admin, {"1": {"root": "none"}})
    acme = admin.post("collection", {"name": "Acme"})["id"]
    member, stranger = admin.member("max@example.com", group), admin.member("eve@example.com")
    assert member.status("GET", f"collection/{acme}") == 403
    _put(admin, {str(group): {str(acme): "read"}})
    assert [c["name"] for c in member.get("collection")] == ["Acme", "Max's Personal Collection"]
    assert stranger.status("GET", f"collection/{acme}/items") == 403
    assert member.get(f"collection/{acme}")["can_write"] is False
    assert member.status("PUT", f"collection/{acme}", {"name": "Mine"}) == 403
    assert member.status("POST", "collection", {"name": "Sub", "parent_id": acme}) == 403
    assert member.status("POST", "dashboard", {"name": "D", "collection_id": acme}) == 403
    _put(admin, {str(group): {str(acme): "write"}})
    assert member.status("POST", "dashboard", {"name": "D", "collection_id": acme}) == 200
    assert member.status("GET", "collection/graph") == 403
