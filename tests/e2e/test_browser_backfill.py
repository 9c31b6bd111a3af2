"""A backfill as a data engineer does it: in the browser, from the search to green partitions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.e2e.dagster_pages import DagsterPages
from tests.e2e.running_up import Up

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("up")]

KEY = ("raw", "insights_ad_daily")
DAYS = 5


def test_accounts_and_days_are_backfilled_from_the_pages(platform: Up, page: Page) -> None:
    dagster = DagsterPages(page, platform.url)
    dagster.open_asset(*KEY)
    # Reason: older than what the schedule pulls by itself, whose tick may fall into this test.
    since = datetime.now(UTC).date() - timedelta(days=90)
    until = since + timedelta(days=DAYS - 1)

    dialog = dagster.choose_partitions(since, until, how_many=2)
    accounts = dagster.chosen_accounts(dialog)
    assert len(accounts) == 2
    assert "10 partitions" in dialog.inner_text()
    backfill = dagster.launch(dialog)
    dagster.wait_for_backfill(240)
    assert platform.query("SELECT count(*) FROM runs WHERE status = 'FAILURE'", database="dagster") == [(0,)]

    counts = dagster.partition_counts(*KEY)
    assert counts["Materialized"] == 2 * DAYS
    assert counts["Failed"] == counts["Materializing"] == 0
    assert counts["Missing"] > 5_000

    held = platform.query(
        "SELECT account_id, report, day FROM ops.slice WHERE day <= %(last)s ORDER BY 1, 2, 3",
        last=until + timedelta(days=40),
    )
    days = [since + timedelta(days=n) for n in range(DAYS)]
    assert held == [(int(account.removeprefix("act_")), "ad_daily", day) for account in accounts for day in days]

    runs = dagster.runs_of_backfill(backfill)
    assert len(runs) == len(accounts)
    assert all("meta-ads/api_calls: " in run for run in runs)
