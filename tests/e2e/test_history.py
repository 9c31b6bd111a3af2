"""What an object was on a past day: the histories against the simulator's world, asked at that very moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from orchestration.build import build_marts
from tests.e2e.harness import NOW, account_ids, scalar

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LATER = NOW + timedelta(days=40)
LOGGED_DAYS = 85  # the first pull reads 90 days of Meta's log
TABLES = {"campaign": "dim_campaign_history", "ad_set": "dim_ad_set_history", "ad": "dim_ad_history"}
EDGES = {"campaign": "campaigns", "ad_set": "adsets", "ad": "ads"}


def end_of(day: date, zone: str) -> datetime:
    """The last second of an account's day."""
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    return midnight.astimezone(UTC) - timedelta(seconds=1)


def budget_of(data, exponent):
    text = data.get("daily_budget") or "0"
    return Decimal(text) / 10**exponent if text != "0" else None


def test_every_past_day_finds_what_the_object_was_then(built_bench):
    bench = built_bench
    window = {"since": date(2026, 11, 1), "until": date(2026, 11, 18), "reports": ("ad_daily", "account_daily")}
    bench.pull(**window)
    build_marts(bench.platform())
    bench.simulator.post("clock", {"set": LATER.isoformat()})
    try:
        bench.pull(**window)
    finally:
        bench.simulator.post("clock", {"set": NOW.isoformat()})
    build_marts(bench.platform())

    world = bench.simulator.world()
    compared = changed = 0
    for account_id in account_ids(bench.simulator):
        with bench.warehouse.connection() as connection:
            zone, exponent = connection.execute(
                "SELECT time_zone, minor_unit_exponent FROM marts.dim_account WHERE account_id = %s", [account_id]
            ).fetchone()
        for level, table in TABLES.items():
            budget = "NULL" if level == "ad" else "daily_budget"
            nodes = world.edge(f"act_{account_id}", EDGES[level], LATER)
            seen = set()
            for back in range(-38, LOGGED_DAYS, 3):
                day = (NOW - timedelta(days=back)).date()
                moment = end_of(day, zone)
                with bench.warehouse.connection() as connection:
                    held = {
                        number: (status, amount)
                        for number, status, amount in connection.execute(
                            f"SELECT {level}_id, status, {budget} FROM marts.{table}"
                            " WHERE account_id = %s AND valid_from <= %s AND coalesce(valid_to > %s, true)",
                            [account_id, moment, moment],
                        )
                    }
                for node in nodes:
                    then = world.node(node.id, moment)
                    if then is None:
                        continue
                    amount = None if level == "ad" else budget_of(then.data, exponent)
                    assert held[int(node.id)] == (then.data["status"], amount), (level, node.id, day)
                    seen.add((node.id, then.data["status"], amount))
                    compared += 1
            changed += len(seen) - len({number for number, *_ in seen})
    assert compared > 500
    assert changed > 2  # the world did change, before the first look and after it

    assert scalar(
        bench.warehouse,
        "SELECT (SELECT sum(spend) FROM marts.mart_budget_daily) = (SELECT sum(spend) FROM marts.fct_ad_day)",
    )
    assert scalar(bench.warehouse, "SELECT bool_and(is_month_pulled) FROM marts.mart_budget_pacing")
