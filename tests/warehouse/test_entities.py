"""Objects and their change history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.warehouse.rows import ACCOUNT, DAY, provenance, query, row
from warehouse.connect import Warehouse
from warehouse.entities import KINDS, newest_update, upsert_entities
from warehouse.errors import RowRejected
from warehouse.loader import replace_slice
from warehouse.ops.slices import ids_without_entity
from warehouse.tables import AD_DAILY


def campaign(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "account_id": str(ACCOUNT),
        "name": f"Campaign {number}",
        "status": "ACTIVE",
        "effective_status": "ACTIVE",
        "daily_budget": "5000",
        "updated_time": "2026-11-20T08:00:03+0100",
    } | changes


def test_objects_are_inserted_updated_and_left_alone(warehouse: Warehouse) -> None:
    counts = upsert_entities(warehouse, "campaigns", ACCOUNT, [campaign(1), campaign(2)], provenance())
    assert (counts.inserted, counts.updated, counts.unchanged) == (2, 0, 0)
    rows = [orjson.dumps(campaign(1)), campaign(2, status="PAUSED"), campaign(3), campaign(3, name="Last wins")]
    counts = upsert_entities(warehouse, "campaigns", ACCOUNT, rows, provenance())
    assert (counts.received, counts.inserted, counts.updated, counts.renamed, counts.unchanged) == (4, 1, 1, 0, 2)
    assert query(
        warehouse, "SELECT id, name, status, updated_time, payload->>'daily_budget' FROM raw.campaigns ORDER BY id"
    ) == [
        (1, "Campaign 1", "ACTIVE", datetime(2026, 11, 20, 7, 0, 3, tzinfo=UTC), "5000"),
        (2, "Campaign 2", "PAUSED", datetime(2026, 11, 20, 7, 0, 3, tzinfo=UTC), "5000"),
        (3, "Last wins", "ACTIVE", datetime(2026, 11, 20, 7, 0, 3, tzinfo=UTC), "5000"),
    ]
    assert newest_update(warehouse, "campaigns", ACCOUNT) == datetime(2026, 11, 20, 7, 0, 3, tzinfo=UTC)
    assert newest_update(warehouse, "ads", ACCOUNT) is None


def two_days_in_the_marts(warehouse: Warehouse) -> None:
    for account in (ACCOUNT, ACCOUNT + 1):
        for day in (DAY, DAY + timedelta(days=3)):
            replace_slice(warehouse, AD_DAILY, account, day, [row(1, account=account, day=day)], provenance())
    query(warehouse, "UPDATE ops.slice SET build_id = 1")


def marked(warehouse: Warehouse) -> list[Any]:
    return query(warehouse, "SELECT account_id, day FROM ops.slice WHERE build_id IS NULL ORDER BY account_id, day")


def at(day: date) -> str:
    return f"{day}T10:00:00+0000"


def test_a_new_name_sends_the_whole_account_back_to_the_marts(warehouse: Warehouse) -> None:
    upsert_entities(warehouse, "campaigns", ACCOUNT, [campaign()], provenance())
    two_days_in_the_marts(warehouse)
    assert upsert_entities(warehouse, "campaigns", ACCOUNT, [campaign(), campaign(2)], provenance()).inserted == 1
    assert marked(warehouse) == []
    counts = upsert_entities(warehouse, "campaigns", ACCOUNT, [campaign(name="New")], provenance())
    assert (counts.renamed, counts.slices_to_rebuild) == (1, 2)
    assert marked(warehouse) == [(ACCOUNT, DAY), (ACCOUNT, DAY + timedelta(days=3))]


def test_a_changed_object_sends_the_days_since_its_change_back(warehouse: Warehouse) -> None:
    upsert_entities(warehouse, "campaigns", ACCOUNT, [campaign(updated_time=at(DAY))], provenance())
    two_days_in_the_marts(warehouse)
    refilled = campaign(updated_time=at(DAY), budget_remaining="1")
    assert upsert_entities(warehouse, "campaigns", ACCOUNT, [refilled], provenance()).updated == 1
    assert marked(warehouse) == [], "what Meta counts down by itself is no change"
    changed = campaign(updated_time=at(DAY + timedelta(days=3)), daily_budget="7000")
    assert upsert_entities(warehouse, "campaigns", ACCOUNT, [changed], provenance()).slices_to_rebuild == 1
    assert marked(warehouse) == [(ACCOUNT, DAY + timedelta(days=3))]


def test_a_late_event_sends_the_days_since_it_back(warehouse: Warehouse) -> None:
    two_days_in_the_marts(warehouse)
    event = {"event_type": "update_campaign_budget", "object_id": "12"}
    late = event | {"event_time": at(DAY + timedelta(days=2))}
    assert upsert_entities(warehouse, "activities", ACCOUNT, [late], provenance()).slices_to_rebuild == 1
    assert marked(warehouse) == [(ACCOUNT, DAY + timedelta(days=3))]
    query(warehouse, "UPDATE ops.slice SET build_id = 1")
    assert upsert_entities(warehouse, "activities", ACCOUNT, [late], provenance()).slices_to_rebuild == 0
    assert marked(warehouse) == []


def test_every_kind_has_a_table(warehouse: Warehouse) -> None:
    for kind in KINDS:
        data = (
            {"id": f"act_{ACCOUNT}", "account_id": str(ACCOUNT), "name": "Shop", "account_status": 1}
            if kind == "accounts"
            else campaign()
        )
        assert upsert_entities(warehouse, kind, ACCOUNT, [data], provenance()).inserted == 1
    assert query(warehouse, "SELECT account_id, id, name, status FROM raw.accounts") == [
        (ACCOUNT, ACCOUNT, "Shop", "1")
    ]
    with pytest.raises(ValueError, match="no kind"):
        upsert_entities(warehouse, "accounts; DROP", ACCOUNT, [], provenance())


@pytest.mark.parametrize(
    "bad", [{"name": "x"}, campaign(id="x"), campaign(account_id="5"), campaign(updated_time="soon"), b"[]", b"{"]
)
def test_a_bad_object_keeps_its_batch_out(warehouse: Warehouse, bad: Any) -> None:
    with pytest.raises(RowRejected):
        upsert_entities(warehouse, "campaigns", ACCOUNT, [campaign(), bad], provenance())
    assert query(warehouse, "SELECT count(*) FROM raw.campaigns") == [(0,)]


def test_characters_that_cannot_be_stored_are_replaced(warehouse: Warehouse) -> None:
    upsert_entities(warehouse, "campaigns", ACCOUNT, [campaign(name="a\x00b\\u0000")], provenance())
    assert query(warehouse, "SELECT name, payload->>'name' FROM raw.campaigns") == [("a\ufffdb\\u0000",) * 2]


def test_events_are_added_once(warehouse: Warehouse) -> None:
    event = {"event_time": "2026-11-20T08:00:03+0000", "event_type": "update_campaign_budget", "object_id": "12"}
    other = event | {"extra_data": '{"old":1}', "object_id": f"act_{ACCOUNT}"}
    counts = upsert_entities(warehouse, "activities", ACCOUNT, [event, other, event], provenance())
    assert (counts.inserted, counts.unchanged) == (2, 1)
    assert upsert_entities(warehouse, "activities", ACCOUNT, [event], provenance()).inserted == 0
    assert newest_update(warehouse, "activities", ACCOUNT) == datetime(2026, 11, 20, 8, 0, 3, tzinfo=UTC)
    with pytest.raises(RowRejected, match="event_time"):
        upsert_entities(warehouse, "activities", ACCOUNT, [{"event_type": "x"}], provenance())


def test_ids_that_only_insights_name_are_found(warehouse: Warehouse) -> None:
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2)], provenance())
    upsert_entities(warehouse, "ads", ACCOUNT, [campaign(120210000000030001)], provenance())
    assert ids_without_entity(warehouse, "ads", ACCOUNT) == [120210000000030002]
    assert ids_without_entity(warehouse, "campaigns", ACCOUNT) == [120210000000010001]
    assert ids_without_entity(warehouse, "ads", ACCOUNT + 1) == []
