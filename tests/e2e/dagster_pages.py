"""Dagster's pages, used as a person uses them: what is clicked and read, by its role and its words.

What belongs here: where things are on the pages of Dagster 1.13. What does not: what a test expects.
"""

from __future__ import annotations

import re
from datetime import date

from playwright.sync_api import Locator, Page, expect

REPORTS = 'asset-groups~group%3A"raw_insights"'
"""The page of all reports."""
RUN = re.compile("^run [0-9a-f]{8}$")
"""What the link to a run is called in a list."""
SLOW = 30_000.0
"""Milliseconds that a page may take on a loaded machine."""


class DagsterPages:
    """Dagster in a browser.

    Args:
        page: The browser's.
        url: Of Dagster's web server.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(SLOW)

    def open(self, path: str) -> None:
        """Opens a page by its address."""
        self.page.goto(f"{self.url}/{path}")

    def open_asset(self, *key: str) -> None:
        """To an asset by way of the search, as somebody who knows its name."""
        self.open("")
        self.page.get_by_role("button", name="Search").click()
        self.page.get_by_role("textbox", name=re.compile("^Search")).last.fill(key[-1])
        self.page.get_by_role("link", name=f"asset {' / '.join(key)} Asset").click()
        expect(self.tab("Overview")).to_be_visible(timeout=SLOW)

    def tab(self, name: str) -> Locator:
        """A tab of the page."""
        return self.page.get_by_role("tab", name=name, exact=True)

    def stop_automations(self) -> None:
        """Switches all schedules and sensors off."""
        self.open("automation")
        self.page.get_by_text("Select all").click()
        self.page.get_by_role("button", name="Actions").click()
        stop = re.compile(r"^(toggle_off )?Stop \d+ automations$")
        self.page.get_by_role("menuitem", name=stop).click()
        self.page.get_by_role("dialog").get_by_role("button", name=stop).click()
        expect(self.page.get_by_text("Successfully stopped")).to_be_visible(timeout=SLOW)

    def choose_partitions(self, since: date, until: date, *, how_many: int) -> Locator:
        """Presses Materialize and chooses the first accounts and a range of days; returns the dialog."""
        self.page.get_by_role("button", name=re.compile("Materialize( all)?…")).click()
        dialog = self.page.get_by_role("dialog").filter(has_text="Partition selection")
        days = dialog.get_by_role("textbox", name=re.compile("^ex: "))
        chooser = dialog.get_by_text("Select a partition or create one")
        expect(days).to_be_visible(timeout=SLOW)
        expect(chooser).to_have_count(1, timeout=SLOW)  # until the dimensions are known there are two
        chooser.click()
        accounts = self.page.get_by_role("menuitem", name=re.compile("^act_"))
        for number in range(how_many):
            accounts.nth(number).click()
        self.page.keyboard.press("Escape")
        expect(accounts).to_have_count(0)
        days.fill(f"[{since}...{until}]")
        days.press("Tab")
        expect(dialog.get_by_role("button", name="Launch backfill")).to_be_enabled()
        return dialog

    def chosen_accounts(self, dialog: Locator) -> list[str]:
        """The accounts that the dialog shows as chosen, in full, sorted."""
        return sorted(set(re.findall(r"\bact_\d+\b(?!…)", dialog.aria_snapshot())))

    def launch(self, dialog: Locator) -> str:
        """Presses Launch backfill and follows the message to the page of the backfill; returns its id."""
        dialog.get_by_role("button", name="Launch backfill").click()
        created = self.page.get_by_text("Created backfill")
        expect(created).to_be_visible(timeout=SLOW)
        self.page.get_by_role("link", name="View", exact=True).click()
        self.page.wait_for_url(re.compile(r"/runs/b/\w+"))
        return self.page.url.partition("/runs/b/")[2].partition("?")[0]

    def wait_for_backfill(self, seconds: float, expected: str = "Succeeded") -> None:
        """Watches the page of the backfill until it says how it ended.

        Raises:
            AssertionError: It did not end in time, or not as expected.
        """
        # Reason: the heads of the table's columns are links of the same words.
        status = self.page.locator("span").get_by_text(re.compile("^(Succeeded|Failed|Canceled)$"))
        expect(status).to_have_text(expected, timeout=seconds * 1000)

    def runs_of_backfill(self, backfill: str) -> list[str]:
        """The rows of the list of runs, as text."""
        self.open(f"runs/b/{backfill}?tab=runs")
        links = self.page.get_by_role("link", name=RUN)
        expect(links.first).to_be_visible(timeout=SLOW)
        text = self.page.locator("body").inner_text()
        return re.split(r"\n[0-9a-f]{8}\n", text)[1:]

    def partition_counts(self, *key: str) -> dict[str, int]:
        """How many partitions of an asset are in which state, as its page says."""
        self.open(f"assets/{'/'.join(key)}?view=partitions")
        boxes = self.page.get_by_role("checkbox", name=re.compile(r"^\w+ \(\d+\)$"))
        expect(boxes).to_have_count(4, timeout=SLOW)
        found = re.findall(r'checkbox "(\w+) \((\d+)\)"', self.page.locator("body").aria_snapshot())
        return {state: int(count) for state, count in found}
