"""The demo's dashboards and one of its reports, as people see them.

What belongs here: which pages, how large, light or dark. What does not: what is on them (`dashboards/definitions`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from playwright.sync_api import sync_playwright

from tests.chromium import launch
from tests.e2e.running_up import ROOT, clean_environment

REPORT = ("nordlicht", "weekly")
PAGES = {
    "site-overview": ("nordlicht/executive_overview.html", 1280, 1000, "light"),
    "site-campaigns-dark": ("nordlicht/campaigns.html", 1280, 1000, "dark"),
    "site-creatives": ("nordlicht/creative.html", 1280, 1000, "light"),
    "site-experiment": ("nordlicht/ab_tests.html?tab=test", 1280, 1000, "light"),
    "site-phone": ("nordlicht/executive_overview.html", 390, 844, "light"),
}
MAIL = (700, 1150)
_SETTLE_MS = 1_000


def dashboards(folder: Path) -> None:
    """Takes `site-*.png`, `report-mail.png` and `report-pdf.png` of a demo of its own."""
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        environment = clean_environment(home)
        try:
            run(environment, "demo")
            run(environment, "report", "preview", *REPORT, "--demo", "--out", str(home / "report"))
            take(folder, home / "home" / "demo" / "site", home / "report")
        finally:
            run(environment, "down")


def run(environment: dict[str, str], *words: str) -> None:
    """One command of the platform, as a newcomer's."""
    command = [sys.executable, "-m", "orchestration.cli", *words]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)


def take(folder: Path, site: Path, report: Path) -> None:
    """The pictures, of a built site and of a report's preview."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, (page, width, height, scheme) in PAGES.items():
            opened = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            path, _, query = page.partition("?")
            opened.goto(f"{(site / path).as_uri()}?{query}")
            opened.wait_for_timeout(_SETTLE_MS)
            opened.screenshot(path=folder / f"{name}.png")
        opened = browser.new_page(viewport={"width": MAIL[0], "height": MAIL[1]})
        opened.goto((report / "report.html").as_uri())
        opened.wait_for_timeout(_SETTLE_MS)
        opened.screenshot(path=folder / "report-mail.png")
        browser.close()
    (written,) = report.glob("*.pdf")
    with pypdfium2.PdfDocument(written) as document:
        document[0].render(scale=1.2).to_pil().save(folder / "report-pdf.png")
