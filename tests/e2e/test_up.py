"""`meta-ads up` as a newcomer starts it: a backfill that ends although the daemon, the database and the simulated Meta
are killed in the middle of it, and nothing left after Ctrl-C.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
import requests

from orchestration.processes import Processes, RunningProcess
from simulator.world import build_world
from tests.e2e.harness import Simulator, stored, truth
from tests.e2e.running_up import ROOT, Up, clean_environment, processes_in
from warehouse import embedded
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("up")]

ACCOUNTS_AND_DAYS = """{
  assetNodes(assetKeys: [{path: ["raw", "insights_ad_daily"]}]) { partitionKeysByDimension { name partitionKeys } }
}"""
LAUNCH = """mutation($wanted: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $wanted) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}"""
STATE = """query($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status runs { status } } }
}"""


REPORTS = ("account_daily", "ad_daily", "ad_daily__age_gender", "ad_daily__placement", "ad_daily__country")
# Reason for the days: schedules come round meanwhile, and pull the newest ones.
SLICES = """
    SELECT report, count(*) FROM ops.slice
    WHERE account_id = ANY(%(accounts)s) AND day BETWEEN %(since)s AND %(until)s GROUP BY report
"""
DAYS = 30
SECONDS = 420.0


def pause_an_adset(up: Up) -> int:
    """A change at the simulator, which sends a webhook for it."""
    account = requests.get(f"{up.simulator}/_simulator/state?jobs=0", timeout=30).json()["accounts"][0]
    token = {"access_token": "SIMULATOR"}
    asked = token | {"fields": "effective_status", "limit": "100"}
    listed = requests.get(f"{up.simulator}/v26.0/act_{account}/adsets", params=asked, timeout=30).json()["data"]
    adset = next(found["id"] for found in listed if found["effective_status"] == "ACTIVE")
    changed = requests.post(f"{up.simulator}/v26.0/{adset}", data=token | {"status": "PAUSED"}, timeout=30)
    assert changed.json() == {"success": True}
    return int(adset)


def status_of(platform: Up, adset: int) -> tuple[str | None, str | None]:
    """What the warehouse holds of an ad set, and what became of the notification."""
    status = platform.query("SELECT effective_status FROM raw.adsets WHERE id = %(adset)s", adset=adset)
    notified = platform.query("SELECT state FROM ops.notification")
    return status[0][0] if status else None, notified[0][0] if notified else None


def test_a_backfill_ends_complete_whatever_dies_and_nothing_is_left_behind(platform: Up) -> None:
    accounts, days = chosen(platform)
    # Reason: otherwise a backfill is over before it can be hit three times.
    requests.post(f"{platform.simulator}/_simulator/settings", json={"job_seconds": 6}, timeout=30).raise_for_status()
    wanted = {
        "assetSelection": [{"path": ["raw", f"insights_{name}"]} for name in REPORTS],
        "partitionNames": [f"{account}|{day}" for account in accounts for day in days],
    }
    launched = platform.ask(LAUNCH, wanted=wanted)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    whole = len(accounts) * len(days) * len(REPORTS)
    ids = [int(account.removeprefix("act_")) for account in accounts]
    since, until = date.fromisoformat(days[0]), date.fromisoformat(days[-1])

    def slices() -> dict[str, int]:
        """By report; none while the database is away."""
        try:
            return dict(platform.query(SLICES, accounts=ids, since=since, until=until))
        except (AssertionError, psycopg.OperationalError):
            return {}

    def count() -> int:
        return sum(slices().values())

    processes = Processes(platform.home / "demo")
    before = {process.name: process for process in processes.running()}

    assert count() == 0
    os.kill(before["daemon"].pid, signal.SIGKILL)
    wait_for(lambda: another(processes, before["daemon"]), 60)
    after = {process.name: process.pid for process in processes.running()}
    assert [name for name, process in before.items() if after.get(name) != process.pid] == ["daemon"]

    server = embedded.attach(platform.home / "demo" / "postgres")
    assert server is not None
    wait_for(lambda: count() > 0, SECONDS)
    os.kill(int((server.directory / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    wait_for(lambda: embedded.attach(server.directory) is not None, 60)
    kept = count()
    assert 0 < kept < whole, "the kill should hit a backfill under way"

    wait_for(lambda: count() > kept, SECONDS)
    asked = report_runs(platform)
    os.kill(before["simulator"].pid, signal.SIGKILL)
    assert count() < whole, "the kill should hit a backfill under way"
    wait_for(lambda: another(processes, before["simulator"]), 60)

    wait_for(lambda: state(platform, launched["backfillId"]) not in {None, "REQUESTED"}, SECONDS)
    assert state(platform, launched["backfillId"]) == "COMPLETED_SUCCESS"
    assert slices() == dict.fromkeys(REPORTS, len(accounts) * len(days))
    ((unanswered,),) = platform.query("SELECT count(*) FROM ops.report_job WHERE state = 'intent'")
    for life in (asked, report_runs(platform)):
        assert sum(count - 1 for count in life.values()) <= unanswered, "Meta was asked twice for the same"
    anchor = date.fromisoformat((platform.home / "demo" / "anchor").read_text())
    world = cast(Simulator, SimpleNamespace(world=lambda: build_world(1, "demo", anchor)))
    with Warehouse(server.url()) as warehouse:
        for account in ids:
            for report in REPORTS:
                expected = truth(world, account, report, since, until, datetime.now(UTC))
                held = stored(warehouse, account, report).items()
                assert {key: row for key, row in held if row["date_start"] in days} == expected

    # Meta said so: the simulator that was started again reports to the receiver as well.
    adset = pause_an_adset(platform)
    wait_for(lambda: status_of(platform, adset) == ("PAUSED", "asked"), 180)
    figures = requests.get(platform.metrics, timeout=10).text
    assert "meta_ads_up 1.0" in figures
    (written,) = re.findall(r'^meta_ads_slices_written_total{report="ad_daily"} (\S+)$', figures, re.MULTILINE)
    assert float(written) >= len(accounts) * len(days)
    accounts_of_runs = set()
    for name in ("code-server", "webserver", "daemon", "metrics"):
        for line in (platform.home / "demo" / "logs" / f"{name}.log").read_text().splitlines():
            if not line.startswith("{"):  # Dagster's web server and daemon complain about the database in their own way
                continue
            fields = json.loads(line)
            if fields.get("logger") == "orchestration.pull" and "account" in fields:
                assert {"run", "dagster_run"} <= fields.keys()
                accounts_of_runs.add(fields["account"])
    assert accounts_of_runs >= set(accounts)

    assert len(platform.family()) > 4
    platform.process.send_signal(signal.SIGINT)
    rest, _ = platform.process.communicate(timeout=60)
    assert platform.process.returncode == 0, rest
    assert platform.family() == []


def test_a_port_that_is_taken_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    """Another program's port would otherwise be shown as the platform's."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "orchestration.cli", "up", "--web-port", str(port)],
            cwd=ROOT,
            env=clean_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"Port {port} is taken by another program." in done.stderr
    assert "--web-port 0" in done.stderr
    assert processes_in(tmp_path / "home") == []


def another(processes: Processes, before: RunningProcess) -> bool:
    """Whether another process does the same where the one before did."""
    found = processes.find(before.name)
    return found is not None and found.pid != before.pid and found.port == before.port


def chosen(up: Up) -> tuple[list[str], list[str]]:
    """Partition keys of two accounts, and of days whose numbers change no more, oldest first.

    Older than those of test_browser_backfill.py, which runs on the same platform before.
    """
    (node,) = up.ask(ACCOUNTS_AND_DAYS)["assetNodes"]
    keys = {dimension["name"]: dimension["partitionKeys"] for dimension in node["partitionKeysByDimension"]}
    assert len(keys["account"]) == 5
    assert len(keys["day"]) > 1_090
    return keys["account"][:2], sorted(keys["day"])[-160 : DAYS - 160]


def state(up: Up, backfill: str) -> str | None:
    """Of a backfill; None while Dagster's pages or their database are away."""
    try:
        found = up.ask(STATE, id=backfill)["partitionBackfillOrError"]
    except (AssertionError, requests.RequestException):
        return None
    return str(found["status"]) if "status" in found else None


def report_runs(up: Up) -> Counter[str]:
    """What the simulated Meta was asked to compute since it was started, and how often."""
    jobs: list[dict[str, Any]] = requests.get(f"{up.simulator}/_simulator/state", timeout=30).json()["jobs"]
    return Counter(job["fingerprint"] for job in jobs)


def wait_for(true: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)
