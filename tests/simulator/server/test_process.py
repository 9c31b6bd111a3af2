"""The started process: port file, printed line, a page of the real world, SIGTERM."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import requests

from simulator.server.cli import parser, settings_of

pytest.importorskip("simulator.world", reason="the world is not there yet")
pytestmark = pytest.mark.integration


def test_start_read_and_stop(tmp_path):
    file = tmp_path / "port"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "simulator",
            "--size",
            "small",
            "--port-file",
            str(file),
            "--now",
            "2026-11-20T09:00:00Z",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 30
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        port = int(file.read_text())
        assert process.stdout.readline() == f"listening on http://127.0.0.1:{port}\n"
        url = f"http://127.0.0.1:{port}/v26.0"
        token = {"access_token": "SIMULATOR"}
        account = requests.get(f"{url}/me/adaccounts", params=token, timeout=10).json()["data"][0]["id"]
        params = {**token, "level": "ad", "date_preset": "last_7d", "time_increment": "1", "limit": "100"}
        rows = requests.get(f"{url}/{account}/insights", params=params, timeout=10).json()["data"]
        assert rows
        assert all(isinstance(row["impressions"], str) for row in rows)
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()


def test_wrong_options_say_what_to_do():
    got = subprocess.run(
        [sys.executable, "-m", "simulator", "--faults", "nonsense", "--size", "small"], capture_output=True, text=True
    )
    assert got.returncode == 2
    assert "no fault profile 'nonsense'" in got.stderr


def test_options_become_settings():
    args = parser().parse_args(
        ["--tier", "development", "--latency", "5", "--opt-in", "act_1,2", "--no-limits", "--retired", "upgrade"]
    )
    found = settings_of(args)
    assert (found.tier, found.latency_ms, found.limits, found.retired) == ("development", 5.0, False, "upgrade")
    assert found.opt_in == {"1", "2"}
