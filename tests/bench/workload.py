"""What is pulled: the report that compares with the peers, and the worlds that it is pulled from.

What belongs here: data about the work. What does not: doing it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

# Reason: the peers were measured with 18 fields, of these kinds: ids, names, delivery, actions and their values.
FIELDS_18 = (
    "account_id",
    "campaign_id",
    "campaign_name",
    "adset_id",
    "adset_name",
    "ad_id",
    "ad_name",
    "account_currency",
    "attribution_setting",
    "impressions",
    "reach",
    "frequency",
    "clicks",
    "inline_link_clicks",
    "spend",
    "ctr",
    "actions",
    "action_values",
)
PEERS_WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view")
PEERS_REPORT: dict[str, Any] = {"name": "bench_18", "fields": FIELDS_18, "windows": PEERS_WINDOWS}
"""The report of 18 fields; its table has the columns of every ad report."""

LAST_DAY = date(2026, 10, 10)  # 41 days before the simulator's now: its numbers change no more


def world(ads: int, history: int, accounts: int = 1) -> str:
    """A world of one ad per ad set: enough spend for conversions, so that most rows have all five action types."""
    return f"accounts={accounts},ads={ads},ads_per_adset=1,adsets=5,history={history}"


def days(count: int, last: date = LAST_DAY) -> dict[str, str]:
    """The range of so many days, as arguments of a job."""
    return {"since": (last - timedelta(days=count - 1)).isoformat(), "until": last.isoformat()}
