"""`meta-ads up` as a newcomer starts it: Dagster's pages, a backfill that ends, and nothing left after Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from orchestration.processes import Processes
from tests.e2e.running_up import ROOT, Up, clean_environment, processes_in, running_up

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


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Up]:
    with running_up(tmp_path) as up:
        yield up


def pause_an_adset(processes: Processes) -> int:
    """A change at the simulator, which sends a webhook for it."""
    simulator = processes.find("simulator")
    assert simulator is not None
    account = requests.get(f"{simulator.url}/_simulator/state?jobs=0", timeout=30).json()["accounts"][0]
    token = {"access_token": "SIMULATOR"}
    asked = token | {"fields": "effective_status", "limit": "100"}
    listed = requests.get(f"{simulator.url}/v26.0/act_{account}/adsets", params=asked, timeout=30).json()["data"]
    adset = next(found["id"] for found in listed if found["effective_status"] == "ACTIVE")
    changed = requests.post(f"{simulator.url}/v26.0/{adset}", data=token | {"status": "PAUSED"}, timeout=30)
    assert changed.json() == {"success": True}
    return int(adset)


def status_of(platform: Up, adset: int) -> tuple[str | None, str | None]:
    """What the warehouse holds of an ad set, and what became of the notification."""
    status = platform.query("SELECT effective_status FROM raw.adsets WHERE id = %(adset)s", adset=adset)
    notified = platform.query("SELECT state FROM ops.notification")
    return status[0][0] if status else None, notified[0][0] if notified else None


def test_it_runs_a_backfill_though_the_daemon_dies_and_leaves_nothing_behind(platform: Up) -> None:
    (node,) = platform.ask(ACCOUNTS_AND_DAYS)["assetNodes"]
    keys = {dimension["name"]: dimension["partitionKeys"] for dimension in node["partitionKeysByDimension"]}
    assert len(keys["account"]) == 5
    assert len(keys["day"]) > 1_090
    accounts, days = keys["account"][:2], keys["day"][-12:-8]
    wanted = {
        "assetSelection": [{"path": ["raw", f"insights_{name}"]} for name in ("ad_daily", "account_daily")],
        "partitionNames": [f"{account}|{day}" for account in accounts for day in days],
    }
    launched = platform.ask(LAUNCH, wanted=wanted)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    processes = Processes(platform.home / "demo")
    adset = pause_an_adset(processes)
    before = {process.name: process.pid for process in processes.running()}
    os.kill(before["daemon"], signal.SIGKILL)
    deadline = time.monotonic() + 240
    state: dict[str, Any] = {"status": "REQUESTED"}
    while state["status"] == "REQUESTED" and time.monotonic() < deadline:
        time.sleep(2)
        state = platform.ask(STATE, id=launched["backfillId"])["partitionBackfillOrError"]
    assert state == {"status": "COMPLETED_SUCCESS", "runs": [{"status": "SUCCESS"}] * 2}

    after = {process.name: process.pid for process in processes.running()}
    assert after.keys() == before.keys()
    assert [name for name, pid in before.items() if after[name] != pid] == ["daemon"]

    rows = platform.query(
        # Reason for leaving out the hours: a tick may come in between, every quarter of an hour.
        "SELECT account_id, report, count(*) FROM ops.slice WHERE report <> 'ad_hourly' GROUP BY account_id, report "
        "ORDER BY 1, 2"
    )
    reports = ("account_daily", "ad_daily")
    # Meta said so, nobody looked by themselves: the hourly schedules have not come round.
    deadline = time.monotonic() + 180
    while (told := status_of(platform, adset)) != ("PAUSED", "asked") and time.monotonic() < deadline:
        time.sleep(2)
    assert told == ("PAUSED", "asked")

    ids = sorted(int(account.removeprefix("act_")) for account in accounts)
    assert rows == [(account, report, 4) for account in ids for report in reports]

    figures = requests.get(platform.metrics, timeout=10).text
    assert "meta_ads_up 1.0" in figures
    assert 'meta_ads_slices_written_total{report="ad_daily"} 8.0' in figures
    accounts_of_runs = set()
    for name in ("code-server", "webserver", "daemon", "metrics"):
        for line in (platform.home / "demo" / "logs" / f"{name}.log").read_text().splitlines():
            fields = json.loads(line)
            if fields.get("logger") == "orchestration.pull" and "account" in fields:
                assert {"run", "dagster_run"} <= fields.keys()
                accounts_of_runs.add(fields["account"])
    assert accounts_of_runs == set(accounts)

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
