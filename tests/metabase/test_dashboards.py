"""Dashboards: the rules of tabs and dashcards, what is ignored without a word, archiving."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import Sample

pytestmark = pytest.mark.integration


def card(metabase: Metabase, name: str = "Card", collection: int | None = None) -> int:
    query = {"database": 1, "type": "native", "native": {"query": "select 1 as one"}}
    body = {"name": name, "display": "table", "visualization_settings": {}, "dataset_query": query}
    return int(metabase.post("card", body | {"collection_id": collection})["id"])


def place(number: int, card_id: int | None, **more: Any) -> dict[str, Any]:
    return {"id": number, "card_id": card_id, "row": 0, "col": 0, "size_x": 6, "size_y": 4} | more


@pytest.fixture
def admin(ready: Metabase, sample: Sample) -> Metabase:
    ready.post("database", sample.body())
    return ready


@pytest.fixture
def dashboard(admin: Metabase) -> int:
    return int(admin.post("dashboard", {"name": "Overview"})["id"])


def test_a_new_dashboard_is_empty_and_has_an_entity_id(admin: Metabase) -> None:
    parameters = [{"id": "date", "slug": "date", "name": "Date", "type": "date/all-options", "sectionId": "date"}]
    made = admin.post("dashboard", {"name": "Overview", "description": "", "parameters": parameters})
    assert (made["dashcards"], made["tabs"], made["parameters"]) == ([], [], parameters)
    assert (made["width"], made["auto_apply_filters"], made["archived"]) == ("fixed", True, False)
    assert len(made["entity_id"]) == 21
    assert admin.get(f"dashboard/{made['entity_id']}")["id"] == made["id"]
    assert admin.post("dashboard", {"name": "Overview"})["id"] == made["id"] + 1
    assert [d["name"] for d in admin.get("dashboard")] == ["Overview", "Overview"]
    for bad in ({"name": "x", "entity_id": "a" * 21}, {"name": "x", "dashcards": []}, {"name": ""}):
        assert admin.status("POST", "dashboard", bad) == 400, bad


def test_negative_ids_create_positive_ones_update_and_what_is_left_out_goes(admin: Metabase, dashboard: int) -> None:
    one, two = card(admin, "One"), card(admin, "Two")
    made = admin.put(f"dashboard/{dashboard}", {"dashcards": [place(-1, one), place(-2, two, row=4)]})["dashcards"]
    assert [(d["card_id"], d["row"], d["card"]["name"]) for d in made] == [(one, 0, "One"), (two, 4, "Two")]
    assert all(d["id"] > 0 and len(d["entity_id"]) == 21 for d in made)
    settings = {"card.title": "Spend"}
    kept = place(made[0]["id"], one, size_x=12, visualization_settings=settings)
    changed = admin.put(f"dashboard/{dashboard}", {"dashcards": [kept, place(-1, two)]})["dashcards"]
    assert [d["id"] for d in changed] == [made[0]["id"], made[1]["id"] + 1]
    assert (changed[0]["size_x"], changed[0]["visualization_settings"]) == (12, settings)
    assert changed[0]["entity_id"] == made[0]["entity_id"]
    again = admin.put(f"dashboard/{dashboard}", {"dashcards": [place(made[0]["id"], one, size_x=13)]})["dashcards"]
    assert (again[0]["size_x"], again[0]["visualization_settings"]) == (13, settings)
    assert admin.put(f"dashboard/{dashboard}", {"dashcards": []})["dashcards"] == []


def test_nothing_is_moved_or_fitted(admin: Metabase, dashboard: int) -> None:
    number = card(admin)
    both = [place(-1, number, size_x=30), place(-2, number, size_x=30)]
    made = admin.put(f"dashboard/{dashboard}", {"dashcards": both})["dashcards"]
    assert [(d["row"], d["col"], d["size_x"]) for d in made] == [(0, 0, 30), (0, 0, 30)]


def test_tabs_keep_the_order_of_the_list(admin: Metabase, dashboard: int) -> None:
    number = card(admin)
    tabs = [{"id": -1, "name": "Overview"}, {"id": -2, "name": "Creative", "position": 0}]
    dashcards = [place(-1, number, dashboard_tab_id=-2), place(-2, None, dashboard_tab_id=-1)]
    made = admin.put(f"dashboard/{dashboard}", {"tabs": tabs, "dashcards": dashcards})
    assert [(t["name"], t["position"]) for t in made["tabs"]] == [("Overview", 0), ("Creative", 1)]
    first, second = (t["id"] for t in made["tabs"])
    assert [d["dashboard_tab_id"] for d in made["dashcards"]] == [second, first]
    swapped = [{"id": second, "name": "Creatives"}, {"id": first, "name": "Overview"}]
    kept = [place(d["id"], d["card_id"], dashboard_tab_id=d["dashboard_tab_id"]) for d in made["dashcards"]]
    after = admin.put(f"dashboard/{dashboard}", {"tabs": swapped, "dashcards": kept})
    assert [(t["id"], t["name"]) for t in after["tabs"]] == [(second, "Creatives"), (first, "Overview")]
    assert [d["id"] for d in after["dashcards"]] == [d["id"] for d in made["dashcards"]]


def test_with_several_tabs_every_card_needs_one_and_a_single_tab_takes_all(admin: Metabase, dashboard: int) -> None:
    number = card(admin)
    two = {"tabs": [{"id": -1, "name": "A"}, {"id": -2, "name": "B"}]}
    answer = admin.ask("PUT", f"dashboard/{dashboard}", two | {"dashcards": [place(-1, number)]})
    assert (answer.status_code, "every card has a tab" in answer.text) == (400, True)
    assert admin.get(f"dashboard/{dashboard}")["tabs"] == []
    one = {"tabs": [{"id": -1, "name": "A"}], "dashcards": [place(-1, number)]}
    made = admin.put(f"dashboard/{dashboard}", one)
    assert made["dashcards"][0]["dashboard_tab_id"] == made["tabs"][0]["id"]
    nowhere = {"tabs": two["tabs"], "dashcards": [place(-1, number, dashboard_tab_id=99)]}
    assert admin.status("PUT", f"dashboard/{dashboard}", nowhere) == 500


def test_tabs_alone_do_nothing_and_dashcards_alone_delete_the_tabs(admin: Metabase, dashboard: int) -> None:
    number = card(admin)
    assert admin.put(f"dashboard/{dashboard}", {"tabs": [{"id": -1, "name": "A"}]})["tabs"] == []
    body = {"tabs": [{"id": -1, "name": "A"}], "dashcards": [place(-1, number)]}
    (dashcard,) = admin.put(f"dashboard/{dashboard}", body)["dashcards"]
    after = admin.put(f"dashboard/{dashboard}", {"dashcards": [place(dashcard["id"], number)]})
    assert after["tabs"] == []
    assert [d["id"] for d in after["dashcards"]] == [dashcard["id"] + 1]


def test_a_dashcard_without_a_card_id_has_no_card_without_a_word(admin: Metabase, dashboard: int) -> None:
    number = card(admin)
    (dashcard,) = admin.put(f"dashboard/{dashboard}", {"dashcards": [place(-1, number)]})["dashcards"]
    silent = place(dashcard["id"], number)
    del silent["card_id"]
    (after,) = admin.put(f"dashboard/{dashboard}", {"dashcards": [silent]})["dashcards"]
    assert (after["id"], after["card_id"]) == (dashcard["id"], None)


def test_headings_and_series(admin: Metabase, dashboard: int) -> None:
    one, two = card(admin, "One"), card(admin, "Two")
    heading = place(-1, None, visualization_settings={"virtual_card": {"display": "heading"}, "text": "Efficiency"})
    made = admin.put(f"dashboard/{dashboard}", {"dashcards": [heading, place(-2, one, series=[{"id": two}])]})
    assert made["dashcards"][0]["visualization_settings"]["text"] == "Efficiency"
    assert [c["name"] for c in made["dashcards"][1]["series"]] == ["Two"]
    assert [d["name"] for d in admin.get(f"card/{one}/dashboards")] == ["Overview"]
    assert admin.get(f"card/{one}")["dashboard_count"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"size_x": 0},
        {"row": -1},
        {"colour": "red"},
        {"card_id": "1"},
        {"parameter_mappings": [{"parameter_id": "date"}]},
        {"parameter_mappings": [{"parameter_id": "date", "target": ["dimension", ["tag", "x"]]}]},
        {"parameter_mappings": [{"parameter_id": "date", "target": ["variable", ["field", 1]]}]},
        {"series": [{"id": 1, "name": "x"}]},
    ],
)
def test_bad_dashcards_are_refused(admin: Metabase, dashboard: int, change: dict[str, Any]) -> None:
    assert admin.status("PUT", f"dashboard/{dashboard}", {"dashcards": [place(-1, None) | change]}) == 400


def test_bad_dashboards_are_refused(admin: Metabase, dashboard: int) -> None:
    for body, status in (
        ({"dashcards": [place(-1, None), place(-1, None)]}, 400),
        ({"dashcards": [place(-1, 99)]}, 404),
        ({"width": "narrow"}, 400),
        ({"width": None}, 400),
        ({"parameters": [{"id": "x", "type": "date/whenever"}]}, 400),
        ({"parameters": [{"id": "x", "type": "id", "sectionID": "x"}]}, 400),
        ({"tabs": [{"id": -1, "name": ""}]}, 400),
        ({"collection_id": 99}, 404),
        ({"enable_embedding": True}, 400),
        ({"created_at": "2026-01-01"}, 400),
    ):
        assert admin.status("PUT", f"dashboard/{dashboard}", body) == status, body
    got = admin.get(f"dashboard/{dashboard}")
    assert admin.status("PUT", f"dashboard/{dashboard}", got) == 400  # a GET is no PUT


def test_archived_cards_are_not_placed_anew_but_stay_where_they_are(admin: Metabase, dashboard: int) -> None:
    number = card(admin)
    (dashcard,) = admin.put(f"dashboard/{dashboard}", {"dashcards": [place(-1, number)]})["dashcards"]
    admin.put(f"card/{number}", {"archived": True})
    assert admin.status("PUT", f"dashboard/{dashboard}", {"dashcards": [place(dashcard["id"], number)]}) == 200
    answer = admin.ask("PUT", f"dashboard/{dashboard}", {"dashcards": [place(-1, number)]})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "archived")


def test_a_dashboard_is_changed_archived_and_deleted(admin: Metabase, dashboard: int) -> None:
    collection = admin.post("collection", {"name": "Agency"})["id"]
    change = {"name": "Executive", "width": "full", "auto_apply_filters": False, "collection_id": collection}
    changed = admin.put(f"dashboard/{dashboard}", change)
    assert {name: changed[name] for name in change} == change
    assert admin.put(f"dashboard/{dashboard}", {"name": None})["name"] == "Executive"
    assert admin.put(f"dashboard/{dashboard}", {"collection_id": None})["collection_id"] is None
    archived = admin.put(f"dashboard/{dashboard}", {"archived": True})
    assert archived["collection_id"] == admin.get("collection/trash")["id"]
    assert admin.status("PUT", f"dashboard/{dashboard}", {"dashcards": []}) == 404
    assert [d["id"] for d in admin.get("dashboard", f="archived")] == [dashboard]
    assert admin.put(f"dashboard/{dashboard}", {"archived": False})["archived"] is False
    assert admin.status("DELETE", f"dashboard/{dashboard}") == 204
    assert admin.status("GET", f"dashboard/{dashboard}") == 404


def test_cards_that_a_reader_may_not_read_are_an_id(admin: Metabase, dashboard: int) -> None:
    hidden = admin.post("collection", {"name": "Hidden"})["id"]
    number = card(admin, "Secret", hidden)
    admin.put(f"dashboard/{dashboard}", {"dashcards": [place(-1, number)]})
    admin.put("collection/graph", {"revision": 0, "groups": {"1": {str(hidden): "none"}}})
    member = admin.member()
    assert member.get(f"dashboard/{dashboard}")["dashcards"][0]["card"] == {"id": number}
    other = member.post("dashboard", {"name": "Mine"})["id"]
    assert member.status("PUT", f"dashboard/{other}", {"dashcards": [place(-1, number)]}) == 403
