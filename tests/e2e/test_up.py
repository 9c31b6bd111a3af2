"""`meta-ads up` as a newcomer starts it: Dagster's pages, a backfill that ends, and nothing left after Ctrl-C."""

from __future__ import annotations

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
        "SELECT account_id, report, count(*) FROM ops.slice GROUP BY account_id, report ORDER BY 1, 2"
    )
    reports = ("account_daily", "ad_daily")
    ids = sorted(int(account.removeprefix("act_")) for account in accounts)
    assert rows == [(account, report, 4) for account in ids for report in reports]

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
