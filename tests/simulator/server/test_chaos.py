"""Under chaos a patient client still gets every row once, and the server itself never stumbles."""

from __future__ import annotations

import logging

import pytest
import requests

from .fake_world import ADSET, A

pytestmark = pytest.mark.integration
RANGE = '{"since":"2026-08-20","until":"2026-11-17"}'
QUERY = {"level": "ad", "time_range": RANGE, "time_increment": "1", "fields": "ad_id,impressions"}


def patient(server, method, path, **params):
    """Repeats until there is a JSON answer without an error; returns it, or None for an object that is gone."""
    for _ in range(40):
        try:
            got = server.call(method, path, params=params)
            body = got.json()
        except (requests.RequestException, ValueError):
            continue
        if "error" not in body:
            return body
        if body["error"].get("error_subcode") == 33:
            return None
        server.advance(70)
    raise AssertionError(f"{path} never answered")


def follow(server, path, **params):
    rows = []
    while True:
        body = patient(server, "GET", path, **params)
        assert body is not None
        rows += [(r["ad_id"], r["date_start"], r["impressions"]) for r in body["data"]]
        if "next" not in body["paging"]:
            return rows
        params["after"] = body["paging"]["cursors"]["after"]


def run_job(server):
    for _ in range(30):
        created = patient(server, "POST", f"act_{A}/insights", **QUERY)
        for _ in range(20):
            state = patient(server, "GET", created["report_run_id"])
            if state is not None and state["async_status"] in {"Job Failed", "Job Skipped"}:
                break
            if state is not None and (state["async_status"], state["async_percent_completion"]) == (
                "Job Completed",
                100,
            ):
                return follow(server, f"{created['report_run_id']}/insights", limit="40")
            server.advance(5)
    raise AssertionError("no job ever completed")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_patient_client_gets_everything_once(make_server, seed, caplog):
    expected = follow(make_server(), f"act_{A}/insights", **QUERY, limit="500")
    server = make_server(faults="chaos", seed=seed)
    with caplog.at_level(logging.WARNING):
        for limit in ("9", "50"):
            assert follow(server, f"act_{A}/insights", **QUERY, limit=limit) == expected
        for _ in range(12):
            assert run_job(server) == expected
        for _ in range(60):
            assert patient(server, "GET", ADSET, fields="name")["name"] == "S2"
    assert len(server.admin("state")["faults_fired"]) > 10
    assert not [r for r in caplog.records if r.name.startswith("simulator")]
