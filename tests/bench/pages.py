"""Dagster's pages in Chromium: from `meta-ads up` to the first page, and the page of a report with 20 accounts.

What belongs here: seconds until a page shows what it was opened for, in a browser with an empty cache. What does not:
the history behind them (`tests.bench.history`).
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import psutil
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._grpc.client import DagsterGrpcClient
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ingestion.reports import PRESETS
from orchestration.defs.partitions import DAYS
from orchestration.instance import DATABASE, FOLDER
from orchestration.processes import Processes
from tests.bench.figures import Figure, Report, median_of
from tests.bench.history import fill
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.chromium import launch, new_page
from tests.e2e.dagster_pages import REPORTS, DagsterPages
from tests.e2e.harness import ROOT
from tests.e2e.running_up import clean_environment
from warehouse import embedded

ACCOUNTS = 20
KEY = ("raw", "insights_ad_daily")
_CLI = [sys.executable, "-m", "orchestration.cli"]
_LONG_MS = 120_000.0


def pages(lab: Lab) -> Report:
    """`up`, the code location, and the pages; each page first as nobody has opened it, then again.

    Beside the seconds on the clock stand those of the servers' processors: on a machine that does other things, too,
    these say more.
    """
    report = Report(columns=("Dagster's servers, processor time", "s"))
    home = Path(tempfile.mkdtemp(prefix="pages-", dir=lab.folder))
    home.chmod(0o755)  # Reason: started by root, PostgreSQL runs as another user and must get to its directory.
    environment = clean_environment(home)
    home = home / "home" / "demo"
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            began = time.monotonic()
            url = _up(environment)
            with _opened(browser, url) as found:
                _overview(found)
            seconds = time.monotonic() - began
            report.figures.append(Figure("`meta-ads up`, empty home, to the page of a report", seconds, "s", 25, False))
            # Reason: the sensor would retire the accounts that Meta does not know.
            Processes(home).stop("daemon")
            _measure_location(lab, home, environment, report)
            _measure_pages(lab, browser, url, home, report)
        finally:
            browser.close()
            subprocess.run([*_CLI, "down"], cwd=ROOT, env=environment, capture_output=True, timeout=120)
    report.notes.append(f"pages: each with an empty cache, 1440 x 900; load average afterwards {load()}")
    return report


def _measure_location(lab: Lab, home: Path, environment: Mapping[str, str], report: Report) -> None:
    loaded = [_load(home, environment) for _ in range(lab.rounds)]
    clock = [seconds for seconds, _ in loaded]
    report.figures.append(median_of("code location loaded", clock, unit="s", goal=8, more_is_better=False, digits=1))
    report.rows.append(("code location loaded", f"{statistics.median(busy for _, busy in loaded):.1f}"))


def _measure_pages(lab: Lab, browser: Browser, url: str, home: Path, report: Report) -> None:
    lab.say("pages: writing the history")
    since = date.fromisoformat(DAYS.get_first_partition_key() or "")
    accounts = 2 if lab.quick else ACCOUNTS
    stored = _fill(home, accounts, since)
    days = (datetime.now(UTC).date() - since).days + 1
    report.notes.append(
        f"pages: {stored:,} materializations, {accounts} accounts x {days} days x {len(PRESETS)} reports"
    )
    for name, act in _PAGES.items():
        (first, busy), *again = [_time(browser, url, home, act) for _ in range(1 + lab.rounds)]
        clock = [seconds for seconds, _ in again]
        what = f"{name}, {accounts} accounts"
        report.figures.append(Figure(f"{what}, nobody opened it before", first, "s", 5, False, digits=1))
        report.figures.append(median_of(f"{what}, again", clock, unit="s", goal=5, more_is_better=False, digits=1))
        later = statistics.median(processor for _, processor in again)
        report.rows.append((what, f"{busy:.1f}, again {later:.1f}"))


def _up(environment: Mapping[str, str]) -> str:
    """Starts the platform; returns the address of Dagster's pages."""
    command = [*_CLI, "up", "--detach", "--web-port", "0", "--receiver-port", "0"]
    # Reason: a pipe would stay open as long as what was started runs.
    with tempfile.TemporaryFile("w+") as said:
        subprocess.run(command, cwd=ROOT, env=dict(environment), stdout=said, stderr=said, timeout=300, check=False)
        said.seek(0)
        text = said.read()
    found = re.search(r"Dagster: +(http://\S+)", text)
    assert found, text
    return found[1]


def _load(home: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds from the start of a code server until it answers: on the clock, and of its processor."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "dagster", "api", "grpc", "-m", "orchestration.definitions", "-p", str(port)]
    own = {"META_ADS_HOME": str(home), "META_ADS_ENV_FILE": "", **_instance_environment(home)}
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**environment, **own}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        client = DagsterGrpcClient(port=port, host="127.0.0.1")
        while process.poll() is None:
            try:
                client.list_repositories()
                return time.monotonic() - began, _busy(process.pid)
            except DagsterUserCodeUnreachableError:
                time.sleep(0.05)
        raise AssertionError("the code server ended")
    finally:
        process.terminate()
        process.wait(20)


def _instance_environment(home: Path) -> dict[str, str]:
    server = embedded.attach(home / "postgres")
    assert server is not None
    return {"DAGSTER_HOME": str(home / FOLDER), "DAGSTER_DATABASE_URL": server.url(DATABASE)}


def _fill(home: Path, accounts: int, since: date) -> int:
    os.environ.update(_instance_environment(home))
    with dg.DagsterInstance.from_config(str(home / FOLDER)) as instance:
        return fill(instance, range(10**15, 10**15 + accounts), since, datetime.now(UTC).date())


@contextmanager
def _opened(browser: Browser, url: str) -> Iterator[DagsterPages]:
    page = new_page(browser)
    yield DagsterPages(page, url)
    page.context.close()


def _time(browser: Browser, url: str, home: Path, act: Callable[[DagsterPages], None]) -> tuple[float, float]:
    """Seconds of a visit: on the clock, and of the processors of Dagster's servers."""
    servers = [process.pid for process in Processes(home).running() if process.name in ("webserver", "code-server")]
    with _opened(browser, url) as found:
        began, busy = time.monotonic(), sum(map(_busy, servers))
        act(found)
        return time.monotonic() - began, sum(map(_busy, servers)) - busy


def _busy(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _overview(found: DagsterPages) -> None:
    found.open(f"assets/{'/'.join(KEY)}")
    expect(found.page.get_by_text("Latest materialization")).to_be_visible(timeout=_LONG_MS)
    expect(found.page.get_by_text("a row per ad, day")).to_be_visible(timeout=_LONG_MS)


def _partitions(found: DagsterPages) -> None:
    found.open(f"assets/{'/'.join(KEY)}?view=partitions")
    _bar(found.page)


def _bar(page: Page) -> None:
    """Until the counts of the states are shown, which come with the bar."""
    expect(page.get_by_text(re.compile(r"^Materialized \([1-9]\d*\)$"))).to_be_visible(timeout=_LONG_MS)


def _group(found: DagsterPages) -> None:
    found.open(REPORTS)
    expect(found.page.get_by_text(re.compile(r"^\d+% filled$")).first).to_be_visible(timeout=_LONG_MS)


def _dialog(found: DagsterPages) -> None:
    _group(found)
    found.page.get_by_role("button", name=re.compile("Materialize all…")).click()
    dialog = found.page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name=re.compile("^ex: "))).to_be_visible(timeout=_LONG_MS)
    expect(dialog.get_by_text("Select a partition or create one")).to_have_count(1, timeout=_LONG_MS)


_PAGES: dict[str, Callable[[DagsterPages], None]] = {
    "overview of a report": _overview,
    "partitions of a report": _partitions,
    "graph of all reports": _group,
    "graph of all reports, and the dialog of their partitions": _dialog,
}
