"""Queries, reading and adding up, for the tests of `simulator.world`."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from simulator.contract import Filter, InsightsQuery, World

ANCHOR = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)
LATER = datetime(2027, 3, 1, tzinfo=UTC)
EVERYONE = Filter(
    "ad.effective_status",
    "IN",
    ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "ADSET_PAUSED", "CAMPAIGN_PAUSED"],
)
BASE = ("account_id", "impressions", "clicks", "spend", "inline_link_clicks", "actions", "action_values")
WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view")
Rows = list[dict[str, Any]]


def everyone(level: str) -> tuple[Filter, ...]:
    """The filter that also lists deleted and archived objects of a level."""
    if level == "account":
        return ()
    return (Filter(f"{level}.effective_status", "IN", EVERYONE.value),)


def days_back(count: int, end: date = ANCHOR) -> tuple[tuple[date, date], ...]:
    return ((end - timedelta(days=count - 1), end),)


def make_query(node: str, level: str = "ad", **changes: Any) -> InsightsQuery:
    values: dict[str, Any] = {
        "node_id": node,
        "level": level,
        "ranges": days_back(7),
        "time_increment": 1,
        "fields": (*BASE, *(f"{kind}_id" for kind in ("campaign", "adset", "ad"))),
        "windows": WINDOWS,
        "filters": everyone(level),
    }
    return InsightsQuery(**(values | changes))


def read(world: World, query: InsightsQuery, at: datetime) -> Rows:
    result = world.insights(query, at)
    return [orjson.loads(row) for row in result.page(0, len(result))]


def totals(rows: Rows, *keys: str) -> dict[tuple[str, ...], dict[str, Decimal]]:
    """Sums of all additive numbers of rows, by the values of some of their keys."""
    found: dict[tuple[str, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        group = found[tuple(row.get(key, "") for key in keys)]
        for name in ("impressions", "clicks", "spend", "inline_link_clicks"):
            group[name] += Decimal(row.get(name, "0"))
        for name in ("actions", "action_values"):
            for action in row.get(name, ()):
                for window in ("value", *WINDOWS):
                    if window in action:
                        group[f"{name}:{action['action_type']}:{window}"] += Decimal(action[window])
    return {key: {name: value for name, value in group.items() if value} for key, group in found.items()}
