"""Tables and fields: what may be said about them, and values."""

from __future__ import annotations

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import Fields, Sample, eventually, fields_of

pytestmark = pytest.mark.integration
FCT = ("marts", "fct_ad_daily")
DIM = ("marts", "dim_campaign")


def test_what_is_said_about_a_field_stays_after_a_sync(ready: Metabase, connected: int, fields: Fields) -> None:
    spend = fields[*FCT, "spend"]["id"]
    change = {"semantic_type": "type/Currency", "description": "Major money", "display_name": "Spend (EUR)"}
    changed = ready.put(f"field/{spend}", change | {"has_field_values": "none"})
    assert {name: changed[name] for name in change} == change
    ready.post(f"database/{connected}/sync_schema")
    eventually(lambda: ready.get(f"database/{connected}")["initial_sync_status"] == "complete")
    after = ready.get(f"field/{spend}")
    assert {name: after[name] for name in change} == change
    assert after["table"]["name"] == "fct_ad_daily"


def test_foreign_keys_are_set_and_lost_with_the_semantic_type(ready: Metabase, fields: Fields) -> None:
    view, target = fields["client_acme", "fct", "campaign_id"], fields[*DIM, "campaign_id"]["id"]
    assert view["fk_target_field_id"] is None
    body = {"semantic_type": "type/FK", "fk_target_field_id": target}
    assert ready.put(f"field/{view['id']}", body)["target"]["id"] == target
    assert ready.put(f"field/{view['id']}", {"description": "x"})["fk_target_field_id"] == target
    assert ready.put(f"field/{view['id']}", {"semantic_type": None})["fk_target_field_id"] is None
    bad = ready.ask("PUT", f"field/{view['id']}", body | {"fk_target_field_id": 9999})
    assert (bad.status_code, list(bad.json()["errors"])) == (400, ["fk_target_field_id"])
    origin = fields[*FCT, "campaign_id"]["id"]
    table = fields[*DIM, "campaign_id"]["table_id"]
    assert [fk["origin_id"] for fk in ready.get(f"table/{table}/fks")] == [origin]


def test_bad_changes_of_fields_are_refused(ready: Metabase, fields: Fields) -> None:
    field = fields[*FCT, "country"]["id"]
    for body in (
        {"semantic_type": "type/Nonsense"},
        {"has_field_values": "dropdown"},
        {"visibility_type": "secret"},
        {"description": ""},
        {"base_type": "type/Text"},
    ):
        assert ready.status("PUT", f"field/{field}", body) == 400, body
    assert ready.member().status("PUT", f"field/{field}", {"description": "x"}) == 403


def test_values_are_offered_as_the_field_says(ready: Metabase, fields: Fields) -> None:
    country, spend = fields[*FCT, "country"], fields[*FCT, "spend"]
    assert country["has_field_values"] == "list"
    answer = ready.get(f"field/{country['id']}/values")
    assert answer == {"values": [["DE"], ["FR"]], "field_id": country["id"], "has_more_values": False}
    assert ready.get(f"field/{spend['id']}/values")["values"] == []
    ready.put(f"field/{country['id']}", {"has_field_values": "search"})
    assert ready.get(f"field/{country['id']}/values") == {
        "values": [],
        "field_id": country["id"],
        "has_more_values": True,
    }
    ready.put(f"field/{spend['id']}", {"has_field_values": "list"})
    assert ready.get(f"field/{spend['id']}/values")["values"] == [[10.25], [20.5], [30.75]]


def test_without_a_scan_text_is_for_searching(ready: Metabase, sample: Sample) -> None:
    ready.options(scan_values=False)
    database = ready.post("database", sample.body())["id"]
    eventually(lambda: bool(fields_of(ready, database)))
    field = fields_of(ready, database)[*DIM, "objective"]
    assert (field["has_field_values"], field["semantic_type"]) == ("search", None)


def test_tables_are_described_and_hidden(ready: Metabase, connected: int, fields: Fields) -> None:
    table = fields[*DIM, "name"]["table_id"]
    assert ready.get(f"table/{table}")["description"] == "Campaigns as they are now"
    changed = ready.put(f"table/{table}", {"description": "All campaigns", "visibility_type": "hidden"})
    assert (changed["description"], changed["display_name"]) == ("All campaigns", "Dim Campaign")
    shown = {t["name"] for t in ready.get(f"database/{connected}/metadata")["tables"]}
    every = {t["name"] for t in ready.get(f"database/{connected}/metadata", include_hidden="true")["tables"]}
    assert every - shown == {"dim_campaign"}
    assert ready.put(f"table/{table}", {"visibility_type": None})["visibility_type"] is None
    assert ready.status("PUT", f"table/{table}", {"name": "x"}) == 400
    columns = [f["name"] for f in ready.get(f"table/{table}/query_metadata")["fields"]]
    assert columns == ["campaign_id", "name", "objective"]
    assert {t["name"] for t in ready.get("table")} == {"dim_campaign", "fct", "fct_ad_daily"}


def test_sensitive_fields_are_not_shown(ready: Metabase, connected: int, fields: Fields) -> None:
    ready.put(f"field/{fields[*DIM, 'name']['id']}", {"visibility_type": "sensitive"})
    assert (*DIM, "name") not in fields_of(ready, connected)
