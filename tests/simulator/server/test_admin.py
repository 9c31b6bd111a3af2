"""Admin paths, latency, and clock."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .fake_world import ADSET, A

pytestmark = pytest.mark.integration


def test_clock(server):
    assert server.admin("clock", {"set": "2026-12-01T00:00:00+00:00"})["now"].startswith("2026-12-01T00:00:00")
    assert server.admin("clock", {"advance": 90})["now"].startswith("2026-12-01T00:01:30")
    server.admin("clock", {"speed": 1000})
    time.sleep(0.05)
    assert server.admin("state")["epoch"] > 1764547290 + 40
    assert requests.post(f"{server.url}/_simulator/clock", json={"speed": -1}, timeout=5).status_code == 400


def test_state_and_reset(server):
    server.get(ADSET)
    server.get("999")
    state = server.admin("state")
    assert state["calls_by_kind"] == {"node": 2}
    assert state["calls_by_account"] == {A: 1, "-": 1}
    assert state["errors"] == {"100/33": 1}
    server.admin("reset", {"counters": True, "limits": True, "jobs": True})
    assert server.admin("state")["calls"] == 0
    assert server.sim.limits.accounts == {}


def test_settings_and_bad_input(server):
    assert server.admin("settings", {"job_seconds": 5})["job_seconds"] == 5
    for path, data in (("settings", {"token": "x"}), ("faults", {"name": "nonsense"}), ("tokens", {})):
        got = requests.post(f"{server.url}/_simulator/{path}", json=data, timeout=5)
        assert got.status_code == 400, got.text


def test_truth_and_final_numbers(server):
    assert server.admin(f"truth/act_{A}")["curves"] == {"a": 1.0}
    query = {"node": f"act_{A}", "level": "ad", "time_increment": 1, "date_preset": "last_3d"}
    rows = server.admin("final/insights", query)["data"]
    assert len(rows) == 33
    assert rows[0]["account_name"].startswith("2027-01")


def test_latency_overlaps(make_server):
    server = make_server(latency_ms=200)
    started = time.perf_counter()
    with ThreadPoolExecutor(20) as pool:
        codes = list(
            pool.map(
                lambda _: (
                    requests.get(
                        f"{server.url}/v26.0/{ADSET}", params={"access_token": "SIMULATOR"}, timeout=10
                    ).status_code
                ),
                range(20),
            )
        )
    assert codes == [200] * 20
    assert time.perf_counter() - started < 3.5  # one after the other, they take 4
