"""Two accounts over ten weeks, as clean as Meta sends them; tests plant one defect each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from warehouse.connect import Warehouse
from warehouse.entities import upsert_entities
from warehouse.loader import replace_slices
from warehouse.ops import sync_clients
from warehouse.provenance import Provenance
from warehouse.tables import PRESETS, InsightTable

ACCOUNT, OTHER = 201, 202
LAST = date(2026, 11, 21)
FIRST = LAST - timedelta(days=69)
SINCE = LAST - timedelta(days=9)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
WINDOWS = ("1d_click", "7d_click")
REPORTS = ("ad_daily", "account_daily", "ad_daily__country", "campaign_period")
RUN = UUID(int=1)


def days(first: date = FIRST, last: date = LAST) -> list[date]:
    return [first + timedelta(days=back) for back in range((last - first).days + 1)]


def rows(report: str, account: int, day: date, factor: float = 1.0) -> list[dict[str, Any]]:
    """What Meta sends for a day: four ads of two ad sets, or their totals."""
    table = PRESETS[report]
    found = []
    weekend = 1.3 if day.weekday() >= 5 else 1.0
    for ad in range(1, 5) if table.level == "ad" else (1,):
        size = int(1000 * ad * factor * weekend * (1 + 0.05 * ((day.toordinal() * 7 + ad) % 5 - 2)))
        row: dict[str, Any] = {
            "account_id": str(account),
            "account_name": "Shop",
            "account_currency": "EUR",
            "impressions": str(size),
            "reach": str(size * 4 // 5),
            "frequency": f"{size / (size * 4 // 5):.6f}",
            "clicks": str(size // 40),
            "inline_link_clicks": str(size // 60),
            "spend": f"{size / 90:.2f}",
            "attribution_setting": "7d_click",
            "date_start": day.isoformat(),
            "date_stop": day.isoformat(),
        }
        if table.level != "account":
            row |= {"campaign_id": "3001", "campaign_name": "Sales"}
        if table.level == "ad":
            adset = 4001 + (ad > 2)
            row |= {"adset_id": str(adset), "adset_name": "Set", "ad_id": str(5000 + ad), "ad_name": f"Ad {ad}"}
        if table.period:
            row["date_start"] = (day - timedelta(days=6)).isoformat()
        elif not table.breakdowns:
            bought = {"action_type": "omni_purchase", "value": str(size // 50), "1d_click": str(size // 80)}
            row["actions"] = [bought | {"7d_click": str(size // 60)}, {"action_type": "like", "value": "1"}]
            row["action_values"] = [{"action_type": "omni_purchase", "value": f"{size / 3:.2f}", "7d_click": "1"}]
        if table.breakdowns == ("country",):
            row["country"] = "DE"
        found.append(row)
    return found


def store(
    warehouse: Warehouse, table: InsightTable, account: int, slices: dict[date, list[dict[str, Any]]], **changes: Any
) -> None:
    """Through the platform's own loader."""
    windows = () if table.breakdowns or table.period else WINDOWS
    origin = {"source": "api", "windows": windows, "pulled_at": NOW - timedelta(hours=2)} | changes
    provenance = Provenance(RUN, origin["source"], "v26.0", origin["windows"], origin["pulled_at"])
    payloads = [(day, [orjson.dumps(row) for row in found]) for day, found in slices.items()]
    replace_slices(warehouse, table, account, payloads, provenance)


def accounts(warehouse: Warehouse, **changes: Any) -> None:
    """Both accounts with their objects."""
    provenance = Provenance(RUN, "api", "v26.0", (), NOW)
    for account in (ACCOUNT, OTHER):
        own = {"id": f"act_{account}", "account_id": str(account), "name": "Shop", "currency": "EUR"}
        own |= {"timezone_name": "Europe/Berlin"} | (changes if account == ACCOUNT else {})
        upsert_entities(warehouse, "accounts", account, [own], provenance)
        upsert_entities(warehouse, "campaigns", account, [{"id": "3001", "name": "Sales"}], provenance)
        sets = [{"id": str(4000 + n), "name": "Set", "campaign_id": "3001", "daily_budget": "5000"} for n in (1, 2)]
        upsert_entities(warehouse, "adsets", account, sets, provenance)
        ads = [{"id": str(5000 + n), "name": f"Ad {n}", "adset_id": str(4001 + (n > 2))} for n in range(1, 5)]
        upsert_entities(warehouse, "ads", account, ads, provenance)


def fill(warehouse: Warehouse) -> None:
    """The whole world, without a defect."""
    accounts(warehouse)
    sync_clients(
        warehouse,
        [
            {"account_id": account, "client_id": "acme", "client_name": "Acme", "conversion_action": "omni_purchase"}
            for account in (ACCOUNT, OTHER)
        ],
    )
    for report in REPORTS:
        for account in (ACCOUNT, OTHER):
            store(warehouse, PRESETS[report], account, {day: rows(report, account, day) for day in days()})
