"""Running cards on dashboards with their filters, and the values that filters offer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import Fields

pytestmark = pytest.mark.integration
SQL = "select count(*) from marts.fct_ad_daily where {{country}} [[and clicks >= {{least}}]]"
COUNTRY = ["dimension", ["template-tag", "country"]]
LEAST = ["variable", ["template-tag", "least"]]


class Board:
    """A dashboard with one card and two filters."""

    def __init__(self, metabase: Metabase, database: int, fields: Fields, *, named: bool = True) -> None:
        self.metabase = metabase
        country, campaign = (fields["marts", "fct_ad_daily", n]["id"] for n in ("country", "campaign_id"))
        name = fields["marts", "dim_campaign", "name"]["id"]
        self.card = self._card(database, SQL, country=country, least=None)
        self.other = self._card(database, "select 1 where {{campaign}} and {{name}}", campaign=campaign, name=name)
        parameters = [
            {"id": "p-country", "type": "string/=", "name": "Country", "slug": "country", "default": ["DE"]},
            {"id": "p-least", "type": "number/=", "name": "Clicks", "slug": "clicks"},
            {"id": "p-campaign", "type": "id", "name": "Campaign", "slug": "campaign"},
            {"id": "p-name", "type": "string/=", "name": "Name", "slug": "name"},
            {"id": "p-loose", "type": "string/=", "name": "Loose", "slug": "loose"},
        ]
        self.id = metabase.post("dashboard", {"name": "D", "parameters": parameters})["id"]
        card = {"card_id": self.card} if named else {}
        mappings = [
            {"parameter_id": "p-country", "target": COUNTRY, **card},
            {"parameter_id": "p-least", "target": LEAST, **card},
        ]
        others = [
            {
                "parameter_id": "p-campaign",
                "card_id": self.other,
                "target": ["dimension", ["template-tag", "campaign"]],
            },
            {"parameter_id": "p-name", "card_id": self.other, "target": ["dimension", ["template-tag", "name"]]},
        ]
        base = {"row": 0, "col": 0, "size_x": 6, "size_y": 4}
        dashcards = [
            base | {"id": -1, "card_id": self.card, "parameter_mappings": mappings},
            base | {"id": -2, "card_id": self.other, "parameter_mappings": others},
        ]
        made = metabase.put(f"dashboard/{self.id}", {"dashcards": dashcards})["dashcards"]
        self.dashcard, self.other_dashcard = (d["id"] for d in made)

    def _card(self, database: int, sql: str, **tags: int | None) -> int:
        defined = {}
        for name, field in tags.items():
            tag: dict[str, Any] = {"id": name, "name": name, "display-name": name, "type": "number"}
            if field is not None:
                kind = "id" if name == "campaign" else "string/="
                tag |= {"type": "dimension", "dimension": ["field", {}, field], "widget-type": kind}
            defined[name] = tag
        stage = {"lib/type": "mbql.stage/native", "native": sql, "template-tags": defined}
        query = {"lib/type": "mbql/query", "database": database, "stages": [stage]}
        body = {"name": "C", "display": "table", "visualization_settings": {}, "dataset_query": query}
        return int(self.metabase.post("card", body)["id"])

    def ask(self, *values: dict[str, Any]) -> Any:
        path = f"dashboard/{self.id}/dashcard/{self.dashcard}/card/{self.card}/query"
        return self.metabase.ask("POST", path, {"parameters": list(values)})

    def count(self, *values: dict[str, Any]) -> Any:
        answer = self.ask(*values)
        assert answer.status_code == 202
        return answer.json()["data"]["rows"][0][0]


@pytest.fixture
def board(ready: Metabase, connected: int, fields: Fields) -> Board:
    return Board(ready, connected, fields)


def test_filters_reach_the_card_through_their_mappings(board: Board) -> None:
    assert board.count({"id": "p-country", "value": ["DE"]}) == 51
    assert board.count({"id": "p-country", "value": "DE"}) == 51  # one value for an operator is wrapped here
    assert board.count({"id": "p-country", "value": ["DE", "FR"]}, {"id": "p-least", "value": [2]}) == 51
    assert board.count({"id": "p-name", "value": ["x"]}) == 153  # not mapped to this card


def test_the_servers_side_knows_no_defaults_of_dashboards(board: Board) -> None:
    assert board.count() == 153
    assert board.count({"id": "p-country", "value": None}) == 153


def test_a_mapping_that_does_not_name_its_card_filters_nothing_without_a_word(
    ready: Metabase, connected: int, fields: Fields
) -> None:
    silent = Board(ready, connected, fields, named=False)
    assert silent.count({"id": "p-country", "value": ["DE"]}) == 153


def test_parameters_that_the_dashboard_does_not_have_are_400(board: Board) -> None:
    answer = board.ask({"id": "nope", "value": 1})
    assert (answer.status_code, "does not have a parameter with ID" in answer.text) == (400, True)
    assert board.ask({"value": 1}).status_code == 400
    assert board.ask({"id": "p-country", "type": "date/range", "value": 1}).status_code == 500


def test_a_card_must_be_in_the_dashcard(board: Board) -> None:
    ask = board.metabase.status
    assert ask("POST", f"dashboard/{board.id}/dashcard/{board.dashcard}/card/{board.other}/query", {}) == 404
    assert ask("POST", f"dashboard/99/dashcard/{board.dashcard}/card/{board.card}/query", {}) == 404
    assert ask("POST", f"dashboard/{board.id}/dashcard/99/card/{board.card}/query", {}) == 404


def _values(board: Board, parameter: str, **constraints: Any) -> Any:
    return board.metabase.get(f"dashboard/{board.id}/params/{parameter}/values", **constraints)


def test_filters_offer_the_values_of_their_field(board: Board) -> None:
    assert _values(board, "p-country") == {"values": [["DE"], ["FR"]], "has_more_values": False}
    assert _values(board, "p-name")["values"] == [["O'Neil"], ["Spring_1"], ["Summer 100%"]]
    found = board.metabase.get(f"dashboard/{board.id}/params/p-name/search/summer")
    assert found["values"] == [["Summer 100%"]]


def test_linked_filters_narrow_each_other_along_foreign_keys(board: Board) -> None:
    assert _values(board, "p-name", **{"p-country": "FR"})["values"] == [["Summer 100%"]]
    assert _values(board, "p-country", **{"p-name": "Spring_1"})["values"] == [["DE"]]
    assert _values(board, "p-country", **{"p-campaign": "1,2"})["values"] == [["DE"], ["FR"]]


def test_without_a_foreign_key_the_other_filter_is_passed_over(board: Board, fields: Fields) -> None:
    key = fields["marts", "fct_ad_daily", "campaign_id"]["id"]
    board.metabase.put(f"field/{key}", {"semantic_type": None})
    assert len(_values(board, "p-name", **{"p-country": "FR"})["values"]) == 3


def test_values_of_a_list_or_of_a_card(board: Board) -> None:
    admin = board.metabase
    query = {"database": 1, "type": "native", "native": {"query": "select 'b' as v union all select 'a'"}}
    body = {"name": "V", "display": "table", "visualization_settings": {}, "dataset_query": query}
    source = admin.post("card", body)["id"]
    config = {"card_id": source, "value_field": ["field", "v", {"base-type": "type/Text"}]}
    parameters = [
        {"id": "p-list", "type": "string/=", "values_source_type": "static-list"}
        | {"values_source_config": {"values": ["x", ["y", "Label"]]}},
        {"id": "p-card", "type": "string/=", "values_source_type": "card", "values_source_config": config},
    ]
    admin.put(f"dashboard/{board.id}", {"parameters": parameters})
    assert _values(board, "p-list")["values"] == [["x"], ["y", "Label"]]
    assert _values(board, "p-card")["values"] == [["a"], ["b"]]


def test_a_filter_that_is_mapped_to_nothing_offers_nothing(board: Board) -> None:
    path = f"dashboard/{board.id}/params"
    assert board.metabase.status("GET", f"{path}/p-loose/values") == 400
    assert board.metabase.status("GET", f"{path}/p-least/values") == 400
    assert board.metabase.status("GET", f"{path}/nope/values") == 400
