"""The site in Chromium, built and served: pages, filters, a drill link, dark, a phone, rules for screen readers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import axe_playwright_python
import pytest
import requests

from dashboards.library import load
from tests.dashboards import fake_marts
from tests.databases import Databases
from warehouse.connect import Warehouse
from warehouse.isolation import sync_client_schemas

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("site")]

ROOT = Path(__file__).parents[2]
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
LIBRARY = load()
PAGES = [(key, tab.key) for key, one in LIBRARY.dashboards.items() for tab in one.dashboard.tabs]
FIRST_USES = [
    next(
        (name, key, placed.tab)
        for key, one in LIBRARY.dashboards.items()
        for placed in one.cards
        if f"{{{{{name}}}}}" in placed.sql and name in one.dashboard.filters
    )
    for name in LIBRARY.shared.filters
]
LOADED = """() => {
    const panel = [...document.querySelectorAll('.panel')].find(one => !one.hidden);
    return panel && !document.querySelector('.panel:not([hidden]) .body[aria-busy="true"], .context [aria-busy="true"]')
        && [...panel.querySelectorAll('.chart')].every(one => one.hidden || one.querySelector('svg'));
}"""
WORDS = "() => document.querySelector('.panel:not([hidden])').innerText + document.querySelector('.context').innerText"


@dataclass
class Watched:
    """What a page said and asked for, which should be nothing unexpected."""

    origin: str
    problems: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda asked: self._asked(asked.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.origin, "data:")):
            self.problems.append(f"asked for {url}")


@pytest.fixture(scope="module")
def environment(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("site")
    with databases.fresh("plain") as url:
        fake_marts.make(url, datetime.now(UTC).date())
        with Warehouse(url) as warehouse, warehouse.connection() as connection:
            connection.execute(
                "INSERT INTO ops.client_account (account_id, client_id, client_name) VALUES (1001, 'first', 'First')"
            )
            connection.execute("UPDATE marts.dim_account SET client_id = 'first' WHERE account_id = 1001")
            sync_client_schemas(warehouse)
        clients = home / "clients.yml"
        entries = "\n".join(
            f"  - {{id: {name}, name: {name.title()}, accounts: [{{id: act_{number}, name: Shop}}]}}"
            for name, number in (("first", 1001), ("second", 1002))
        )
        clients.write_text(f"version: 1\nclients:\n{entries}\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("META_", "WAREHOUSE_"))}
        yield kept | {"META_ADS_HOME": str(home), "WAREHOUSE_URL": url, "CLIENTS_FILE": str(clients)}


@pytest.fixture(scope="module")
def built(environment: dict[str, str]) -> Path:
    out = Path(environment["META_ADS_HOME"]) / "pages"
    command = [sys.executable, "-m", "orchestration.cli", "site", "build", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / "index.html").as_uri() in done.stdout
    assert "client_second" in done.stderr
    return out


@pytest.fixture(scope="module")
def served(environment: dict[str, str]) -> Iterator[str]:
    told = Path(environment["META_ADS_HOME"]) / "site.port"
    command = [sys.executable, "-m", "orchestration.site", "--port", "0", "--port-file", str(told)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not told.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{told.read_text().strip()}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(LOADED)


def words(page: Page) -> str:
    return page.evaluate(WORDS)


def test_every_built_page_opens_from_disk_and_asks_for_nothing(built: Path, page: Page) -> None:
    watched = Watched(built.as_uri())
    watched.watch(page)
    for space in ("all", "first"):
        for key, tab in PAGES:
            opened(page, f"{(built / space / f'{key}.html').as_uri()}?tab={tab}")
            assert page.locator(".error").count() == 0
            assert page.locator(".panel:visible").get_attribute("data-tab") == tab
    assert not (built / "second").exists()
    assert "Shop 2" not in (built / "first" / "campaigns.html").read_text()
    opened(page, (built / "all" / "executive_overview.html").as_uri())
    page.get_by_label("Client", exact=True).select_option("Client 2")
    page.wait_for_function(LOADED)
    assert "USD" in words(page)
    assert watched.problems == []


def test_every_served_page_opens_and_asks_nobody_else(served: str, page: Page) -> None:
    watched = Watched(served)
    watched.watch(page)
    page.goto(served)
    assert page.get_by_role("link", name="Campaigns").count() == 2  # for all, and for the first client
    for key, tab in PAGES:
        opened(page, f"{served}/all/{key}?tab={tab}")
        assert page.locator(".error").count() == 0
    assert watched.problems == []


@pytest.mark.parametrize(("name", "key", "tab"), FIRST_USES)
def test_each_filter_changes_what_is_shown_and_the_address(
    name: str, key: str, tab: str, served: str, page: Page
) -> None:
    account = "" if name == "account" else "&account=Shop+1"
    opened(page, f"{served}/all/{key}?tab={tab}{account}")
    before = words(page)
    control = page.locator(f"#choose-{name}")
    if control.evaluate("one => one.tagName") == "SELECT":
        control.select_option(index=1)
    elif name == "date":
        control.click()
        page.get_by_role("radio", name="Past 7 days").click()
    else:
        control.click()
        page.locator(".drop input[type=checkbox]:not(:checked)").last.check()
        page.get_by_role("button", name="Apply").click()
    page.wait_for_function(LOADED)
    assert name in parse_qs(urlsplit(page.url).query)
    assert words(page) != before
    page.go_back()
    page.wait_for_function(LOADED)
    assert words(page) == before


def test_a_drill_link_leads_to_the_ad_sets_of_that_campaign(served: str, page: Page) -> None:
    opened(page, f"{served}/all/campaigns?account=Shop+1")
    page.get_by_role("link", name="Campaign 1.2").click()
    page.wait_for_function(LOADED)
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"tab": ["ad_sets"], "account": ["Shop 1"], "campaign": ["Campaign 1.2"]}
    names = page.locator("#card-ad_sets tbody tr td:nth-child(2)").all_inner_texts()
    assert set(names) == {"Campaign 1.2"}
    assert page.get_by_role("tab", name="Ad sets").get_attribute("aria-selected") == "true"


def test_a_name_of_a_campaign_is_text_wherever_it_stands(served: str, built: Path, page: Page) -> None:
    watched = Watched(served)
    watched.watch(page)
    opened(page, f"{served}/all/campaigns?account=Shop+1")
    assert page.locator("#card-campaigns td a", has_text="<script>").inner_text() == fake_marts.EVIL
    labels = page.locator(".chart text").all_text_contents()
    assert any(text.startswith("<script>") for text in labels)
    for mark in page.locator(".chart .role-mark path").all()[:12]:
        mark.hover(force=True)
        if page.locator("#vg-tooltip-element.visible", has_text="<script>").count():
            break
    else:
        pytest.fail("no tooltip told the name")
    page.locator("#choose-campaign").click()
    page.get_by_role("searchbox").fill("<script>")
    page.locator(".drop label", has_text="<script>").click()
    page.get_by_role("button", name="Apply").click()
    page.wait_for_function(LOADED)
    assert page.locator("#choose-campaign").inner_text() == fake_marts.EVIL
    assert page.evaluate("window.wasRun") is None
    opened(page, (built / "all" / "campaigns.html").as_uri())
    assert page.evaluate("window.wasRun") is None
    assert watched.problems == [problem for problem in watched.problems if built.as_uri() in problem]


def test_tabs_tables_and_the_theme_work_with_the_keyboard(served: str, page: Page) -> None:
    opened(page, f"{served}/all/campaigns?account=Shop+1")
    page.get_by_role("tab", name="Campaigns").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(LOADED)
    assert page.get_by_role("tab", name="Ad sets").get_attribute("aria-selected") == "true"
    assert "tab=ad_sets" in page.url
    page.keyboard.press("Home")
    page.wait_for_function(LOADED)
    spend = page.locator("#card-campaigns thead th", has_text="Spend").first
    spend.get_by_role("button").press("Enter")
    assert spend.get_attribute("aria-sort") == "descending"
    place = spend.evaluate("one => one.cellIndex")
    shown = page.locator(f"#card-campaigns tbody td:nth-child({place + 1})")
    orders = [float(cell.get_attribute("data-order") or 0) for cell in shown.all()]
    assert orders == sorted(orders, reverse=True)
    spend.get_by_role("button").press("Enter")
    assert spend.get_attribute("aria-sort") == "ascending"
    switch = page.locator("#card-spend_by_campaign .switch")
    switch.press("Enter")
    assert page.locator("#card-spend_by_campaign table").is_visible()
    assert not page.locator("#card-spend_by_campaign .chart").is_visible()
    page.locator("#choose-client").press("Enter")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#choose-client").evaluate("one => one === document.activeElement")
    theme = page.locator("#theme")
    theme.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_no_page_is_wider_than_a_phone_in_the_dark(served: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    opened_page = context.new_page()
    for key, tab in PAGES:
        opened(opened_page, f"{served}/all/{key}?tab={tab}&account=Shop+1")
        assert opened_page.evaluate("document.documentElement.scrollWidth") == 390, (key, tab)
        assert opened_page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(served: str, browser: Browser, scheme: Any) -> None:
    # Reason: axe is put into the page, which its policy forbids to all but the page's own files.
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    opened_page = context.new_page()
    found = []
    # Reason: in the dark only colours differ, and the kinds of cards are on a few pages.
    for key, tab in [("", ""), *(PAGES if scheme == "light" else PAGES[::5])]:
        if key:
            opened(opened_page, f"{served}/all/{key}?tab={tab}&account=Shop+1")
            opened_page.locator("#choose-client").click()
        else:
            opened_page.goto(served)
        opened_page.add_script_tag(path=AXE)
        result = opened_page.evaluate("axe.run()")
        found += [
            f"{key}/{tab}: {one['id']}: {one['help']}: {json.dumps([node['html'][:200] for node in one['nodes'][:3]])}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    context.close()
    assert found == []


def test_addresses_that_mean_nothing_are_told_kindly(served: str, page: Page) -> None:
    for query, told in (("date=soon", "date form"), ("city=Berlin", "no such filter")):
        answer = requests.get(f"{served}/api/all/campaigns?{query}", timeout=30)
        assert answer.status_code == 400
        assert told in answer.json()["error"]
        page.goto(f"{served}/all/campaigns?{query}")
        page.locator("#banner", has_text=told).wait_for()
    for path in ("/all/nothing", "/second/campaigns", "/api/none/campaigns", "/_assets/../site.css", "/_assets/x.js"):
        assert requests.get(served + path, timeout=30).status_code == 404, path
    assert requests.get(served, headers={"Host": "evil.example"}, timeout=30).status_code == 400
    shown = requests.get(f"{served}/all/campaigns", timeout=30)
    policy = shown.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
