"""A whole pull against the simulator over HTTP: truth, chaos, repetition."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ingestion.reports import PRESETS
from tests.e2e.harness import NOW, TABLES, account_ids, dump, scalar, stored, truth

pytestmark = pytest.mark.integration

# Days whose numbers are final, so that simulated time passing during a test changes nothing.
SINCE, UNTIL = date(2026, 9, 1), date(2026, 9, 12)
DAILY = ("ad_daily", "adset_daily", "campaign_daily", "account_daily", "ad_hourly", "ad_daily__age_gender")


def test_final_tables_equal_the_truth(bench):
    summary = bench.pull(since=SINCE, until=UNTIL)
    assert summary.status == "succeeded", [o.problems for o in summary.outcomes]
    for account_id in account_ids(bench.simulator):
        for report in DAILY:
            expected = truth(bench.simulator, account_id, report, SINCE, UNTIL, NOW + timedelta(days=1))
            assert stored(bench.warehouse, account_id, report) == expected, report
            assert expected, f"{report} of {account_id} should have rows"
    slices = scalar(bench.warehouse, "SELECT count(*) FROM ops.slice")
    assert slices == len(account_ids(bench.simulator)) * len(PRESETS) * ((UNTIL - SINCE).days + 1)


def test_chaos_leaves_the_same_tables(bench):
    bench.pull(since=SINCE, until=UNTIL)
    faultless = dump(bench.warehouse)
    with bench.warehouse.connection() as connection:
        for table in (*(f"raw.{t}" for t in TABLES), "ops.slice", "ops.report_job", "raw.insight_revision"):
            connection.execute(f"TRUNCATE {table}")
    bench.simulator.post("faults", {"scenario": "chaos"})
    summary = bench.pull(since=SINCE, until=UNTIL)
    assert summary.status == "succeeded", [o.problems for o in summary.outcomes]
    assert dump(bench.warehouse) == faultless
    state = bench.simulator.get("state")
    assert sum(state["faults_fired"].values()) > 3, state["faults_fired"]
    assert not state["calls_while_blocked"]


def test_a_breakdown_of_ten_report_runs_a_day_does_not_end_a_backfill(plain_bench):
    """A year is more ranges than that, and what Meta answers to one too many reads like a limit of the whole app."""
    bench, before = plain_bench, plain_bench.simulator.get("state?jobs=0")["errors"]
    account = account_ids(bench.simulator)[0]
    bench.options = replace(bench.options, sync_rows=1)  # an account too large for what is asked at once otherwise
    for number in range(12):
        day = SINCE + timedelta(days=number)
        summary = bench.pull(accounts=(account,), reports=("ad_daily__placement",), since=day, until=day)
        assert summary.status == "succeeded", [o.problems for o in summary.outcomes]
    assert bench.simulator.get("state?jobs=0")["errors"] == before
    assert scalar(bench.warehouse, "SELECT sum(row_count) FROM ops.slice") > 0


def test_a_second_pull_changes_nothing_that_meta_did_not_change(plain_bench):
    bench = plain_bench
    bench.pull(since=SINCE, until=UNTIL)
    before = dump(bench.warehouse)
    scalar_before = scalar(bench.warehouse, "SELECT max(committed_at) FROM ops.slice")
    summary = bench.pull(since=SINCE, until=UNTIL)
    assert all(outcome.unchanged == outcome.slices for outcome in summary.outcomes)
    assert dump(bench.warehouse) == before
    assert scalar(bench.warehouse, "SELECT max(committed_at) FROM ops.slice") > scalar_before
    revisions = scalar(bench.warehouse, "SELECT count(*) FROM raw.insight_revision")
    assert revisions == 2 * scalar(bench.warehouse, "SELECT count(*) FROM ops.slice")


def test_restated_and_withdrawn_rows_follow_meta(plain_bench):
    """Young days pulled now and again weeks later: late conversions arrive, withdrawn rows go, reconciliation holds."""
    bench = plain_bench
    since, until = date(2026, 11, 12), date(2026, 11, 18)
    bench.pull(since=since, until=until, reports=("ad_daily", "account_daily"))
    young = dump(bench.warehouse, ["insights_ad_daily"])
    later = NOW + timedelta(days=40)
    bench.simulator.post("clock", {"set": later.isoformat()})
    try:
        bench.pull(since=since, until=until, reports=("ad_daily", "account_daily"))
    finally:
        bench.simulator.post("clock", {"set": NOW.isoformat()})
    assert dump(bench.warehouse, ["insights_ad_daily"]) != young
    for account_id in account_ids(bench.simulator):
        expected = truth(bench.simulator, account_id, "ad_daily", since, until, later)
        assert stored(bench.warehouse, account_id, "ad_daily") == expected
    difference = scalar(
        bench.warehouse,
        """
        SELECT max(abs(ads.spend - account.spend)) FROM raw.insights_account_daily AS account
        JOIN (SELECT account_id, day, sum(spend) AS spend FROM raw.insights_ad_daily GROUP BY account_id, day) AS ads
            ON ads.account_id = account.account_id AND ads.day = account.day
        """,
    )
    assert difference == 0


def test_what_is_due_comes_by_itself_and_young_days_come_again(plain_bench):
    bench = plain_bench
    days = dict.fromkeys(PRESETS, 0) | {"ad_daily": 10, "account_daily": 10}
    reports = ", ".join(f"{name}: {count}" for name, count in days.items())
    bench.use_clients(f"version: 1\npull: {{restatement_days: 3, reports: {{{reports}}}}}\n")
    accounts = len(account_ids(bench.simulator))
    first = bench.pull()
    assert sum(o.slices for o in first.outcomes) == accounts * 2 * 10
    at_once = bench.pull()
    assert sum(o.slices for o in at_once.outcomes) == 0  # Meta refreshes every 15 minutes
    bench.simulator.post("clock", {"advance": 86400})
    try:
        next_day = bench.pull()
    finally:
        bench.simulator.post("clock", {"set": NOW.isoformat()})
    assert sum(o.slices for o in next_day.outcomes) == accounts * 2 * 4  # the new day and three that still change


def test_objects_and_their_history(plain_bench):
    bench = plain_bench
    bench.pull(since=UNTIL, until=UNTIL, reports=("ad_daily",))
    world = bench.simulator.world()
    for kind in ("campaigns", "adsets", "ads", "adcreatives"):
        expected = sum(len(world.edge(str(a), kind, NOW)) for a in account_ids(bench.simulator))
        assert scalar(bench.warehouse, f"SELECT count(*) FROM raw.{kind}") == expected, kind
    assert scalar(bench.warehouse, "SELECT count(*) FROM raw.activities") > 0
    history = scalar(bench.warehouse, "SELECT count(*) FROM raw.activities")
    bench.pull(since=UNTIL, until=UNTIL, reports=("ad_daily",))
    assert scalar(bench.warehouse, "SELECT count(*) FROM raw.activities") == history  # none twice


def test_objects_that_only_insights_name_are_fetched_by_id(plain_bench):
    bench = plain_bench
    bench.pull(since=UNTIL, until=UNTIL, reports=("ad_daily",))
    ads = scalar(bench.warehouse, "SELECT count(*) FROM raw.ads")
    lost = """
        DELETE FROM raw.ads WHERE id IN (SELECT ad_id FROM raw.insights_ad_daily)
        AND updated_time < (SELECT max(updated_time) - interval '2 hours' FROM raw.ads)
    """
    with bench.warehouse.connection() as connection:
        assert connection.execute(lost).rowcount > 0
    bench.pull(since=UNTIL, until=UNTIL, reports=("ad_daily",))
    assert scalar(bench.warehouse, "SELECT count(*) FROM raw.ads") == ads
