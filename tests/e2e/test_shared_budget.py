"""Several processes on one token: together they stay under Meta's quota, and lose no time over it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from typing import Any

import pytest

from ingestion.budget import CallBudget
from tests.e2e.harness import ROOT, account_ids, running_simulator, scalar
from tests.ingestion.fakes import ManualClock
from warehouse.ops import UsageStore

pytestmark = pytest.mark.integration

SPEED, PROCESSES, CALLS = 60.0, 6, 25
POINTS, SECONDS_A_POINT = 60, 5.0  # development access: 60 points at once, then one every 5 s


@pytest.fixture
def small_quota(tmp_path):
    with running_simulator(tmp_path, "--tier", "development", "--latency", "150", speed=SPEED) as simulator:
        yield simulator


def run_all(simulator, warehouse_url: str | None, *, until_refused: bool = False) -> dict[str, Any]:
    """Several processes at once, each with as many calls; what Meta counted, and how long it took by Meta's clock."""
    account = str(account_ids(simulator)[0])
    job = {"graph_url": simulator.url, "account_id": account, "calls": CALLS, "speed": SPEED}
    job["warehouse_url"] = warehouse_url
    simulator.reset()
    before = datetime.fromisoformat(simulator.get("state?jobs=0")["now"])
    command = [sys.executable, "-m", "tests.e2e.caller", json.dumps(job)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(PROCESSES)]
    try:
        while any(process.poll() is None for process in processes):
            time.sleep(0.2)
            if until_refused and refusals(simulator):
                break
    finally:
        for process in processes:
            process.kill()
            process.wait()
    state = simulator.get("state?jobs=0")
    return {
        "codes": [process.returncode for process in processes],
        "refused": refusals(simulator),
        "while_blocked": sum(state["calls_while_blocked"].values()),
        "calls": sum(state["calls_by_account"].values()),
        "seconds": (datetime.fromisoformat(state["now"]) - before).total_seconds(),
    }


def refusals(simulator) -> int:
    errors = simulator.get("state?jobs=0")["errors"]
    return sum(count for code, count in errors.items() if code.split("/")[0] in {"17", "613", "80004"})


def test_processes_never_overspend_together_and_waste_no_quota(small_quota, warehouse):
    told = run_all(small_quota, warehouse.url)
    assert told["codes"] == [0] * PROCESSES
    assert told["refused"] == 0
    assert told["while_blocked"] == 0
    assert told["calls"] >= PROCESSES * CALLS
    start_up = 15 * SPEED  # real seconds in which Python starts count as many simulated ones
    assert told["seconds"] <= 1.2 * (PROCESSES * CALLS - POINTS) * SECONDS_A_POINT + start_up
    assert scalar(warehouse, "SELECT count(*) FROM ops.call_budget WHERE state -> 'under_way' <> '{}'") == 0


def test_the_same_processes_are_refused_where_each_keeps_a_budget_of_its_own(small_quota):
    assert run_all(small_quota, None, until_refused=True)["refused"] > 0


def test_calls_of_a_process_that_died_are_forgotten_after_a_while(warehouse):
    clock = ManualClock()
    budget = CallBudget(clock, UsageStore(warehouse))
    usage = {"acc_id_util_pct": 63, "reset_time_duration": 189, "ads_api_access_tier": "development_access"}
    with budget.call("1") as call:
        call.headers = {"X-Ad-Account-Usage": json.dumps(usage)}
    child = os.fork()
    if not child:
        held = [CallBudget(clock, UsageStore(warehouse)).call("1") for _ in range(20)]
        for one in held:
            one.__enter__()
        os._exit(0)
    os.waitpid(child, 0)
    began = clock.now()
    with budget.call("1"):
        waited = clock.now() - began
    assert waited > 0, "20 calls under way fill what is left of the quota of 60 where 63 % are used"
    clock.sleep(600)
    began = clock.now()
    with budget.call("1"):
        assert clock.now() == began
