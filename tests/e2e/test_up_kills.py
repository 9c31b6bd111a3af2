"""A backfill on `meta-ads up` while the database and the simulated Meta are killed: it ends complete by itself."""

from __future__ import annotations

import os
import signal
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

from orchestration.processes import Processes
from simulator.world import build_world
from tests.e2e.harness import Simulator, stored, truth
from tests.e2e.running_up import Up, running_up
from tests.e2e.test_up import ACCOUNTS_AND_DAYS, LAUNCH, STATE
from warehouse import embedded
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("up")]

REPORTS = ("account_daily", "ad_daily", "ad_daily__age_gender", "ad_daily__placement", "ad_daily__country")
DAYS = 30
SECONDS = 420.0


def test_a_backfill_ends_complete_though_the_database_and_meta_die(tmp_path: Path) -> None:
    with running_up(tmp_path) as up:
        accounts, days = chosen(up)
        # Reason: otherwise a backfill is over before it can be hit twice.
        slower = requests.post(f"{up.simulator}/_simulator/settings", json={"job_seconds": 6}, timeout=30)
        slower.raise_for_status()
        wanted = {
            "assetSelection": [{"path": ["raw", f"insights_{name}"]} for name in REPORTS],
            "partitionNames": [f"{account}|{day}" for account in accounts for day in days],
        }
        backfill = up.ask(LAUNCH, wanted=wanted)["launchPartitionBackfill"]["backfillId"]
        whole = len(accounts) * len(days) * len(REPORTS)
        processes = Processes(up.home / "demo")
        simulator = processes.find("simulator")
        server = embedded.attach(up.home / "demo" / "postgres")
        assert simulator is not None
        assert server is not None

        wait_for(lambda: slices(up) > 0, SECONDS)
        os.kill(int((server.directory / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        wait_for(lambda: embedded.attach(server.directory) is not None, 60)
        kept = slices(up)
        assert 0 < kept < whole, "the kill should hit a backfill under way"

        wait_for(lambda: slices(up) > kept, SECONDS)
        asked = report_runs(up)
        os.kill(simulator.pid, signal.SIGKILL)
        held = slices(up)
        assert held < whole, "the kill should hit a backfill under way"
        wait_for(lambda: (found := processes.find("simulator")) is not None and found.pid != simulator.pid, 60)
        assert processes.find("simulator").url == simulator.url  # type: ignore[union-attr]

        wait_for(lambda: status(up, backfill) not in {None, "REQUESTED"}, SECONDS)
        assert status(up, backfill) == "COMPLETED_SUCCESS"
        counted = dict(up.query("SELECT report, count(*) FROM ops.slice WHERE report <> 'ad_hourly' GROUP BY report"))
        assert counted == dict.fromkeys(REPORTS, len(accounts) * len(days))
        ((unanswered,),) = up.query("SELECT count(*) FROM ops.report_job WHERE state = 'intent'")
        for life in (asked, report_runs(up)):
            assert sum(count - 1 for count in life.values()) <= unanswered, "Meta was asked twice for the same"

        anchor = date.fromisoformat((up.home / "demo" / "anchor").read_text())
        world = cast(Simulator, SimpleNamespace(world=lambda: build_world(1, "demo", anchor)))
        with Warehouse(server.url()) as warehouse:
            for account in accounts:
                for report in REPORTS:
                    number = int(account.removeprefix("act_"))
                    since, until = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
                    assert stored(warehouse, number, report) == truth(
                        world, number, report, since, until, datetime.now(UTC)
                    )


def chosen(up: Up) -> tuple[list[str], list[str]]:
    """Partition keys of two accounts, and of days whose numbers change no more, oldest first."""
    (node,) = up.ask(ACCOUNTS_AND_DAYS)["assetNodes"]
    keys = {dimension["name"]: dimension["partitionKeys"] for dimension in node["partitionKeysByDimension"]}
    return keys["account"][:2], sorted(keys["day"])[-100 : DAYS - 100]


def slices(up: Up) -> int:
    """Slices of the chosen reports that are stored; 0 while the database is away."""
    try:
        ((count,),) = up.query("SELECT count(*) FROM ops.slice WHERE report <> 'ad_hourly'")
    except (AssertionError, psycopg.OperationalError):
        return 0
    return int(count)


def status(up: Up, backfill: str) -> str | None:
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
