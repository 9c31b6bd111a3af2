"""A year of the five demo accounts, backfilled from Dagster's pages as a person does it, with pictures on the way.

What belongs here: what is done and when a picture is taken; it also tells what the year cost. What does not: where
things are on the pages (`tests.e2e.dagster_pages`).
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.chromium import HEIGHT, WIDTH, launch, new_page
from tests.e2e.dagster_pages import REPORTS, RUN, DagsterPages
from tests.e2e.running_up import Up, running_up

DAYS = 365
ACCOUNTS = 5
PATIENCE = 3 * 3600.0
KEY = ("raw", "insights_ad_daily")
_SETTLE_MS = 2_500
_COST = """
    WITH ours AS (SELECT run_id FROM run_tags WHERE key = 'dagster/backfill' AND value = %(backfill)s)
    SELECT
        (SELECT count(*) FROM ours),
        (SELECT sum(value::int) FROM run_tags JOIN ours USING (run_id) WHERE key = 'meta-ads/api_calls'),
        (SELECT sum(extract(epoch FROM to_timestamp(end_time) - to_timestamp(start_time)))
            FROM runs JOIN ours USING (run_id)),
        (SELECT count(*) FROM event_logs JOIN ours USING (run_id)),
        (SELECT sum(length(event)) FROM event_logs JOIN ours USING (run_id))
"""


def dagster(folder: Path) -> None:
    """Takes `dagster-*.png`, and prints what the year cost."""
    home = Path(tempfile.mkdtemp(prefix="meta-ads-pictures-"))
    home.chmod(0o755)  # Reason: started by root, PostgreSQL runs as another user and must get to its directory.
    try:
        with running_up(home) as up, sync_playwright() as playwright:
            browser = launch(playwright)
            _Album(up, new_page(browser), folder).take()
            browser.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _Album:
    """The session at the screen."""

    def __init__(self, up: Up, page: Page, folder: Path) -> None:
        self.up, self.page, self.folder = up, page, folder
        self.pages = DagsterPages(page, up.url)
        self.last = datetime.now(UTC).date() - timedelta(days=2)

    def take(self) -> None:
        self.pages.open("automation")
        self.shoot("schedules", self.page.get_by_text("daily_window"))
        # Reason: what the year costs shall not contain what a schedule pulls beside it.
        self.pages.stop_automations()
        self.pages.open("asset-groups")
        self.shoot("lineage", self.page.get_by_text("raw_insights").last)
        self.failure()
        self.year()
        self.report()

    def year(self) -> None:
        """From the search to the backfill of a year, and what it cost."""
        self.pages.open(REPORTS)
        first = self.last - timedelta(days=DAYS - 1)
        dialog = self.pages.choose_partitions(first, self.last, how_many=ACCOUNTS)
        self.shoot("partitions-dialog")
        began = time.monotonic()
        backfill = self.pages.launch(dialog)
        self.halfway()
        self.pages.wait_for_backfill(PATIENCE)
        seconds = time.monotonic() - began
        self.shoot("backfill-finished")
        self.pages.runs_of_backfill(backfill)
        self.shoot("backfill-runs")
        self.tell(backfill, first, seconds)

    def halfway(self) -> None:
        """A picture when about a third is there."""
        done = "SELECT count(*) FROM ops.slice"
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ((slices,),) = self.up.query(done)
            if slices > ACCOUNTS * DAYS * 10 / 3:
                break
            time.sleep(2)
        self.page.reload()
        self.shoot("backfill-running", self.page.get_by_text("completed").first)

    def report(self) -> None:
        """The page of a report: overview, partitions, check."""
        self.pages.open_asset(*KEY)
        self.shoot("report", self.page.get_by_text("partition_row_count"))
        self.model()
        self.pages.partition_counts(*KEY)
        self.shoot("report-partitions")
        self.page.get_by_role("tab", name="Checks").click()
        self.shoot("report-check", self.page.get_by_text("Latest execution"))

    def model(self) -> None:
        """The page of a model: its columns."""
        self.pages.open_asset("marts", "fct_ad_day")
        self.shoot("model", self.page.get_by_text("ad_set_id").first)

    def failure(self) -> None:
        """A token that Meta refuses: the run says what to do."""
        self.up.inject("token_expired")
        self.pages.open_asset("raw", "insights_account_daily")
        dialog = self.pages.choose_partitions(self.last - timedelta(days=2), self.last, how_many=1)
        self.pages.launch(dialog)
        self.pages.wait_for_backfill(600, "Failed")
        self.up.mend()
        self.page.get_by_role("tab", name="Runs").click()
        self.page.get_by_role("link", name=RUN).first.click()
        mend = self.page.get_by_text("Mend:").first
        expect(mend).to_be_visible(timeout=60_000)
        self.page.get_by_role("textbox", name=re.compile("^Filter")).fill("Steps failed")
        self.page.wait_for_timeout(_SETTLE_MS)
        box = mend.bounding_box()
        assert box is not None
        # Reason: below are the frames of the stack, with paths of this machine.
        self.shoot("failed-run", height=round(box["y"] + box["height"]) + 6)

    def shoot(self, name: str, shown: Locator | None = None, height: int = HEIGHT) -> None:
        """A picture, once what it is about is shown and nothing moves any more."""
        if shown is not None:
            expect(shown).to_be_visible(timeout=60_000)
        self.page.mouse.move(5, 895)
        self.page.wait_for_timeout(_SETTLE_MS)
        path = self.folder / f"dagster-{name}.png"
        self.page.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        print(f"{path} ({path.stat().st_size // 1024} KB)", flush=True)

    def tell(self, backfill: str, first: date, seconds: float) -> None:
        ((runs, calls, busy, events, size),) = self.up.query(_COST, database="dagster", backfill=backfill)
        ((slices, rows),) = self.up.query(
            "SELECT count(*), sum(row_count) FROM ops.slice WHERE day >= %(day)s", day=first
        )
        print(
            f"{DAYS} days of {ACCOUNTS} accounts, all reports: {seconds:.0f} s from the button to Succeeded; "
            f"{runs} runs of {busy / runs:.0f} s, {calls} API calls; {slices} slices of {rows} rows; "
            f"{events} rows of event log ({size / 1e6:.0f} MB)",
            flush=True,
        )
