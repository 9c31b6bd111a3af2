"""Every class of error has the shape of the fact sheet, and every fault can be injected."""

from __future__ import annotations

import json

import pytest
import requests

from simulator.server.errors import CATALOGUE
from simulator.server.faults import JOB, NAMES, SCENARIOS, Faults, Rule, scenario

from .fake_world import ADSET, A, B

pytestmark = pytest.mark.integration

SHEET = {
    "unknown_error": (500, 1, None),
    "unknown_error_99": (500, 1, 99),
    "reduce_data": (500, 1, None),
    "delegate_page": (400, 1, 2853001),
    "service_unavailable": (503, 2, None),
    "insights_intermittent": (500, 2, 1504043),
    "insights_unknown": (500, 2, 1504044),
    "invalid_breakdowns": (400, 2, 1504041),
    "invalid_metrics": (400, 2, 1504042),
    "timeout_100": (400, 100, 1504018),
    "timeout_2": (500, 2, 1504038),
    "too_many_rows": (400, 100, 1487534),
    "insufficient_permission": (400, 100, 3191001),
    "throttle_user": (400, 17, 2446079),
    "throttle_account": (400, 613, 1487742),
    "throttle_insights": (400, 80000, 2446079),
    "throttle_management": (400, 80004, 2446079),
    "throttle_app": (403, 4, None),
    "throttle_insights_app": (403, 4, 1504022),
    "throttle_insights_global": (403, 4, 1504039),
    "budget_changes": (400, 613, 1487632),
    "permission_200": (403, 200, None),
    "token_expired": (400, 190, 463),
    "token_password": (400, 190, 460),
    "not_found": (400, 100, 33),
    "retired_version": (400, 2635, None),
    "report_not_ready": (400, 2601, 1815107),
    "invalid_cursor": (400, 2642, None),
    "beyond_37_months": (400, 3018, None),
    "session_invalid": (400, 102, None),
    "bad_signature": (400, 104, None),
}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_row_of_the_matrix_is_injectable(server, name):
    server.admin("faults", {"name": name, "times": 1})
    got = server.get(ADSET)
    error = got.json()["error"]
    assert {"message", "code", "fbtrace_id"} <= error.keys()
    status, code, subcode = SHEET.get(name, (got.status_code, error["code"], error.get("error_subcode")))
    assert (got.status_code, error["code"], error.get("error_subcode")) == (status, code, subcode)
    assert server.get(ADSET).status_code == 200


def test_the_reduce_error_has_neither_type_nor_subcode(server):
    server.admin("faults", {"name": "reduce_data", "times": 1})
    assert set(server.get(ADSET).json()["error"]) == {"message", "code", "fbtrace_id"}


@pytest.mark.parametrize(
    ("name", "status", "inside"),
    [("html_502", 502, "<html>"), ("html_503", 503, "Service Unavailable"), ("html_504", 504, "<html>")],
)
def test_html_answers(server, name, status, inside):
    server.admin("faults", {"name": name, "times": 1})
    got = server.get(ADSET)
    assert (got.status_code, got.headers["Content-Type"][:9]) == (status, "text/html")
    assert inside in got.text
    assert "success" not in got.text


def test_empty_and_lying_answers(server):
    server.admin("faults", [{"name": "empty_500", "times": 1}])
    got = server.get(ADSET)
    assert (got.status_code, got.content) == (500, b"")
    server.admin("faults", [{"name": "ok_with_error", "times": 1}])
    got = server.get(ADSET)
    assert (got.status_code, got.json()["error"]["code"]) == (200, 2)


@pytest.mark.parametrize("name", ["cut_before", "cut_middle"])
def test_cut_connections(server, name):
    server.admin("faults", [{"name": name, "times": 1}])
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        server.get(f"act_{A}/insights", level="ad")
    assert server.get(ADSET).status_code == 200


def test_where_conditions(server):
    rules = [
        {"name": "unknown_error", "where": {"kind": "edge", "path": "campaigns"}, "times": 1},
        {"name": "permission_200", "account": "#1"},
        {"name": "service_unavailable", "method": "POST", "after": 1, "times": 1},
    ]
    server.admin("faults", rules)
    assert server.get(f"act_{A}/adsets").status_code == 200
    assert server.get(f"act_{A}/campaigns").status_code == 500
    assert server.get(f"act_{A}/campaigns").status_code == 200
    assert server.get(f"act_{B}").status_code == 403
    codes = [server.post(ADSET, name="x").status_code for _ in range(3)]
    assert codes == [200, 503, 200]
    fired = server.admin("state")["faults_fired"]
    assert fired == {"unknown_error": 1, "permission_200": 1, "service_unavailable": 1}
    server.admin("faults", {"clear": True})
    assert server.get(f"act_{B}").status_code == 200


def test_a_throttle_fault_with_seconds_blocks_and_shows_in_headers(server):
    server.admin("faults", {"name": "throttle_insights", "times": 1, "seconds": 600})
    got = server.get(f"act_{A}/insights")
    entry = json.loads(got.headers["X-Business-Use-Case-Usage"])[A][0]
    assert (entry["call_count"], entry["estimated_time_to_regain_access"]) == (100, 10)
    assert server.get(f"act_{A}/insights").json()["error"]["code"] == 80000
    assert server.get(f"act_{A}").status_code == 200
    server.advance(700)
    assert server.get(f"act_{A}/insights").status_code == 200


def test_an_app_throttle_concerns_every_account(server):
    server.admin("faults", {"name": "throttle_insights_app", "times": 1, "seconds": 60})
    got = server.get(f"act_{A}/insights")
    assert (got.status_code, got.json()["error"]["error_subcode"]) == (403, 1504022)
    assert json.loads(got.headers["X-App-Usage"])["call_count"] == 100
    assert json.loads(got.headers["X-FB-Ads-Insights-Throttle"])["app_id_util_pct"] == 100
    assert json.loads(got.headers["X-Ad-Account-Usage"])["acc_id_util_pct"] < 1
    assert server.get(f"act_{B}").json()["error"]["code"] == 4
    server.advance(61)
    assert server.get(f"act_{B}").status_code == 200


def test_empty_middle_page(server):
    server.admin("faults", {"name": "empty_middle_page", "times": 1})
    pages, params = [], {"level": "ad", "date_preset": "yesterday", "limit": 3}
    while True:
        body = server.get(f"act_{A}/insights", **params).json()
        pages.append(len(body["data"]))
        if "next" not in body["paging"]:
            break
        params["after"] = body["paging"]["cursors"]["after"]
    assert pages == [3, 0, 3, 3, 2]


def test_scenarios_are_known_and_deterministic():
    for name in SCENARIOS:
        scenario(name)
    with pytest.raises(ValueError, match="no fault profile"):
        scenario("nonsense")
    with pytest.raises(ValueError, match="unknown fault"):
        Rule("nonsense")

    def run(seed):
        faults = Faults(seed, lambda: [A])
        faults.add(scenario("chaos").rules)
        picked = [faults.pick(NAMES - JOB, kind="insights", method="GET", path="/x", account_id=A) for _ in range(2000)]
        return [p.name for p in picked if p]

    first = run(1)
    assert 60 < len(first) < 180
    assert len(set(first)) > 10
    assert len(run(2)) != len(first) or run(2) != first


def test_named_scenarios_over_http(make_server):
    server = make_server(faults="account_forbidden")
    assert (server.get(f"act_{A}").status_code, server.get(f"act_{B}").status_code) == (200, 403)
    server = make_server(faults="token_expired_midway")
    codes = [server.get(ADSET).status_code for _ in range(22)]
    assert codes == [200] * 20 + [400] * 2
    assert server.get(ADSET).json()["error"]["error_subcode"] == 463
    server = make_server(faults="too_large")
    whole = {"level": "ad", "time_increment": 1, "limit": 300}
    got = server.get(f"act_{A}/insights", **whole, date_preset="last_28d")
    assert got.json()["error"]["message"].startswith("Please reduce")
    got = server.get(f"act_{A}/insights", **whole, date_preset="last_90d")
    assert (got.json()["error"]["code"], got.json()["error"]["error_subcode"]) in {(100, 1504018), (2, 1504038)}
    long = json.dumps({"since": "2024-01-01", "until": "2026-11-19"})
    run = server.post(f"act_{A}/insights", **whole, time_range=long).json()["report_run_id"]
    server.advance(60)
    state = server.get(run).json()
    assert (state["async_status"], state["error_code"], state["error_subcode"]) == ("Job Failed", -3, 1504045)
