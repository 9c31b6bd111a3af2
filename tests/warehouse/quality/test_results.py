"""What a check leaves behind: rows in `ops`, a page that asks nobody, no connection but the database's, no password."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.databases import Databases
from tests.warehouse.quality import world
from tests.warehouse.quality.world import ACCOUNT, LAST, NOW, OTHER, SINCE
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError
from warehouse.ops import apply_retention
from warehouse.quality import ENTITIES, check, latest, write_page
from warehouse.quality.measure import LOOK_AT_ROWS, Measurement
from warehouse.quality.rules import days_in_words
from warehouse.tables import AD_DAILY, AD_HOURLY, InsightTable, ensure_insight_table

REPOSITORY = Path(__file__).parents[3]
WEEK = LAST - timedelta(days=6)


@pytest.fixture
def small(warehouse: Warehouse) -> Warehouse:
    """One report of two accounts, with an error in one of them and a name that wants escaping."""
    world.accounts(warehouse)
    for account in (ACCOUNT, OTHER):
        slices = {day: world.rows("ad_daily", account, day) for day in world.days(WEEK, LAST)}
        world.store(warehouse, AD_DAILY, account, slices)
    with warehouse.connection() as connection:
        connection.execute(
            "UPDATE raw.insights_ad_daily SET reach = impressions + 1, frequency = NULL"
            " WHERE account_id = %s AND day = %s",
            [ACCOUNT, LAST],
        )
    return warehouse


def test_results_are_kept_and_the_latest_are_found(small: Warehouse) -> None:
    result = check(small, [ACCOUNT, OTHER], WEEK, None, [AD_DAILY], now=NOW)
    assert not result.passed
    kept = {(row["account_id"], row["report"], row["expectation"]): row for row in latest(small)}
    assert kept.keys() == {
        (ACCOUNT, "ad_daily", "*"),
        (ACCOUNT, "ad_daily", "reach_within_impressions"),
        (ACCOUNT, ENTITIES, "*"),
        (OTHER, "ad_daily", "*"),
        (OTHER, ENTITIES, "*"),
    }
    failure = kept[ACCOUNT, "ad_daily", "reach_within_impressions"]
    assert (failure["severity"], failure["passed"], failure["unexpected_count"]) == ("error", False, 4)
    assert failure["days"] == [LAST]
    assert len(failure["examples"]) == 3
    assert failure["check_id"] == result.check_id
    assert not kept[ACCOUNT, "ad_daily", "*"]["passed"]
    assert kept[OTHER, "ad_daily", "*"]["passed"]

    slices = {LAST: world.rows("ad_daily", ACCOUNT, LAST, factor=1.01)}
    world.store(small, AD_DAILY, ACCOUNT, slices)
    assert check(small, [ACCOUNT], WEEK, None, [AD_DAILY], now=NOW).passed
    assert {row["expectation"] for row in latest(small, [ACCOUNT])} == {"*"}

    apply_retention(small, [], date(2020, 1, 1), quality_before=datetime.now(UTC) + timedelta(minutes=1))
    assert latest(small) == []


def test_a_declared_report_is_checked_like_a_preset(small: Warehouse) -> None:
    table = InsightTable("ad_daily__region", "ad", ("region",))
    ensure_insight_table(small, table)
    good = [row | {"region": "Berlin"} for row in world.rows("ad_daily", ACCOUNT, LAST)]
    world.store(small, table, ACCOUNT, {LAST: good})
    assert check(small, [ACCOUNT], WEEK, None, [table], now=NOW, keep=False).passed
    with small.connection() as connection:
        connection.execute("UPDATE raw.insights_ad_daily__region SET account_currency = 'USD'")
    (failure,) = check(small, [ACCOUNT], WEEK, None, [table], now=NOW, keep=False).failures()
    assert failure.expectation == "currency_is_the_accounts"


def test_each_account_answers_for_the_reports_of_its_own_plan(small: Warehouse) -> None:
    plan = {ACCOUNT: ["ad_daily", "ad_hourly"], OTHER: ["ad_daily"]}
    result = check(small, plan, WEEK, None, [AD_DAILY, AD_HOURLY], now=NOW, keep=False)
    missing = [outcome.account_id for outcome in result.failures() if outcome.expectation == "pulled_at_all"]
    assert missing == [ACCOUNT]
    assert result.for_account(OTHER, "ad_hourly") == []


def test_of_a_large_batch_a_part_is_looked_at_closely_and_another_one_each_day(
    small: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOOK_AT_ROWS > 1000
    monkeypatch.setattr("warehouse.quality.measure.LOOK_AT_ROWS", 14)
    with small.connection() as connection:
        connection.execute(
            "UPDATE raw.insights_ad_daily SET payload = payload || %s::jsonb WHERE account_id = %s",
            ['{"actions": [{"value": "x"}]}', OTHER],
        )
    failures = list(check(small, [OTHER], WEEK, LAST, [AD_DAILY], now=NOW, keep=False).failures())
    failure = failures[0]
    assert [failed.expectation for failed in failures] == ["actions_are_numbers", "windows_are_numbers"]
    assert 0 < failure.unexpected_count < 4 * 7, "28 rows are broken, every second one is looked at"
    assert failure.examples


def test_the_session_can_write_nothing_but_its_own_tables(small: Warehouse) -> None:
    session = small.session()
    try:
        measurement = Measurement(session, SINCE, LAST, NOW)
        measurement.prepare([], [(ACCOUNT, ENTITIES)])
        measurement.measure_entities([ACCOUNT])
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.execute("DELETE FROM raw.insights_ad_daily")
    finally:
        session.close()


def test_what_the_database_refuses_is_an_error_and_not_a_pass(
    small: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.quality.history_rules._GAPS", "SELECT 1 / 0 AS account_id FROM slice")
    failures = list(check(small, [OTHER], WEEK, None, [AD_DAILY], now=NOW, keep=False).failures())
    assert [(outcome.expectation, outcome.severity) for outcome in failures] == [("days_complete", "error")]
    assert "could not be checked" in failures[0].message


def test_the_page_asks_nobody_and_escapes_what_it_shows(small: Warehouse, tmp_path: Path) -> None:
    result = check(small, [ACCOUNT, OTHER], WEEK, None, [AD_DAILY], now=NOW, keep=False)
    page = write_page(result, tmp_path / "docs", {ACCOUNT: "<script>alert(1)</script>"})
    text = page.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"https?:|//[a-z]|src=|@import|url\(", text)
    assert "4 rows have more reach than impressions (2026-11-21)." in text
    assert "reach_within_impressions" in (tmp_path / "docs" / "ad_daily.json").read_text()
    for link in re.findall(r'href="([^"#]+)"', text):
        assert (page.parent / link).is_file()


def test_a_range_that_ends_before_it_begins_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="lies after"):
        check(warehouse, [1], LAST, SINCE, [AD_DAILY])
    with pytest.raises(ValueError, match="time zone"):
        check(warehouse, [1], SINCE, LAST, [AD_DAILY], now=datetime(2026, 11, 1))  # noqa: DTZ001


def test_no_password_in_logs_documents_or_errors(
    small: Warehouse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "hunter2-and-more"
    url = small.url.replace("postgres@", f"postgres:{secret}@", 1)
    caplog.set_level(logging.DEBUG)
    with Warehouse(url) as opened:
        result = check(opened, [OTHER], WEEK, None, [AD_DAILY], now=NOW, keep=False)
    with Warehouse(f"postgresql://nobody:{secret}@127.0.0.1:1/none") as nowhere, pytest.raises(WarehouseError) as error:
        check(nowhere, [OTHER], WEEK, None, [AD_DAILY], now=NOW)
    assert secret not in caplog.text + str(result.documents) + str(error.value)


SPY = """
import os, sys
tried = []
def spy(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        tried.append(arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        tried.append(arguments[1])
    else:
        return
    raise OSError("the test refuses every connection")
sys.addaudithook(spy)
from datetime import date
from warehouse.connect import Warehouse
from warehouse.quality import check
from warehouse.tables import AD_DAILY
assert "great_expectations" not in sys.modules and "pandas" not in sys.modules
result = check(Warehouse(sys.argv[1]), [202], date(2026, 11, 15), date(2026, 11, 21), [AD_DAILY], keep=False)
assert result.outcomes
print("TRIED", tried)
import urllib.request
try:
    urllib.request.urlopen("http://elsewhere.example")
except OSError:
    print("THEN", tried)
"""


def test_no_connection_is_tried_but_the_databases_and_nothing_heavy_is_imported_early(
    databases: Databases, tmp_path: Path
) -> None:
    with databases.fresh("plain") as url:
        with Warehouse(url) as warehouse:
            world.accounts(warehouse)
            world.store(warehouse, AD_DAILY, OTHER, {LAST: world.rows("ad_daily", OTHER, LAST)})
        environment = {key: value for key, value in os.environ.items() if key not in ("GX_ANALYTICS_ENABLED", "CI")}
        environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(
            [sys.executable, "-c", SPY, url], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr
        assert "TRIED []" in done.stdout
        assert "THEN ['elsewhere.example']" in done.stdout, "it would have been noticed"


def test_days_are_told_as_ranges() -> None:
    days = [date(2026, 11, n) for n in (3, 1, 2, 5, 7, 9, 11, 12)]
    assert days_in_words(days) == "2026-11-01 to 2026-11-03, 2026-11-05, 2026-11-07, 2026-11-09 and 2 more"
    assert days_in_words([]) == "no day"
