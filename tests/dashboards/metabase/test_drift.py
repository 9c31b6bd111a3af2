"""What people do to an instance: changes of ours are told and set back, what is theirs is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboards.library import Library
from dashboards.metabase.converge import Outcome
from dashboards.metabase.identity import entity_id, mark
from dashboards.metabase.prune import prune
from tests.dashboards.metabase.conftest import Bench
from tests.dashboards.metabase.portrait import portrait
from tests.metabase.client import Metabase

pytestmark = pytest.mark.integration
SPEND = entity_id("agency/executive_overview/spend")


def told(outcome: Outcome) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    return [(one.action, f"{one.kind} {one.title}", one.keys, one.by_hand) for one in outcome.changes]


def collection(admin: Metabase, key: str) -> dict[str, Any]:
    return next(row for row in admin.get("collection") if mark(key) in str(row.get("description")))


def dashboard(admin: Metabase, key: str) -> dict[str, Any]:
    number = next(row["id"] for row in admin.get("dashboard") if mark(key) in str(row.get("description")))
    found: dict[str, Any] = admin.get(f"dashboard/{number}")
    return found


@pytest.fixture
def done(bench: Bench) -> Bench:
    bench.run()
    bench.admin()
    return bench


def test_what_somebody_changed_is_told_in_the_plan_and_set_back(done: Bench) -> None:
    admin = done.standin
    before = portrait(admin)
    card = admin.get(f"card/{SPEND}")
    admin.put(f"card/{card['id']}", {"name": "Money burnt", "display": "bar"})
    board = dashboard(admin, "agency/executive_overview")
    admin.put(f"dashboard/{board['id']}", {"dashcards": [], "tabs": []})
    acme = collection(admin, "client-acme")
    admin.put(f"collection/{acme['id']}", {"name": "ACME Inc.", "archived": False})
    group = next(row for row in admin.get("permissions/group") if row["name"].startswith("Acme"))
    admin.put(f"permissions/group/{group['id']}", {"name": "Friends"})
    admin.put("setting/start-of-week", {"value": "sunday"})
    admin.put("cache", {"model": "root", "model_id": 0, "strategy": {"type": "nocache"}})
    writes = admin.log()["writes"]
    planned = done.run(is_plan=True)
    assert admin.log()["writes"] - writes == 0
    assert told(planned) == [
        ("update", "settings of the instance", ("start-of-week",), ("start-of-week",)),
        ("update", "cache policy of the instance", ("strategy",), ("strategy",)),
        ("update", "group Acme", ("name",), ("name",)),
        ("update", "collection Acme", ("name",), ("name",)),
        ("update", "card Agency: Spend", ("name", "display"), ("name", "display")),
        ("update", "dashboard Agency: Executive overview", ("tabs", "dashcards"), ("tabs", "dashcards")),
    ]
    applied = done.run()
    assert told(applied) == told(planned)
    assert portrait(admin) == before
    assert done.run().changes == ()


def test_permissions_that_somebody_gave_are_taken_back(done: Bench) -> None:
    admin = done.standin
    before = portrait(admin)
    databases = {row["name"]: str(row["id"]) for row in admin.get("database")["data"]}
    graph = admin.get("permissions/graph")
    everything = {"view-data": "unrestricted", "create-queries": "query-builder-and-native"}
    acme = next(str(row["id"]) for row in admin.get("permissions/group") if row["name"].startswith("Acme"))
    given = {"1": {databases["Meta Ads: Acme"]: everything}, acme: {databases["Meta Ads: Agency"]: everything}}
    admin.put("permissions/graph", {"revision": graph["revision"], "groups": given})
    graph = admin.get("collection/graph")
    agency = str(collection(admin, "agency")["id"])
    opened = {"1": {"root": "write", agency: "read"}, acme: {agency: "write"}}
    admin.put("collection/graph", {"revision": graph["revision"], "groups": opened})
    outcome = done.run()
    assert [one.title for one in outcome.changes] == ["on databases", "on collections"]
    assert portrait(admin) == before


def test_a_member_of_a_client_sees_their_own_collection_and_nothing_else(done: Bench) -> None:
    admin = done.standin
    acme = next(row["id"] for row in admin.get("permissions/group") if row["name"].startswith("Acme"))
    member = admin.member("max@example.com", acme)
    seen = {row["name"] for row in member.get("collection") if not row.get("personal_owner_id")}
    assert seen == {"Acme"}
    assert {row["name"] for row in member.get("database")["data"]} == {"Meta Ads: Acme"}
    assert member.status("GET", f"card/{SPEND}") == 403
    assert member.status("GET", f"card/{entity_id('client-acme/executive_overview/spend')}") == 200
    own = next(row["id"] for row in member.get("database")["data"])
    assert member.status("POST", "dataset", {"database": own, "type": "native", "native": {"query": "select 1"}}) == 403
    stranger = admin.member("eve@example.com")
    assert [row for row in stranger.get("collection") if not row.get("personal_owner_id")] == []
    assert stranger.get("database")["data"] == []


@pytest.mark.parametrize("what", ["dashboard", "card", "collection", "database"])
def test_what_somebody_threw_away_comes_back(done: Bench, what: str) -> None:
    admin = done.standin
    before = portrait(admin)
    if what == "dashboard":
        admin.delete(f"dashboard/{dashboard(admin, 'agency/campaigns')['id']}")
        trashed = dashboard(admin, "client-acme/campaigns")
        admin.put(f"dashboard/{trashed['id']}", {"archived": True})
    elif what == "card":
        admin.delete(f"card/{admin.get(f'card/{SPEND}')['id']}")
        other = admin.get(f"card/{entity_id('agency/executive_overview/roas')}")
        admin.put(f"card/{other['id']}", {"archived": True})
    elif what == "collection":
        admin.put(f"collection/{collection(admin, 'client-acme')['id']}", {"archived": True})
    else:
        number = next(row["id"] for row in admin.get("database")["data"] if row["name"] == "Meta Ads: Acme")
        admin.delete(f"database/{number}")
    assert done.run().changes
    assert portrait(admin) == before
    assert (done.run().changes, done.run().writes) == ((), 0)


def test_what_people_made_is_left_alone(done: Bench) -> None:
    admin = done.standin
    agency = collection(admin, "agency")
    database = next(row["id"] for row in admin.get("database")["data"] if row["name"] == "Meta Ads: Agency")
    native = {"database": database, "type": "native", "native": {"query": "select 1"}}
    mine = admin.post(
        "card",
        {"name": "Spend", "display": "table", "visualization_settings": {}, "dataset_query": native}
        | {"collection_id": agency["id"]},
    )
    board = admin.post("dashboard", {"name": "Executive overview", "collection_id": agency["id"]})
    box = {"row": 0, "col": 0, "size_x": 4, "size_y": 4}
    admin.put(f"dashboard/{board['id']}", {"dashcards": [{"id": -1, "card_id": mine["id"], **box}]})
    twin = admin.post("collection", {"name": "Agency", "description": "of our own"})
    group = admin.post("permissions/group", {"name": "Marketing"})
    own = [admin.get(path) for path in (f"card/{mine['id']}", f"dashboard/{board['id']}", f"collection/{twin['id']}")]
    outcome = done.run()
    assert outcome.changes == ()
    again = [admin.get(path) for path in (f"card/{mine['id']}", f"dashboard/{board['id']}", f"collection/{twin['id']}")]
    assert again == own
    graph = admin.get("permissions/graph")
    number = next(str(row["id"]) for row in admin.get("database")["data"] if row["name"] == "Meta Ads: Acme")
    level = {"view-data": "unrestricted", "create-queries": "query-builder"}
    admin.put("permissions/graph", {"revision": graph["revision"], "groups": {str(group["id"]): {number: level}}})
    outcome = done.run()
    assert outcome.changes == ()
    assert outcome.notes[-1] == "Group Marketing, which we did not make, may query the data of Acme."


def test_with_a_new_memory_everything_is_found_again(done: Bench) -> None:
    before = portrait(done.standin)
    for kind, key in done.objects.all():
        done.objects.forget(kind, key)
    outcome = done.run()
    # The passwords are not known any more, so that they are sent once.
    assert {(one.action, one.kind) for one in outcome.changes} == {("update", "database")}
    assert portrait(done.standin) == before
    assert done.run().changes == ()


def test_a_new_instance_under_the_same_address_is_not_taken_for_the_old_one(done: Bench) -> None:
    admin = done.standin
    before = portrait(admin)
    admin.reset()
    admin.options(now="2026-11-21T12:00:00")
    admin.set_up()
    for number in range(4):
        admin.post("dashboard", {"name": f"Somebody's {number}"})
    theirs = admin.get("dashboard")
    done.run()
    admin = done.admin()
    kept = [row for row in admin.get("dashboard") if row["name"].startswith("Somebody's")]
    assert [row["updated_at"] for row in kept] == [row["updated_at"] for row in theirs]
    shown = portrait(admin)
    shown["dashboards"] = [row for row in shown["dashboards"] if not row[1].startswith("Somebody's")]
    assert shown == before


def without(library: Library, key: str) -> Library:
    return replace(library, dashboards={name: one for name, one in library.dashboards.items() if name != key})


def test_a_definition_that_is_gone_is_put_away_and_no_more(done: Bench) -> None:
    admin = done.standin
    fewer = replace(done.wish, library=without(done.wish.library, "campaigns"), spaces=done.wish.spaces[:1])
    every = 2 * len(done.wish.library.dashboards)
    shown = prune(done.client(), done.credentials, done.objects, fewer, is_plan=True)
    assert len(admin.get("dashboard")) == every
    gone = prune(done.client(), done.credentials, done.objects, fewer)
    assert told(gone) == told(shown)
    assert {row["name"] for row in admin.get("dashboard")} == {
        one.dashboard.title for one in fewer.library.dashboards.values()
    }
    assert len(admin.get("dashboard")) == every // 2 - 1
    assert all(row["collection_id"] == collection(admin, "agency")["id"] for row in admin.get("card"))
    assert {row["name"] for row in admin.get("database")["data"]} == {"Meta Ads: Acme", "Meta Ads: Agency"}
    assert [note for note in gone.notes if "left as it is" in note] == [
        "The database of client-acme is left as it is; remove it in Metabase if nobody needs it.",
        "The group of client-acme is left as it is; remove it in Metabase if nobody needs it.",
    ]
    assert prune(done.client(), done.credentials, done.objects, fewer).changes == ()
    done.run()
    assert len(admin.get("dashboard")) == every


def test_a_collection_in_which_people_keep_something_is_not_put_away(done: Bench) -> None:
    admin = done.standin
    acme = collection(admin, "client-acme")
    admin.post("dashboard", {"name": "Notes of ours", "collection_id": acme["id"]})
    fewer = replace(done.wish, spaces=done.wish.spaces[:1])
    outcome = prune(done.client(), done.credentials, done.objects, fewer)
    assert "Collection Acme stays: people keep Notes of ours in it." in outcome.notes
    assert not admin.get(f"collection/{acme['id']}")["archived"]
