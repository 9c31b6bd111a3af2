"""Subscriptions, alerts, search, entity ids."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import Sample
from tests.metabase.test_dashboards import card

pytestmark = pytest.mark.integration


@pytest.fixture
def admin(ready: Metabase, sample: Sample) -> Metabase:
    ready.post("database", sample.body())
    return ready


def _subscription(dashboard: int, number: int) -> dict[str, Any]:
    channel = {"channel_type": "email", "schedule_type": "daily", "schedule_hour": 8, "recipients": [{"id": 1}]}
    return {
        "name": "Every morning",
        "dashboard_id": dashboard,
        "cards": [{"id": number, "dashboard_card_id": 1}],
        "channels": [channel | {"enabled": True}],
        "parameters": [{"id": "date", "value": "past7days"}],
    }


def test_removing_a_parameter_archives_the_subscriptions_that_use_it(admin: Metabase) -> None:
    date = {"id": "date", "type": "date/all-options"}
    dashboard = admin.post("dashboard", {"name": "D", "parameters": [date]})["id"]
    made = admin.post("pulse", _subscription(dashboard, card(admin)))
    assert (made["archived"], made["creator_id"]) == (False, 1)
    admin.put(f"dashboard/{dashboard}", {"parameters": [date, {"id": "country", "type": "string/="}]})
    assert [p["id"] for p in admin.get("pulse", dashboard_id=dashboard)] == [made["id"]]
    admin.put(f"dashboard/{dashboard}", {"parameters": [{"id": "date2", "type": "date/all-options"}]})
    assert admin.get("pulse") == []
    assert [p["id"] for p in admin.get("pulse", archived="true")] == [made["id"]]
    assert admin.put(f"pulse/{made['id']}", {"name": "Again"})["archived"] is False  # the default of what is left out


def test_subscriptions_need_cards_channels_and_their_dashboard(admin: Metabase) -> None:
    body = _subscription(99, card(admin))
    assert admin.status("POST", "pulse", body) == 404
    assert admin.status("POST", "pulse", body | {"cards": []}) == 400
    assert admin.status("POST", "pulse", body | {"colour": 1}) == 400


def test_alerts_end_with_their_card(admin: Metabase) -> None:
    number = card(admin)
    body = {
        "payload_type": "notification/card",
        "payload": {"card_id": number, "send_condition": "has_result"},
        "subscriptions": [{"type": "notification-subscription/cron", "cron_schedule": "0 0 8 * * ? *"}],
        "handlers": [{"channel_type": "channel/email", "recipients": []}],
    }
    made = admin.post("notification", body)
    assert [n["id"] for n in admin.get("notification", card_id=number)] == [made["id"]]
    assert admin.status("POST", "notification", body | {"payload": {"card_id": 99}}) == 404
    admin.put(f"card/{number}", {"archived": True})
    assert admin.get("notification") == []
    assert len(admin.get("notification", include_inactive="true")) == 1
    assert admin.get(f"notification/{made['id']}")["active"] is False


def test_search_finds_by_name_and_only_what_may_be_read(admin: Metabase) -> None:
    hidden = admin.post("collection", {"name": "Hidden spend"})["id"]
    card(admin, "Spend by day")
    card(admin, "Spend by client", hidden)
    admin.post("dashboard", {"name": "Spend"})
    found = admin.get("search", q="spend", models=["card", "dashboard"])
    assert [(r["model"], r["name"]) for r in found["data"]] == [
        ("dashboard", "Spend"),
        ("card", "Spend by client"),
        ("card", "Spend by day"),
    ]
    assert (found["total"], found["available_models"]) == (3, ["card", "dashboard"])
    assert [r["name"] for r in admin.get("search", q="spend", models="collection")["data"]] == ["Hidden spend"]
    admin.put("collection/graph", {"revision": 0, "groups": {"1": {str(hidden): "none"}}})
    member = admin.member()
    assert [r["name"] for r in member.get("search", q="spend by")["data"]] == ["Spend by day"]
    assert admin.get("search", q="spend", limit=1, offset=1)["total"] == 4


def test_entity_ids_become_numbers(admin: Metabase) -> None:
    number = card(admin)
    entity = admin.get(f"card/{number}")["entity_id"]
    dashboard = admin.post("dashboard", {"name": "D"})
    body = {"entity_ids": {"card": [entity, "x" * 21, "short"], "dashboard": [dashboard["entity_id"]]}}
    found = admin.post("eid-translation/translate", body)["entity_ids"]
    assert found[entity] == {"id": number, "type": "card", "status": "ok"}
    assert found[dashboard["entity_id"]]["id"] == dashboard["id"]
    assert (found["x" * 21]["status"], found["short"]["status"]) == ("not-found", "invalid-format")
    assert admin.status("POST", "eid-translation/translate", {"entity_ids": {"cards": []}}) == 400
