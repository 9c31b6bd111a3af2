"""Rows as Meta sends them, and short-cuts to what is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import orjson

from warehouse.connect import Warehouse
from warehouse.provenance import Provenance, Source
from warehouse.tables import AD_DAILY, InsightTable

ACCOUNT = 1010035716096012
DAY = date(2026, 11, 20)


def row(ad: int = 1, day: date = DAY, account: int = ACCOUNT, **changes: Any) -> bytes:
    """An ad's row of a day; a change to None leaves the key out."""
    data: dict[str, Any] = {
        "account_id": str(account),
        "account_currency": "EUR",
        "campaign_id": "120210000000010001",
        "campaign_name": "Prospecting",
        "adset_id": "120210000000020001",
        "ad_id": str(120210000000030000 + ad),
        "ad_name": "Video A",
        "attribution_setting": "7d_click_1d_view",
        "impressions": "4233",
        "reach": "3608",
        "frequency": "1.173226",
        "clicks": "96",
        "spend": "76.53",
        "inline_link_clicks": "61",
        "actions": [
            {"action_type": "link_click", "value": "61", "1d_click": "61", "7d_click": "61"},
            {"action_type": "omni_purchase", "value": "3", "1d_click": "2", "7d_click": "3"},
        ],
        "action_values": [{"action_type": "omni_purchase", "value": "214.7", "1d_click": "139.8", "7d_click": "214.7"}],
        "date_start": day.isoformat(),
        "date_stop": day.isoformat(),
    } | changes
    return orjson.dumps({key: value for key, value in data.items() if value is not None})


def provenance(source: Source = "api", windows: tuple[str, ...] = ("1d_click", "7d_click")) -> Provenance:
    """A pull by a new run, just now."""
    return Provenance(uuid4(), source, "v26.0", windows, datetime.now(UTC))


def stored(warehouse: Warehouse, table: InsightTable = AD_DAILY, columns: str = "*") -> list[tuple[Any, ...]]:
    """All rows of a table, in key order."""
    with warehouse.connection() as connection:
        statement = f"SELECT {columns} FROM {table.qualified_name} ORDER BY {', '.join(table.primary_key)}"
        return connection.execute(statement.encode()).fetchall()


def query(warehouse: Warehouse, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of any statement."""
    with warehouse.connection() as connection:
        cursor = connection.execute(statement.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []
