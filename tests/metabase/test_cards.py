"""Cards: making them with an id of one's own, both forms of their query, changing, archiving."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import Fields

pytestmark = pytest.mark.integration
ENTITY = "spend-by-day_00000001"
SQL = "select day, sum(spend) as spend from marts.fct_ad_daily where {{day}} [[and {{country}}]] group by 1 order by 1"


def tags(fields: Fields) -> dict[str, Any]:
    day, country = (fields["marts", "fct_ad_daily", name]["id"] for name in ("day", "country"))
    return {
        "day": {
            "id": "11111111-0000-4000-8000-000000000001",
            "name": "day",
            "display-name": "Day",
            "type": "dimension",
            "dimension": ["field", {}, day],
            "widget-type": "date/all-options",
            "default": "past30days",
        },
        "country": {
            "id": "11111111-0000-4000-8000-000000000002",
            "name": "country",
            "display-name": "Country",
            "type": "dimension",
            "dimension": ["field", {}, country],
            "widget-type": "string/=",
        },
    }


@pytest.fixture
def body(connected: int, fields: Fields) -> dict[str, Any]:
    stage = {"lib/type": "mbql.stage/native", "native": SQL, "template-tags": tags(fields)}
    return {
        "name": "Spend by day",
        "display": "line",
        "entity_id": ENTITY,
        "visualization_settings": {"graph.dimensions": ["day"], "graph.metrics": ["spend"]},
        "dataset_query": {"lib/type": "mbql/query", "database": connected, "stages": [stage]},
    }


def test_a_card_is_made_with_an_id_of_ones_own(ready: Metabase, body: dict[str, Any]) -> None:
    card = ready.post("card", body)
    assert (card["entity_id"], card["type"], card["query_type"], card["archived"]) == (
        ENTITY,
        "question",
        "native",
        False,
    )
    assert card["visualization_settings"] == body["visualization_settings"]
    assert [(c["name"], c["base_type"]) for c in card["result_metadata"]] == [
        ("day", "type/Date"),
        ("spend", "type/Decimal"),
    ]
    assert ready.get(f"card/{ENTITY}")["id"] == card["id"]
    assert ready.get(f"card/{card['id']}")["last-edit-info"]["email"] == "ada@example.com"
    drawn = ready.post("card", {**body, "entity_id": None})
    assert len(drawn["entity_id"]) == 21
    assert drawn["id"] == card["id"] + 1


def test_an_entity_id_that_is_taken_is_500_and_makes_nothing(ready: Metabase, body: dict[str, Any]) -> None:
    ready.post("card", body)
    answer = ready.ask("POST", "card", body | {"name": "Other"})
    assert answer.status_code == 500
    assert "entity_id" in answer.json()["message"]
    assert [c["name"] for c in ready.get("card")] == ["Spend by day"]
    assert ready.status("PUT", "card/1", {"entity_id": "x" * 21}) == 400


def test_the_query_is_answered_in_mbql_5_and_on_request_in_the_legacy_form(
    ready: Metabase, body: dict[str, Any]
) -> None:
    card = ready.post("card", body)["id"]
    query = ready.get(f"card/{card}")["dataset_query"]
    (stage,) = query["stages"]
    assert (query["lib/type"], stage["lib/type"], stage["native"]) == ("mbql/query", "mbql.stage/native", SQL)
    kind, options, number = stage["template-tags"]["day"]["dimension"]
    sent = body["dataset_query"]["stages"][0]["template-tags"]["day"]
    assert (kind, number, list(options)) == ("field", sent["dimension"][2], ["lib/uuid"])
    legacy = ready.get(f"card/{card}", **{"legacy-mbql": "true"})["dataset_query"]
    assert (legacy["type"], legacy["native"]["query"]) == ("native", SQL)
    assert legacy["native"]["template-tags"]["day"]["dimension"] == ["field", number, None]


def test_template_tags_come_as_a_map_or_as_a_list(ready: Metabase, body: dict[str, Any]) -> None:
    card = ready.post("card", body)["id"]
    ready.options(template_tags="list")
    (stage,) = ready.get(f"card/{card}")["dataset_query"]["stages"]
    assert [tag["name"] for tag in stage["template-tags"]] == ["day", "country"]
    dashboard = ready.post("dashboard", {"name": "D"})["id"]
    dashcard = {"id": -1, "card_id": card, "row": 0, "col": 0, "size_x": 1, "size_y": 1}
    shown = ready.put(f"dashboard/{dashboard}", {"dashcards": [dashcard]})["dashcards"][0]["card"]
    assert isinstance(shown["dataset_query"]["stages"][0]["template-tags"], list)


def test_the_legacy_form_is_accepted(ready: Metabase, body: dict[str, Any], connected: int, fields: Fields) -> None:
    old = tags(fields)
    for tag in old.values():
        tag["dimension"] = ["field", tag["dimension"][2], None]
    native = {"query": SQL, "template-tags": old}
    card = ready.post("card", body | {"dataset_query": {"database": connected, "type": "native", "native": native}})
    assert card["dataset_query"]["stages"][0]["template-tags"]["day"]["dimension"][2] == old["day"]["dimension"][1]


def _with_tag(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    stage = body["dataset_query"]["stages"][0]
    tag = {name: value for name, value in (stage["template-tags"]["day"] | changes).items() if value is not ...}
    stages = [stage | {"template-tags": {"day": tag}}]
    return body | {"dataset_query": body["dataset_query"] | {"stages": stages}}


def test_bad_queries_are_refused(ready: Metabase, body: dict[str, Any], connected: int) -> None:
    for query, status in (
        ({}, 400),
        ({"database": connected}, 400),
        ({"database": 99, "type": "native", "native": {"query": "select 1"}}, 404),
        ({"database": connected, "stages": []}, 400),
        ({"lib/type": "mbql/query", "database": connected, "stages": [{"lib/type": "mbql.stage/native"}]}, 400),
    ):
        assert ready.status("POST", "card", body | {"dataset_query": query}) == status, query
    for changes in (
        {"name": "other"},
        {"type": "sometimes"},
        {"widget-type": "date/whenever"},
        {"widget-type": ...},
        {"dimension": ["field", "day", None]},
        {"dimension": ...},
        {"display-name": ...},
        {"colour": "red"},
    ):
        assert ready.status("POST", "card", _with_tag(body, **changes)) == 400, changes
    assert ready.get("card") == []


def test_bad_cards_are_refused(ready: Metabase, body: dict[str, Any]) -> None:
    for change, status in (
        ({"name": ""}, 400),
        ({"visualization_settings": None}, 400),
        ({"description": ""}, 400),
        ({"collection_id": 99}, 404),
        ({"collection_id": "x" * 21}, 404),
        ({"parameters": [{"id": "a", "type": "date/whenever"}]}, 400),
        ({"parameters": [{"id": "a", "type": "string/=", "target": ["nowhere", "x"]}]}, 400),
        ({"dataset": True}, 400),
        ({"type": "chart"}, 400),
        ({"entity_id": "x" * 22}, 500),
    ):
        assert ready.status("POST", "card", body | change) == status, change


def test_a_card_with_sql_that_fails_is_made_without_columns(ready: Metabase, body: dict[str, Any]) -> None:
    stage = {"lib/type": "mbql.stage/native", "native": "select nothing from nowhere"}
    card = ready.post("card", body | {"dataset_query": body["dataset_query"] | {"stages": [stage]}})
    assert card["result_metadata"] is None


def test_a_card_is_changed_moved_and_archived(ready: Metabase, body: dict[str, Any]) -> None:
    card = ready.post("card", body)["id"]
    collection = ready.post("collection", {"name": "Agency"})
    changed = ready.put(f"card/{card}", {"name": "Spend", "description": "", "collection_id": collection["id"]})
    assert (changed["name"], changed["description"], changed["collection"]["name"]) == ("Spend", "", "Agency")
    assert ready.put(f"card/{card}", {"name": None})["name"] == "Spend"
    stages = [{"lib/type": "mbql.stage/native", "native": "select 1 as one"}]
    query = body["dataset_query"] | {"stages": stages}
    assert ready.put(f"card/{card}", {"dataset_query": query})["result_metadata"][0]["name"] == "one"
    archived = ready.put(f"card/{card}", {"archived": True})
    assert (archived["archived"], archived["collection_id"]) == (True, ready.get("collection/trash")["id"])
    assert ready.get("card") == []
    assert [c["id"] for c in ready.get("card", f="archived")] == [card]
    assert ready.get(f"collection/{collection['id']}/items")["data"] == []
    assert ready.put(f"card/{card}", {"archived": False})["collection_id"] == collection["id"]
    assert ready.status("DELETE", f"card/{card}") == 204
    assert ready.status("GET", f"card/{card}") == 404


def test_a_collection_may_be_named_by_its_entity_id(ready: Metabase, body: dict[str, Any]) -> None:
    collection = ready.post("collection", {"name": "Agency"})
    made = ready.post("card", body | {"collection_id": collection["entity_id"]})
    assert made["collection_id"] == collection["id"]
    by_database = ready.get("card", f="database", model_id=made["database_id"])
    assert [c["id"] for c in by_database] == [made["id"]]


def test_who_may_not_write_sql_may_not_save_it(ready: Metabase, body: dict[str, Any], connected: int) -> None:
    member = ready.member()
    assert member.status("POST", "card", body) == 200
    graph = {"revision": 0, "groups": {"1": {str(connected): {"create-queries": "query-builder"}}}}
    ready.put("permissions/graph", graph)
    answer = member.ask("POST", "card", body | {"entity_id": None})
    assert (answer.status_code, "permissions to run its query" in answer.text) == (403, True)
