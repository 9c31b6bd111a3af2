"""From Meta to marts, on PostgreSQL and on TimescaleDB: first build, restatement, withdrawn rows, imports."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from orchestration.build import build_marts
from orchestration.importing import import_files
from orchestration.transform import TransformError
from tests.e2e.harness import NOW, account_ids, scalar, truth
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SINCE, UNTIL = date(2026, 11, 5), date(2026, 11, 18)
REPORTS = ("ad_daily", "adset_daily", "campaign_daily", "account_daily")


@pytest.fixture(params=[pytest.param("plain"), pytest.param("timescale", marks=pytest.mark.timescale)])
def warehouse(request, databases, tmp_path):
    """On PostgreSQL the marts stand, empty; on TimescaleDB the first build makes them."""
    fresh = databases.built(tmp_path / "home") if request.param == "plain" else databases.fresh("timescale")
    with fresh as url, Warehouse(url) as opened:
        yield opened


def purchases(rows):
    return sum(
        Decimal(action["value"])
        for row in rows.values()
        for action in row.get("actions", [])
        if action["action_type"] == "omni_purchase"
    )


def check_marts(bench, at):
    """Spend of every grain equals the truth of that moment; every day is reconciled, to the cent.

    Purchases of young days arrive by the hour, and the simulator's clock runs while a pull does: they lie between
    the truth when the pull began and the truth now, which are the same number once the days are mature.
    """
    now = datetime.fromisoformat(bench.simulator.get("state?jobs=0")["now"])
    for account_id in account_ids(bench.simulator):
        rows = truth(bench.simulator, account_id, "ad_daily", SINCE, UNTIL, at)
        spend = sum((Decimal(row["spend"]) for row in rows.values()), Decimal(0))
        assert spend > 0
        for grain in ("account", "campaign", "ad_set", "ad"):
            found = scalar(
                bench.warehouse,
                f"SELECT sum(spend) FROM marts.mart_performance_daily__{grain} WHERE account_id = %s",
                account_id,
            )
            assert found == spend, grain
        found = scalar(
            bench.warehouse,
            "SELECT sum(conversions) FROM marts.mart_performance_daily__ad WHERE account_id = %s",
            account_id,
        )
        ended = purchases(truth(bench.simulator, account_id, "ad_daily", SINCE, UNTIL, now))
        assert purchases(rows) <= found <= ended
    statuses = scalar(bench.warehouse, "SELECT array_agg(DISTINCT status) FROM marts.mart_reconciliation")
    assert statuses == ["reconciled"]


def test_marts_follow_meta(bench, request):
    bench.simulator.post("clock", {"set": NOW.isoformat()})
    bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    first = build_marts(bench.platform())
    assert first.result is not None
    assert first.result.tests > 50
    check_marts(bench, NOW)
    assert build_marts(bench.platform()).result is None  # nothing new, nothing built

    later = NOW + timedelta(days=40)
    bench.simulator.post("clock", {"set": later.isoformat()})
    try:
        bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
        again = build_marts(bench.platform()).result
        assert again is not None
        if "timescale" in request.node.name:
            assert again.models < first.result.models / 1.5  # views and functions stand; the project is the same
        check_marts(bench, later)
    finally:
        bench.simulator.post("clock", {"set": NOW.isoformat()})
    assert scalar(bench.warehouse, "SELECT bool_and(is_mature) FROM marts.mart_performance_daily__ad")


def test_an_import_reaches_the_marts_and_a_failed_build_is_taken_up_again(built_bench, tmp_path):
    bench = built_bench
    header = "Campaign name,Day,Amount spent (EUR),Impressions,Link clicks,Purchases,Purchases conversion value\n"
    lines = [f"Brand,2026-09-{day:02},10.50,1000,{20 + day},2,{50 + day}.25\n" for day in range(1, 6)]
    (tmp_path / "export.csv").write_text(header + "".join(lines))
    platform = bench.platform()
    import_files(platform, [tmp_path / "export.csv"])
    with bench.warehouse.connection() as connection:
        connection.execute("ALTER TABLE marts.fct_ad_day ADD CONSTRAINT in_the_way CHECK (spend < 0)")
    with pytest.raises(TransformError) as failed:
        build_marts(platform)
    assert "fct_ad_day" in str(failed.value)
    assert scalar(bench.warehouse, "SELECT count(*) FROM ops.slice WHERE build_id IS NULL") == 5
    with bench.warehouse.connection() as connection:
        connection.execute("ALTER TABLE marts.fct_ad_day DROP CONSTRAINT in_the_way")
    summary = build_marts(platform)
    assert summary.account_days == 5
    row = """
        SELECT sum(spend), sum(conversions), sum(conversion_value), sum(conversion_value) / sum(spend),
            bool_and(source = 'import'), array_agg(DISTINCT reconciliation_status)
        FROM marts.mart_performance_daily__campaign WHERE campaign_name = 'Brand'
    """
    with bench.warehouse.connection() as connection:
        spend, purchases, value, _, imported, statuses = connection.execute(row).fetchone()
    assert (spend, purchases, value) == (Decimal("52.50"), 10, Decimal("266.25"))
    assert imported
    assert statuses == ["no_control"]
