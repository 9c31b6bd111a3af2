"""Databases: adding, connecting, masking, syncing from the real catalog."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import PASSWORD, ROLE, Sample, eventually, fields_of, wait_for_sync

pytestmark = pytest.mark.integration
MASK = "**MetabasePass**"


def test_adding_a_database_connects_and_hides_the_password(ready: Metabase, sample: Sample) -> None:
    made = ready.post("database", sample.body())
    assert made["details"]["password"] == MASK
    assert made["details"]["user"] == ROLE
    assert (made["id"], made["engine"], made["is_full_sync"], made["auto_run_queries"]) == (1, "postgres", True, True)
    listed = ready.get("database")
    assert (listed["total"], listed["data"][0]["details"]["password"]) == (1, MASK)
    wait_for_sync(ready, 1)
    assert ready.get("database/1", include="tables.fields")["tables"][0]["fields"]
    (logged,) = ready.log(method="POST", path="/api/database$")["requests"]
    assert logged["body"]["details"]["password"] == PASSWORD


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dbname": "no_such_database"}, "dbname"),
        ({"user": "no_such_role"}, "user"),
        ({"host": "nowhere.invalid"}, "host"),
        ({"user": None}, "user"),
        ({"ssl": True}, None),
    ],
)
def test_details_that_lead_nowhere_are_400_and_leave_nothing(
    ready: Metabase, sample: Sample, change: dict[str, Any], field: str | None
) -> None:
    answer = ready.ask("POST", "database", sample.body(**change))
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert field is None or field in answer.json()["errors"]
    assert ready.get("database")["total"] == 0
    trial = ready.post("database/validate", {"details": {"engine": "postgres", "details": sample.details(**change)}})
    assert trial["valid"] is False


def test_a_wrong_password_is_refused_where_the_role_has_one(ready: Metabase, sample: Sample) -> None:
    ready.options(passwords={ROLE: PASSWORD})
    answer = ready.ask("POST", "database", sample.body(password="wrong"))
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"user", "password"})
    body = {"details": {"engine": "postgres", "details": sample.details()}}
    assert ready.post("database/validate", body)["valid"] is True


def test_a_mask_keeps_the_stored_password_and_details_left_out_stay(ready: Metabase, sample: Sample) -> None:
    ready.options(passwords={ROLE: PASSWORD})
    ready.post("database", sample.body(**{"schema-filters-type": "inclusion", "schema-filters-patterns": "marts"}))
    changed = ready.put("database/1", {"name": "Ads", "details": sample.details(password=MASK, port=5433)})
    assert (changed["name"], changed["details"]["port"]) == ("Ads", 5433)
    assert changed["details"]["password"] == MASK
    assert changed["details"]["schema-filters-patterns"] == "marts"
    assert ready.get("database/1/healthcheck")["status"] == "ok"
    ready.options(passwords={ROLE: "rotated"})
    assert ready.get("database/1/healthcheck")["status"] == "error"
    assert ready.status("PUT", "database/1", {"details": {"password": "again wrong"}}) == 400
    ready.put("database/1", {"details": {"password": "rotated"}})
    assert ready.get("database/1/healthcheck")["status"] == "ok"


def test_where_the_server_has_tls_it_is_used_unasked_and_stored(ready: Metabase, sample: Sample) -> None:
    ready.options(tls=True)
    assert ready.post("database", sample.body())["details"]["ssl"] is True


def test_paid_and_forbidden_options(ready: Metabase, sample: Sample) -> None:
    assert ready.status("POST", "database", sample.body() | {"cache_ttl": 15}) == 402
    assert ready.status("POST", "database", sample.body() | {"is_stub": True}) == 400
    assert ready.status("POST", "database", sample.body() | {"engine": "oracle"}) == 500
    assert ready.status("POST", "database", sample.body() | {"schedules": {"metadata_sync": {}}}) == 400
    assert ready.member().status("POST", "database", sample.body()) == 403


def test_sync_happens_later_and_then_tables_are_there(ready: Metabase, sample: Sample) -> None:
    ready.options(sync_seconds=0.3)
    database = ready.post("database", sample.body())["id"]
    assert ready.get(f"database/{database}")["initial_sync_status"] == "incomplete"
    assert ready.get(f"database/{database}/metadata")["tables"] == []
    wait_for_sync(ready, database)
    tables = ready.get(f"database/{database}/metadata")["tables"]
    assert [(t["schema"], t["name"]) for t in tables] == [
        ("marts", "dim_campaign"),
        ("client_acme", "fct"),
        ("marts", "fct_ad_daily"),
    ]
    assert [t["display_name"] for t in tables] == ["Dim Campaign", "Fct", "Fct Ad Daily"]
    assert ready.get(f"database/{database}/schemas") == ["client_acme", "marts"]
    assert [t["name"] for t in ready.get(f"database/{database}/schema/client_acme")] == ["fct"]
    assert ready.status("GET", f"database/{database}/schema/hidden") == 404
    assert ready.get(f"database/{database}/syncable_schemas") == ["client_acme", "marts", "public"]


@pytest.mark.parametrize(
    ("kind", "patterns", "schemas"),
    [
        ("inclusion", "client_*", ["client_acme"]),
        ("inclusion", "marts, client_acme", ["client_acme", "marts"]),
        ("exclusion", "client_*", ["marts"]),
        ("all", "marts", ["client_acme", "marts"]),
        ("inclusion", "mart?", []),
    ],
)
def test_schema_filters(ready: Metabase, sample: Sample, kind: str, patterns: str, schemas: list[str]) -> None:
    details = {"schema-filters-type": kind, "schema-filters-patterns": patterns}
    database = ready.post("database", sample.body(**details))["id"]
    wait_for_sync(ready, database)
    assert ready.get(f"database/{database}/schemas") == schemas


def test_fields_come_from_the_catalog(ready: Metabase, connected: int) -> None:
    fields = fields_of(ready, connected)
    day = fields["marts", "fct_ad_daily", "day"]
    assert (day["base_type"], day["database_type"], day["display_name"], day["position"]) == (
        "type/Date",
        "date",
        "Day",
        0,
    )
    types = {name: field["base_type"] for (_, table, name), field in fields.items() if table == "fct_ad_daily"}
    assert types == {
        "day": "type/Date",
        "campaign_id": "type/BigInteger",
        "country": "type/Text",
        "spend": "type/Decimal",
        "clicks": "type/Integer",
        "is_final": "type/Boolean",
        "loaded_at": "type/DateTimeWithLocalTZ",
        "updated": "type/DateTime",
        "ref": "type/UUID",
        "extra": "type/JSON",
    }
    assert fields["marts", "dim_campaign", "campaign_id"]["semantic_type"] == "type/PK"
    foreign = fields["marts", "fct_ad_daily", "campaign_id"]
    assert foreign["semantic_type"] == "type/FK"
    assert foreign["target"]["id"] == fields["marts", "dim_campaign", "campaign_id"]["id"]
    assert fields["marts", "dim_campaign", "name"]["description"] == "As in Ads Manager"
    assert fields["marts", "dim_campaign", "objective"]["semantic_type"] == "type/Category"


def test_a_table_that_is_dropped_and_made_again_keeps_its_ids(ready: Metabase, connected: int, sample: Sample) -> None:
    before = fields_of(ready, connected)
    sample.execute("ALTER VIEW client_acme.fct RENAME TO gone")
    ready.post(f"database/{connected}/sync_schema")
    eventually(lambda: ("client_acme", "fct", "day") not in fields_of(ready, connected))
    sample.execute("ALTER VIEW client_acme.gone RENAME TO fct")
    assert ready.post(f"database/{connected}/sync_schema") == {"status": "ok"}
    eventually(lambda: ("client_acme", "fct", "day") in fields_of(ready, connected))
    after = fields_of(ready, connected)
    assert {key: field["id"] for key, field in after.items()} == {key: field["id"] for key, field in before.items()}


def test_sync_of_a_database_that_does_not_answer_is_422(ready: Metabase, connected: int) -> None:
    ready.options(passwords={ROLE: "rotated"})
    assert ready.status("POST", f"database/{connected}/sync_schema") == 422


def test_a_role_that_may_not_read_sees_no_tables(ready: Metabase, connected: int, sample: Sample) -> None:
    assert not [key for key in fields_of(ready, connected) if key[0] == "hidden"]


def test_schedules_are_kept_only_where_people_may_control_them(ready: Metabase, sample: Sample) -> None:
    schedules = {
        "metadata_sync": {"schedule_type": "hourly", "schedule_minute": 11},
        "cache_field_values": {"schedule_type": "daily", "schedule_hour": 5},
    }
    drawn = ready.post("database", sample.body() | {"schedules": schedules})
    assert drawn["metadata_sync_schedule"] != "0 11 * * * ? *"
    controlled = sample.body("two", **{"let-user-control-scheduling": True})
    kept = ready.post("database", controlled | {"schedules": schedules})
    assert kept["metadata_sync_schedule"] == "0 11 * * * ? *"
    shown = ready.get(f"database/{kept['id']}")["schedules"]
    assert shown["metadata_sync"]["schedule_type"] == "hourly"
    assert (shown["cache_field_values"]["schedule_type"], shown["cache_field_values"]["schedule_hour"]) == ("daily", 5)
    assert ready.status("POST", "database", controlled) == 500


def test_deleting_a_database_takes_its_fields_permissions_and_cards(ready: Metabase, connected: int) -> None:
    field = next(iter(fields_of(ready, connected).values()))["id"]
    query = {"database": connected, "type": "native", "native": {"query": "select 1"}}
    body = {"name": "One", "display": "table", "visualization_settings": {}, "dataset_query": query}
    card = ready.post("card", body)["id"]
    assert ready.status("DELETE", f"database/{connected}") == 204
    assert ready.status("GET", f"field/{field}") == 404
    assert ready.status("GET", f"card/{card}") == 404
    assert ready.get("permissions/graph")["groups"] == {}
    assert ready.status("GET", f"database/{connected}") == 404
