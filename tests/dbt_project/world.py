"""A small world with an account per question, so that tests which change it do not meet."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import orjson

from warehouse.connect import Warehouse
from warehouse.loader import replace_slice
from warehouse.provenance import Provenance
from warehouse.tables import PRESETS

DAYS = ("2026-11-01", "2026-11-02")
STEADY, VANISHING, REDECLARED, WATCHED, YEN = 101, 102, 103, 104, 105
IMPORTED = -106

PULLED = datetime(2026, 11, 3, 6, tzinfo=UTC)


def ad_row(account: int, day: str, ad: int = 1, **changes: Any) -> dict[str, Any]:
    """An ad's row as Meta sends it: strings, overlapping action types; a change to None leaves the key out."""
    row = {
        "account_id": str(account),
        "account_name": "From insights",
        "account_currency": "EUR",
        "campaign_id": "1000",
        "campaign_name": "Campaign from insights",
        "adset_id": "1100",
        "adset_name": "Ad set from insights",
        "ad_id": str(1110 + ad),
        "ad_name": f"Ad {ad} from insights",
        "attribution_setting": "7d_click_1d_view",
        "impressions": "1000",
        "reach": "800",
        "frequency": "1.25",
        "clicks": "30",
        "spend": "10.01",
        "inline_link_clicks": "19",
        "actions": [
            {"action_type": "link_click", "value": "20", "7d_click": "20"},
            {"action_type": "omni_purchase", "value": "3", "7d_click": "2"},
            {"action_type": "purchase", "value": "3", "7d_click": "2"},
            {"action_type": "lead", "value": "5"},
        ],
        "action_values": [{"action_type": "omni_purchase", "value": "150.30", "7d_click": "100.20"}],
        "date_start": day,
        "date_stop": day,
    } | changes
    return {key: value for key, value in row.items() if value is not None}


def account_row(account: int, day: str, ads: int, **changes: Any) -> dict[str, Any]:
    """Meta's total over `ads` equal ads."""
    total = {
        "account_id": str(account),
        "account_currency": "EUR",
        "attribution_setting": "7d_click_1d_view",
        "impressions": str(1000 * ads),
        "reach": "1500",
        "frequency": "1.333333",
        "clicks": str(30 * ads),
        "spend": f"{1001 * ads / 100:.2f}",
        "actions": [
            {"action_type": "link_click", "value": str(20 * ads)},
            {"action_type": "omni_purchase", "value": str(3 * ads), "7d_click": str(2 * ads)},
            {"action_type": "lead", "value": str(5 * ads)},
        ],
        "action_values": [
            {
                "action_type": "omni_purchase",
                "value": f"{15030 * ads / 100:.2f}",
                "7d_click": f"{10020 * ads / 100:.2f}",
            }
        ],
        "date_start": day,
        "date_stop": day,
    }
    return total | changes


def commit(
    warehouse: Warehouse, report: str, account: int, day: str, rows: list[dict[str, Any]], source: str = "api"
) -> None:
    """Replaces a slice through the platform's own loader."""
    api = source == "api"
    origin = Provenance(uuid4(), source, "v26.0" if api else None, ("7d_click",) if api else (), PULLED)  # type: ignore[arg-type]
    replace_slice(
        warehouse, PRESETS[report], account, date.fromisoformat(day), [orjson.dumps(row) for row in rows], origin
    )


def declare(warehouse: Warehouse, account: int, action: str | None, value: str | None, window: str | None) -> None:
    """What an account counts as its conversion."""
    with warehouse.connection() as connection:
        connection.execute(
            "INSERT INTO ops.client_account (account_id, client_id, client_name, conversion_action, value_action,"
            " conversion_window) VALUES (%s, 'acme', 'Acme', %s, %s, %s) ON CONFLICT (account_id) DO UPDATE SET"
            " conversion_action = excluded.conversion_action, value_action = excluded.value_action,"
            " conversion_window = excluded.conversion_window",
            [account, action, value, window],
        )


def entity(warehouse: Warehouse, table: str, account: int, number: int, name: str, **payload: Any) -> None:
    """An object as the platform stores it."""
    with warehouse.connection() as connection:
        connection.execute(
            f"INSERT INTO raw.{table} (account_id, id, name, status, effective_status, payload, pulled_at, run_id)"
            " VALUES (%s, %s, %s, 'ACTIVE', 'ACTIVE', %s, %s, %s)".encode(),
            [account, number, name, orjson.dumps(payload).decode(), PULLED, uuid4()],
        )


def fill(warehouse: Warehouse) -> None:
    """Five accounts pulled from Meta and one imported from a file."""
    for account in (STEADY, VANISHING, REDECLARED, WATCHED, YEN):
        currency = "JPY" if account == YEN else "EUR"
        entity(
            warehouse, "accounts", account, account, f"Shop {account}", currency=currency, timezone_name="Asia/Tokyo"
        )
        declare(warehouse, account, "omni_purchase", "omni_purchase", "7d_click")
        for day in DAYS:
            commit(warehouse, "ad_daily", account, day, [ad_row(account, day, 1), ad_row(account, day, 2)])
            commit(warehouse, "account_daily", account, day, [account_row(account, day, 2)])
    entity(warehouse, "campaigns", STEADY, 1000, "Listed campaign", objective="OUTCOME_SALES", daily_budget="5055")
    entity(warehouse, "campaigns", YEN, 1000, "Listed campaign", objective="OUTCOME_SALES", daily_budget="5055")
    entity(warehouse, "ads", STEADY, 1111, "Listed ad", adset_id="1100", campaign_id="1000", creative={"id": "77"})
    entity(warehouse, "adcreatives", STEADY, 77, "Creative", thumbnail_url="https://example.com/77.jpg")
    row = ad_row(IMPORTED, DAYS[0], actions=None, action_values=None, _derived_ids=["campaign_id", "adset_id", "ad_id"])
    commit(warehouse, "ad_daily", IMPORTED, DAYS[0], [row], source="import")
    with warehouse.connection() as connection:
        # Reason: whatever the loader makes of them, the marts must take ids that were derived from names.
        connection.execute(
            "UPDATE raw.insights_ad_daily SET campaign_id = -1, adset_id = -2, ad_id = -3 WHERE account_id = %s",
            [IMPORTED],
        )
